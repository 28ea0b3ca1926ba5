// Two arms lift a bar: each grips one end, and together they raise it by 10 cm without tilting it.

import { atan2, cos, sin } from "../sim/math.ts";
import type { RobotModel } from "../sim/model.ts";
import { unboundedSpace, unitSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import { graded, type HandTaskOptions, type Stage } from "./arm/grading.ts";
import { Hand } from "./arm/hand.ts";
import { handObservation, handSize, observeHand } from "./arm/observe.ts";
import { benchWorkspace, closeness, dropBlock, handActions, randomiseArm } from "./arm/parts.ts";
import { controlDt, gripSettings, joinModels, loadArm, placedModel } from "./arm/scene.ts";
import { axisOf, between } from "./posture.ts";
import { loadRobot } from "./robots.ts";

export const barWidth = 0.03; // m
export const sides = ["left", "right"] as const;
const apart = 0.96; // m between the arms, which face each other along x
const liftHeight = 0.1; // m
const mostTilt = 0.12; // rise of the bar's own axis

export async function twoArmLift(id: string, options: HandTaskOptions): Promise<Task> {
  const [arm, bar] = [await loadArm(), await loadRobot(new URL("./bar.xml", import.meta.url))];
  const left = placedModel(arm, "left_", [0, 0, 0], 0);
  const right = placedModel(arm, "right_", [apart, 0, 0], Math.PI);
  return lift(id, joinModels("two-arm-lift", [left, right, bar]), options);
}

/** The hands of the left and the right arm. */
export function twoHands(model: RobotModel): readonly [Hand, Hand] {
  const { x, y, z } = benchWorkspace;
  const yaw = [-1.2, 1.2] as const;
  const left = new Hand(model, { prefix: "left_", workspace: { x, y, z, yaw } });
  const workspace = { x: [apart - x[1], apart - x[0]] as const, y, z, yaw };
  const memoryAt = left.memorySize;
  const right = new Hand(model, { prefix: "right_", facing: Math.PI, workspace, memoryAt });
  return [left, right];
}

function lift(id: string, model: RobotModel, options: HandTaskOptions): Task {
  const hands = twoHands(model);
  const bar = model.links.findIndex(({ name }) => name === "bar");
  const risen = (world: World): number => world.linkPositions[3 * bar + 2]! - barWidth / 2;
  const level = (world: World): boolean => Math.abs(axisOf(world, bar, 2, 0)) < mostTilt;
  const both = (of: (hand: Hand, side: number) => number): number =>
    0.5 * (of(hands[0], 0) + of(hands[1], 1));
  const stages: Stage[] = [
    {
      name: "reach",
      weight: 0.3,
      progress: (world) => both((hand, side) => closeness(toEnd(world, hand, side))),
    },
    {
      name: "grip",
      weight: 0.2,
      progress: (world) => both((hand, side) => (gripsEnd(world, hand, side) ? 1 : 0)),
    },
    {
      name: "lift",
      weight: 0.5,
      progress: (world) =>
        both((hand, side) => (gripsEnd(world, hand, side) ? 1 : 0)) *
        Math.min(1, Math.max(0, risen(world) / liftHeight)),
    },
  ];
  const numHands = 2 * handSize;
  return {
    id,
    model,
    settings: gripSettings(model),
    controlDt,
    maxEpisodeSteps: 120,
    observation: unboundedSpace([
      ...sides.flatMap((side) => handObservation(`${side} tool`)),
      ...sides.flatMap((side) =>
        ["x", "y", "z"].map((axis) => `10 (bar's ${side} end − ${side} tool along ${axis}) [m]`),
      ),
      "bar: 10 height of its centre [m]",
      "bar: cosine of 2 × its yaw",
      "bar: sine of 2 × its yaw",
      "bar: 3 × the rise of its own axis",
      ...["x", "y", "z"].map((axis) => `bar: velocity along ${axis} [m/s]`),
      "bar: 0.2 turning rate about z [rad/s]",
    ]),
    action: unitSpace(sides.flatMap((side) => handActions(`${side} tool`))),
    memorySize: hands[0].memorySize + hands[1].memorySize,
    randomization: randomiseArm,
    ...graded(options, (world) => risen(world) > liftHeight && level(world), stages),

    reset(world, rng) {
      for (const [side, hand] of hands.entries()) {
        const x = side === 0 ? between(rng, 0.32, 0.4) : apart - between(rng, 0.32, 0.4);
        const place = [x, between(rng, -0.12, 0.12), between(rng, 0.12, 0.24)];
        hand.start(world, place, between(rng, -0.4, 0.4));
      }
      const place = [apart / 2 + between(rng, -0.03, 0.03), between(rng, -0.1, 0.1), barWidth / 2];
      dropBlock(world, bar, place, between(rng, -0.5, 0.5), rng, 0.02);
    },

    command(world, action, controls) {
      for (const [side, hand] of hands.entries()) hand.command(world, action, 5 * side, controls);
    },

    observe(world, out) {
      const { linkPositions, linkVelocities, linkAngularVelocities } = world;
      for (const [side, hand] of hands.entries()) {
        observeHand(hand, world, out, handSize * side);
        const { position } = hand.tool(world);
        const end = world.sensors.site(`${sides[side]!}_end`).position;
        for (let k = 0; k < 3; k++) out[numHands + 3 * side + k] = 10 * (end[k]! - position[k]!);
      }
      const at = numHands + 6;
      const yaw = barYaw(world, bar);
      out[at] = 10 * linkPositions[3 * bar + 2]!;
      out[at + 1] = cos(2 * yaw);
      out[at + 2] = sin(2 * yaw);
      out[at + 3] = 3 * axisOf(world, bar, 2, 0);
      for (let k = 0; k < 3; k++) out[at + 4 + k] = linkVelocities[3 * bar + k]!;
      out[at + 7] = 0.2 * linkAngularVelocities[3 * bar + 2]!;
    },
  };
}

/** Turn of the bar about the vertical, in rad. */
export function barYaw(world: World, bar: number): number {
  return atan2(axisOf(world, bar, 1, 0), axisOf(world, bar, 0, 0));
}

/** Distance in m of a hand's tool from its end of the bar. */
function toEnd(world: World, hand: Hand, side: number): number {
  const { position } = hand.tool(world);
  const end = world.sensors.site(`${sides[side]!}_end`).position;
  let sum = 0;
  for (let k = 0; k < 3; k++) sum += (end[k]! - position[k]!) * (end[k]! - position[k]!);
  return Math.sqrt(sum);
}

/** Whether a hand holds its end of the bar. */
export function gripsEnd(world: World, hand: Hand, side: number): boolean {
  return Math.abs(hand.width(world) - barWidth) < 0.004 && toEnd(world, hand, side) < 0.035;
}
