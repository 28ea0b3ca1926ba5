// Parts that tasks with a hand share: where things begin, what is random, and how near a grip is.

import { aboutAxis, multiply } from "../../sim/frames.ts";
import type { Rng } from "../../sim/rng.ts";
import type { Randomization } from "../../sim/task.ts";
import type { World } from "../../sim/world.ts";
import { between } from "../posture.ts";
import { tolerance } from "../rewards.ts";
import type { Hand, Workspace } from "./hand.ts";

/** Before one arm at the origin. Everywhere in it the tool can point down. */
export const benchWorkspace: Workspace = {
  x: [0.3, 0.6],
  y: [-0.25, 0.25],
  z: [0.01, 0.32],
  yaw: [-2, 2],
};

const dropHeight = 0.006; // m
const dropTilt = 0.1; // rad

/** What differs from arm to arm and from thing to thing. */
export const randomiseArm: Randomization = {
  motorStrength: [0.85, 1.15],
  mass: [0.8, 1.25],
  friction: [0.8, 1.25],
};

/** Names of an action's elements for one hand. */
export function handActions(hand = "tool"): string[] {
  return [
    ...["x", "y", "z"].map((axis) => `${hand}: shift along ${axis}, of 2 cm`),
    `${hand}: turn about z, of 0.1 rad`,
    `${hand}: fingers, −1 open, 1 closed`,
  ];
}

/** Puts the open hand somewhere over the bench. */
export function startHand(world: World, hand: Hand, rng: Rng): void {
  const place = [between(rng, 0.36, 0.54), between(rng, -0.15, 0.15), between(rng, 0.14, 0.26)];
  hand.start(world, place, between(rng, -0.5, 0.5));
}

/** Drops a loose link at a place, nearly upright and turned by `yaw`: it rocks for some tenths of a second. */
export function dropBlock(
  { start }: World,
  link: number,
  [x, y, z]: readonly number[],
  yaw: number,
  rng: Rng,
  tilt = dropTilt,
): void {
  const aboutX = aboutAxis([1, 0, 0], between(rng, -tilt, tilt));
  const aboutY = aboutAxis([0, 1, 0], between(rng, -tilt, tilt));
  const turn = multiply(aboutAxis([0, 0, 1], yaw), multiply(aboutX, aboutY));
  start.freePoses.set([x!, y!, z! + dropHeight, ...turn], 7 * link);
  const [vx, vy, spin] = [tilt, tilt, 10 * tilt].map((most) => between(rng, -most, most));
  start.freeVelocities.set([vx!, vy!, 0, 0, 0, spin!], 6 * link);
}

/** Distance between the tool and a link's centre, in m. */
export function distanceTo(world: World, hand: Hand, link: number): number {
  const { position } = hand.tool(world);
  let sum = 0;
  for (let k = 0; k < 3; k++) {
    const d = world.linkPositions[3 * link + k]! - position[k]!;
    sum += d * d;
  }
  return Math.sqrt(sum);
}

/** 1 where the tool is at a link's centre, less with the distance. */
export function near(world: World, hand: Hand, link: number): number {
  return closeness(distanceTo(world, hand, link));
}

/** 1 at distances in m up to 1 cm, less beyond. */
export function closeness(distance: number): number {
  return tolerance(distance, {
    bounds: [0, 0.01],
    margin: 0.2,
    sigmoid: "tanhSquared",
  });
}

/** Moves a fixture, which stands on sliding and turning joints of its name with great friction. */
export function placeFixture(world: World, name: string, x: number, y: number, yaw: number): void {
  const { positions } = world.start;
  for (const [joint, value] of [
    ["x", x],
    ["y", y],
    ["yaw", yaw],
  ] as const)
    positions[world.jointIndex(`${name}_${joint}`)] = value;
}

/** 1 where the fingers hold a link of this width, 0 where they do not. */
export function grips(world: World, hand: Hand, link: number, width: number): number {
  const gap = hand.width(world);
  const held = gap > 0.9 * width && gap < 1.1 * width;
  return held && distanceTo(world, hand, link) < 0.6 * width ? 1 : 0;
}
