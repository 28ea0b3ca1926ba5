// The arrays of a world: what a reset begins with, and what its links do.

import type { RobotPlan } from "./robotPlan.ts";

/** What a reset begins with; a task writes here, and the world is then placed so. */
export interface StartState {
  /** By coordinate: hinge angles in rad, slides in m, balls as rotation vectors. */
  readonly positions: Float64Array;
  readonly velocities: Float64Array;
  /** By link, 7 numbers: position and rotation; only those of links with a free joint count. */
  readonly freePoses: Float64Array;
  /** By link, 6 numbers: velocity of the centre of mass and angular velocity. */
  readonly freeVelocities: Float64Array;
}

export function createStartState({ coordinates, model }: RobotPlan): StartState {
  return {
    positions: new Float64Array(coordinates.length),
    velocities: new Float64Array(coordinates.length),
    freePoses: new Float64Array(model.links.length * 7),
    freeVelocities: new Float64Array(model.links.length * 6),
  };
}

/** Every link's frame, its centre of mass and their velocities. */
export interface LinkArrays {
  readonly positions: Float64Array;
  readonly rotations: Float64Array;
  readonly velocities: Float64Array;
  readonly angularVelocities: Float64Array;
  readonly centers: Float64Array;
}

export function createLinkArrays(numLinks: number): LinkArrays {
  return {
    positions: new Float64Array(numLinks * 3),
    rotations: new Float64Array(numLinks * 4),
    velocities: new Float64Array(numLinks * 3),
    angularVelocities: new Float64Array(numLinks * 3),
    centers: new Float64Array(numLinks * 3),
  };
}
