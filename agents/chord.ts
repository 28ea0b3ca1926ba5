// Two options of every on-policy fine-tuner whose data are not all its own: demonstrations beside the surrogate, and
// a smaller step where a rollout has become stale.
//
// CHORD (Zhang et al. 2025; Trinity-RFT's settings): L = (1 − μ) L_surrogate + μ L_demonstrations, with
// φ = p (1 − p) as the weight of a demonstrated action, so that neither what is known nor what is out of reach counts
// for much. A density is no probability: p = exp(−½ mean z²) of a Gaussian policy; of a flow or a diffusion
// p = exp(−c error), with c such that a batch's median is ½. VCPO (arXiv:2602.17616): the learning rate of a step is
// multiplied by √ESS, the effective share of a minibatch by its ratios. Reported on language models alone.

import { z } from "zod";
import { type Gaussian, gaussianLogProb } from "../nn/distributions.ts";
import {
  add,
  cos,
  div,
  exp,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  reshape,
  slice,
  sort,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from "../nn/ops.ts";

/** To be spread into an algorithm's strict object. */
export const chordSettings = {
  chordPeak: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("μ, greatest weight of demonstrations beside the surrogate; 0: they are left out"),
  chordValley: z
    .number()
    .min(0)
    .lt(1)
    .nullable()
    .default(null)
    .describe("what μ falls to along a cosine over the run; null: it stays"),
  chordWarmUp: z.number().min(0).lt(1).default(0).describe("share of the run in which μ rises"),
  chordWeighting: z
    .enum(["phi", "equal"])
    .default("phi")
    .describe("what a demonstrated action counts: p (1 − p), or 1"),
  chordShare: z
    .number()
    .gt(0)
    .max(0.9)
    .default(0.2)
    .describe("share of a minibatch that demonstrations are"),
  rateScaling: z
    .enum(["none", "ess"])
    .default("none")
    .describe("ess: the actor's step is as small as the effective share of a minibatch is low"),
} as const;

/** What the settings above parse to. */
export type ChordConfig = {
  readonly [K in keyof typeof chordSettings]: z.infer<(typeof chordSettings)[K]>;
};

/** Rows of demonstrations beside a minibatch of `size`. */
export function numDemonstrations(
  size: number,
  { chordShare }: Pick<ChordConfig, "chordShare">,
): number {
  return Math.max(1, Math.round((size * chordShare) / (1 - chordShare)));
}

/** μ at a share of the run. */
export function chordWeight(progress: Tensor, config: ChordConfig): Tensor {
  const { chordPeak: peak, chordValley, chordWarmUp: warmUp } = config;
  const valley = chordValley ?? peak;
  const passed = maximum(div(sub(progress, warmUp), 1 - warmUp), 0);
  const falling = add(
    mul(add(cos(mul(minimum(passed, 1), Math.PI)), 1), (peak - valley) / 2),
    valley,
  );
  return warmUp === 0 ? falling : mul(falling, minimum(div(progress, warmUp), 1));
}

/** (1 − μ) L_surrogate + μ L_demonstrations. */
export function chordLoss(surrogate: Tensor, demonstrations: Tensor, weight: Tensor): Tensor {
  return add(mul(surrogate, sub(1, weight)), mul(demonstrations, weight));
}

/** p (1 − p), where no gradient passes. */
export function phi(p: Tensor): Tensor {
  return stopGradient(mul(p, sub(1, p)));
}

/** −mean φ log π(a|s) of demonstrated actions [B, A]. */
export function gaussianImitation(
  gaussian: Gaussian,
  actions: Tensor,
  { chordWeighting }: Pick<ChordConfig, "chordWeighting">,
): Tensor {
  const logProbs = gaussianLogProb(gaussian, actions); // [B]
  if (chordWeighting === "equal") return neg(mean(logProbs));
  const z = mul(sub(actions, gaussian.mean), exp(neg(gaussian.logStd)));
  const p = exp(mul(mean(square(z), -1), -0.5));
  return neg(mean(mul(phi(p), logProbs)));
}

/** mean φ error of the errors [B] that a flow or a diffusion is cloned by. */
export function errorImitation(
  errors: Tensor,
  { chordWeighting }: Pick<ChordConfig, "chordWeighting">,
): Tensor {
  if (chordWeighting === "equal") return mean(errors);
  const middle = slice(sort(stopGradient(errors)), [Math.floor(errors.shape[0]! / 2)], [1]);
  const p = exp(mul(div(errors, maximum(middle, 1e-12)), -Math.LN2));
  return mean(mul(phi(p), errors));
}

/** (Σ w)² / (B Σ w²) of ratios, in (0, 1]; 1 where all are equal. */
export function effectiveShare(ratios: Tensor): Tensor {
  const w = reshape(ratios, [-1]);
  return div(square(sum(w)), mul(sum(square(w)), w.shape[0]!));
}

/** The learning rate of a step, given its ratios. */
export function scaledRate(
  rate: Tensor,
  ratios: Tensor,
  { rateScaling }: Pick<ChordConfig, "rateScaling">,
): Tensor {
  return rateScaling === "none" ? rate : mul(rate, sqrt(minimum(effectiveShare(ratios), 1)));
}
