// Measures: what a gait comes to in physical units, beside its reward.

import type { Measures } from "../sim/task.ts";
import type { World } from "../sim/world.ts";

/** Progress along the world's x and y axes, and the mechanical power of all drives. */
export const gait: Measures = {
  names: ["speed", "sideways", "power"],
  units: ["m/s", "m/s", "W"],
  read(world, out) {
    out[0] = world.linkVelocities[0]!;
    out[1] = world.linkVelocities[1]!;
    out[2] = power(world);
  },
};

/** Σ |torque × rate| over all joints, in W: what motors that recover nothing would draw. */
function power({ jointTorques, jointVelocities }: World): number {
  let sum = 0;
  for (let c = 0; c < jointTorques.length; c++)
    sum += Math.abs(jointTorques[c]! * jointVelocities[c]!);
  return sum;
}
