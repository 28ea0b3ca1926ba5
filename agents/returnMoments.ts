// Return moments: the mean and variance of returns so far, which give a critic its units.
//
// Decaying averages without the bias of their start. The critic's last layer is not rescaled when they
// move (no PopArt, arXiv:1602.07714): they move slowly, and the critic follows.

import { add, div, maximum, mean, mul, sqrt, square, sub, type Tensor } from "../nn/ops.ts";
import { full, type NdArray, zeros } from "../nn/tree.ts";

/** Scalars; `weight` is that of what has been counted, 1 − decayᵗ after t batches. */
export type ReturnMoments<T> = { readonly mean: T; readonly variance: T; readonly weight: T };

const decay = 0.99; // a batch
const leastVariance = 1e-4; // a constant return must not be blown up

/** Units of 1 around 0. */
export function initReturnMoments(): ReturnMoments<NdArray> {
  return { mean: zeros([]), variance: full([], 1), weight: zeros([]) };
}

/** The moments after another batch of returns: the first counts for 1, in the long run 1 − decay. */
export function countReturns(
  moments: ReturnMoments<Tensor>,
  returns: Tensor,
): ReturnMoments<Tensor> {
  const weight = add(mul(moments.weight, decay), 1 - decay);
  const rate = div(1 - decay, weight);
  const batchMean = mean(returns);
  const batchVariance = mean(square(sub(returns, batchMean)));
  const shift = sub(batchMean, moments.mean);
  const spread = add(moments.variance, mul(square(shift), rate));
  return {
    mean: add(moments.mean, mul(shift, rate)),
    variance: add(mul(spread, sub(1, rate)), mul(batchVariance, rate)),
    weight,
  };
}

/** Returns in the critic's units. */
export function standardizeReturns(moments: ReturnMoments<Tensor>, returns: Tensor): Tensor {
  return div(sub(returns, moments.mean), scaleOf(moments));
}

/** What the critic's outputs are worth in returns. */
export function unstandardizeReturns(moments: ReturnMoments<Tensor>, outputs: Tensor): Tensor {
  return add(mul(outputs, scaleOf(moments)), moments.mean);
}

function scaleOf({ variance }: ReturnMoments<Tensor>): Tensor {
  return sqrt(maximum(variance, leastVariance));
}
