// Two ways to grade a task of hands: by success alone, or by stages on the way to it.
//
// sparse: 1 in the step that succeeds, which ends the episode; else 0. The return is 1 or 0.
// dense: stages in [0, 1] with weights that sum to 1, until the time is over; 1 in every successful step.

import type { Task } from "../../sim/task.ts";
import type { World } from "../../sim/world.ts";

export interface HandTaskOptions {
  /** Graded by stages, without an end at success. */
  readonly dense: boolean;
}

/** A stage on the way: what it is worth and how far it has come, in [0, 1]. */
export interface Stage {
  readonly name: string;
  readonly weight: number;
  progress(world: World): number;
}

/** The reward's part of a task. */
export function graded(
  { dense }: HandTaskOptions,
  success: (world: World) => boolean,
  stages: readonly Stage[],
): Required<Pick<Task, "rewardTerms" | "reward" | "terminated" | "success">> {
  if (!dense) {
    return {
      rewardTerms: ["success"],
      success,
      terminated: success,
      reward(world, _action, terms) {
        terms[0] = success(world) ? 1 : 0;
        return terms[0];
      },
    };
  }
  return {
    rewardTerms: stages.map(({ name }) => name),
    success,
    terminated: () => false,
    reward(world, _action, terms) {
      const done = success(world);
      let sum = 0;
      for (const [i, { weight, progress }] of stages.entries()) {
        terms[i] = weight * (done ? 1 : progress(world));
        sum += terms[i]!;
      }
      return sum;
    },
  };
}
