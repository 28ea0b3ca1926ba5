// A hand that is moved by steps: an action shifts the wanted pose of the tool, which points down, and says
// how far its fingers open. The arm's joints follow by inverse kinematics.
//
// Why not joint by joint: these numbers mean the same everywhere, are what people demonstrate with and what a
// script can compute, and exploring with them is safe: the tool never tilts nor leaves its workspace.

import { atan2, cos, sin } from "../../sim/math.ts";
import type { RobotModel } from "../../sim/model.ts";
import { planRobot } from "../../sim/plan.ts";
import type { Interval } from "../../sim/task.ts";
import type { World } from "../../sim/world.ts";
import { Chain } from "./kinematics.ts";

export const openWidth = 0.08; // m between the fingers
export const longestShift = 0.02; // m in a control step along each axis
export const largestTurn = 0.1; // rad in a control step
const leash = 0.04; // m that the wanted place may be away from the tool
const turnLeash = 0.3; // rad
const numWanted = 4; // x, y, z, yaw
const numSolverSteps = 2; // of inverse kinematics, for moves of 2 cm at most
const numStartSteps = 30;
const restAngles = [0, 0.6, 1.7, 0, 0.8, 0]; // rad, where inverse kinematics begins
const fingers = ["left_finger", "right_finger"] as const;

/** Where a tool may go, in m and rad. */
export interface Workspace {
  readonly x: Interval;
  readonly y: Interval;
  readonly z: Interval;
  readonly yaw: Interval;
}

export interface HandOptions {
  readonly workspace: Workspace;
  /** What the names of this arm's parts begin with. */
  readonly prefix?: string;
  /** Which way the arm faces, in rad about the vertical: yaw is counted from there. */
  readonly facing?: number;
  /** Where its numbers begin in the world's memory. */
  readonly memoryAt?: number;
}

/** Where the tool is and how it moves. */
export interface ToolState {
  readonly position: Float64Array; // m
  /** Turn about the vertical, in [−π, π], from where the arm faces; at 0 the fingers open along its y. */
  yaw: number;
}

/** One arm's hand. What it remembers is in `world.memory`: the wanted pose, then the joints' target angles. */
export class Hand {
  readonly memorySize: number;
  readonly memoryAt: number;
  readonly workspace: Workspace;
  /** Coordinates of the fingers' slides, left and right. */
  readonly fingers: readonly number[];
  /** Index of the hand's link. */
  readonly link: number;
  private readonly chain: Chain;
  private readonly site: string;
  private readonly facing: number;
  private readonly joints: readonly { readonly coordinate: number; readonly drive: Drive }[];
  private readonly fingerDrives: readonly Drive[];
  private readonly angles: Float64Array;
  private readonly pose = new Float64Array(7);
  private readonly state: ToolState = { position: new Float64Array(3), yaw: 0 };

  constructor(model: RobotModel, options: HandOptions) {
    const { prefix = "", workspace, facing = 0, memoryAt = 0 } = options;
    const { coordinates, actuators } = planRobot(model);
    const coordinateOf = (joint: string): number =>
      coordinates.findIndex(({ name }) => name === joint);
    const driveOf = (joint: string): Drive => {
      const at = actuators.findIndex(({ source }) => source.joint === joint);
      const { low, high } = actuators[at]!;
      return { at, low, high };
    };
    this.workspace = workspace;
    this.memoryAt = memoryAt;
    this.facing = facing;
    this.site = `${prefix}tool`;
    this.chain = new Chain(model, this.site);
    this.joints = this.chain.joints.map((name) => {
      return { coordinate: coordinateOf(name), drive: driveOf(name) };
    });
    this.angles = new Float64Array(this.joints.length);
    this.memorySize = numWanted + this.joints.length;
    this.fingers = fingers.map((name) => coordinateOf(prefix + name));
    this.fingerDrives = fingers.map((name) => driveOf(prefix + name));
    this.link = model.links.findIndex(({ name }) => name === `${prefix}hand`);
  }

  /** Puts the tool at a pose within the workspace; for a task's reset. */
  start(world: World, [x, y, z]: readonly number[], yaw: number, width = openWidth): void {
    const { memory, start } = world;
    const { angles } = this;
    memory.set([x!, y!, z!, yaw], this.memoryAt);
    angles.set(restAngles);
    this.follow(memory, numStartSteps);
    for (const [i, { coordinate }] of this.joints.entries())
      start.positions[coordinate] = angles[i]!;
    for (const coordinate of this.fingers) start.positions[coordinate] = width / 2;
  }

  /** Reads x, y, z, yaw, fingers (−1 open, 1 closed) from `action[from …]`; writes this arm's controls. */
  command(world: World, action: Float32Array, from: number, controls: Float64Array): void {
    const { memory } = world;
    const { angles, memoryAt, workspace } = this;
    const { position, yaw } = this.tool(world);
    const want = (k: number, step: number, now: number, most: number, range: Interval): void => {
      const value = memory[memoryAt + k]! + step * action[from + k]!;
      const near = Math.min(now + most, Math.max(now - most, value));
      memory[memoryAt + k] = Math.min(range[1], Math.max(range[0], near));
    };
    want(0, longestShift, position[0]!, leash, workspace.x);
    want(1, longestShift, position[1]!, leash, workspace.y);
    want(2, longestShift, position[2]!, leash, workspace.z);
    want(3, largestTurn, yaw, turnLeash, workspace.yaw);
    for (let i = 0; i < angles.length; i++) angles[i] = memory[memoryAt + numWanted + i]!;
    this.follow(memory, numSolverSteps);
    for (const [i, { drive }] of this.joints.entries())
      controls[drive.at] = (2 * (angles[i]! - drive.low)) / (drive.high - drive.low) - 1;
    for (const { at } of this.fingerDrives) controls[at] = -action[from + 4]!;
  }

  /** Where the tool is; a view, valid until the next call. */
  tool(world: World): ToolState {
    const { state } = this;
    const { position, rotation } = world.sensors.site(this.site);
    for (let k = 0; k < 3; k++) state.position[k] = position[k]!;
    const turned = 2 * atan2(-rotation[0]!, rotation[1]!) - this.facing;
    state.yaw = turned - 2 * Math.PI * Math.round(turned / (2 * Math.PI));
    return state;
  }

  /** Distance between the fingers, in m. */
  width({ jointPositions }: World): number {
    return jointPositions[this.fingers[0]!]! + jointPositions[this.fingers[1]!]!;
  }

  /** Joint targets for the wanted pose in memory, from `angles` on. */
  private follow(memory: Float64Array, numSteps: number): void {
    const { memoryAt, angles, pose } = this;
    const half = (memory[memoryAt + 3]! + this.facing) / 2;
    for (let k = 0; k < 3; k++) pose[k] = memory[memoryAt + k]!;
    pose[3] = -sin(half); // half a turn about y, then yaw about z
    pose[4] = cos(half);
    this.chain.inverse(pose, angles, numSteps);
    for (let i = 0; i < angles.length; i++) memory[memoryAt + numWanted + i] = angles[i]!;
  }
}

/** An actuator's place and the range of its control. */
interface Drive {
  readonly at: number;
  readonly low: number;
  readonly high: number;
}
