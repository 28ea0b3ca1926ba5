// Pendulum: a motor that is too weak to lift the bob straight up swings it up and holds it.
// After the pendulum domain of the DeepMind Control Suite (arXiv:1801.00690).

import { cos, sin } from "../sim/math.ts";
import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import { between } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace, loadRobot } from "./robots.ts";

const uprightBound = 0.99; // cosine of 8°

export async function pendulumSwingup(id: string): Promise<Task> {
  const model = await loadRobot(new URL("./pendulum.xml", import.meta.url));
  return {
    id,
    model,
    settings: { timestep: 0.01 },
    controlDt: 0.02,
    maxEpisodeSteps: 500,
    observation: unboundedSpace(["cosine of the angle", "sine of the angle", "0.2 rate [rad/s]"]),
    action: driveSpace(model),
    rewardTerms: ["swingup"],

    reset(world, rng) {
      world.start.positions[0] = between(rng, -Math.PI, Math.PI);
    },

    observe(world, out) {
      const angle = world.jointPositions[0]!;
      out[0] = cos(angle);
      out[1] = sin(angle);
      out[2] = 0.2 * world.jointVelocities[0]!;
    },

    reward(world, _action, terms) {
      const height = cos(world.jointPositions[0]!);
      // dm_control pays nothing below the bound; the slope below it spares the search in the dark.
      const upright = tolerance(height, {
        bounds: [uprightBound, 1.1],
        margin: uprightBound + 1,
        sigmoid: "quadratic",
        valueAtMargin: 0,
      });
      // Without it, to spin for ever at full torque earns 0.7 of what standing does, and few leave that.
      const still = (1 + tolerance(world.jointVelocities[0]!, { margin: 5 })) / 2;
      terms[0] = upright * still;
      return terms[0]!;
    },

    success: (world) => cos(world.jointPositions[0]!) > uprightBound,
    terminated: () => false,
  };
}
