// The steps of a diffusion policy: how much noise there is at each, and how one of them is taken back.
//
// Ho et al. 2020, arXiv:2006.11239; the cosine schedule of Nichol and Dhariwal 2021, arXiv:2102.09672;
// Song et al. 2021, arXiv:2010.02502 (DDIM), eq. 12 and 16. With all steps and η = 1 DDIM's reverse step is
// DDPM's, so that there is one formula. ᾱ is the share of the data's variance that is left:
//   x_k = √ᾱ_k x₀ + √(1 − ᾱ_k) ε.

import { add, clipByValue, mul, sub, type Tensor } from "../nn/ops.ts";

const offset = 0.008; // Nichol and Dhariwal's s
const greatestBeta = 0.999;

/** ᾱ_k, k = 0 … numSteps − 1: falling from nearly 1 to nearly 0. */
export function cosineShares(numSteps: number): number[] {
  const curve = (k: number) =>
    Math.cos(((k / numSteps + offset) / (1 + offset)) * (Math.PI / 2)) ** 2;
  let share = 1;
  return Array.from({ length: numSteps }, (_, k) => {
    share *= 1 - Math.min(1 - curve(k + 1) / curve(k), greatestBeta);
    return share;
  });
}

/**
 * One step back, as numbers or as tensors that broadcast: x̂₀ = clip(p x − q ε̂), and then
 * x' ~ N(a x̂₀ + b x, std²).
 */
export interface ReverseStep<T = number> {
  /** k, what the net is told. */
  readonly time: T;
  readonly p: T;
  readonly q: T;
  readonly a: T;
  readonly b: T;
  readonly std: T;
}

export interface ReverseOptions {
  /** Of training. */
  readonly numSteps: number;
  /** Of sampling: evenly spread over the former, the last of them among them. */
  readonly sampleSteps: number;
  /** η: 1 draws as much noise as DDPM, 0 none. */
  readonly eta: number;
}

/** The steps back, from the noisiest on; the last has no noise. */
export function reverseSteps({ numSteps, sampleSteps, eta }: ReverseOptions): ReverseStep[] {
  const shares = cosineShares(numSteps);
  const times = Array.from(
    { length: sampleSteps },
    (_, i) => Math.round(((sampleSteps - i) * numSteps) / sampleSteps) - 1,
  );
  return times.map((time, i) => {
    const share = shares[time]!;
    const previous = i + 1 < times.length ? shares[times[i + 1]!]! : 1;
    const variance = ((1 - previous) / (1 - share)) * (1 - share / previous) * eta ** 2;
    const b = Math.sqrt(Math.max(0, 1 - previous - variance) / (1 - share));
    return {
      time,
      p: 1 / Math.sqrt(share),
      q: Math.sqrt((1 - share) / share),
      a: Math.sqrt(previous) - b * Math.sqrt(share),
      b,
      std: Math.sqrt(variance),
    };
  });
}

/** The mean of where a step leads, from a point and the noise that a net sees in it. */
export function reverseMean<T extends number | Tensor>(
  point: Tensor,
  noise: Tensor,
  { p, q, a, b }: Readonly<Record<"p" | "q" | "a" | "b", T>>,
  bound: number | null,
): Tensor {
  const data = sub(mul(point, p), mul(noise, q));
  const clipped = bound === null ? data : clipByValue(data, -bound, bound);
  return add(mul(clipped, a), mul(point, b));
}
