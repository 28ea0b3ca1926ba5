// Half-cheetah: a trunk with one hind leg and one foreleg runs forward.
// Robot after Gym's half-cheetah.

import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import { gait } from "./measures.ts";
import { observePlanar, pitch, planarObservation, speed, startPlanar } from "./planar.ts";
import { meanSquare, mechanicalPower } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace, loadRobot } from "./robots.ts";

const rest = {
  back_hip: 0,
  back_knee: 0,
  back_ankle: 0,
  front_hip: 0,
  front_knee: 0,
  front_ankle: 0,
}; // rad
const restHeight = 0.58; // m
const targetSpeed = 8; // m/s
const effortCost = 0.05;
const powerCost = 1e-4; // per W
const linear = { sigmoid: "linear", valueAtMargin: 0 } as const;

export async function halfcheetahRun(id: string): Promise<Task> {
  const model = await loadRobot(new URL("./halfcheetah.xml", import.meta.url));
  const restAngles = Object.values(rest);
  return {
    id,
    model,
    settings: { timestep: 0.005, solverIterations: 4, predictionDistance: 0.05 },
    controlDt: 0.04,
    maxEpisodeSteps: 250,
    observation: unboundedSpace(planarObservation(rest)),
    action: driveSpace(model),
    rewardTerms: ["run", "effort", "power"],
    measures: gait,

    reset: (world, rng) => startPlanar(world, rng, rest, 0.1),

    observe: (world, out) => observePlanar(world, restAngles, restHeight, out),

    reward(world, action, terms) {
      const onFeet = tolerance(pitch(world), { bounds: [-0.6, 0.6], margin: 1, ...linear });
      const running = tolerance(speed(world), {
        bounds: [targetSpeed, 99],
        margin: targetSpeed,
        ...linear,
      });
      terms[0] = onFeet * running;
      terms[1] = -effortCost * meanSquare(action);
      terms[2] = -powerCost * mechanicalPower(world);
      return terms[0]! + terms[1]! + terms[2]!;
    },

    terminated: () => false,
  };
}
