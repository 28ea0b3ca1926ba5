// Positions and rotations while a model is being built: fresh values, portable arithmetic.
//
// The hot path has its own allocation-free functions in math.ts.

import { cos, sin } from "./math.ts";
import type { Quat, Vec3 } from "./model.ts";

/** Row-major 3 × 3. */
export type Mat3 = readonly [
  number, number, number,
  number, number, number,
  number, number, number,
]; // biome-ignore format: a matrix

export const zero: Vec3 = [0, 0, 0];
export const identity: Quat = [0, 0, 0, 1];

export function add(a: Vec3, b: Vec3): Vec3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function scale(a: Vec3, factor: number): Vec3 {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function length(a: Vec3): number {
  return Math.sqrt(dot(a, a));
}

/** The vector at length 1; undefined where it has none. */
export function direction(a: Vec3): Vec3 | undefined {
  const size = length(a);
  return size > 1e-12 ? scale(a, 1 / size) : undefined;
}

/** First `b`, then `a`. */
export function multiply(a: Quat, b: Quat): Quat {
  return [
    a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
    a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
    a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3],
    a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
  ];
}

/** Length 1; undefined for a quaternion of length 0. */
export function normalise(a: Quat): Quat | undefined {
  const size = Math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2] + a[3] * a[3]);
  return size > 1e-12 ? [a[0] / size, a[1] / size, a[2] / size, a[3] / size] : undefined;
}

export function rotate(rotation: Quat, a: Vec3): Vec3 {
  const axis: Vec3 = [rotation[0], rotation[1], rotation[2]];
  const t = scale(cross(axis, a), 2);
  return add(add(a, scale(t, rotation[3])), cross(axis, t));
}

/** A turn by `angle` rad about `axis`, which has length 1. */
export function aboutAxis(axis: Vec3, angle: number): Quat {
  const s = sin(angle / 2);
  return [axis[0] * s, axis[1] * s, axis[2] * s, cos(angle / 2)];
}

/** The shortest turn that takes z to the direction `axis`, which has length 1. */
export function fromZAxis(axis: Vec3): Quat {
  const [x, y, z] = axis;
  if (z < -1 + 1e-12) return [1, 0, 0, 0];
  return normalise([-y, x, 0, 1 + z])!;
}

export function toMatrix([x, y, z, w]: Quat): Mat3 {
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - z * w),
    2 * (x * z + y * w),
    2 * (x * y + z * w),
    1 - 2 * (x * x + z * z),
    2 * (y * z - x * w),
    2 * (x * z - y * w),
    2 * (y * z + x * w),
    1 - 2 * (x * x + y * y),
  ];
}

/** The rotation whose matrix has these columns, which are orthonormal and right-handed. */
export function fromColumns(a: Vec3, b: Vec3, c: Vec3): Quat {
  const trace = a[0] + b[1] + c[2];
  // Four forms of one formula; the largest divisor keeps the most digits.
  const candidates: Quat[] = [
    [b[2] - c[1], c[0] - a[2], a[1] - b[0], 1 + trace],
    [1 + a[0] - b[1] - c[2], a[1] + b[0], c[0] + a[2], b[2] - c[1]],
    [a[1] + b[0], 1 - a[0] + b[1] - c[2], b[2] + c[1], c[0] - a[2]],
    [c[0] + a[2], b[2] + c[1], 1 - a[0] - b[1] + c[2], a[1] - b[0]],
  ];
  const sizes = [1 + trace, candidates[1]![0], candidates[2]![1], candidates[3]![2]];
  return normalise(candidates[sizes.indexOf(Math.max(...sizes))]!)!;
}
