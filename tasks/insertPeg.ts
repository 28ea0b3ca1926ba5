// Insert a peg: grip a square peg that stands somewhere, and put it into a square hole with 2 mm to spare.

import { cos, sin } from "../sim/math.ts";
import type { RobotModel } from "../sim/model.ts";
import { unboundedSpace, unitSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import { graded, type HandTaskOptions, type Stage } from "./arm/grading.ts";
import { Hand } from "./arm/hand.ts";
import {
  blockObservation,
  blockSize,
  blockYaw,
  handObservation,
  handSize,
  observeBlock,
  observeHand,
} from "./arm/observe.ts";
import {
  benchWorkspace,
  closeness,
  distanceTo,
  dropBlock,
  handActions,
  placeFixture,
  randomiseArm,
  startHand,
} from "./arm/parts.ts";
import { controlDt, gripSettings, joinModels, loadArm } from "./arm/scene.ts";
import { axisOf, between } from "./posture.ts";
import { loadRobot } from "./robots.ts";

export const pegWidth = 0.024; // m
export const pegLength = 0.1; // m
export const holeHeight = 0.05; // m of the block around the hole
export const gripHeight = 0.02; // m over the peg's centre at which it is gripped
const deepEnough = 0.015; // m over the bench that the peg's lower end may be
const pegRange = { x: [0.36, 0.54], y: [-0.2, 0] } as const; // m
const holeRange = { x: [0.4, 0.54], y: [0.08, 0.2] } as const; // m

export async function insertPeg(id: string, options: HandTaskOptions): Promise<Task> {
  const peg = await loadRobot(new URL("./peg.xml", import.meta.url));
  return insert(id, joinModels("insert-peg", [await loadArm(), peg]), options);
}

function insert(id: string, model: RobotModel, options: HandTaskOptions): Task {
  const hand = new Hand(model, { workspace: benchWorkspace });
  const [peg, hole] = ["peg", "hole"].map((name) =>
    model.links.findIndex((link) => link.name === name),
  ) as [number, number];
  const lowered = (world: World): number => world.linkPositions[3 * peg + 2]! - pegLength / 2;
  const success = (world: World): boolean =>
    aside(world, peg, hole) < 0.008 && lowered(world) < deepEnough;
  const held = (world: World): number => (gripsPeg(world, hand, peg) ? 1 : 0);
  const stages: Stage[] = [
    {
      name: "reach",
      weight: 0.2,
      progress: (world) => closeness(Math.max(0, distanceTo(world, hand, peg) - gripHeight)),
    },
    { name: "grip", weight: 0.2, progress: held },
    {
      name: "carry",
      weight: 0.3,
      progress: (world) => held(world) * closeness(aside(world, peg, hole)),
    },
    {
      name: "insert",
      weight: 0.3,
      progress: (world) =>
        aside(world, peg, hole) < 0.008 ? 1 - Math.min(1, lowered(world) / holeHeight) : 0,
    },
  ];
  return {
    id,
    model,
    settings: gripSettings(model),
    controlDt,
    maxEpisodeSteps: 200,
    observation: unboundedSpace([
      ...handObservation(),
      ...blockObservation("peg"),
      ...["x", "y", "z"].map((axis) => `20 (hole's ${axis} − peg's ${axis}) [m]`),
      "cosine of 4 × (hole's yaw − peg's yaw)",
      "sine of 4 × (hole's yaw − peg's yaw)",
    ]),
    action: unitSpace(handActions()),
    memorySize: hand.memorySize,
    randomization: randomiseArm,
    ...graded(options, success, stages),

    reset(world, rng) {
      startHand(world, hand, rng);
      const place = [between(rng, ...pegRange.x), between(rng, ...pegRange.y), pegLength / 2];
      dropBlock(world, peg, place, between(rng, -Math.PI, Math.PI), rng, 0.02);
      const [x, y] = [between(rng, ...holeRange.x), between(rng, ...holeRange.y)];
      placeFixture(world, "hole", x, y, between(rng, -Math.PI / 4, Math.PI / 4));
    },

    command: (world, action, controls) => hand.command(world, action, 0, controls),

    observe(world, out) {
      observeHand(hand, world, out, 0);
      const { position, yaw } = hand.tool(world);
      observeBlock(world, peg, position, yaw, out, handSize);
      const at = handSize + blockSize;
      const { linkPositions } = world;
      for (let k = 0; k < 3; k++)
        out[at + k] = 20 * (linkPositions[3 * hole + k]! - linkPositions[3 * peg + k]!);
      const turn = 4 * (blockYaw(world, hole) - blockYaw(world, peg));
      out[at + 3] = cos(turn);
      out[at + 4] = sin(turn);
    },
  };
}

/** Horizontal distance of the peg's centre from the hole's, in m. */
function aside({ linkPositions }: World, peg: number, hole: number): number {
  const dx = linkPositions[3 * peg]! - linkPositions[3 * hole]!;
  const dy = linkPositions[3 * peg + 1]! - linkPositions[3 * hole + 1]!;
  return Math.sqrt(dx * dx + dy * dy);
}

function gripsPeg(world: World, hand: Hand, peg: number): boolean {
  const gap = hand.width(world);
  const upright = Math.abs(axisOf(world, peg, 2, 2)) > 0.9;
  return upright && Math.abs(gap - pegWidth) < 0.003 && distanceTo(world, hand, peg) < 0.045;
}
