// Whole episodes of an expert, one env after another: what demonstrations and success rates are made from.

import { Envs } from "../../sim/env.ts";
import type { Physics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import type { Task } from "../../sim/task.ts";
import { createExpert, type Skill } from "./index.ts";

/** One episode as it was played. */
export interface Demonstration {
  readonly seed: number;
  readonly length: number;
  readonly episodeReturn: number;
  /** Whether the last step was successful. */
  readonly success: boolean;
}

/** Looks on: told of every reset and of every step with the action that was given. */
export interface Spectator {
  reset(envs: Envs, seed: number): void;
  step(envs: Envs, action: Float32Array): void;
}

/** Plays an episode for each seed. */
export function demonstrate(
  physics: Physics,
  task: Task,
  skill: Skill,
  seeds: readonly number[],
  spectator?: Spectator,
): Demonstration[] {
  const expert = createExpert(task, skill);
  const action = new Float32Array(task.action.size);
  const envs = new Envs(physics, task, { seed: 0, autoReset: false });
  const world = envs.simulation.worlds[0]!;
  const demonstrations = seeds.map((seed): Demonstration => {
    envs.reset(seed);
    expert.reset(createRng(seed));
    spectator?.reset(envs, seed);
    let episodeReturn = 0;
    for (let length = 1; ; length++) {
      expert.act(world, action);
      const { rewards, terminated, truncated, successes } = envs.step(action);
      spectator?.step(envs, action);
      episodeReturn += rewards[0]!;
      if (terminated[0]! + truncated[0]! > 0)
        return { seed, length, episodeReturn, success: successes[0] === 1 };
    }
  });
  envs.free();
  return demonstrations;
}
