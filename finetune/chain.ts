// The chain of a flow policy with noise after each step: its density, its entropy and its noise's bounds.
//
// Zhang et al. 2025, ReinFlow, arXiv:2505.22094. K Euler steps of a flow with Gaussian noise after each are
// a Markov chain a₀, …, a_K whose joint density is a product of Gaussians, exact for any K:
//   a₀ ~ N(0, I),  μ_k = clip(a_k + v(t_k, a_k, o) / K, ±1),  a_{k+1} = μ_k + σ_k ε.
// Like the authors' code, densities and entropies are means over the (K + 1) · n numbers of a chain, so that
// a ratio means the same for every K and n; truncating ε and the last action plays no part in them.

import type { Gaussian } from "../nn/distributions.ts";
import { add, exp, log, mul, neg, slice, square, sub, sum, type Tensor, tanh } from "../nn/ops.ts";
import { cosineSchedule } from "../nn/schedules.ts";

const logTwoPi = Math.log(2 * Math.PI);

/** The noise's standard deviations, least and greatest; the greatest may follow the run. */
export interface NoiseBounds {
  readonly minStd: number;
  readonly maxStd: number | Tensor;
}

/**
 * log σ within the bounds, from raw outputs: log σ² = l + (u − l) (tanh(raw) + 1) / 2, so that raw 0 gives
 * the geometric mean.
 */
export function boundNoise(raw: Tensor, { minStd, maxStd }: NoiseBounds): Tensor {
  const low = Math.log(minStd);
  const share = mul(add(tanh(raw), 1), 0.5);
  const high = typeof maxStd === "number" ? Math.log(maxStd) : log(maxStd);
  return add(mul(sub(high, low), share), low);
}

/** How the greatest standard deviation goes: held for a share of the run, then half a cosine down. */
export interface NoiseDecay {
  readonly minStd: number;
  readonly maxStd: number;
  /** Share of the run. */
  readonly hold: number;
  /** At the end: the share of maxStd in its mix with minStd. */
  readonly keep: number;
}

/** The greatest standard deviation at a share of the run. */
export function maxStdAt<T extends number | Tensor>(progress: T, decay: NoiseDecay): T {
  const { minStd, maxStd, hold, keep } = decay;
  const end = keep * maxStd + (1 - keep) * minStd;
  const shape = { peak: maxStd, end, start: maxStd, numWarmUpSteps: hold, numSteps: 1 };
  return cosineSchedule(shape)(progress);
}

/** A chain a₀ … a_K, [B, K + 1, n], cut into where each step began, [B, K, n], and where it led, [B, K, n]. */
export function stepsOf(chain: Tensor): [from: Tensor, to: Tensor] {
  const [batch, length, width] = chain.shape as [number, number, number];
  const size = [batch, length - 1, width];
  return [slice(chain, [0, 0, 0], size), slice(chain, [0, 1, 0], size)];
}

/** Mean log-density of a chain's numbers, [B]: log N(a₀; 0, I) + Σ_k log N(a_{k+1}; μ_k, σ_k), over (K + 1) n. */
export function chainLogProb(chain: Tensor, { mean: means, logStd }: Gaussian): Tensor {
  const [, length, width] = chain.shape as [number, number, number];
  const [from, to] = stepsOf(chain);
  const start = sum(square(slice(from, [0, 0, 0], [-1, 1, -1])), [1, 2]);
  const z = mul(sub(to, means), exp(neg(logStd)));
  const steps = sum(add(square(z), mul(logStd, 2)), [1, 2]);
  const size = length * width;
  return sub(mul(add(start, steps), -0.5 / size), 0.5 * logTwoPi);
}

/** Differential entropy of a chain over its (K + 1) · n numbers, [B], from log σ, [B, K, n]. */
export function entropyRate(logStd: Tensor): Tensor {
  const [, numSteps, width] = logStd.shape as [number, number, number];
  const share = mul(sum(logStd, [1, 2]), 1 / ((numSteps + 1) * width));
  return add(share, 0.5 * (1 + logTwoPi));
}
