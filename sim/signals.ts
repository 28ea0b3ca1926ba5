// Signals: a robot's numbers of one step in a row of floats: joints, actions, reward terms and sums.

import type { RobotPlan } from "./robotPlan.ts";
import type { Task } from "./task.ts";
import type { World } from "./world.ts";

/** Where the numbers lie in a row: the first index of each kind, and names. */
export interface SignalLayout {
  readonly width: number;
  readonly positions: number; // rad or m, one a joint
  readonly velocities: number;
  readonly torques: number; // N m or N
  readonly actions: number;
  readonly terms: number;
  readonly reward: number;
  readonly episodeReturn: number;
  readonly joints: readonly string[];
  /** Names of an action's elements. */
  readonly actuators: readonly string[];
  readonly rewardTerms: readonly string[];
}

/** The layout of a task's rows; what lies before index `first` is somebody else's. */
export function signalLayout(task: Task, plan: RobotPlan, first = 0): SignalLayout {
  const joints = plan.coordinates.map(({ name }) => name);
  const actuators = task.action.names;
  const { rewardTerms } = task;
  let width = first;
  const take = (count: number): number => {
    width += count;
    return width - count;
  };
  const starts = {
    positions: take(joints.length),
    velocities: take(joints.length),
    torques: take(joints.length),
    actions: take(actuators.length),
    terms: take(rewardTerms.length),
    reward: take(1),
    episodeReturn: take(1),
  };
  return { ...starts, width, joints, actuators, rewardTerms };
}

/** Writes a robot's joints as they are now; a row begins at float `at`. */
export function writeJoints(
  out: Float32Array,
  at: number,
  { positions, velocities, torques }: SignalLayout,
  { jointPositions, jointVelocities, jointTorques }: World,
): void {
  out.set(jointPositions, at + positions);
  out.set(jointVelocities, at + velocities);
  out.set(jointTorques, at + torques);
}

/** The step that led to where a robot is. */
export interface StepTaken {
  readonly action: Float32Array; // [A]
  readonly terms: Float32Array; // [T]
  readonly reward: number;
  /** Of the episode so far, with this step. */
  readonly episodeReturn: number;
}

/** Writes the step that led to where a robot is; a row begins at float `at`. */
export function writeStep(
  out: Float32Array,
  at: number,
  layout: SignalLayout,
  { action, terms, reward, episodeReturn }: StepTaken,
): void {
  out.set(action, at + layout.actions);
  out.set(terms, at + layout.terms);
  out[at + layout.reward] = reward;
  out[at + layout.episodeReturn] = episodeReturn;
}
