// A tanh-Gaussian policy for learning from data: raw log-stds are scaled and shifted by two learned numbers,
// so that it begins narrow (CQL's and Cal-QL's code).

import type { EnvSpec } from "../agents/agent.ts";
import { boundLogStd, type Gaussian } from "../nn/distributions.ts";
import { constant, scaled, xavierUniform } from "../nn/initializers.ts";
import { type Activation, type DenseInit, initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import { add, mul, split, type Tensor } from "../nn/ops.ts";
import { full, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";

export type SquashedActor<T> = {
  readonly net: MlpParams<T>;
  readonly logStdScale: T;
  readonly logStdOffset: T;
};

/** Last layers of actor and critics begin near 0. */
export const smallHead: DenseInit = {
  kernel: scaled(xavierUniform, 0.01),
  bias: constant(0),
};

/** `numExtras` are further numbers that it sees. */
export function initSquashedActor(
  rng: Rng,
  { observationSize, actionSize }: EnvSpec,
  { actorHidden }: { readonly actorHidden: readonly number[] },
  numExtras = 0,
): SquashedActor<NdArray> {
  const net = initMlp(rng, {
    inputs: observationSize + numExtras,
    hidden: actorHidden,
    outputs: 2 * actionSize,
    finalInit: smallHead,
  });
  return { net, logStdScale: full([], 1), logStdOffset: full([], -1) };
}

/** Its distribution before the tanh. */
export function squashedGaussian(
  { net, logStdScale, logStdOffset }: SquashedActor<Tensor>,
  observations: Tensor,
  { activation }: { readonly activation: Activation },
): Gaussian {
  const [mean, raw] = split(mlp(net, observations, { activation }), 2, -1) as [Tensor, Tensor];
  const shifted = add(mul(raw, logStdScale), logStdOffset);
  return { mean, logStd: boundLogStd(shifted, { kind: "clip", low: -20, high: 2 }) };
}
