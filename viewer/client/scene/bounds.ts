// Bounds: how much room a robot takes and from which side it is best seen.

import { rotate } from "../../../sim/frames.ts";
import type { Quat, RobotModel, Vec3 } from "../../../sim/model.ts";
import { placesOf, poseStride } from "./compose.ts";
import { reachOf } from "./shapes.ts";

/** A sphere that holds a robot. */
export interface Bounds {
  readonly center: Vec3;
  readonly radius: number; // m
}

/** The middle of a robot's box and half its diagonal, with these link poses, [links, 7]. */
export function boundsOf(model: RobotModel, poses: ArrayLike<number>): Bounds {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const { link, geom } of placesOf(model)) {
    const at = link * poseStride;
    const rotation = [3, 4, 5, 6].map((i) => poses[at + i]!) as unknown as Quat;
    const shift = rotate(rotation, geom.position);
    const reach = reachOf(geom.shape);
    for (let i = 0; i < 3; i++) {
      const middle = poses[at + i]! + shift[i]!;
      low[i] = Math.min(low[i]!, middle - reach);
      high[i] = Math.max(high[i]!, middle + reach);
    }
  }
  if (low[0] === Infinity) return { center: [0, 0, 0], radius: 1 };
  const center = low.map((value, i) => (value + high[i]!) / 2) as unknown as Vec3;
  const radius = Math.hypot(...high.map((value, i) => (value - low[i]!) / 2));
  return { center, radius };
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
