// How every off-policy algorithm here steps its networks: Adam with decoupled weight decay, gradients
// clipped on request, learning rates that fall linearly over the run.

import { z } from "zod";
import type { TensorTree } from "../nn/gradient.ts";
import type { Tensor } from "../nn/ops.ts";
import { type Adam, type AdamState, adamW, clipByGlobalNorm } from "../nn/optimizers.ts";
import { linearSchedule } from "../nn/schedules.ts";
import type { NdArray, Tree } from "../nn/tree.ts";

/** To be spread into an algorithm's strict object; it may redefine a key with another default. */
export const descentSettings = {
  actorLearningRate: z.number().positive().max(1).default(3e-4).describe("the actor's step size"),
  criticLearningRate: z.number().positive().max(1).default(3e-4).describe("the critics' step size"),
  finalLearningRateShare: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("what all learning rates fall to, linearly over the run, as a share of their start"),
  adamBeta1: z.number().min(0).lt(1).default(0.9).describe("decay of Adam's mean of gradients"),
  adamBeta2: z.number().min(0).lt(1).default(0.999).describe("decay of Adam's mean of squares"),
  adamEpsilon: z.number().positive().default(1e-8).describe("Adam's guard against division by 0"),
  weightDecay: z
    .number()
    .min(0)
    .default(0)
    .describe("AdamW's decoupled decay of actor and critics; 0 is Adam"),
  maxGradNorm: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("clips the joint norm of a network's gradient; null never does"),
} as const;

/** What the settings above parse to. */
export type DescentConfig = {
  readonly [K in keyof typeof descentSettings]: z.infer<(typeof descentSettings)[K]>;
};

/** Moments of fresh parameters. */
export function initDescent(params: Tree<NdArray>, config: DescentConfig): AdamState<NdArray> {
  return optimizerOf(config).init(params);
}

/** One step down the gradients; `progress` is the share of the run that has passed. */
export function descend<P extends TensorTree>(
  [params, grads, state]: readonly [params: P, grads: P, state: AdamState<Tensor>],
  learningRate: number,
  progress: Tensor,
  config: DescentConfig,
): [params: P, state: AdamState<Tensor>] {
  const { maxGradNorm, finalLearningRateShare: share } = config;
  const clipped = maxGradNorm === null ? grads : clipByGlobalNorm(grads, maxGradNorm)[0];
  const rate =
    share === 1 ? learningRate : linearSchedule(learningRate, share * learningRate, 1)(progress);
  return optimizerOf(config).update(clipped, state, params, rate);
}

function optimizerOf(config: DescentConfig): Adam {
  return adamW({
    learningRate: config.criticLearningRate, // every step states its own
    beta1: config.adamBeta1,
    beta2: config.adamBeta2,
    epsilon: config.adamEpsilon,
    weightDecay: config.weightDecay,
  });
}
