// Walker2d: two legs walk or run forward without falling.
// Robot after Gym's walker, with knees that bend backwards and real masses.

import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import { gait } from "./measures.ts";
import { mirrorActions, mirrorPlanar } from "./mirror.ts";
import { height, observePlanar, pitch, planarObservation, speed, startPlanar } from "./planar.ts";
import { meanSquare, mechanicalPower } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace, loadRobot } from "./robots.ts";

const rest = {
  right_hip: 0.25,
  right_knee: -0.5,
  right_ankle: 0.25,
  left_hip: 0.25,
  left_knee: -0.5,
  left_ankle: 0.25,
}; // rad
const restHeight = 1.21; // m
const base = 0.1; // share of the reward for staying up alone
const effortCost = 0.02;
const powerCost = 5e-5; // per W
const leanMargin = 1; // rad from upright at which nothing is paid any more
const linear = { sigmoid: "linear", valueAtMargin: 0 } as const;

export interface WalkerOptions {
  /** Speed that earns the whole reward, in m/s; going faster earns no more. */
  readonly targetSpeed: number;
}

export async function walker2d(id: string, { targetSpeed }: WalkerOptions): Promise<Task> {
  const model = await loadRobot(new URL("./walker2d.xml", import.meta.url));
  const restAngles = Object.values(rest);
  return {
    id,
    model,
    settings: { timestep: 0.005, solverIterations: 5, predictionDistance: 0.05 },
    controlDt: 0.02,
    maxEpisodeSteps: 500,
    observation: unboundedSpace(planarObservation(rest)),
    action: driveSpace(model),
    mirror: { observations: mirrorPlanar(model, rest), actions: mirrorActions(model) },
    rewardTerms: ["walk", "effort", "power"],
    measures: gait,

    reset: (world, rng) => startPlanar(world, rng, rest, 0.1),

    observe: (world, out) => observePlanar(world, restAngles, restHeight, out),

    reward(world, action, terms) {
      const standing = tolerance(height(world), { bounds: [1.05, 3], margin: 0.5, ...linear });
      const upright = tolerance(pitch(world), {
        bounds: [-0.3, 0.3],
        margin: leanMargin,
        ...linear,
      });
      const walking = tolerance(speed(world), {
        bounds: [targetSpeed, 99],
        margin: targetSpeed,
        ...linear,
      });
      terms[0] = standing * upright * (base + (1 - base) * walking);
      terms[1] = -effortCost * meanSquare(action);
      terms[2] = -powerCost * mechanicalPower(world);
      return terms[0]! + terms[1]! + terms[2]!;
    },

    terminated: (world) => height(world) < 0.8 || Math.abs(pitch(world)) > 1,
  };
}
