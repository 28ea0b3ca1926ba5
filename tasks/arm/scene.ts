// Scenes for arms: an arm's file and those of the things around it as one model, and the physics they want.

import { aboutAxis, add, multiply, rotate } from "../../sim/frames.ts";
import type { Quat, RobotModel, Vec3 } from "../../sim/model.ts";
import type { PhysicsSettings } from "../../sim/settings.ts";
import { loadRobot } from "../robots.ts";

export const controlDt = 0.05; // s

/** The six-joint arm at the world's origin, which faces along x. */
export function loadArm(): Promise<RobotModel> {
  return loadRobot(new URL("../arm.xml", import.meta.url));
}

/** A model's copy that stands elsewhere, turned about the vertical; its parts' names begin with `prefix`. */
export function placedModel(
  model: RobotModel,
  prefix: string,
  place: Vec3,
  yaw: number,
): RobotModel {
  const named = <T extends { readonly name: string }>(part: T): T => {
    return { ...part, name: prefix + part.name };
  };
  const turn = aboutAxis([0, 0, 1], yaw);
  const put = <T extends { readonly position: Vec3; readonly rotation: Quat }>(part: T): T => {
    const position = add(place, rotate(turn, part.position));
    return { ...part, position, rotation: multiply(turn, part.rotation) };
  };
  return {
    name: prefix + model.name,
    links: model.links.map((link) => {
      const { parent, joints, sites = [] } = link;
      const own = { ...named(link), joints: joints.map(named), sites: sites.map(named) };
      return parent === null ? put(own) : { ...own, parent: prefix + parent };
    }),
    actuators: model.actuators.map((drive) => ({ ...named(drive), joint: prefix + drive.joint })),
    scenery: (model.scenery ?? []).map(put),
    contactExclusions: (model.contactExclusions ?? []).map(([a, b]) => [prefix + a, prefix + b]),
  };
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
