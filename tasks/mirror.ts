// Left and right exchanged: what a robot's joints, drives and observations look like in a mirror.
//
// The mirror is the plane y = 0. It turns positions and velocities (x, y, z) into (x, −y, z), and axes of
// rotation, which turn the other way as well, into (−x, y, −z). Joints and drives called "left" and "right"
// are each other's image; signs follow from their axes in the robot's file.

import { identity, multiply, rotate } from "../sim/frames.ts";
import type { Joint, Quat, RobotModel, Vec3 } from "../sim/model.ts";
import type { Mirror } from "../sim/task.ts";
import type { Rest } from "./planar.ts";

/** Along a robot's x, y and z: what becomes of velocities, and of turning rates. */
const ofVectors = [1, -1, 1];
const ofTurns = [-1, 1, -1];

/** The image of values of these joints, in this order; throws where left and right differ. */
export function mirrorJoints(model: RobotModel, names: readonly string[]): Mirror {
  const axes = axesOf(model);
  const indices = names.map((name) => names.indexOf(counterpart(name)));
  const signs = names.map((name, i) => {
    const [mine, other] = [axes.get(name), axes.get(names[indices[i]!] ?? "")];
    const sign = mine && other && mine.type === other.type ? signOf(mine, other) : undefined;
    if (sign === undefined)
      throw new Error(`joint "${name}" of ${model.name} has no image "${counterpart(name)}"`);
    return sign;
  });
  return { indices, signs };
}

/** The image of an action; throws where left and right drives differ. */
export function mirrorActions(model: RobotModel): Mirror {
  const { actuators } = model;
  const names = actuators.map(({ joint }) => joint);
  const mirror = mirrorJoints(model, names);
  for (const [i, { name, gear, kp, kv, controlRange = [-1, 1] }] of actuators.entries()) {
    const other = actuators[mirror.indices[i]!]!;
    const [low, high] = other.controlRange ?? [-1, 1];
    const image = mirror.signs[i]! > 0 ? [low, high] : [-high, -low];
    const alike = other.gear === gear && other.kp === kp && other.kv === kv;
    if (!alike || image[0] !== controlRange[0] || image[1] !== controlRange[1])
      throw new Error(`drive "${name}" of ${model.name} is no image of "${other.name}"`);
  }
  return mirror;
}

/** The image of what `observeFloating` writes; throws where `rest` is not its own image. */
export function mirrorFloating(model: RobotModel, rest: Rest): Mirror {
  const joints = mirrorRest(model, rest);
  const height = 1;
  return joinMirrors([
    joints,
    joints,
    inPlace([height, ...ofVectors, 1, -1, ...ofVectors, ...ofTurns]),
  ]);
}

/** The image of what `observePlanar` writes; throws where `rest` is not its own image. */
export function mirrorPlanar(model: RobotModel, rest: Rest): Mirror {
  const joints = mirrorRest(model, rest);
  return joinMirrors([inPlace([1, 1]), joints, inPlace([1, 1, 1]), joints]);
}

/** Elements that keep their places and may change their signs. */
export function inPlace(signs: readonly number[]): Mirror {
  return { indices: [...signs.keys()], signs };
}

/** Vectors one after another, each with its mirror. */
export function joinMirrors(parts: readonly Mirror[]): Mirror {
  const indices: number[] = [];
  for (const part of parts) {
    const at = indices.length;
    indices.push(...part.indices.map((index) => at + index));
  }
  return { indices, signs: parts.flatMap(({ signs }) => signs) };
}

function mirrorRest(model: RobotModel, rest: Rest): Mirror {
  const [names, angles] = [Object.keys(rest), Object.values(rest)];
  const mirror = mirrorJoints(model, names);
  for (const [i, name] of names.entries()) {
    const image = mirror.signs[i]! * angles[mirror.indices[i]!]!;
    if (image !== angles[i])
      throw new Error(`at rest joint "${name}" is at ${angles[i]}, not ${image}`);
  }
  return mirror;
}

function counterpart(name: string): string {
  return name.replace(/left|right/, (side) => (side === "left" ? "right" : "left"));
}

interface JointAxis {
  readonly type: Joint["type"];
  /** In the world, at the model's zero pose. */
  readonly axis: Vec3;
}

function axesOf({ links }: RobotModel): ReadonlyMap<string, JointAxis> {
  const rotations = new Map<string, Quat>();
  const axes = new Map<string, JointAxis>();
  for (const { name, parent, rotation, joints } of links) {
    const turned = multiply(rotations.get(parent ?? "") ?? identity, rotation);
    rotations.set(name, turned);
    for (const joint of joints) {
      if (joint.type === "hinge" || joint.type === "slide")
        axes.set(joint.name, { type: joint.type, axis: rotate(turned, joint.axis) });
    }
  }
  return axes;
}

/** 1 or −1 where one axis is the image of the other; undefined where it is not. */
function signOf({ type, axis }: JointAxis, other: JointAxis): number | undefined {
  const factors = type === "hinge" ? ofTurns : ofVectors;
  const image = other.axis.map((value, i) => factors[i]! * value);
  return [1, -1].find((sign) =>
    image.every((value, i) => Math.abs(value - sign * axis[i]!) < 1e-6),
  );
}
