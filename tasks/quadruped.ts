// Quadruped: a 12-joint dog walks as commanded: speed ahead, speed to the left and a heading.
// Drives hold target angles around the stance. Terms after legged_gym (Rudin et al. 2021,
// arXiv:2109.11978): velocity tracking, foot air time, smoothness; pushes come from the episode's generator.

import { atan2, cos, sin } from "../sim/math.ts";
import type { Rng } from "../sim/rng.ts";
import type { World } from "../sim/world.ts";
import type { Task } from "./contract.ts";
import { floatingObservation, observeFloating, startFloating } from "./floating.ts";
import { memoryOf } from "./memory.ts";
import { axisOf, between, meanSquare, meanSquareChange, speedAhead, speedLeft } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { loadRobot } from "./robots.ts";
import { hills } from "./terrain.ts";

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
const commandTime = 4; // s from one command to the next
const pushTime = 3; // s from one push to the next, on average
const airTime = 0.25; // s of swing that earn the whole step
const touchHeight = 0.023 + 0.006; // m: the foot's radius and a little
const lowestTrunk = 0.15; // m over the ground
const turnGain = 1; // rad/s wanted per rad of heading error
const largestTurn = 1; // rad/s

// What the task remembers of one world.
const commandAt = 0; // ahead, left, heading
const airAt = 3; // seconds since each foot last touched
const stepsAt = airAt + feet.length; // air time of the feet that landed in this step
const clockAt = stepsAt + 1; // control steps since the last command
const actionAt = clockAt + 1; // the last action
const memorySize = actionAt + numJoints;

export interface QuadrupedOptions {
  /** Height of the hills, in m; 0 is a plane. */
  readonly roughness: number;
  /** Largest push, in N s. */
  readonly push: number;
}

export async function quadrupedWalk(
  id: string,
  { roughness, push }: QuadrupedOptions,
): Promise<Task> {
  const robot = await loadRobot(new URL("./quadruped.xml", import.meta.url));
  const terrain = roughness > 0 ? hills(roughness) : undefined;
  const model = terrain ? { ...robot, scenery: [terrain.geom] } : robot;
  const ground: Ground = terrain ? terrain.heightAt : () => 0;
  const restAngles = Object.values(rest);
  const numBase = 2 * numJoints + 12;
  return {
    id,
    model,
    // The robot is ready for selfCollision; with it, a reset in place does not give a fresh world's bits.
    physics: { timestep: 0.005 },
    controlDt,
    maxEpisodeSteps: 500,
    memorySize,
    observationNames: [
      ...floatingObservation(rest),
      "commanded speed ahead [m/s]",
      "commanded speed to the left [m/s]",
      "wanted turning rate [rad/s]",
      ...Object.keys(rest).map((name) => `${name}: last action`),
    ],
    rewardTerms: ["track", "steps", "effort", "jerk", "bounce", "tumble"],

    reset(world, rng) {
      startFloating(world, rng, rest, { noise: 0.1, turn: Math.PI });
      const memory = memoryOf(world, memorySize).fill(0);
      command(memory, rng);
    },

    beforeStep(world, rng) {
      const memory = memoryOf(world, memorySize);
      memory[clockAt]! += 1;
      if (memory[clockAt]! * controlDt >= commandTime) command(memory, rng);
      if (rng.uniform() < controlDt / pushTime) pushSideways(world, rng, push);
    },

    observe(world, out) {
      const memory = memoryOf(world, memorySize);
      observeFloating(world, restAngles, restHeight, out);
      out[numBase] = memory[commandAt]!;
      out[numBase + 1] = memory[commandAt + 1]!;
      out[numBase + 2] = wantedTurn(world, memory);
      for (let i = 0; i < numJoints; i++) out[numBase + 3 + i] = memory[actionAt + i]!;
    },

    reward(world, action, terms) {
      const memory = memoryOf(world, memorySize);
      const last = memory.subarray(actionAt);
      countSteps(world, memory, ground);
      const upright = tolerance(axisOf(world, 0, 2, 2), {
        bounds: [0.95, 1.1],
        margin: 0.7,
        ...linear,
      });
      const ahead = tolerance(speedAhead(world, 0) - memory[commandAt]!, { margin: 0.7 });
      const left = tolerance(speedLeft(world, 0) - memory[commandAt + 1]!, { margin: 0.7 });
      const turn = world.linkAngularVelocities[2]! - wantedTurn(world, memory);
      const turning = tolerance(turn, { margin: 1 });
      const lift = world.linkVelocities[2]!;
      const [roll, pitch] = world.linkAngularVelocities;
      terms[0] = upright * (base + (1 - base) * ahead * ((1 + left) / 2) * ((1 + turning) / 2));
      terms[1] = 0.5 * memory[stepsAt]!;
      terms[2] = -0.02 * meanSquare(action);
      terms[3] = -0.02 * meanSquareChange(last, action);
      terms[4] = -0.1 * Math.min(1, lift * lift);
      terms[5] = -0.005 * Math.min(10, roll! * roll! + pitch! * pitch!);
      last.set(action);
      let sum = 0;
      for (let i = 0; i < 6; i++) sum += terms[i]!;
      return sum;
    },

    terminated: (world) =>
      axisOf(world, 0, 2, 2) < 0.4 || heightOver(ground, world.linkPositions) < lowestTrunk,
  };
}

const linear = { sigmoid: "linear", valueAtMargin: 0 } as const;

/** A new command; about one in seven is to stand still. */
function command(memory: Float64Array, rng: Rng): void {
  const moves = rng.uniform() < 0.85 ? 1 : 0;
  memory[commandAt] = moves * between(rng, ...speedRange);
  memory[commandAt + 1] = moves * between(rng, ...sideRange);
  memory[commandAt + 2] = between(rng, -Math.PI, Math.PI);
  memory[clockAt] = 0;
}

function pushSideways(world: World, rng: Rng, push: number): void {
  const angle = between(rng, -Math.PI, Math.PI);
  const size = push * rng.uniform();
  world.push(0, [size * cos(angle), size * sin(angle), 0]);
}

/** Turning rate that brings the trunk to the commanded heading, in rad/s. */
function wantedTurn(world: World, memory: Float64Array): number {
  const heading = atan2(axisOf(world, 0, 1, 0), axisOf(world, 0, 0, 0));
  const error = memory[commandAt + 2]! - heading;
  const wrapped = atan2(sin(error), cos(error));
  return Math.max(-largestTurn, Math.min(largestTurn, turnGain * wrapped));
}

/**
 * Adds up how long each foot swings: a landing after a long swing earns up to ½, after a short one it costs.
 * Feet touch by their height over the ground: Rapier tells no forces of contacts with a heightfield.
 */
function countSteps(world: World, memory: Float64Array, ground: Ground): void {
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
  const moves = Math.abs(memory[commandAt]!) + Math.abs(memory[commandAt + 1]!) > 0.1;
  memory[stepsAt] = moves ? earned : 0;
}

/** Height of the ground at x, y. */
type Ground = (x: number, y: number) => number;

function heightOver(ground: Ground, position: ArrayLike<number>): number {
  return position[2]! - ground(position[0]!, position[1]!);
}
