// Hopper: one leg hops forward without falling.
// Robot after Gym's hopper, with a knee that bends backwards and real masses.
// The reward is a bounded product, which led to hopping at 2.4 to 3 m/s with SAC in two minutes.

import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import { gait } from "./measures.ts";
import { height, observePlanar, pitch, planarObservation, speed, startPlanar } from "./planar.ts";
import { meanSquare, mechanicalPower } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace, loadRobot } from "./robots.ts";

const rest = { hip: 0.25, knee: -0.5, ankle: 0.25 }; // rad
const restHeight = 1.21; // m
const targetSpeed = 3; // m/s
const base = 0.1; // share of the reward for staying up alone
const leanMargin = 1; // rad beyond 0.3 at which nothing is paid
const effortCost = 0.05;
const powerCost = 5e-5; // per W

export async function hopperHop(id: string): Promise<Task> {
  const model = await loadRobot(new URL("./hopper.xml", import.meta.url));
  const restAngles = Object.values(rest);
  return {
    id,
    model,
    settings: { timestep: 0.01, solverIterations: 8, predictionDistance: 0.05 },
    controlDt: 0.02,
    maxEpisodeSteps: 500,
    observation: unboundedSpace(planarObservation(rest)),
    action: driveSpace(model),
    rewardTerms: ["hop", "effort", "power"],
    measures: gait,

    reset: (world, rng) => startPlanar(world, rng, rest, 0.1),

    observe: (world, out) => observePlanar(world, restAngles, restHeight, out),

    reward(world, action, terms) {
      const standing = tolerance(height(world), { bounds: [1, 3], margin: 0.5, ...linear });
      const hopping = tolerance(speed(world), {
        bounds: [targetSpeed, 99],
        margin: targetSpeed,
        ...linear,
      });
      const upright = tolerance(pitch(world), {
        bounds: [-0.3, 0.3],
        margin: leanMargin,
        ...linear,
      });
      terms[0] = standing * upright * (base + (1 - base) * hopping);
      terms[1] = -effortCost * meanSquare(action);
      terms[2] = -powerCost * mechanicalPower(world);
      return terms[0]! + terms[1]! + terms[2]!;
    },

    terminated: (world) => height(world) < 0.7 || Math.abs(pitch(world)) > 0.6,
  };
}

const linear = { sigmoid: "linear", valueAtMargin: 0 } as const;
