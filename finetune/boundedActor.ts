// The Gaussian actor of Uni-O4: tanh on all that the network gives, means within ±1 and log standard deviations
// mapped linearly from ±1 to [−5, 0]; the density is a plain Gaussian's, and actions are clipped.

import { type Gaussian, sampleGaussian } from "../nn/distributions.ts";
import { orthogonal, zeros as zeroInit } from "../nn/initializers.ts";
import { type Activation, initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import { clipByValue, mul, split, squeeze, sub, type Tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";

interface ActorConfig {
  readonly actorHidden: readonly number[];
  readonly activation: Activation;
}

/** An ensemble of actors, kernels [E, in, out]. */
export function initBoundedActors(
  rng: Rng,
  {
    observationSize,
    actionSize,
  }: { readonly observationSize: number; readonly actionSize: number },
  config: ActorConfig,
  ensemble: number,
): MlpParams<NdArray> {
  return initMlp(rng, {
    inputs: observationSize,
    hidden: config.actorHidden,
    outputs: 2 * actionSize,
    ensemble,
    init: { kernel: orthogonal(1), bias: zeroInit },
  });
}

/** Each member's distribution of actions, [E, B, A], at observations of all, [B, O], or of its own, [E, B, O]. */
export function boundedGaussians(
  actors: MlpParams<Tensor>,
  observations: Tensor,
  { activation }: Pick<ActorConfig, "activation">,
): Gaussian {
  const outputs = mlp(actors, observations, { activation, finalActivation: "tanh" });
  return boundedGaussianOf(outputs);
}

/** Outputs in [−1, 1], [..., 2A], as a Gaussian: −1, 0, 1 are log standard deviations −5, −2.5, 0. */
export function boundedGaussianOf(outputs: Tensor): Gaussian {
  const [mean, raw] = split(outputs, 2, -1) as [Tensor, Tensor];
  return { mean, logStd: sub(mul(raw, 2.5), 2.5) };
}

/** The distribution of an ensemble of one, [B, A]. */
export function boundedGaussian(...input: Parameters<typeof boundedGaussians>): Gaussian {
  const { mean, logStd } = boundedGaussians(...input);
  return { mean: squeeze(mean, [0]), logStd: squeeze(logStd, [0]) };
}

/** Actions of an ensemble of one within [−1, 1], [B, A]. */
export function boundedActions(gaussian: Gaussian, noise: Tensor): Tensor {
  return clipByValue(sampleGaussian(gaussian, noise), -1, 1);
}
