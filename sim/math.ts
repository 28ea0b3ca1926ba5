// Elementary functions with the same bits in every engine.
//
// Math.exp and its kin differ between engines in the last bit; +, −, ×, ÷ and Math.sqrt do not. These
// reduce the argument and sum a series; errors are below 2 units in the last place. NaN where a result
// is undefined.

const ln2High = 0.6931471803691238; // the first 33 bits of ln 2
const ln2Low = 1.9082149292705877e-10; // ln 2 − ln2High

/** eˣ; 0 below −745, ∞ above 709.78. */
export function exp(x: number): number {
  if (!(x > -745.2)) return x <= -745.2 ? 0 : Number.NaN;
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  const k = Math.round(x / Math.LN2);
  const r = x - k * ln2High - k * ln2Low; // |r| ≤ ln 2 / 2
  let sum = 1;
  for (let n = 14; n >= 1; n--) sum = 1 + (r / n) * sum;
  const half = k >> 1; // in two steps: 2^k alone may not be representable
  return sum * powerOfTwo(half) * powerOfTwo(k - half);
}

/** ln x; −∞ at 0, NaN below. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let m = x;
  let k = 0;
  while (m < Math.SQRT1_2) {
    m *= 2;
    k -= 1;
  }
  while (m > Math.SQRT2) {
    m *= 0.5;
    k += 1;
  }
  const s = (m - 1) / (m + 1); // ln m = 2 artanh s, |s| ≤ 0.1716
  const s2 = s * s;
  let sum = 0;
  for (let n = 25; n >= 3; n -= 2) sum = s2 * (1 / n + sum);
  return k * ln2High + (k * ln2Low + 2 * s * sum + 2 * s);
}

/** xʸ for x > 0 (and whole y for x < 0); within 2 units in the last place for results of 1e±8. */
export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (x < 0) {
    if (!Number.isInteger(y)) return Number.NaN;
    return y % 2 === 0 ? pow(-x, y) : -pow(-x, y);
  }
  if (x === 0) return y > 0 ? 0 : Number.POSITIVE_INFINITY;
  if (!Number.isFinite(x) || !Number.isFinite(y)) return exp(y * log(x));
  const high = log(x);
  const low = logResidual(x, high);
  const product = y * high;
  if (!(Math.abs(product) < 746)) return exp(product);
  return exp(product) * (1 + (productError(y, high, product) + y * low));
}

/** (e²ˣ − 1) / (e²ˣ + 1). */
export function tanh(x: number): number {
  const size = Math.abs(x);
  const value = size < 1 ? tanhBelowOne(size) : 1 - 2 / (exp(2 * size) + 1);
  return x < 0 ? -value : value;
}

function tanhBelowOne(x: number): number {
  const y = 2 * x;
  let sum = 1;
  for (let n = 27; n >= 2; n--) sum = 1 + (y / n) * sum;
  const grown = y * sum; // eʸ − 1 by its series, without cancellation
  return grown / (grown + 2);
}

// The polynomials and reductions below are those of fdlibm (Sun Microsystems, 1993).

export function sin(x: number): number {
  const quadrant = reduce(x);
  const value = quadrant & 1 ? cosKernel(high, low) : sinKernel(high, low);
  return quadrant & 2 ? -value : value;
}

export function cos(x: number): number {
  const quadrant = reduce(x);
  const value = quadrant & 1 ? sinKernel(high, low) : cosKernel(high, low);
  return (quadrant + 1) & 2 ? -value : value;
}

export function tan(x: number): number {
  const quadrant = reduce(x);
  const s = sinKernel(high, low);
  const c = cosKernel(high, low);
  return quadrant & 1 ? -c / s : s / c;
}

export function atan(x: number): number {
  const size = Math.abs(x);
  if (!(size < 1e17)) return Number.isNaN(x) ? x : x > 0 ? Math.PI / 2 : -Math.PI / 2;
  let t = size;
  let part = -1; // atan size = atanHigh[part] + atan t
  if (size >= 2.4375) {
    part = 3;
    t = -1 / size;
  } else if (size >= 1.1875) {
    part = 2;
    t = (size - 1.5) / (1 + 1.5 * size);
  } else if (size >= 0.6875) {
    part = 1;
    t = (size - 1) / (size + 1);
  } else if (size >= 0.4375) {
    part = 0;
    t = (2 * size - 1) / (2 + size);
  }
  const t2 = t * t;
  let sum = 0;
  for (let n = atanSeries.length - 1; n >= 0; n--) sum = t2 * (atanSeries[n]! + sum);
  const value = part < 0 ? t - t * sum : atanHigh[part]! - (t * sum - atanLow[part]! - t);
  return x < 0 ? -value : value;
}

/** The angle of the point (x, y), in [−π, π]. */
export function atan2(y: number, x: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (y === 0) return x > 0 || Object.is(x, 0) ? y : Object.is(y, -0) ? -Math.PI : Math.PI;
  if (x === 0) return y > 0 ? Math.PI / 2 : -Math.PI / 2;
  const infinite = !Number.isFinite(x) && !Number.isFinite(y);
  const acute = atan(infinite ? 1 : Math.abs(y / x));
  const angle = x > 0 ? acute : Math.PI - (acute - piLow);
  return y < 0 ? -angle : angle;
}

/** NaN outside [−1, 1]. */
export function asin(x: number): number {
  return atan2(x, Math.sqrt((1 - x) * (1 + x)));
}

/** NaN outside [−1, 1]. */
export function acos(x: number): number {
  return 2 * atan2(Math.sqrt(1 - x), Math.sqrt(1 + x));
}

const piLow = 1.2246467991473532e-16; // π − Math.PI
const atanHigh = [0.4636476090008061, 0.7853981633974483, 0.982793723247329, 1.5707963267948966];
const atanLow = [
  2.2698777452961687e-17, 3.061616997868383e-17, 1.3903311031230998e-17, 6.123233995736766e-17,
];
const atanSeries = [
  0.3333333333333293, -0.19999999999876483, 0.14285714272503466, -0.11111110405462356,
  0.09090887133436507, -0.0769187620504483, 0.06661073137387531, -0.058335701337905735,
  0.049768779946159324, -0.036531572744216916, 0.016285820115365782,
];

// x − quadrant π/2 = high + low, |high| ≤ π/4; written by `reduce`.
let high = 0;
let low = 0;

const halfPi1 = 1.5707963267341256; // the first 33 bits of π/2
const halfPi2 = 6.077100506303966e-11; // the next 33
const halfPi3 = 2.0222662487111665e-21; // the next 33
const halfPi3Tail = 8.4784276603689e-32;

/** Leaves x − quadrant π/2 in `high`, `low` and returns the quadrant; exact while |x| < 10⁶. */
function reduce(x: number): number {
  if (!(Math.abs(x) < 1e15)) {
    high = low = Number.NaN;
    return 0;
  }
  const n = Math.round(x * (2 / Math.PI));
  const first = x - n * halfPi1;
  const second = first - n * halfPi2;
  const lost = first - second - n * halfPi2;
  const third = second - n * halfPi3;
  const rest = lost + (second - third - n * halfPi3) - n * halfPi3Tail;
  high = third + rest;
  low = third - high + rest;
  return n & 3;
}

function sinKernel(x: number, tail: number): number {
  const z = x * x;
  const v = z * x;
  const r =
    0.00833333333332249 +
    z *
      (-0.0001984126982985795 +
        z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)));
  return x - (z * (0.5 * tail - v * r) - tail - v * -0.16666666666666632);
}

function cosKernel(x: number, tail: number): number {
  const z = x * x;
  const r =
    z *
    (0.0416666666666666 +
      z *
        (-0.001388888888887411 +
          z *
            (2.480158728947673e-5 +
              z *
                (-2.7557314351390663e-7 +
                  z * (2.087572321298175e-9 + z * -1.1359647557788195e-11)))));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + (z * r - x * tail));
}

/** ln x − value to about 10⁻¹⁸ of ln x, for a value that is ln x rounded. */
function logResidual(x: number, value: number): number {
  let m = x;
  let k = 0;
  for (; m < Math.SQRT1_2; k--) m *= 2;
  for (; m > Math.SQRT2; k++) m *= 0.5;
  const below = m - 1; // exact
  const above = m + 1;
  const s = below / above;
  const product = s * above;
  const aboveError = m - (above - 1);
  const sError = (below - product - productError(s, above, product) - s * aboveError) / above;
  const s2 = s * s;
  let sum = 0;
  for (let n = 25; n >= 3; n -= 2) sum = s2 * (1 / n + sum);
  const tail = k * ln2Low + 2 * s * sum + 2 * sError;
  const whole = k * ln2High; // exact: 33 bits and a small k
  const total = whole + 2 * s;
  const totalError =
    Math.abs(whole) > Math.abs(2 * s) ? whole - total + 2 * s : 2 * s - total + whole;
  return total - value + (totalError + tail);
}

/** a b − product exactly, for product = a b rounded (Dekker 1971). */
function productError(a: number, b: number, product: number): number {
  const aSplit = a * splitter;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = b * splitter;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

const splitter = 134217729; // 2²⁷ + 1

const doubleView = new Float64Array(1);
const wordView = new Uint32Array(doubleView.buffer);

/** 2ᵏ for −1022 ≤ k ≤ 1023, written as bits: `**` is one of the functions that differ. */
function powerOfTwo(k: number): number {
  wordView[0] = 0;
  wordView[1] = (k + 1023) << 20;
  return doubleView[0]!;
}
