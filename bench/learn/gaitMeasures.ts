// What the gait check reads from a world after every control step, as a task's measures.

import { atan2 } from "../../sim/math.ts";
import type { RobotModel } from "../../sim/model.ts";
import type { Measures } from "../../sim/task.ts";
import type { World } from "../../sim/world.ts";
import { axisOf, speedAhead, speedLeft } from "../../tasks/posture.ts";

/** Where each number is; after `touches`, one number for each link: 1 where it touches the ground. */
export const measureAt = {
  speed: 0,
  sideways: 1,
  ahead: 2,
  left: 3,
  heading: 4,
  power: 5,
  sinking: 6,
  overshoot: 7,
  touches: 8,
} as const;

/** Link 0's motion, power, the deepest contact, the farthest joint, and who touches the ground. */
export function gaitMeasures({ links }: RobotModel): Measures {
  const names = Object.keys(measureAt).slice(0, measureAt.touches);
  return {
    names: [...names, ...links.map(({ name }) => `touches:${name}`)],
    units: ["m/s", "m/s", "m/s", "m/s", "rad", "W", "mm", "rad", ...links.map(() => "")],
    read(world, out) {
      out.fill(0);
      out[measureAt.speed] = world.linkVelocities[0]!;
      out[measureAt.sideways] = world.linkVelocities[1]!;
      out[measureAt.ahead] = speedAhead(world, 0);
      out[measureAt.left] = speedLeft(world, 0);
      out[measureAt.heading] = atan2(axisOf(world, 0, 1, 0), axisOf(world, 0, 0, 0));
      out[measureAt.power] = power(world);
      out[measureAt.overshoot] = overshoot(world);
      for (const { link, other, distance } of world.contacts.all()) {
        if (other >= 0) continue;
        out[measureAt.touches + link] = 1;
        out[measureAt.sinking] = Math.max(out[measureAt.sinking]!, -1000 * distance);
      }
    },
  };
}

/** Σ |torque × rate|, in W. */
function power({ jointTorques, jointVelocities }: World): number {
  let sum = 0;
  for (let c = 0; c < jointTorques.length; c++)
    sum += Math.abs(jointTorques[c]! * jointVelocities[c]!);
  return sum;
}

/** Largest angle or length by which a joint is beyond its range, in rad or m. */
function overshoot({ jointPositions, plan }: World): number {
  let most = 0;
  for (const [c, { low, high }] of plan.coordinates.entries())
    most = Math.max(most, jointPositions[c]! - high, low - jointPositions[c]!);
  return most;
}
