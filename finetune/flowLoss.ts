// What a flow is trained for: rectified flow, and shortcuts of it.
//
// Liu et al. 2022, arXiv:2209.03003: x_t = (1 − t) x₀ + t x₁, and v(x_t, t, o) shall be x₁ − x₀. The least
// loss is the variance of x₁ − x₀ given x_t, not 0.
// Frans et al. 2024, arXiv:2410.12557: a shortcut net is told the size d of its step, and one step shall be
// the mean of two half ones. Differs from ReinFlow's code: d ends at 1 / K for the largest K that is meant,
// and its half steps are then asked with d = 0, which rectified flow trains.
// Shapes: B rows, n numbers of a chunk.

import {
  add,
  cast,
  div,
  equal,
  expandDims,
  floor,
  gather,
  mul,
  pow,
  reshape,
  sigmoid,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
  zerosLike,
} from "../nn/ops.ts";

/** How often each time is trained. */
export const timeDistributions = ["uniform", "logitNormal", "beta"] as const;
export type TimeDistribution = (typeof timeDistributions)[number];

/** Times [B] in [0, 1] from draws [B]: standard normal ones for "logitNormal", else uniform in [0, 1). */
export function timesOf(draws: Tensor, distribution: TimeDistribution): Tensor {
  switch (distribution) {
    case "uniform":
      return draws;
    case "logitNormal":
      return sigmoid(draws);
    case "beta": // 0.999 (1 − Beta(1.5, 1)): early times more often
      return mul(sub(1, pow(draws, 1 / 1.5)), 0.999);
  }
}

/** Points on the way, where they shall head, and what the net is told; all [B, n] or [B]. */
export interface Targets {
  readonly points: Tensor;
  readonly times: Tensor;
  readonly steps: Tensor;
  readonly velocities: Tensor;
}

const leastNoise = 1e-5; // what is left of x₀ at t = 1 in a shortcut's flow

/** Straight ways from noise x₀ to data x₁ at times t, with steps of size 0. */
export function straightTargets(x0: Tensor, x1: Tensor, times: Tensor, left = 0): Targets {
  const t = expandDims(times, -1);
  const points = add(mul(sub(1, mul(t, 1 - left)), x0), mul(t, x1));
  const velocities = sub(x1, mul(x0, 1 - left));
  return { points, times, steps: zerosLike(times), velocities };
}

/** A shortcut net as a function of points, times and sizes of steps. */
export type ShortcutField = (points: Tensor, times: Tensor, steps: Tensor) => Tensor;

/** Which steps a shortcut net is trained to take at once. */
export interface ShortcutDraws {
  /** m in 0 … log₂ K, int32: d = 2⁻ᵐ, [B]. */
  readonly exponents: Tensor;
  /** Where on the grid j / 2ᵐ, uniform in [0, 1), [B]. */
  readonly places: Tensor;
}

/** Steps of size d = 2⁻ᵐ, whose velocity is the mean of two half steps' of the same net. */
export function shortcutTargets(
  field: ShortcutField,
  x0: Tensor,
  x1: Tensor,
  { exponents, places }: ShortcutDraws,
  mostDoublings: number,
): Targets {
  const counts = gather(powersOfTwo(mostDoublings), exponents); // 2ᵐ, [B]
  const steps = div(1, counts);
  const times = div(floor(mul(places, counts)), counts);
  const { points } = straightTargets(x0, x1, times, leastNoise);
  const smallest = equal(exponents, tensor(mostDoublings, [], "int32"));
  const told = where(smallest, zerosLike(steps), mul(steps, 0.5));
  const half = mul(steps, 0.5);
  const first = field(points, times, told);
  const middle = add(points, mul(expandDims(half, -1), first));
  const second = field(middle, add(times, half), told);
  const velocities = stopGradient(mul(add(first, second), 0.5));
  return { points, times, steps, velocities };
}

/** Straight ways of a shortcut net. */
export function anchorTargets(x0: Tensor, x1: Tensor, times: Tensor): Targets {
  return straightTargets(x0, x1, times, leastNoise);
}

/** Mean square over the numbers that count: `mask` [B, H] says which actions of the chunks [B, H · A]. */
export function chunkLoss(errors: Tensor, mask: Tensor): Tensor {
  return chunkMean(square(errors), mask);
}

/** The same of each row, [B]. */
export function chunkErrors(errors: Tensor, mask: Tensor): Tensor {
  const [, length] = mask.shape as [number, number];
  const [size, width] = errors.shape as [number, number];
  const byAction = sum(reshape(square(errors), [size, length, width / length]), -1); // [B, H]
  const weights = cast(mask, "float32");
  return div(sum(mul(byAction, weights), -1), mul(sum(weights, -1), width / length));
}

/** Mean over the numbers that count, as above. */
export function chunkMean(values: Tensor, mask: Tensor): Tensor {
  const [, length] = mask.shape as [number, number];
  const [size, width] = values.shape as [number, number];
  const byAction = sum(reshape(values, [size, length, width / length]), -1); // [B, H]
  const weights = cast(mask, "float32");
  return div(sum(mul(byAction, weights)), mul(sum(weights), width / length));
}

function powersOfTwo(most: number): Tensor {
  const powers = Array.from({ length: most + 1 }, (_, m) => 2 ** m);
  return tensor(powers, [most + 1], "float32");
}
