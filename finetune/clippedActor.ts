// A Gaussian policy that is clipped to [−1, 1], not squashed: its std does not depend on the state.
//
// For methods that need the log-density of the data's actions, which a squashed density would make infinite
// at the edges (AWAC, IQL).

import type { EnvSpec } from "../agents/agent.ts";
import type { Gaussian } from "../nn/distributions.ts";
import { type Activation, initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import { clipByValue, exp, minimum, type Tensor } from "../nn/ops.ts";
import { type NdArray, zeros } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";

export type ClippedActor<T> = {
  readonly mean: MlpParams<T>;
  readonly logStd: T; // [A]
};

const leastLogStd = -20;
const greatestLogStd = 2;

/** A fresh actor of standard deviation 1; `numExtras` are further numbers that it sees. */
export function initClippedActor(
  rng: Rng,
  { observationSize, actionSize }: EnvSpec,
  { actorHidden }: { readonly actorHidden: readonly number[] },
  numExtras = 0,
): ClippedActor<NdArray> {
  const sizes = { inputs: observationSize + numExtras, hidden: actorHidden, outputs: actionSize };
  return { mean: initMlp(rng, sizes), logStd: zeros([actionSize]) };
}

/** Its distribution before it is clipped; the mean may be squashed by itself. */
export function clippedGaussian(
  { mean, logStd }: ClippedActor<Tensor>,
  observations: Tensor,
  { activation }: { readonly activation: Activation },
  finalActivation: Activation = "identity",
): Gaussian {
  return {
    mean: mlp(mean, observations, { activation, finalActivation }),
    logStd: clipByValue(logStd, leastLogStd, greatestLogStd),
  };
}

/** What actions count in weighted copying: min(exp(x), cap), never infinite on the way. */
export function copyingWeights(exponents: Tensor, cap: number): Tensor {
  return exp(minimum(exponents, Math.log(cap)));
}
