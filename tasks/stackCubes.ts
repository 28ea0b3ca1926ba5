// Stack cubes: put one cube on another and let go of it.

import type { RobotModel } from "../sim/model.ts";
import { unboundedSpace, unitSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import { graded, type HandTaskOptions, type Stage } from "./arm/grading.ts";
import { Hand } from "./arm/hand.ts";
import {
  blockObservation,
  blockSize,
  handObservation,
  handSize,
  observeBlock,
  observeHand,
} from "./arm/observe.ts";
import {
  benchWorkspace,
  closeness,
  dropBlock,
  grips,
  handActions,
  near,
  randomiseArm,
  startHand,
} from "./arm/parts.ts";
import { controlDt, gripSettings, joinModels, loadArm } from "./arm/scene.ts";
import { cubeSize } from "./liftCube.ts";
import { between } from "./posture.ts";
import { loadRobot } from "./robots.ts";

const range = { x: [0.36, 0.54], y: [-0.18, 0.18] } as const; // m
const leastApart = 0.08; // m between the cubes at the start
const released = 0.05; // m between fingers that hold nothing

export async function stackCubes(id: string, options: HandTaskOptions): Promise<Task> {
  const cubes = await loadRobot(new URL("./cubes.xml", import.meta.url));
  return stack(id, joinModels("stack-cubes", [await loadArm(), cubes]), options);
}

function stack(id: string, model: RobotModel, options: HandTaskOptions): Task {
  const hand = new Hand(model, { workspace: benchWorkspace });
  const [cube, base] = ["cube", "base"].map((name) =>
    model.links.findIndex((link) => link.name === name),
  ) as [number, number];
  const success = (world: World): boolean =>
    hand.width(world) > released && isOn(world, cube, base) && speedOf(world, cube) < 0.05;
  const held = (world: World): number => grips(world, hand, cube, cubeSize);
  const stages: Stage[] = [
    { name: "reach", weight: 0.2, progress: (world) => near(world, hand, cube) },
    { name: "grip", weight: 0.2, progress: held },
    {
      name: "carry",
      weight: 0.6,
      progress: (world) =>
        (held(world) || isOn(world, cube, base) ? 1 : 0) * closeness(toGoal(world, cube, base)),
    },
  ];
  return {
    id,
    model,
    settings: gripSettings(model),
    controlDt,
    maxEpisodeSteps: 160,
    observation: unboundedSpace([
      ...handObservation(),
      ...blockObservation("cube"),
      ...blockObservation("base"),
      ...["x", "y", "z"].map((axis) => `10 (base's ${axis} − cube's ${axis}) [m]`),
    ]),
    action: unitSpace(handActions()),
    memorySize: hand.memorySize,
    randomization: randomiseArm,
    ...graded(options, success, stages),

    reset(world, rng) {
      startHand(world, hand, rng);
      const first = [between(rng, ...range.x), between(rng, ...range.y)] as const;
      let second = first;
      while (apart(first, second) < leastApart)
        second = [between(rng, ...range.x), between(rng, ...range.y)];
      for (const [link, place] of [[cube, first] as const, [base, second] as const])
        dropBlock(world, link, [...place, cubeSize / 2], between(rng, -Math.PI, Math.PI), rng);
    },

    command: (world, action, controls) => hand.command(world, action, 0, controls),

    observe(world, out) {
      observeHand(hand, world, out, 0);
      const { position, yaw } = hand.tool(world);
      observeBlock(world, cube, position, yaw, out, handSize);
      observeBlock(world, base, position, yaw, out, handSize + blockSize);
      const at = handSize + 2 * blockSize;
      const { linkPositions } = world;
      for (let k = 0; k < 3; k++)
        out[at + k] = 10 * (linkPositions[3 * base + k]! - linkPositions[3 * cube + k]!);
    },
  };
}

/** Horizontal distance in m. */
function apart([x, y]: readonly number[], [otherX, otherY]: readonly number[]): number {
  const [dx, dy] = [otherX! - x!, otherY! - y!];
  return Math.sqrt(dx * dx + dy * dy);
}

/** Whether the cube rests on the base. */
function isOn({ linkPositions }: World, cube: number, base: number): boolean {
  const rise = linkPositions[3 * cube + 2]! - linkPositions[3 * base + 2]!;
  const dx = linkPositions[3 * cube]! - linkPositions[3 * base]!;
  const dy = linkPositions[3 * cube + 1]! - linkPositions[3 * base + 1]!;
  return Math.abs(rise - cubeSize) < 0.006 && dx * dx + dy * dy < 0.02 * 0.02;
}

/** Distance in m from the cube to its place on the base. */
function toGoal({ linkPositions }: World, cube: number, base: number): number {
  let sum = 0;
  for (let k = 0; k < 3; k++) {
    const goal = linkPositions[3 * base + k]! + (k === 2 ? cubeSize : 0);
    const d = goal - linkPositions[3 * cube + k]!;
    sum += d * d;
  }
  return Math.sqrt(sum);
}

function speedOf({ linkVelocities }: World, link: number): number {
  const [x, y, z] = linkVelocities.subarray(3 * link, 3 * link + 3);
  return Math.sqrt(x! * x! + y! * y! + z! * z!);
}
