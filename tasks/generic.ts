// A task for a robot that comes without one: it stands or walks where its trunk is free (standing.ts), else
// it reaches poses (reaching.ts).

import { fuseLinks } from "../sim/fuse.ts";
import type { Joint, Link, RobotModel } from "../sim/model.ts";
import { planRobot } from "../sim/plan.ts";
import type { CoordinatePlan } from "../sim/robotPlan.ts";
import type { Task } from "../sim/task.ts";
import type { Rest } from "./planar.ts";
import { reaching } from "./reaching.ts";
import { standing } from "./standing.ts";

/** What a task file may set. */
export interface GenericOptions {
  /** Name of the pose (an MJCF keyframe) to begin near; "" takes "home" or the first, else the zero pose. */
  readonly pose: string;
  readonly controlDt: number; // s
  readonly timestep: number; // s
  readonly episodeSeconds: number;
  /** Speed along the world's x in m/s; 0 asks to stand. */
  readonly targetSpeed: number;
  /** Largest shift of each joint's start, in rad or m. */
  readonly startNoise: number;
  /** Share of its height at the start below which the trunk has fallen. */
  readonly fallHeight: number;
  /** Rotor inertia of hinges whose file states none, in kg m²; the solver needs some on light links. */
  readonly armature: number;
  /** Damping of joints whose file states none, in N m s/rad or N s/m. */
  readonly damping: number;
}

export const genericDefaults: GenericOptions = {
  pose: "",
  controlDt: 0.02,
  timestep: 0.005,
  episodeSeconds: 10,
  targetSpeed: 1,
  startNoise: 0.05,
  fallHeight: 0.5,
  armature: 0.01,
  damping: 0.1,
};

/** A task for this robot; throws where there is nothing to drive. */
export function genericTask(
  id: string,
  robot: RobotModel,
  given: Partial<GenericOptions> = {},
): Task {
  const options = { ...genericDefaults, ...given };
  const model = prepared(robot, options);
  if (model.actuators.length === 0)
    throw new Error(
      `robot "${model.name}" has no drives: give it an <actuator> section (MJCF) or effort limits (URDF)`,
    );
  const { coordinates, actuators } = planRobot(model);
  const rest = restOf(model, coordinates, options.pose);
  if (model.links[0]!.joints[0]?.type === "free") {
    checkFeet(model);
    return standing(id, model, rest, options);
  }
  const places = [...new Set(actuators.map(({ coordinate }) => coordinate))];
  const driven = places.map((place) => coordinates[place]!);
  return reaching(id, model, rest, driven, options);
}

/** The robot with fewer links, and with what light links need to be stable. */
function prepared(robot: RobotModel, { armature, damping }: GenericOptions): RobotModel {
  const joint = (old: Joint): Joint => {
    if (old.type === "free") return old;
    const rotor = old.type === "slide" ? {} : { armature: old.armature ?? armature };
    return { ...old, ...rotor, damping: old.damping ?? damping };
  };
  const fused = fuseLinks(robot);
  const links = fused.links.map((link): Link => {
    if (link.joints.length === 0 && !link.inertial) return { ...link, inertial: anchored };
    return { ...link, joints: link.joints.map(joint) };
  });
  return { ...fused, links };
}

/** Mass properties of a link that is fixed to the world and whose file states none: they do not matter. */
const anchored = {
  mass: 1,
  position: [0, 0, 0],
  rotation: [0, 0, 0, 1],
  moments: [0.01, 0.01, 0.01],
} as const;

function checkFeet({ name, links }: RobotModel): void {
  const touches = links.some(({ geoms }) =>
    geoms.some(({ group, affinity }) => group !== 0 || affinity !== 0),
  );
  if (!touches) throw new Error(`no geom of robot "${name}" can touch the floor`);
}

/** The pose to begin near, by coordinate: the named one, and within the joints' ranges. */
function restOf(model: RobotModel, coordinates: readonly CoordinatePlan[], name: string): Rest {
  const poses = model.poses ?? {};
  if (name !== "" && !poses[name])
    throw new Error(`unknown pose "${name}"; known: ${Object.keys(poses).join(", ") || "none"}`);
  const pose = poses[name] ?? poses["home"] ?? Object.values(poses)[0] ?? {};
  return Object.fromEntries(
    coordinates.map(({ name, reference, low, high }) => {
      const value = pose[name]?.[0] ?? reference;
      return [name, Math.min(high, Math.max(low, value))];
    }),
  );
}
