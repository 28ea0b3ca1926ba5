// Reaching for a block and gripping it: the first half of most scripts.

import type { World } from "../../sim/world.ts";
import type { Hand } from "../arm/hand.ts";
import { blockYaw } from "../arm/observe.ts";
import type { Intent } from "./expert.ts";
import { believed, closed, type Mover, open } from "./moves.ts";

const hover = 0.07; // m over the place to grip
const beside = 0.008; // m off the place that still count as over it
const deep = 0.01; // m over the place to grip at which the fingers close

export interface Grasp {
  readonly link: number;
  readonly width: number; // m
  /** Where it is gripped, over its centre, in m. */
  readonly height: number;
}

/** Whether the fingers hold the block. */
export function holds(world: World, hand: Hand, { link, width, height }: Grasp): boolean {
  const gap = hand.width(world);
  const { position } = hand.tool(world);
  const { linkPositions } = world;
  const aside = Math.hypot(
    linkPositions[3 * link]! - position[0]!,
    linkPositions[3 * link + 1]! - position[1]!,
  );
  const rise = Math.abs(position[2]! - linkPositions[3 * link + 2]! - height);
  return gap < 1.15 * width && gap > 0.8 * width && aside < 0.02 && rise < 0.025;
}

/** A step towards gripping a block: over it, down to it, close. */
export function grasp(
  world: World,
  hand: Hand,
  mover: Mover,
  { link, height }: Grasp,
  { aim, slack }: Intent,
  out: Float32Array,
): void {
  const place = believed(world, link, aim);
  place[2] = Math.max(hand.workspace.z[0], place[2] + height);
  const yaw = mover.nearestYaw(world, blockYaw(world, link)) + aim[3]!;
  const aside = mover.aside(world, place);
  const above = mover.above(world, place);
  const turned = Math.abs(hand.tool(world).yaw - yaw) < 0.15 * slack;
  const narrow = above < 0.03 ? 2.5 * beside : beside;
  if (aside > narrow * slack || !turned) {
    // What is near the bench and far from the block rises before it moves on.
    const low = above < hover - 0.03 && aside > 0.02;
    const { position } = hand.tool(world);
    const over = low
      ? [position[0]!, position[1]!, place[2] + hover]
      : [place[0], place[1], place[2] + hover];
    mover.towards(world, over, yaw, open, out);
  } else if (above > deep * slack) mover.towards(world, place, yaw, open, out);
  else mover.towards(world, place, yaw, closed, out);
}
