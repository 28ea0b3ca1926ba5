// Reacher: a two-link planar arm brings its fingertip to a random target.
// After the reacher domain of the DeepMind Control Suite (arXiv:1801.00690). Differs: the reward also
// rises towards the target's rim, over `rewardMargin`, so that small machines learn it in a minute.

import { cos, sin } from "../sim/math.ts";
import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import { between } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace, loadRobot } from "./robots.ts";

const fingerRadius = 0.01; // m
const targetRange = [0.05, 0.2] as const; // m from the base
const rewardMargin = 0.1; // m

export interface ReacherOptions {
  readonly targetRadius: number; // m
}

export async function reacher(id: string, { targetRadius }: ReacherOptions): Promise<Task> {
  const model = await loadRobot(new URL("./reacher.xml", import.meta.url));
  const reach = targetRadius + fingerRadius;
  return {
    id,
    model,
    settings: { timestep: 0.01, solverIterations: 8, pgsIterations: 4 },
    controlDt: 0.02,
    maxEpisodeSteps: 250,
    observation: unboundedSpace([
      "cosine of the shoulder's angle",
      "sine of the shoulder's angle",
      "wrist's angle [rad]",
      "10 (target − fingertip) along x [m]",
      "10 (target − fingertip) along y [m]",
      "0.1 shoulder's rate [rad/s]",
      "0.1 wrist's rate [rad/s]",
    ]),
    action: driveSpace(model),
    memorySize: 2, // the target
    rewardTerms: ["reach"],

    reset(world, rng) {
      world.start.positions[0] = between(rng, -Math.PI, Math.PI);
      world.start.positions[1] = between(rng, -2.5, 2.5);
      const angle = between(rng, -Math.PI, Math.PI);
      const radius = between(rng, ...targetRange);
      world.memory.set([radius * cos(angle), radius * sin(angle)]);
    },

    observe(world, out) {
      const [dx, dy] = toTarget(world);
      const shoulder = world.jointPositions[0]!;
      out[0] = cos(shoulder);
      out[1] = sin(shoulder);
      out[2] = world.jointPositions[1]!;
      out[3] = 10 * dx;
      out[4] = 10 * dy;
      out[5] = 0.1 * world.jointVelocities[0]!;
      out[6] = 0.1 * world.jointVelocities[1]!;
    },

    reward(world, _action, terms) {
      terms[0] = tolerance(distance(world), { bounds: [0, reach], margin: rewardMargin });
      return terms[0]!;
    },

    success: (world) => distance(world) < reach,
    marks(world) {
      const [x = 0, y = 0] = world.memory;
      const { position } = world.sensors.site("finger");
      return [{ type: "sphere", position: [x, y, position[2]!], radius: targetRadius }];
    },
    terminated: () => false,
  };
}

/** Vector from fingertip to target in the plane of the arm, in metres. */
function toTarget(world: World): [number, number] {
  const target = world.memory;
  const finger = world.sensors.site("finger").position;
  return [target[0]! - finger[0]!, target[1]! - finger[1]!];
}

function distance(world: World): number {
  const [dx, dy] = toTarget(world);
  return Math.sqrt(dx * dx + dy * dy);
}
