// Measures: what a gait comes to in physical units, beside its reward.

import type { Measures } from "../sim/task.ts";
import { mechanicalPower } from "./posture.ts";

/** Progress along the world's x and y axes, and the mechanical power of all drives. */
export const gait: Measures = {
  names: ["speed", "sideways", "power"],
  units: ["m/s", "m/s", "W"],
  read(world, out) {
    out[0] = world.linkVelocities[0]!;
    out[1] = world.linkVelocities[1]!;
    out[2] = mechanicalPower(world);
  },
};
