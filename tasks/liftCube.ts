// Lift a cube: grip it where it lies and raise it by 10 cm.
// The kind of task that robosuite calls Lift (arXiv:2009.12293); the cube lies and is turned at random.

import type { RobotModel } from "../sim/model.ts";
import { unboundedSpace, unitSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import { graded, type HandTaskOptions, type Stage } from "./arm/grading.ts";
import { Hand } from "./arm/hand.ts";
import {
  blockObservation,
  handObservation,
  handSize,
  observeBlock,
  observeHand,
} from "./arm/observe.ts";
import {
  benchWorkspace,
  dropBlock,
  grips,
  handActions,
  near,
  randomiseArm,
  startHand,
} from "./arm/parts.ts";
import { controlDt, gripSettings, joinModels, loadArm } from "./arm/scene.ts";
import { between } from "./posture.ts";
import { loadRobot } from "./robots.ts";

export const cubeSize = 0.04; // m
const liftHeight = 0.1; // m that the cube must rise
const cubeRange = { x: [0.36, 0.56], y: [-0.2, 0.2] } as const; // m

export async function liftCube(id: string, options: HandTaskOptions): Promise<Task> {
  const cube = await loadRobot(new URL("./cube.xml", import.meta.url));
  return lift(id, joinModels("lift-cube", [await loadArm(), cube]), options);
}

function lift(id: string, model: RobotModel, options: HandTaskOptions): Task {
  const hand = new Hand(model, { workspace: benchWorkspace });
  const cube = model.links.findIndex(({ name }) => name === "cube");
  const risen = (world: World): number => world.linkPositions[3 * cube + 2]! - cubeSize / 2;
  const stages: Stage[] = [
    { name: "reach", weight: 0.3, progress: (world) => near(world, hand, cube) },
    { name: "grip", weight: 0.2, progress: (world) => grips(world, hand, cube, cubeSize) },
    {
      name: "lift",
      weight: 0.5,
      progress: (world) =>
        grips(world, hand, cube, cubeSize) * Math.min(1, Math.max(0, risen(world) / liftHeight)),
    },
  ];
  return {
    id,
    model,
    settings: gripSettings(model),
    controlDt,
    maxEpisodeSteps: 120,
    observation: unboundedSpace([...handObservation(), ...blockObservation("cube")]),
    action: unitSpace(handActions()),
    memorySize: hand.memorySize,
    randomization: randomiseArm,
    ...graded(options, (world) => risen(world) > liftHeight, stages),

    reset(world, rng) {
      startHand(world, hand, rng);
      const place = [between(rng, ...cubeRange.x), between(rng, ...cubeRange.y), cubeSize / 2];
      dropBlock(world, cube, place, between(rng, -Math.PI, Math.PI), rng);
    },

    command: (world, action, controls) => hand.command(world, action, 0, controls),

    observe(world, out) {
      observeHand(hand, world, out, 0);
      const { position, yaw } = hand.tool(world);
      observeBlock(world, cube, position, yaw, out, handSize);
    },
  };
}
