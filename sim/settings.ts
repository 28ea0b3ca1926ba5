// Settings of a physics world, with the values that measurements recommend for walkers.

import type { Geom, Vec3 } from "./model.ts";

export interface PhysicsSettings {
  /** Physics step, in s. */
  readonly timestep: number;
  /** Substeps of a physics step: timestep / solverIterations is the real integration step. */
  readonly solverIterations: number;
  /** Passes over joints and contacts in each; 2 removes most overshoot of joint limits. */
  readonly pgsIterations: number;
  readonly gravity: Vec3;
  /**
   * rows: drives, damping and springs are solved implicitly in the joints' motor rows; the most accurate.
   * torques: they are added to the bodies before each physics step; the fastest for 64 robots a world and
   * more, stable while damping × timestep / inertia stays below 1. In worlds of more than 8 a robot's path then
   * depends on how many they are: Rapier vectorises joints without motors where 64 can be solved at once.
   */
  readonly actuation: "rows" | "torques";
  /**
   * Robots that share a world where there are many. They stand at one place, so all pairs of them overlap for
   * Rapier's broad phase: beyond a few the cost a robot grows, below it a world's own does. 1 where links touch
   * each other or the ground at several points: such contacts round otherwise in company.
   */
  readonly robotsPerWorld: number;
  /**
   * Distance in m between the robots that share a world. At 0 all stand at one place and each one's numbers
   * are those it has alone; apart they round differently, but many in one world cost less. For flat ground.
   */
  readonly spacing: number;
  /**
   * Surfaces closer than this in m are contacts already, which nothing may cross within a step. With less
   * than a foot covers in a step, feet sink in: 3 cm at 3 m/s and 0.01 s.
   */
  readonly predictionDistance: number;
  /** Whether links of one robot may touch each other. */
  readonly selfCollision: boolean;
  /** Stiffness of contacts between moving bodies in Hz; null leaves Rapier's 30. Grippers want 120. */
  readonly contactFrequency: number | null;
  /** Links whose contacts are found anew in every step: small parts that must fit into each other. */
  readonly smallParts: readonly string[];
  /** Fixed geoms beside those of the model. */
  readonly scenery: readonly Geom[];
}

export const physicsDefaults: PhysicsSettings = {
  timestep: 0.01,
  solverIterations: 4,
  pgsIterations: 2,
  gravity: [0, 0, -9.81],
  actuation: "rows",
  robotsPerWorld: 8,
  spacing: 0,
  predictionDistance: 0.02,
  selfCollision: false,
  contactFrequency: null,
  smallParts: [],
  scenery: [],
};

/** A floor at height 0. */
export function floor(friction = 1): Geom {
  const shape = { type: "plane" } as const;
  return { name: "floor", shape, position: [0, 0, 0], rotation: [0, 0, 0, 1], friction };
}
