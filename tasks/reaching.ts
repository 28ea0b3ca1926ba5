// The task that any robot without a free trunk gets: bring its driven joints to a pose drawn anew for
// each episode.

import type { RobotModel } from "../sim/model.ts";
import type { CoordinatePlan } from "../sim/robotPlan.ts";
import { unboundedSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import type { GenericOptions } from "./generic.ts";
import type { Rest } from "./planar.ts";
import { between, meanSquare, startNear } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { driveSpace } from "./robots.ts";

const widestTarget = 1.5; // rad or m from rest
const share = 0.9; // of the range that targets lie in
const reached = 0.1; // share of a joint's span
const effortCost = 0.02;

/** `rest` has every coordinate, in the world's order; `driven` are those with an actuator. */
export function reaching(
  id: string,
  model: RobotModel,
  rest: Rest,
  driven: readonly CoordinatePlan[],
  options: GenericOptions,
): Task {
  const { controlDt, episodeSeconds, startNoise, timestep } = options;
  const names = Object.keys(rest);
  const restAngles = Object.values(rest);
  const places = driven.map(({ name }) => names.indexOf(name));
  const spans = driven.map((each) => spanOf(each, rest[each.name]!));
  const widths = spans.map(([low, high]) => Math.max(1e-3, high - low));
  const error = (world: World, i: number) =>
    wrapped(world.memory[i]! - world.jointPositions[places[i]!]!, driven[i]!);
  return {
    id,
    model,
    settings: { timestep, solverIterations: 8, pgsIterations: 4 },
    controlDt,
    maxEpisodeSteps: Math.round(episodeSeconds / controlDt),
    observation: unboundedSpace([
      ...names.map((name) => `${name}: value − at rest [rad or m]`),
      ...names.map((name) => `${name}: 0.1 rate [rad/s or m/s]`),
      ...driven.map(({ name }) => `${name}: target − value [rad or m]`),
    ]),
    action: driveSpace(model),
    rewardTerms: ["reach", "effort"],
    memorySize: driven.length, // the target

    reset(world, rng) {
      startNear(world, rest, rng, startNoise);
      for (const [i, [low, high]] of spans.entries()) world.memory[i] = between(rng, low, high);
    },

    observe(world, out) {
      const { jointPositions, jointVelocities } = world;
      const count = names.length;
      for (let i = 0; i < count; i++) {
        out[i] = jointPositions[i]! - restAngles[i]!;
        out[count + i] = 0.1 * jointVelocities[i]!;
      }
      for (let i = 0; i < places.length; i++) out[2 * count + i] = error(world, i);
    },

    reward(world, action, terms) {
      let sum = 0;
      for (let i = 0; i < places.length; i++)
        sum += tolerance(error(world, i) / widths[i]!, { bounds: [-0.01, 0.01], margin: 0.5 });
      terms[0] = sum / places.length;
      terms[1] = -effortCost * meanSquare(action);
      return terms[0]! + terms[1]!;
    },

    success(world) {
      for (let i = 0; i < places.length; i++)
        if (Math.abs(error(world, i)) > reached * widths[i]!) return false;
      return true;
    },

    terminated: () => false,
  };
}

/** Where a joint's targets lie. */
function spanOf({ low, high }: CoordinatePlan, rest: number): readonly [number, number] {
  const [least, most] = [Math.max(low, rest - widestTarget), Math.min(high, rest + widestTarget)];
  const margin = ((1 - share) / 2) * (most - least);
  return [least + margin, most - margin];
}

/** A hinge without end is as near from either side. */
function wrapped(difference: number, { axis, low, high }: CoordinatePlan): number {
  if (axis < 3 || Number.isFinite(low) || Number.isFinite(high)) return difference;
  if (difference > Math.PI) return difference - 2 * Math.PI;
  return difference < -Math.PI ? difference + 2 * Math.PI : difference;
}
