// A small task for tests of envs, recordings and worker threads; a module that workers import.

import { unboundedSpace, unitSpace } from "../../sim/space.ts";
import type { Task } from "../../sim/task.ts";
import type { World } from "../../sim/world.ts";
import { hopper } from "./models.ts";

/** An action whose first number is this makes Rapier panic, which poisons its WebAssembly instance. */
export const panicAction = Math.fround(0.123456);

/** A hopper that is paid for its height and ends when it has fallen. */
export const plainHop: Task = {
  id: "test-hop-v0",
  model: hopper(),
  settings: { timestep: 0.005 },
  observation: unboundedSpace(Array.from({ length: 12 }, (_, i) => `element ${i}`)),
  action: unitSpace(["hip", "knee", "ankle"]),
  controlDt: 0.02,
  maxEpisodeSteps: 40,
  rewardTerms: ["height", "effort"],
  reset(world, rng) {
    for (let i = 3; i < 6; i++) world.start.positions[i] = -0.2 * rng.uniform();
  },
  observe(world, out) {
    out.set(world.jointPositions, 0);
    out.set(world.jointVelocities, 6);
  },
  reward(world, action, terms) {
    if (action[0] === panicAction) panic(world);
    terms[0] = world.linkPositions[2]!;
    terms[1] = -0.01 * action.reduce((sum, u) => sum + u * u, 0);
    return terms[0]! + terms[1]!;
  },
  terminated: (world) => world.linkPositions[2]! < 0.8,
};

/** The same with everything drawn anew for each episode, and pushed now and then. */
export const hopTask: Task = {
  ...plainHop,
  hasLevels: true,
  randomization: {
    latency: [0, 2],
    motorStrength: [0.8, 1.2],
    mass: [0.9, 1.1],
    friction: [0.6, 1.4],
    observationNoise: 0.01,
    pushes: { link: "torso", every: 0.2, speed: 0.3 },
  },
};

/** Asks for a joint that does not exist, where Rust panics. */
function panic({ assembly }: World): void {
  const joint = assembly.joints[0] as unknown as { readonly rawSet: RawJoints };
  joint.rawSet.jointConfigureMotorModel(12345.5, 3, 0);
}

interface RawJoints {
  jointConfigureMotorModel(handle: number, axis: number, model: number): void;
}

/** The same task with another limit, as a registry makes it. */
export async function createHop(maxEpisodeSteps: number): Promise<Task> {
  return { ...hopTask, maxEpisodeSteps };
}
