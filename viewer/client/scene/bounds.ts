// Bounds: how much room a robot takes and from which side it is best seen.

import { rotate } from "../../../sim/frames.ts";
import type { Quat, RobotModel, Vec3 } from "../../../sim/model.ts";
import type { Mark } from "../../../sim/task.ts";
import { placesOf, poseStride } from "./compose.ts";
import { addExtents } from "./extents.ts";

/** A box that holds a robot, along the world's axes, and the sphere about it. */
export interface Bounds {
  readonly center: Vec3;
  /** Half the box's sides, in m. */
  readonly half: Vec3;
  readonly radius: number; // m
}

/** The box of a robot's shapes with these link poses, [links, 7], and of the balls among its marks. */
export function boundsOf(
  model: RobotModel,
  poses: ArrayLike<number>,
  marks: readonly Mark[] = [],
): Bounds {
  const low: [number, number, number] = [Infinity, Infinity, Infinity];
  const high: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (const { link, geom } of placesOf(model)) {
    const at = link * poseStride;
    const rotation: Quat = [poses[at + 3]!, poses[at + 4]!, poses[at + 5]!, poses[at + 6]!];
    const [x, y, z] = rotate(rotation, geom.position);
    const middle: Vec3 = [poses[at]! + x, poses[at + 1]! + y, poses[at + 2]! + z];
    addExtents(low, high, geom.shape, middle, rotation, geom.rotation);
  }
  for (const mark of marks) {
    if (mark.type !== "sphere") continue;
    for (let i = 0; i < 3; i++) {
      low[i] = Math.min(low[i]!, mark.position[i]! - mark.radius);
      high[i] = Math.max(high[i]!, mark.position[i]! + mark.radius);
    }
  }
  if (low[0] === Infinity) return { center: [0, 0, 0], half: [1, 1, 1], radius: 1 };
  const center = low.map((value, i) => (value + high[i]!) / 2) as unknown as Vec3;
  const half = low.map((value, i) => (high[i]! - value) / 2) as unknown as Vec3;
  return { center, half, radius: Math.hypot(...half) };
}

/** Named places of the camera about a robot. */
export type Preset = "corner" | "side" | "front" | "back" | "top";

export const presets: readonly Preset[] = ["corner", "side", "front", "back", "top"];

/** Direction from the robot to the camera: azimuth from x towards y, elevation from the ground, in rad. */
export const presetAngles: Readonly<Record<Preset, readonly [azimuth: number, elevation: number]>> =
  {
    corner: [-1.05, 0.3],
    side: [-Math.PI / 2 + 0.22, 0.14],
    front: [0, 0.15],
    back: [Math.PI, 0.25],
    top: [-Math.PI / 2, 1.1],
  };

/** The side for robots that move in a plane y = const, the top for those that move over a table. */
export function bestPreset({ links }: RobotModel): Preset {
  const joints = links.flatMap((link) => link.joints);
  const axes = joints.flatMap((joint) => (joint.type === "hinge" ? [joint.axis] : []));
  if (joints.some(({ type }) => type === "free" || type === "ball")) return "corner";
  if (axes.every(([x, y]) => Math.hypot(x, y) < 1e-6)) return "top";
  return axes.every(([x, , z]) => Math.hypot(x, z) < 1e-6) ? "side" : "corner";
}
