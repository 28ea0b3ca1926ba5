// Humanoid: 17 hinges stand, or walk straight ahead.
// Drives hold target angles around an upright pose, so that doing nothing is nearly standing; to whom
// stands, pushes see to it that it is not enough.

import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import { floatingObservation, observeFloating, startFloating } from "./floating.ts";
import { gait } from "./measures.ts";
import { mirrorActions, mirrorFloating } from "./mirror.ts";
import {
  axisOf,
  meanSquare,
  meanSquareChange,
  mechanicalPower,
  speedAhead,
  speedLeft,
} from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace, loadRobot } from "./robots.ts";

const rest = {
  abdomen_z: 0,
  abdomen_y: 0,
  abdomen_x: 0,
  right_shoulder_y: 0,
  right_shoulder_x: 0.15,
  right_elbow: 0.4,
  left_shoulder_y: 0,
  left_shoulder_x: 0.15,
  left_elbow: 0.4,
  right_hip_x: 0,
  right_hip_z: 0,
  right_hip_y: 0.05,
  right_knee: -0.05,
  left_hip_x: 0,
  left_hip_z: 0,
  left_hip_y: 0.05,
  left_knee: -0.05,
}; // rad
const restHeight = 0.9; // m, of the pelvis
const headHeight = 1.45; // m
const effortCost = 0.05;
const jerkCost = 0.05; // per mean square change of the action
const powerCost = 4e-5; // per W: standing took 2 kW without it
const pushes = { link: "torso", every: 2, speed: 0.4 }; // every 2 s, by 0.4 m/s
const linear = { sigmoid: "linear", valueAtMargin: 0 } as const;

export interface HumanoidOptions {
  /** m/s; 0 is standing still. */
  readonly targetSpeed: number;
  /** Share of the reward for standing upright alone. */
  readonly base: number;
}

export async function humanoid(id: string, { targetSpeed, base }: HumanoidOptions): Promise<Task> {
  const model = await loadRobot(new URL("./humanoid.xml", import.meta.url));
  const restAngles = Object.values(rest);
  const numJoints = restAngles.length;
  return {
    id,
    model,
    settings: { timestep: 0.01, pgsIterations: 6, selfCollision: true, robotsPerWorld: 1 },
    controlDt: 0.03,
    maxEpisodeSteps: 333,
    observation: unboundedSpace(floatingObservation(rest)),
    action: driveSpace(model),
    ...(targetSpeed > 0 ? {} : { hasLevels: true, randomization: { pushes } }),
    mirror: { observations: mirrorFloating(model, rest), actions: mirrorActions(model) },
    memorySize: numJoints, // the last action
    rewardTerms: [targetSpeed > 0 ? "walk" : "stand", "effort", "jerk", "power"],
    measures: gait,

    reset: (world, rng) => startFloating(world, rng, rest, { noise: 0.12, turn: 0.1 }),

    observe: (world, out) => observeFloating(world, restAngles, restHeight, out),

    reward(world, action, terms) {
      const last = world.memory;
      const head = world.sensors.site("head").position[2]!;
      const standing = tolerance(head, { bounds: [headHeight, 2], margin: 0.5, ...linear });
      const upright = tolerance(axisOf(world, 0, 2, 2), {
        bounds: [0.9, 1.1],
        margin: 0.9,
        ...linear,
      });
      const ahead = speedAhead(world, 0);
      const facing = tolerance(axisOf(world, 0, 0, 0), {
        bounds: [0.9, 1.1],
        margin: 1.5,
        ...linear,
      });
      const moving =
        targetSpeed > 0
          ? facing * tolerance(ahead, { bounds: [targetSpeed, 99], margin: targetSpeed, ...linear })
          : tolerance(ahead, { margin: 1 }) * tolerance(speedLeft(world, 0), { margin: 1 });
      terms[0] = standing * upright * (base + (1 - base) * moving);
      terms[1] = -effortCost * meanSquare(action);
      terms[2] = -jerkCost * meanSquareChange(last, action);
      terms[3] = -powerCost * mechanicalPower(world);
      last.set(action);
      return terms[0]! + terms[1]! + terms[2]! + terms[3]!;
    },

    terminated: (world) => world.linkPositions[2]! < 0.6 || axisOf(world, 0, 2, 2) < 0.4,
  };
}
