// What the robots with a free trunk share: ant, humanoid and quadruped. Link 0 is the trunk.

import type { Rng } from "../sim/rng.ts";
import type { World } from "../sim/world.ts";
import type { Rest } from "./planar.ts";
import { alongAxis, axisOf, between, startFacing, startNear, startOnGround } from "./posture.ts";

/** The elements of `observeFloating`, in order: 2 a joint and 12. */
export function floatingObservation(rest: Rest): string[] {
  const joints = Object.keys(rest);
  const each = (what: (axis: string) => string) => ["x", "y", "z"].map(what);
  return [
    ...joints.map((name) => `${name}: angle − at rest [rad]`),
    ...joints.map((name) => `${name}: 0.1 rate [rad/s]`),
    "2 (height of trunk − at rest) [m]",
    ...each((axis) => `the world's up along the trunk's ${axis}`),
    "the trunk's x along the world's x",
    "the trunk's x along the world's y",
    ...each((axis) => `0.5 velocity along the trunk's ${axis} [m/s]`),
    ...each((axis) => `0.2 turning rate about the trunk's ${axis} [rad/s]`),
  ];
}

export function observeFloating(
  world: World,
  restAngles: readonly number[],
  restHeight: number,
  out: Float32Array,
): void {
  const { jointPositions, jointVelocities, linkVelocities, linkAngularVelocities } = world;
  const numJoints = restAngles.length;
  for (let i = 0; i < numJoints; i++) {
    out[i] = jointPositions[i]! - restAngles[i]!;
    out[numJoints + i] = 0.1 * jointVelocities[i]!;
  }
  const at = 2 * numJoints;
  out[at] = 2 * (world.linkPositions[2]! - restHeight);
  for (let i = 0; i < 3; i++) {
    out[at + 1 + i] = axisOf(world, 0, 2, i);
    out[at + 6 + i] = 0.5 * alongAxis(world, 0, i, linkVelocities, 0);
    out[at + 9 + i] = 0.2 * alongAxis(world, 0, i, linkAngularVelocities, 0);
  }
  out[at + 4] = axisOf(world, 0, 0, 0);
  out[at + 5] = axisOf(world, 0, 1, 0);
}

/** Joints near rest, facing within `turn` of the world's x axis, feet on the ground. */
export function startFloating(
  world: World,
  rng: Rng,
  rest: Rest,
  { noise, turn }: { readonly noise: number; readonly turn: number },
): void {
  startNear(world, rest, rng, noise);
  startFacing(world, between(rng, -turn, turn));
  startOnGround(world, -1);
}
