// Cart-pole: a cart swings its pole up and holds it near the middle of the rail.
// After the cartpole domain of the DeepMind Control Suite (arXiv:1801.00690).

import { cos, sin } from "../sim/math.ts";
import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import { between } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace, loadRobot } from "./robots.ts";

export async function cartpoleSwingup(id: string): Promise<Task> {
  const model = await loadRobot(new URL("./cartpole.xml", import.meta.url));
  return {
    id,
    model,
    settings: { timestep: 0.01 },
    controlDt: 0.02,
    maxEpisodeSteps: 500,
    observation: unboundedSpace([
      "cart's place [m]",
      "cosine of the pole's angle",
      "sine of the pole's angle",
      "0.5 cart's velocity [m/s]",
      "0.2 pole's rate [rad/s]",
    ]),
    action: driveSpace(model),
    rewardTerms: ["swingup"],

    reset(world, rng) {
      world.start.positions[0] = between(rng, -0.1, 0.1);
      world.start.positions[1] = Math.PI + between(rng, -0.1, 0.1); // hanging
    },

    observe(world, out) {
      const [place = 0, angle = 0] = world.jointPositions;
      const [velocity = 0, rate = 0] = world.jointVelocities;
      out[0] = place;
      out[1] = cos(angle);
      out[2] = sin(angle);
      out[3] = 0.5 * velocity;
      out[4] = 0.2 * rate;
    },

    reward(world, action, terms) {
      const [place = 0, angle = 0] = world.jointPositions;
      const upright = (cos(angle) + 1) / 2;
      const centered = (1 + tolerance(place, { margin: 2 })) / 2;
      const gentle =
        (4 + tolerance(action[0]!, { margin: 1, sigmoid: "quadratic", valueAtMargin: 0 })) / 5;
      const still = (1 + tolerance(world.jointVelocities[1]!, { margin: 5 })) / 2;
      terms[0] = upright * centered * gentle * still;
      return terms[0]!;
    },

    success: (world) => cos(world.jointPositions[1]!) > 0.95,
    terminated: () => false,
  };
}
