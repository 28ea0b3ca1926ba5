// The contract between a robot's world and what it is asked to do. A task has no state of its own.

import type { RobotModel, Vec3 } from "./model.ts";
import type { Rng } from "./rng.ts";
import type { PhysicsSettings } from "./settings.ts";
import type { Space } from "./space.ts";
import type { World } from "./world.ts";

export interface Task {
  /** "hopper-hop-v0": a changed reward is a new version. */
  readonly id: string;
  /** URL of the file that makes it, where no registry knows its id; the registry takes it as a name. */
  readonly source?: string;
  readonly model: RobotModel;
  readonly settings?: Partial<PhysicsSettings>;
  readonly observation: Space;
  /**
   * [−1, 1]^A. Without `command` an element for each actuator, and scaling happens in the actuator alone.
   */
  readonly action: Space;
  /** s; a whole multiple of the physics step. */
  readonly controlDt: number;
  /** Control steps until truncation. */
  readonly maxEpisodeSteps: number;
  /** Names of the terms that `reward` writes and sums up. */
  readonly rewardTerms: readonly string[];
  /** Numbers in `world.memory`, which is the task's own and all 0 when `reset` begins; 0 where missing. */
  readonly memorySize?: number;
  /** What of the body is drawn anew for each episode; nothing where missing. */
  readonly randomization?: Randomization;
  /** Changes `world.start`, which is the zero pose, and draws whatever else an episode needs. */
  reset(world: World, rng: Rng): void;
  /**
   * Turns an action into the actuators' controls in [−1, 1], [actuators]: for tasks that act otherwise than
   * drive by drive, such as by moves of a hand. May change `world.memory`. On the path to physics: portable.
   */
  command?(world: World, action: Float32Array, controls: Float64Array): void;
  /** Writes [O]. */
  observe(world: World, out: Float32Array): void;
  /** Writes every term and returns their sum. */
  reward(world: World, action: Float32Array, terms: Float32Array): number;
  /** Absorbing ends only, never the time limit. */
  terminated(world: World): boolean;
  success?(world: World): boolean;
  /** For robots with a left and a right, whose images obey the same laws; uneven ground aside. */
  readonly mirror?: TaskMirror;
  /** What a viewer should draw beside the robot; fresh. */
  marks?(world: World): Mark[];
  /** Physical quantities that evaluations report; nothing where missing. */
  readonly measures?: Measures;
  /**
   * Whether a curriculum may choose a level of difficulty from 0 to 1: `world.level`, which is 1 where
   * nobody chooses. It eases every range of `randomization`, and whatever else the task says.
   */
  readonly hasLevels?: boolean;
}

/** What a robot's observations and actions look like in a mirror. */
export interface TaskMirror {
  readonly observations: Mirror; // O
  readonly actions: Mirror; // A
}

/** Element i of the mirrored vector is `signs[i]`, 1 or −1, times element `indices[i]`. */
export interface Mirror {
  readonly indices: readonly number[];
  readonly signs: readonly number[];
}

/** Something to see that the physics does not know: a target, or a wanted direction as an arrow. */
export type Mark =
  | { readonly type: "sphere"; readonly position: Vec3; readonly radius: number }
  | { readonly type: "arrow"; readonly position: Vec3; readonly vector: Vec3 };

/** Named numbers of a moment, one unit each. */
export interface Measures {
  readonly names: readonly string[];
  readonly units: readonly string[];
  /** Writes them. */
  read(world: World, out: Float32Array): void;
}

/** Both ends included. */
export type Interval = readonly [low: number, high: number];

/**
 * Ranges that an episode's generator draws from, uniformly. A level below 1 brings them nearer to the
 * model: at 0 nothing is random.
 */
export interface Randomization {
  /** Factor on each actuator's force. */
  readonly motorStrength?: Interval;
  /** Control steps by which actions arrive late; whole numbers. */
  readonly latency?: Interval;
  /** Standard deviation of normal noise on every observed element, or of each one's. */
  readonly observationNoise?: number | readonly number[]; // [O]
  /** Pushes on a link: mean time between them in s, speed change in m/s, horizontal. */
  readonly pushes?: { readonly link: string; readonly every: number; readonly speed: number };
  /** Factors, one for all links' masses and inertias and one for all geoms' friction. */
  readonly mass?: Interval;
  readonly friction?: Interval;
}

/** Physics steps in a control step; throws where it is not a whole number of them. */
export function substepsOf({ controlDt }: Pick<Task, "controlDt">, simDt: number): number {
  const substeps = Math.round(controlDt / simDt);
  if (substeps < 1 || Math.abs(substeps * simDt - controlDt) > 1e-9 * controlDt)
    throw new Error(`controlDt ${controlDt} s is not a whole multiple of simDt ${simDt} s`);
  return substeps;
}
