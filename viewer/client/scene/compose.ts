// Compose: link poses × geoms' places → matrices for instanced drawing, without allocation.

import type { Geom, RobotModel } from "../../../sim/model.ts";

/** Numbers a link's pose has: position and rotation. */
export const poseStride = 7;

/** Where a geom sits: on which link, and its frame there. */
export interface GeomPlace {
  readonly link: number;
  readonly geom: Geom;
  /** Just below 1, other than its neighbours', so that equal surfaces at a joint do not flicker. */
  readonly shrink: number;
}

/** Every geom of the robot's links. */
export function placesOf({ links }: RobotModel): GeomPlace[] {
  const depths: number[] = [];
  return links.flatMap(({ parent, geoms }, link) => {
    const above = links.findIndex(({ name }) => name === parent);
    depths.push(above < 0 ? 0 : depths[above]! + 1);
    return geoms.map((geom, i) => {
      return { link, geom, shrink: 1 - 0.006 * ((depths[link]! + i) % 4) };
    });
  });
}

/**
 * Writes the column-major matrix of a geom that is stretched by `scale`, at float `at` of `out`; the link's
 * pose lies at `poseAt` of `poses`.
 */
export function composeMatrix(
  out: Float32Array,
  at: number,
  poses: ArrayLike<number>,
  poseAt: number,
  { position: [gx, gy, gz], rotation: [ax, ay, az, aw] }: Geom,
  [sx, sy, sz]: readonly [number, number, number],
): void {
  const bx = poses[poseAt + 3]!;
  const by = poses[poseAt + 4]!;
  const bz = poses[poseAt + 5]!;
  const bw = poses[poseAt + 6]!;
  const tx = 2 * (by * gz - bz * gy);
  const ty = 2 * (bz * gx - bx * gz);
  const tz = 2 * (bx * gy - by * gx);
  const x = bw * ax + bx * aw + by * az - bz * ay;
  const y = bw * ay - bx * az + by * aw + bz * ax;
  const z = bw * az + bx * ay - by * ax + bz * aw;
  const w = bw * aw - bx * ax - by * ay - bz * az;
  out[at] = (1 - 2 * (y * y + z * z)) * sx;
  out[at + 1] = 2 * (x * y + z * w) * sx;
  out[at + 2] = 2 * (x * z - y * w) * sx;
  out[at + 3] = 0;
  out[at + 4] = 2 * (x * y - z * w) * sy;
  out[at + 5] = (1 - 2 * (x * x + z * z)) * sy;
  out[at + 6] = 2 * (y * z + x * w) * sy;
  out[at + 7] = 0;
  out[at + 8] = 2 * (x * z + y * w) * sz;
  out[at + 9] = 2 * (y * z - x * w) * sz;
  out[at + 10] = (1 - 2 * (x * x + y * y)) * sz;
  out[at + 11] = 0;
  out[at + 12] = poses[poseAt]! + gx + bw * tx + by * tz - bz * ty;
  out[at + 13] = poses[poseAt + 1]! + gy + bw * ty + bz * tx - bx * tz;
  out[at + 14] = poses[poseAt + 2]! + gz + bw * tz + bx * ty - by * tx;
  out[at + 15] = 1;
}
