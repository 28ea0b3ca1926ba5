// What a task is, until sim/task.ts says it for everyone.

import type { RobotModel } from "../sim/model.ts";
import type { Rng } from "../sim/rng.ts";
import type { PhysicsSettings } from "../sim/settings.ts";
import type { World } from "../sim/world.ts";

/** Pure functions of the world; what one episode must remember is in `memoryOf(world)`. */
export interface Task {
  readonly id: string;
  readonly model: RobotModel;
  readonly physics: Partial<PhysicsSettings>;
  readonly controlDt: number; // s
  /** Control steps until truncation. */
  readonly maxEpisodeSteps: number;
  /** Numbers that the task keeps for each world. */
  readonly memorySize: number;
  /** What each element of the observation is, in order. */
  readonly observationNames: readonly string[];
  readonly rewardTerms: readonly string[];
  /** Writes `world.start`, which holds the zero pose at rest. */
  reset(world: World, rng: Rng): void;
  /** Before each control step: pushes, new commands. */
  beforeStep?(world: World, rng: Rng): void;
  observe(world: World, out: Float32Array): void;
  /** Writes every named term and returns their sum; called once a control step. */
  reward(world: World, action: Float32Array, terms: Float32Array): number;
  success?(world: World): boolean;
  /** Absorbing ends only, never the time limit. */
  terminated(world: World): boolean;
}
