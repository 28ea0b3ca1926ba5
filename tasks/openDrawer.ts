// Open a drawer: grip its handle and pull it 12 cm out of a cabinet that stands somewhere, turned a little.

import { cos, sin } from "../sim/math.ts";
import type { RobotModel } from "../sim/model.ts";
import { unboundedSpace, unitSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import { graded, type HandTaskOptions, type Stage } from "./arm/grading.ts";
import { Hand } from "./arm/hand.ts";
import { handObservation, handSize, observeHand } from "./arm/observe.ts";
import {
  benchWorkspace,
  closeness,
  handActions,
  placeFixture,
  randomiseArm,
  startHand,
} from "./arm/parts.ts";
import { controlDt, gripSettings, joinModels, loadArm } from "./arm/scene.ts";
import { between } from "./posture.ts";
import { loadRobot } from "./robots.ts";

const openEnough = 0.12; // m
const range = { x: [0.69, 0.74], y: [-0.12, 0.12], yaw: [-0.25, 0.25] } as const; // of the cabinet

export async function openDrawer(id: string, options: HandTaskOptions): Promise<Task> {
  const drawer = await loadRobot(new URL("./drawer.xml", import.meta.url));
  return pull(id, joinModels("open-drawer", [await loadArm(), drawer]), options);
}

function pull(id: string, model: RobotModel, options: HandTaskOptions): Task {
  const hand = new Hand(model, { workspace: benchWorkspace });
  const stages: Stage[] = [
    { name: "reach", weight: 0.3, progress: (world) => closeness(distance(world, hand)) },
    {
      name: "pull",
      weight: 0.7,
      progress: (world) => Math.min(1, Math.max(0, opening(world) / openEnough)),
    },
  ];
  return {
    id,
    model,
    settings: gripSettings(model),
    controlDt,
    maxEpisodeSteps: 120,
    observation: unboundedSpace([
      ...handObservation(),
      ...["x", "y", "z"].map((axis) => `10 (handle's ${axis} − tool's ${axis}) [m]`),
      "cosine of 2 × (cabinet's yaw − tool's yaw)",
      "sine of 2 × (cabinet's yaw − tool's yaw)",
      "cabinet's yaw [rad]",
      "10 drawer's opening [m]",
      "drawer's speed [m/s]",
    ]),
    action: unitSpace(handActions()),
    memorySize: hand.memorySize,
    randomization: randomiseArm,
    ...graded(options, (world) => opening(world) > openEnough, stages),

    reset(world, rng) {
      startHand(world, hand, rng);
      const [x, y] = [between(rng, ...range.x), between(rng, ...range.y)];
      placeFixture(world, "cabinet", x, y, between(rng, ...range.yaw));
      world.start.positions[world.jointIndex("drawer")] = between(rng, 0, 0.02);
    },

    command: (world, action, controls) => hand.command(world, action, 0, controls),

    observe(world, out) {
      observeHand(hand, world, out, 0);
      const { position, yaw } = hand.tool(world);
      const handle = world.sensors.site("handle").position;
      for (let k = 0; k < 3; k++) out[handSize + k] = 10 * (handle[k]! - position[k]!);
      const turned = world.jointPositions[world.jointIndex("cabinet_yaw")]!;
      const at = handSize + 3;
      out[at] = cos(2 * (turned - yaw));
      out[at + 1] = sin(2 * (turned - yaw));
      out[at + 2] = turned;
      out[at + 3] = 10 * opening(world);
      out[at + 4] = world.jointVelocities[world.jointIndex("drawer")]!;
    },
  };
}

/** How far the drawer is out, in m. */
function opening(world: World): number {
  return world.jointPositions[world.jointIndex("drawer")]!;
}

/** Distance of the tool from the handle, in m. */
function distance(world: World, hand: Hand): number {
  const { position } = hand.tool(world);
  const handle = world.sensors.site("handle").position;
  let sum = 0;
  for (let k = 0; k < 3; k++) sum += (handle[k]! - position[k]!) * (handle[k]! - position[k]!);
  return Math.sqrt(sum);
}
