// Ant: four legs of two hinges run forward.
// Robot after Gym's ant with real masses. Speed counts along the world's x axis, which the trunk must
// face: a crab's walk or a drift to the side earns nothing and costs.

import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import { floatingObservation, observeFloating, startFloating } from "./floating.ts";
import { gait } from "./measures.ts";
import { mirrorActions, mirrorFloating } from "./mirror.ts";
import { axisOf, meanSquare, meanSquareChange, mechanicalPower } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace, loadRobot } from "./robots.ts";

const rest: Readonly<Record<string, number>> = {
  front_left_hip: 0,
  front_left_ankle: 0.9,
  front_right_hip: 0,
  front_right_ankle: 0.9,
  back_left_hip: 0,
  back_left_ankle: 0.9,
  back_right_hip: 0,
  back_right_ankle: 0.9,
}; // rad
const restHeight = 0.56; // m
const targetSpeed = 3; // m/s
const base = 0.1; // share of the reward for staying up alone
const effortCost = 0.02;
const jerkCost = 0.01; // per mean square change of the action
const sideCost = 0.1; // per m/s
const powerCost = 5e-5; // per W
const linear = { sigmoid: "linear", valueAtMargin: 0 } as const;

export async function antRun(id: string): Promise<Task> {
  const model = await loadRobot(new URL("./ant.xml", import.meta.url));
  const restAngles = Object.values(rest);
  const numJoints = restAngles.length;
  return {
    id,
    model,
    settings: {
      timestep: 0.01,
      solverIterations: 10,
      pgsIterations: 4, // with 8 and 2 gaits were 4 to 8 % slower at half the step
      predictionDistance: 0.05,
    },
    controlDt: 0.05,
    maxEpisodeSteps: 200,
    observation: unboundedSpace(floatingObservation(rest)),
    action: driveSpace(model),
    mirror: { observations: mirrorFloating(model, rest), actions: mirrorActions(model) },
    memorySize: numJoints, // the last action
    rewardTerms: ["run", "effort", "jerk", "side", "power"],
    measures: gait,

    reset: (world, rng) => startFloating(world, rng, rest, { noise: 0.2, turn: 0.2 }),

    observe: (world, out) => observeFloating(world, restAngles, restHeight, out),

    reward(world, action, terms) {
      const last = world.memory;
      const up = tolerance(axisOf(world, 0, 2, 2), { bounds: [0.9, 1.1], margin: 0.6, ...linear });
      const facing = tolerance(axisOf(world, 0, 0, 0), {
        bounds: [0.95, 1.1],
        margin: 1,
        ...linear,
      });
      const running = tolerance(world.linkVelocities[0]!, {
        bounds: [targetSpeed, 99],
        margin: targetSpeed,
        ...linear,
      });
      terms[0] = up * facing * (base + (1 - base) * running);
      terms[1] = -effortCost * meanSquare(action);
      terms[2] = -jerkCost * meanSquareChange(last, action);
      terms[3] = -sideCost * Math.min(1, Math.abs(world.linkVelocities[1]!));
      terms[4] = -powerCost * mechanicalPower(world);
      last.set(action);
      return terms[0]! + terms[1]! + terms[2]! + terms[3]! + terms[4]!;
    },

    terminated(world) {
      const height = world.linkPositions[2]!;
      return axisOf(world, 0, 2, 2) < 0.3 || height < 0.2 || height > 1.6;
    },
  };
}
