// Elementary functions with the same bits in every engine.
//
// Math.exp and its kin differ between engines in the last bit; +, −, ×, ÷ and Math.sqrt do not. These
// reduce the argument and sum a series; errors are below 2 units in the last place.

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

const doubleView = new Float64Array(1);
const wordView = new Uint32Array(doubleView.buffer);

/** 2ᵏ for −1022 ≤ k ≤ 1023, written as bits: `**` is one of the functions that differ. */
function powerOfTwo(k: number): number {
  wordView[0] = 0;
  wordView[1] = (k + 1023) << 20;
  return doubleView[0]!;
}
