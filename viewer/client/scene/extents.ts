// Extents: the box along the world's axes that holds a turned shape.

import { rotate } from "../../../sim/frames.ts";
import type { Quat, Shape, Vec3 } from "../../../sim/model.ts";

type Corner = [number, number, number];

/** Widens a box from `low` to `high` so that it holds a shape about `middle`, turned by its link and then in it. */
export function addExtents(
  low: Corner,
  high: Corner,
  shape: Shape,
  middle: Vec3,
  linkRotation: Quat,
  rotation: Quat,
): void {
  const turn = (vector: Vec3): Vec3 => rotate(linkRotation, rotate(rotation, vector));
  if (shape.type === "convex") {
    for (let at = 0; at < shape.points.length; at += 3) {
      const [x, y, z] = turn([shape.points[at]!, shape.points[at + 1]!, shape.points[at + 2]!]);
      widen(low, high, [middle[0] + x, middle[1] + y, middle[2] + z], 0, 0, 0);
    }
    return;
  }
  const axes = [turn([1, 0, 0]), turn([0, 1, 0]), turn([0, 0, 1])] as const;
  const [x, y, z] = [0, 1, 2].map((i) => halfAlong(shape, axes[0][i]!, axes[1][i]!, axes[2][i]!));
  if (x === undefined || y === undefined || z === undefined) return;
  widen(low, high, middle, x, y, z);
}

/** Half of what a shape takes along a direction that is a, b, c in its own frame; 0 for endless ones. */
function halfAlong(shape: Shape, a: number, b: number, c: number): number {
  switch (shape.type) {
    case "sphere":
      return shape.radius;
    case "ellipsoid":
      return Math.hypot(a * shape.radii[0], b * shape.radii[1], c * shape.radii[2]);
    case "box": {
      const [x, y, z] = shape.halfExtents;
      return Math.abs(a) * x + Math.abs(b) * y + Math.abs(c) * z;
    }
    case "capsule":
      return Math.abs(c) * shape.halfLength + shape.radius;
    case "cylinder":
      return Math.abs(c) * shape.halfLength + Math.hypot(a, b) * shape.radius;
    default:
      return 0;
  }
}

function widen(low: Corner, high: Corner, [x, y, z]: Vec3, dx: number, dy: number, dz: number) {
  low[0] = Math.min(low[0], x - dx);
  low[1] = Math.min(low[1], y - dy);
  low[2] = Math.min(low[2], z - dz);
  high[0] = Math.max(high[0], x + dx);
  high[1] = Math.max(high[1], y + dy);
  high[2] = Math.max(high[2], z + dz);
}
