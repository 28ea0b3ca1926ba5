// What the robots that move in the plane y = 0 share: hopper, walker and half-cheetah.
//
// Their first three coordinates are the trunk's x, height and pitch (forward is positive).

import type { Rng } from "../sim/rng.ts";
import type { World } from "../sim/world.ts";
import { between, startNear, startOnGround } from "./posture.ts";

const rootHeight = 1;
const rootPitch = 2;
const numRoot = 3;

/** Joint angles at rest by name, in the order of the model's joints. */
export type Rest = Readonly<Record<string, number>>;

/** The elements of `observePlanar`, in order. */
export function planarObservation(rest: Rest): string[] {
  const joints = Object.keys(rest);
  return [
    "2 (height of trunk − at rest) [m]",
    "pitch [rad]",
    ...joints.map((name) => `${name}: angle − at rest [rad]`),
    "0.5 velocity x [m/s]",
    "0.5 velocity z [m/s]",
    "0.2 pitch rate [rad/s]",
    ...joints.map((name) => `${name}: 0.1 rate [rad/s]`),
  ];
}

export function observePlanar(
  world: World,
  restAngles: readonly number[],
  restHeight: number,
  out: Float32Array,
): void {
  const { jointPositions, jointVelocities } = world;
  const numJoints = restAngles.length;
  out[0] = 2 * (jointPositions[rootHeight]! - restHeight);
  out[1] = jointPositions[rootPitch]!;
  out[2 + numJoints] = 0.5 * jointVelocities[0]!;
  out[3 + numJoints] = 0.5 * jointVelocities[rootHeight]!;
  out[4 + numJoints] = 0.2 * jointVelocities[rootPitch]!;
  for (let i = 0; i < numJoints; i++) {
    out[2 + i] = jointPositions[numRoot + i]! - restAngles[i]!;
    out[5 + numJoints + i] = 0.1 * jointVelocities[numRoot + i]!;
  }
}

/** Joints near rest, a slight lean, feet on the ground. */
export function startPlanar(world: World, rng: Rng, rest: Rest, noise: number): void {
  startNear(world, rest, rng, noise);
  world.start.positions[rootPitch] = between(rng, -0.5 * noise, 0.5 * noise);
  startOnGround(world, rootHeight);
}

export function speed(world: World): number {
  return world.jointVelocities[0]!;
}

export function height(world: World): number {
  return world.jointPositions[rootHeight]!;
}

export function pitch(world: World): number {
  return world.jointPositions[rootPitch]!;
}
