// The task that any robot with a free trunk gets: stand, or go ahead at a speed.
//
// Rewards as in ant.ts. Upright and ahead are what the trunk's pose in the file says they are.

import { aboutAxis, multiply, rotate } from "../sim/frames.ts";
import type { Quat, RobotModel, Vec3 } from "../sim/model.ts";
import { floor } from "../sim/settings.ts";
import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import { floatingObservation, observeFloating } from "./floating.ts";
import type { GenericOptions } from "./generic.ts";
import type { Rest } from "./planar.ts";
import { axisOf, between, meanSquare, startNear, startOnGround } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace } from "./robots.ts";

const base = 0.2; // share of the reward for staying up alone
const effortCost = 0.02;
const linear = { sigmoid: "linear", valueAtMargin: 0 } as const;

/** `model.links[0]` has a free joint; `rest` has every coordinate, in the world's order. */
export function standing(id: string, model: RobotModel, rest: Rest, options: GenericOptions): Task {
  const { targetSpeed, startNoise, fallHeight, controlDt, episodeSeconds } = options;
  const restAngles = Object.values(rest);
  const [x, y, z, w] = model.links[0]!.rotation;
  const axes = axesOf([-x, -y, -z, w]);
  const grounded = (model.scenery ?? []).some(({ group }) => group !== 0);
  return {
    id,
    model,
    settings: { timestep: options.timestep, ...(!grounded && { scenery: [floor()] }) },
    controlDt,
    maxEpisodeSteps: Math.round(episodeSeconds / controlDt),
    observation: unboundedSpace(floatingObservation(rest)),
    action: driveSpace(model),
    rewardTerms: [targetSpeed === 0 ? "stand" : "move", "effort"],
    memorySize: 1, // the trunk's height at the start, in m

    reset(world, rng) {
      startNear(world, rest, rng, startNoise);
      const turn = multiply(aboutAxis([0, 0, 1], between(rng, -0.1, 0.1)), [x, y, z, w]);
      world.start.freePoses.set(turn, 3);
      startOnGround(world, -1);
      world.memory[0] = world.start.freePoses[2]!;
    },

    observe: (world, out) => observeFloating(world, restAngles, world.memory[0]!, out),

    reward(world, action, terms) {
      const height = world.linkPositions[2]! / world.memory[0]!;
      const high = tolerance(height, { bounds: [0.85, 1.6], margin: 0.5, ...linear });
      const up = tolerance(component(world, axes.up, 2), {
        bounds: [0.9, 1.1],
        margin: 0.6,
        ...linear,
      });
      terms[0] = high * up * (base + (1 - base) * moving(world, axes.ahead, targetSpeed));
      terms[1] = -effortCost * meanSquare(action);
      return terms[0]! + terms[1]!;
    },

    terminated(world) {
      const height = world.linkPositions[2]! / world.memory[0]!;
      return height < fallHeight || height > 3 || component(world, axes.up, 2) < 0.3;
    },
  };
}

/** How well the robot goes along the world's x, or stands still where the target is 0. */
function moving(world: World, ahead: Vec3, targetSpeed: number): number {
  const [vx = 0, vy = 0] = world.linkVelocities;
  if (targetSpeed === 0) return tolerance(Math.sqrt(vx * vx + vy * vy), { margin: 0.5 });
  const facing = tolerance(component(world, ahead, 0), {
    bounds: [0.9, 1.1],
    margin: 1,
    ...linear,
  });
  const bounds = [targetSpeed, Number.POSITIVE_INFINITY] as const;
  return facing * tolerance(vx, { bounds, margin: targetSpeed, ...linear });
}

/** The trunk's own directions that are up and ahead (the world's z and x) in the file's pose. */
function axesOf(back: Quat): { readonly up: Vec3; readonly ahead: Vec3 } {
  return { up: rotate(back, [0, 0, 1]), ahead: rotate(back, [1, 0, 0]) };
}

/** Component `row` in the world of a direction of the trunk. */
function component(world: World, [a, b, c]: Vec3, row: number): number {
  return a * axisOf(world, 0, row, 0) + b * axisOf(world, 0, row, 1) + c * axisOf(world, 0, row, 2);
}
