// Quadruped: a 12-joint dog walks as commanded: speed ahead, speed to the left and a heading.
// Drives hold target angles around the stance. Terms after legged_gym (Rudin et al. 2021,
// arXiv:2109.11978): velocity tracking, foot air time, smoothness; pushed and drawn anew each episode.

import { atan2, cos, sin } from "../sim/math.ts";
import type { RobotModel } from "../sim/model.ts";
import type { Rng } from "../sim/rng.ts";
import { unboundedSpace } from "../sim/space.ts";
import type { Task, TaskMirror } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import { floatingObservation, observeFloating, startFloating } from "./floating.ts";
import { gait } from "./measures.ts";
import { inPlace, joinMirrors, mirrorActions, mirrorFloating } from "./mirror.ts";
import { axisOf, between, meanSquare, meanSquareChange, speedAhead, speedLeft } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace, loadRobot } from "./robots.ts";
import { type Ground, hills, plane } from "./terrain.ts";

const feet = ["front_left", "front_right", "rear_left", "rear_right"] as const;
const rest: Readonly<Record<string, number>> = Object.fromEntries(
  feet.flatMap((foot) => [
    [`${foot}_abduction`, 0],
    [`${foot}_hip`, 0.8],
    [`${foot}_knee`, -1.6],
  ]),
); // rad
const base = 0.2; // share of the reward for staying up alone
const numJoints = 12;
const restHeight = 0.31; // m
const controlDt = 0.02; // s
const speedRange = [-0.4, 1] as const; // m/s ahead
const sideRange = [-0.3, 0.3] as const; // m/s to the left
const shareStanding = 0.15; // of the commands
const commandTime = 4; // s from one command to the next
const numCommands = 3; // an episode
const airTime = 0.25; // s of swing that earn the whole step
const touchHeight = 0.023 + 0.006; // m: the foot's radius and a little
const lowestTrunk = 0.15; // m over the ground
const turnGain = 1; // rad/s wanted per rad of heading error
const largestTurn = 1; // rad/s
const markLength = 0.4; // m of arrow for 1 m/s
const linear = { sigmoid: "linear", valueAtMargin: 0 } as const;

// What the task remembers of one world: commands (ahead, left, heading), each foot's time in the air, the
// last action.
const airAt = 3 * numCommands;
const actionAt = airAt + feet.length;
const memorySize = actionAt + numJoints;

export interface QuadrupedOptions {
  /** Height of the hills at level 1, in m; 0 is a plane. */
  readonly roughness: number;
}

export async function quadrupedWalk(id: string, options: QuadrupedOptions): Promise<Task> {
  return walk(id, options, await loadRobot(new URL("./quadruped.xml", import.meta.url)));
}

function walk(id: string, { roughness }: QuadrupedOptions, robot: RobotModel): Task {
  const ground = roughness > 0 ? hills(roughness) : plane;
  const model = ground.geom ? { ...robot, scenery: [ground.geom] } : robot;
  const restAngles = Object.values(rest);
  const numBase = 2 * numJoints + 12;
  return {
    id,
    model,
    settings: { timestep: 0.005, selfCollision: true, robotsPerWorld: 1 },
    controlDt,
    maxEpisodeSteps: 500,
    observation: unboundedSpace([
      ...floatingObservation(rest),
      "commanded speed ahead [m/s]",
      "commanded speed to the left [m/s]",
      "wanted turning rate [rad/s]",
      ...Object.keys(rest).map((name) => `${name}: drive's last control`),
    ]),
    action: driveSpace(model),
    mirror: mirrorOf(model),
    memorySize,
    rewardTerms: ["track", "steps", "effort", "jerk", "bounce", "tumble"],
    measures: gait,
    randomization: {
      motorStrength: [0.9, 1.1],
      mass: [0.9, 1.1],
      friction: [0.7, 1.2],
      pushes: { link: "trunk", every: 3, speed: 0.4 },
    },
    hasLevels: true,

    reset(world, rng) {
      startFloating(world, rng, rest, { noise: 0.1, turn: Math.PI });
      world.start.freePoses[0]! += ground.startOf(world.level);
      for (let i = 0; i < numCommands; i++) drawCommand(world.memory, 3 * i, rng);
    },

    observe(world, out) {
      const { memory } = world;
      const at = commandAt(world);
      observeFloating(world, restAngles, restHeight, out);
      out[numBase] = memory[at]!;
      out[numBase + 1] = memory[at + 1]!;
      out[numBase + 2] = wantedTurn(world, memory[at + 2]!);
      const { controls } = world.drives;
      for (let i = 0; i < numJoints; i++) out[numBase + 3 + i] = controls[i]!;
    },

    reward(world, action, terms) {
      const { memory } = world;
      const at = commandAt(world);
      const last = memory.subarray(actionAt);
      const moves = Math.abs(memory[at]!) + Math.abs(memory[at + 1]!) > 0.1;
      const steps = countSteps(world, memory, ground);
      const tilt = axisOf(world, 0, 2, 2);
      const upright = tolerance(tilt, { bounds: [0.95, 1.1], margin: 0.7, ...linear });
      const ahead = tolerance(speedAhead(world, 0) - memory[at]!, { margin: 0.7 });
      const left = tolerance(speedLeft(world, 0) - memory[at + 1]!, { margin: 0.7 });
      const [roll = 0, pitch = 0, yaw = 0] = world.linkAngularVelocities;
      const turning = tolerance(yaw - wantedTurn(world, memory[at + 2]!), { margin: 1 });
      const tracking = ahead * ((1 + left) / 2) * ((1 + turning) / 2);
      const lift = world.linkVelocities[2]!;
      terms[0] = upright * (base + (1 - base) * tracking);
      terms[1] = moves ? 0.5 * steps : 0;
      terms[2] = -0.02 * meanSquare(action);
      terms[3] = -0.02 * meanSquareChange(last, action);
      terms[4] = -0.1 * Math.min(1, lift * lift);
      terms[5] = -0.005 * Math.min(10, roll * roll + pitch * pitch);
      last.set(action);
      let sum = 0;
      for (let i = 0; i < 6; i++) sum += terms[i]!;
      return sum;
    },

    marks(world) {
      const memory = world.memory;
      const at = commandAt(world);
      const [x = 0, y = 0, z = 0] = world.linkPositions;
      const vector = [0, 1, 2].map((i) => {
        const ahead = memory[at]! * axisOf(world, 0, 0, i);
        return markLength * (ahead + memory[at + 1]! * axisOf(world, 0, 1, i));
      });
      return [{ type: "arrow", position: [x, y, z + 0.2], vector: [vector[0]!, vector[1]!, 0] }];
    },

    terminated(world) {
      return axisOf(world, 0, 2, 2) < 0.4 || heightOver(ground, world.linkPositions) < lowestTrunk;
    },
  };
}

/** The image of commands, too, and of the drives' last controls. */
function mirrorOf(model: RobotModel): TaskMirror {
  const actions = mirrorActions(model);
  const commands = inPlace([1, -1, -1]);
  return { observations: joinMirrors([mirrorFloating(model, rest), commands, actions]), actions };
}

function drawCommand(memory: Float64Array, at: number, rng: Rng): void {
  const moves = rng.uniform() < shareStanding ? 0 : 1;
  memory[at] = moves * between(rng, ...speedRange);
  memory[at + 1] = moves * between(rng, ...sideRange);
  memory[at + 2] = between(rng, -Math.PI, Math.PI);
}

/** Where the memory holds the command of this moment. */
function commandAt(world: World): number {
  return 3 * Math.min(numCommands - 1, Math.floor(world.time / commandTime + 1e-6));
}

/** Turning rate that brings the trunk to the commanded heading, in rad/s. */
function wantedTurn(world: World, heading: number): number {
  const error = heading - atan2(axisOf(world, 0, 1, 0), axisOf(world, 0, 0, 0));
  const wrapped = atan2(sin(error), cos(error));
  return Math.max(-largestTurn, Math.min(largestTurn, turnGain * wrapped));
}

/**
 * Times each foot's swing: a landing after a long one earns up to ½, after a short one it costs. Feet touch
 * by their height over the ground: Rapier tells no forces of contacts with a heightfield.
 */
function countSteps(world: World, memory: Float64Array, ground: Ground): number {
  let earned = 0;
  for (const [i, foot] of feet.entries()) {
    const air = memory[airAt + i]!;
    const { position } = world.sensors.site(`${foot}_foot`);
    if (heightOver(ground, position) > touchHeight) memory[airAt + i] = air + controlDt;
    else {
      if (air > 0) earned += Math.min(1, air / airTime) - 0.5;
      memory[airAt + i] = 0;
    }
  }
  return earned;
}

function heightOver(ground: Ground, position: ArrayLike<number>): number {
  return position[2]! - ground.heightAt(position[0]!, position[1]!);
}
