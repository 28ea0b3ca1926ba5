// Three-vectors and quaternions inside flat arrays, for hot paths: nothing is allocated.
//
// Every function takes arrays and where in them to look; `out` may be one of the inputs.

type Numbers = Float64Array | readonly number[];

/** out = a b: first the turn b, then a. */
export function multiplyAt(
  out: Float64Array,
  o: number,
  a: Numbers,
  i: number,
  b: Numbers,
  j: number,
): void {
  // biome-ignore format: one line of arguments
  const ax = a[i]!;
  const ay = a[i + 1]!;
  const az = a[i + 2]!;
  const aw = a[i + 3]!;
  const bx = b[j]!;
  const by = b[j + 1]!;
  const bz = b[j + 2]!;
  const bw = b[j + 3]!;
  out[o] = aw * bx + ax * bw + ay * bz - az * by;
  out[o + 1] = aw * by - ax * bz + ay * bw + az * bx;
  out[o + 2] = aw * bz + ax * by - ay * bx + az * bw;
  out[o + 3] = aw * bw - ax * bx - ay * by - az * bz;
}

/** out = conj(a) b: the turn from a to b, seen from a. */
export function betweenAt(
  out: Float64Array,
  o: number,
  a: Numbers,
  i: number,
  b: Numbers,
  j: number,
): void {
  // biome-ignore format: one line of arguments
  const ax = -a[i]!;
  const ay = -a[i + 1]!;
  const az = -a[i + 2]!;
  const aw = a[i + 3]!;
  const bx = b[j]!;
  const by = b[j + 1]!;
  const bz = b[j + 2]!;
  const bw = b[j + 3]!;
  out[o] = aw * bx + ax * bw + ay * bz - az * by;
  out[o + 1] = aw * by - ax * bz + ay * bw + az * bx;
  out[o + 2] = aw * bz + ax * by - ay * bx + az * bw;
  out[o + 3] = aw * bw - ax * bx - ay * by - az * bz;
}

/** out = the vector v turned by q. */
export function rotateAt(
  out: Float64Array,
  o: number,
  q: Numbers,
  i: number,
  v: Numbers,
  j: number,
): void {
  turnAt(out, o, q, i, v, j, 1);
}

/** out = the vector v turned back by q: seen from q's frame. */
export function rotateBackAt(
  out: Float64Array,
  o: number,
  q: Numbers,
  i: number,
  v: Numbers,
  j: number,
): void {
  turnAt(out, o, q, i, v, j, -1);
}

/** out = v turned by q, or back where `sense` is −1. */
function turnAt(
  out: Float64Array,
  o: number,
  q: Numbers,
  i: number,
  v: Numbers,
  j: number,
  sense: 1 | -1,
): void {
  const x = sense * q[i]!;
  const y = sense * q[i + 1]!;
  const z = sense * q[i + 2]!;
  const w = q[i + 3]!;
  const vx = v[j]!;
  const vy = v[j + 1]!;
  const vz = v[j + 2]!;
  const tx = 2 * (y * vz - z * vy);
  const ty = 2 * (z * vx - x * vz);
  const tz = 2 * (x * vy - y * vx);
  out[o] = vx + w * tx + y * tz - z * ty;
  out[o + 1] = vy + w * ty + z * tx - x * tz;
  out[o + 2] = vz + w * tz + x * ty - y * tx;
}

/** out += a × b. */
export function addCrossAt(
  out: Float64Array,
  o: number,
  a: Numbers,
  i: number,
  b: Numbers,
  j: number,
): void {
  // biome-ignore format: one line of arguments
  const ax = a[i]!;
  const ay = a[i + 1]!;
  const az = a[i + 2]!;
  const bx = b[j]!;
  const by = b[j + 1]!;
  const bz = b[j + 2]!;
  out[o]! += ay * bz - az * by;
  out[o + 1]! += az * bx - ax * bz;
  out[o + 2]! += ax * by - ay * bx;
}

/** out = a − b. */
export function subtractAt(
  out: Float64Array,
  o: number,
  a: Numbers,
  i: number,
  b: Numbers,
  j: number,
): void {
  // biome-ignore format: one line of arguments
  out[o] = a[i]! - b[j]!;
  out[o + 1] = a[i + 1]! - b[j + 1]!;
  out[o + 2] = a[i + 2]! - b[j + 2]!;
}

/** out += a × factor. */
export function addScaledAt(
  out: Float64Array,
  o: number,
  a: Numbers,
  i: number,
  factor: number,
): void {
  // biome-ignore format: one line of arguments
  out[o]! += a[i]! * factor;
  out[o + 1]! += a[i + 1]! * factor;
  out[o + 2]! += a[i + 2]! * factor;
}

export function dotAt(a: Numbers, i: number, b: Numbers, j: number): number {
  return a[i]! * b[j]! + a[i + 1]! * b[j + 1]! + a[i + 2]! * b[j + 2]!;
}
