// What every task with a hand observes of it, and of loose things beside it.

import { atan2, cos, sin } from "../../sim/math.ts";
import type { World } from "../../sim/world.ts";
import { axisOf } from "../posture.ts";
import type { Hand } from "./hand.ts";

/** Numbers that `observeHand` and `observeBlock` write. */
export const handSize = 15;
export const blockSize = 12;

/** Names of what `observeHand` writes; `hand` is what they begin with. */
export function handObservation(hand = "tool"): string[] {
  return [
    ...["x", "y", "z"].map((axis) => `${hand}: 10 ${axis} from the workspace's middle [m]`),
    `${hand}: yaw [rad]`,
    ...["x", "y", "z"].map((axis) => `${hand}: velocity along ${axis} [m/s]`),
    `${hand}: 0.2 turning rate [rad/s]`,
    ...["x", "y", "z"].map((axis) => `${hand}: 30 (wanted − measured ${axis}) [m]`),
    `${hand}: 5 (wanted − measured yaw) [rad]`,
    ...["left", "right"].map((side) => `${hand}: 50 (${side} finger's opening − 2 cm) [m]`),
    `${hand}: 5 speed at which the fingers open [m/s]`,
  ];
}

/** Writes 15 numbers from `out[at]` on. */
export function observeHand(hand: Hand, world: World, out: Float32Array, at: number): void {
  const { memory, jointPositions, jointVelocities, linkVelocities } = world;
  const { position, yaw } = hand.tool(world);
  const { x, y, z } = hand.workspace;
  const middles = [x, y, z];
  for (let k = 0; k < 3; k++) {
    const [low, high] = middles[k]!;
    out[at + k] = 10 * (position[k]! - 0.5 * (low + high));
    out[at + 4 + k] = linkVelocities[3 * hand.link + k]!;
    out[at + 8 + k] = 30 * (memory[hand.memoryAt + k]! - position[k]!);
  }
  out[at + 3] = yaw;
  out[at + 7] = 0.2 * world.linkAngularVelocities[3 * hand.link + 2]!;
  out[at + 11] = 5 * (memory[hand.memoryAt + 3]! - yaw);
  const [left = 0, right = 0] = hand.fingers;
  out[at + 12] = 50 * (jointPositions[left]! - 0.02);
  out[at + 13] = 50 * (jointPositions[right]! - 0.02);
  out[at + 14] = 5 * (jointVelocities[left]! + jointVelocities[right]!);
}

/** Names of what `observeBlock` writes. */
export function blockObservation(name: string, from = "tool"): string[] {
  return [
    ...["x", "y", "z"].map((axis) => `${name}: 10 (${axis} − ${from}'s ${axis}) [m]`),
    `${name}: 10 height of its centre [m]`,
    `${name}: cosine of 4 × (its yaw − ${from}'s yaw)`,
    `${name}: sine of 4 × (its yaw − ${from}'s yaw)`,
    ...["x", "y"].map((axis) => `${name}: 3 × its most upright axis along ${axis}`),
    ...["x", "y", "z"].map((axis) => `${name}: velocity along ${axis} [m/s]`),
    `${name}: 0.2 turning rate about z [rad/s]`,
  ];
}

/** Writes 12 numbers about a link that looks the same after a quarter turn, seen from a place and yaw. */
export function observeBlock(
  world: World,
  link: number,
  place: ArrayLike<number>,
  yaw: number,
  out: Float32Array,
  at: number,
): void {
  const { linkPositions, linkVelocities, linkAngularVelocities } = world;
  for (let k = 0; k < 3; k++) {
    out[at + k] = 10 * (linkPositions[3 * link + k]! - place[k]!);
    out[at + 8 + k] = linkVelocities[3 * link + k]!;
  }
  out[at + 3] = 10 * linkPositions[3 * link + 2]!;
  const upright = uprightAxis(world, link);
  const turn = 4 * (blockYaw(world, link) - yaw);
  out[at + 4] = cos(turn);
  out[at + 5] = sin(turn);
  const up = axisOf(world, link, 2, upright) < 0 ? -3 : 3;
  out[at + 6] = up * axisOf(world, link, 0, upright);
  out[at + 7] = up * axisOf(world, link, 1, upright);
  out[at + 11] = 0.2 * linkAngularVelocities[3 * link + 2]!;
}

/** Index of the link's own axis that is nearest to the vertical. */
function uprightAxis(world: World, link: number): number {
  let best = 0;
  for (let axis = 1; axis < 3; axis++) {
    if (Math.abs(axisOf(world, link, 2, axis)) > Math.abs(axisOf(world, link, 2, best)))
      best = axis;
  }
  return best;
}

/** Turn about the vertical of a link that looks the same after a quarter turn, in rad. */
export function blockYaw(world: World, link: number): number {
  const side = (uprightAxis(world, link) + 1) % 3;
  return atan2(axisOf(world, link, 1, side), axisOf(world, link, 0, side));
}
