// Lifts the bar with two hands: each grips its end, waits for the other, then both rise.

import type { RobotModel } from "../../sim/model.ts";
import type { World } from "../../sim/world.ts";
import type { Hand } from "../arm/hand.ts";
import { barYaw, gripsEnd, sides, twoHands } from "../twoArmLift.ts";
import type { Intent, Script } from "./expert.ts";
import { closed, Mover, open } from "./moves.ts";

const hover = 0.07; // m over the bar's end
const rise = 0.06; // m by which the hands are sent ahead of where they are

export function twoArmLiftScript(model: RobotModel): Script {
  const hands = twoHands(model);
  const movers = hands.map((hand, side) => new Mover(hand, 5 * side));
  const bar = model.links.findIndex(({ name }) => name === "bar");
  return (world, intent, out) => {
    const both = hands.every((hand, side) => gripsEnd(world, hand, side));
    for (const [side, hand] of hands.entries()) {
      const mover = movers[side]!;
      if (!gripsEnd(world, hand, side)) reach(world, hand, mover, bar, side, intent, out);
      else {
        const wanted = Array.from(world.memory.subarray(hand.memoryAt, hand.memoryAt + 4));
        if (both) wanted[2] = hand.tool(world).position[2]! + rise;
        mover.towards(world, wanted, wanted[3]!, closed, out);
      }
    }
  };
}

function reach(
  world: World,
  hand: Hand,
  mover: Mover,
  bar: number,
  side: number,
  { aim, slack }: Intent,
  out: Float32Array,
): void {
  const sign = side === 0 ? 1 : -1; // each hand believes otherwise
  const end = world.sensors.site(`${sides[side]!}_end`).position;
  const place = [0, 1, 2].map((k) => end[k]! + sign * aim[k]!) as [number, number, number];
  place[2] = Math.max(hand.workspace.z[0], place[2]);
  const yaw = barYaw(world, bar) + sign * aim[3]!;
  const aside = mover.aside(world, place);
  const above = mover.above(world, place);
  const turned = Math.abs(hand.tool(world).yaw - yaw) < 0.12 * slack;
  const near = (above < 0.03 ? 0.02 : 0.008) * slack;
  if (aside > near || !turned)
    mover.towards(world, [place[0], place[1], place[2] + hover], yaw, open, out);
  else mover.towards(world, place, yaw, above > 0.01 * slack ? open : closed, out);
}
