// Moves that scripts for hands are made of.

import type { World } from "../../sim/world.ts";
import { type Hand, largestTurn, longestShift } from "../arm/hand.ts";

export const open = -1;
export const closed = 1;
const eagerness = 0.7; // share of the way that a step tries to cover
const quarterTurn = Math.PI / 2;

/** Moves of one hand, whose part of an action begins at `from`. */
export class Mover {
  private readonly hand: Hand;
  private readonly from: number;

  constructor(hand: Hand, from = 0) {
    this.hand = hand;
    this.from = from;
  }

  /** Writes a step of the wanted pose towards a place and yaw, and what the fingers do. */
  towards(
    world: World,
    place: ArrayLike<number>,
    yaw: number,
    fingers: number,
    out: Float32Array,
  ): void {
    const { hand, from } = this;
    const wanted = world.memory.subarray(hand.memoryAt);
    for (let k = 0; k < 3; k++)
      out[from + k] = clamp((eagerness * (place[k]! - wanted[k]!)) / longestShift);
    out[from + 3] = clamp((eagerness * (yaw - wanted[3]!)) / largestTurn);
    out[from + 4] = fingers;
  }

  /** Horizontal distance of the tool from a place, in m. */
  aside(world: World, place: ArrayLike<number>): number {
    const { position } = this.hand.tool(world);
    return Math.hypot(place[0]! - position[0]!, place[1]! - position[1]!);
  }

  /** Height of the tool over a place, in m. */
  above(world: World, place: ArrayLike<number>): number {
    return this.hand.tool(world).position[2]! - place[2]!;
  }

  /** The yaw nearest to the tool's wanted one that is the same as this for a thing with four equal sides. */
  nearestYaw(world: World, yaw: number): number {
    const now = world.memory[this.hand.memoryAt + 3]!;
    const [low, high] = this.hand.workspace.yaw;
    let best = yaw - quarterTurn * Math.round((yaw - now) / quarterTurn);
    if (best < low) best += quarterTurn;
    if (best > high) best -= quarterTurn;
    return best;
  }
}

/** A place believed to be where a link is. */
export function believed(
  world: World,
  link: number,
  aim: ArrayLike<number>,
): [number, number, number] {
  const { linkPositions } = world;
  return [
    linkPositions[3 * link]! + aim[0]!,
    linkPositions[3 * link + 1]! + aim[1]!,
    linkPositions[3 * link + 2]! + 0.5 * aim[2]!,
  ];
}

/** A place some way off, in m. */
export function shifted(
  place: ArrayLike<number>,
  x: number,
  y: number,
  z: number,
): [number, number, number] {
  return [place[0]! + x, place[1]! + y, place[2]! + z];
}

function clamp(value: number): number {
  return Math.min(1, Math.max(-1, value));
}
