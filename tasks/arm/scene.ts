// Scenes for arms: an arm's file and those of the things around it as one model, and the physics they want.

import type { RobotModel } from "../../sim/model.ts";
import type { PhysicsSettings } from "../../sim/settings.ts";
import { loadRobot } from "../robots.ts";

export const controlDt = 0.05; // s

/** The six-joint arm at the world's origin, which faces along x. */
export function loadArm(): Promise<RobotModel> {
  return loadRobot(new URL("../arm.xml", import.meta.url));
}

/** Everything that these models have, as one; names must differ. */
export function joinModels(name: string, models: readonly RobotModel[]): RobotModel {
  return {
    name,
    links: models.flatMap(({ links }) => links),
    actuators: models.flatMap(({ actuators }) => actuators),
    scenery: models.flatMap(({ scenery = [] }) => scenery),
    contactExclusions: models.flatMap(({ contactExclusions = [] }) => contactExclusions),
  };
}

/**
 * What grips want: stiff contacts between moving bodies, found anew in every step, and a world for each robot.
 */
export function gripSettings(model: RobotModel): Partial<PhysicsSettings> {
  const touching = model.links.filter(({ geoms }) =>
    geoms.some(({ group = 1, affinity = 1 }) => group !== 0 || affinity !== 0),
  );
  return {
    timestep: 0.01,
    solverIterations: 8,
    pgsIterations: 4,
    contactFrequency: 120,
    predictionDistance: 0.005,
    selfCollision: true,
    robotsPerWorld: 1,
    smallParts: touching.map(({ name }) => name),
  };
}
