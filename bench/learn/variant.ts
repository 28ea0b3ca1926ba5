// A registered task with another physics step or episode, which measures its gait: what a gait is tried on.

import { physicsDefaults } from "../../sim/settings.ts";
import type { Task } from "../../sim/task.ts";
import { createTask } from "../../tasks/index.ts";
import { gaitMeasures } from "./gaitMeasures.ts";

export interface VariantOptions {
  /** Physics steps in place of one; the control rate and the iterations of each step stay. */
  readonly refinement: number;
  /** Length of an episode in s. */
  readonly duration: number;
}

/** The task of a name, changed; what a TaskSource may name, too. */
export async function createVariant(
  name: string,
  { refinement, duration }: VariantOptions,
): Promise<Task> {
  const task = await createTask(name);
  const { timestep } = { ...physicsDefaults, ...task.settings };
  return {
    ...task,
    measures: gaitMeasures(task.model),
    settings: { ...task.settings, timestep: timestep / refinement },
    maxEpisodeSteps: Math.round(duration / task.controlDt),
  };
}
