// tolerance(): the one shaping primitive.
//
// After `dm_control/utils/rewards.py` of the DeepMind Control Suite (arXiv:1801.00690). Differs: portable
// arithmetic, so that a re-simulated return has the recorded bits.

import { acos, cos, exp, log, tanh } from "../sim/math.ts";

export type Sigmoid =
  | "gaussian"
  | "hyperbolic"
  | "longTail"
  | "reciprocal"
  | "cosine"
  | "linear"
  | "quadratic"
  | "tanhSquared";

export interface ToleranceOptions {
  /** Where the result is 1, ends included. */
  readonly bounds?: readonly [low: number, high: number];
  /** Distance from the bounds at which the result is `valueAtMargin`; 0 makes a step. */
  readonly margin?: number;
  readonly sigmoid?: Sigmoid;
  readonly valueAtMargin?: number;
}

/** 1 where x lies within the bounds, falling to 0 outside as the sigmoid says. */
export function tolerance(
  x: number,
  {
    bounds: [low, high] = [0, 0],
    margin = 0,
    sigmoid = "gaussian",
    valueAtMargin = 0.1,
  }: ToleranceOptions = {},
): number {
  if (x >= low && x <= high) return 1;
  if (margin === 0) return 0;
  const distance = (x < low ? low - x : x - high) / margin;
  return sigmoids[sigmoid](distance, valueAtMargin);
}

/** 1 at x = 0 and `value` at x = 1. Those that reach 0 do so beyond 1, or at 1 for `value` 0. */
const sigmoids: Readonly<Record<Sigmoid, (x: number, value: number) => number>> = {
  gaussian: (x, value) => exp(x * x * log(value)),
  // 1 / cosh(x arcosh(1 / value))
  hyperbolic: (x, value) =>
    1 / hyperbolicCosine(x * log(1 / value + Math.sqrt(1 / (value * value) - 1))),
  longTail: (x, value) => 1 / (x * x * (1 / value - 1) + 1),
  reciprocal: (x, value) => 1 / (Math.abs(x) * (1 / value - 1) + 1),
  cosine: (x, value) => {
    const angle = x * acos(2 * value - 1);
    return Math.abs(angle) < Math.PI ? (1 + cos(angle)) / 2 : 0;
  },
  linear: (x, value) => Math.max(0, 1 - x * (1 - value)),
  quadratic: (x, value) => Math.max(0, 1 - x * x * (1 - value)),
  tanhSquared: (x, value) => {
    const root = Math.sqrt(1 - value);
    const scale = 0.5 * log((1 + root) / (1 - root)); // artanh √(1 − value)
    const t = tanh(x * scale);
    return 1 - t * t;
  },
};

function hyperbolicCosine(x: number): number {
  const e = exp(x);
  return (e + 1 / e) / 2;
}
