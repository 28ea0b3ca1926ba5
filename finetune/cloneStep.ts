// What policies share while they are cloned: AdamW with a warm-up and a cosine, and an average of the weights,
// which acts.

import { z } from "zod";
import type { EnvSpec, Metrics } from "../agents/agent.ts";
import { type TensorTree, valueAndGrad } from "../nn/gradient.ts";
import type { Tensor } from "../nn/ops.ts";
import { type AdamState, adamW, clipByGlobalNorm, ema } from "../nn/optimizers.ts";
import { cosineSchedule } from "../nn/schedules.ts";
import type { NdArray, Tree } from "../nn/tree.ts";
import { type ActionNormalizer, actionRange } from "./actionNormalizer.ts";
import type { VelocityParams } from "./flowNet.ts";

/** To be spread into an algorithm's strict object. */
export const cloneStepSettings = {
  batchSize: z.int().min(1).max(1_000_000).default(256).describe("rows of a minibatch"),
  normalizer: z
    .enum(["none", "dataset"])
    .default("dataset")
    .describe("observations: as they are, or standardised by the data's"),
  learningRate: z.number().positive().max(1).default(1e-3).describe("AdamW's, at its greatest"),
  finalLearningRateShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("what it falls to along a cosine, as a share of its greatest"),
  warmUpShare: z
    .number()
    .min(0)
    .lt(1)
    .default(0.01)
    .describe("share of the run in which it rises from 0"),
  filter: z.enum(["all", "success"]).default("all").describe("episodes of the data that count"),
  bestShare: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe("share of those that is cloned: the ones with the greatest returns"),
  validationShare: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.05)
    .describe("share of the cloned episodes that is kept apart, for eval/validation_loss"),
  weightDecay: z.number().min(0).default(1e-6).describe("AdamW's"),
  maxGradNorm: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("clips the gradient's norm; null never does"),
  emaDecay: z
    .number()
    .min(0)
    .lt(1)
    .default(0.995)
    .describe("of the average of the weights that acts, an update"),
} as const;

/** What the settings above parse to. */
export type CloneStepConfig = {
  readonly [K in keyof typeof cloneStepSettings]: z.infer<(typeof cloneStepSettings)[K]>;
};

/** Of a velocity network where nothing else is said. */
export type CloneState<T, N extends Tree<T> = VelocityParams<T>> = {
  readonly network: N;
  /** Of the network's weights; this one acts. */
  readonly average: N;
  readonly actionNormalizer: ActionNormalizer<T>;
  readonly optimizer: AdamState<T>;
};

export function initClone<N extends Tree<NdArray>>(
  network: N,
  spec: EnvSpec,
): CloneState<NdArray, N> {
  return {
    network,
    average: network,
    actionNormalizer: actionRange(spec),
    optimizer: adamW({ learningRate: 0 }).init(network),
  };
}

/** One gradient step on a loss of the network. */
export function stepClone<N extends TensorTree>(
  state: CloneState<Tensor, N>,
  loss: (network: N) => Tensor,
  progress: Tensor,
  config: CloneStepConfig,
): [CloneState<Tensor, N>, Metrics] {
  const [value, grads] = valueAndGrad(loss)(state.network);
  const rate = learningRate(progress, config);
  const { maxGradNorm, weightDecay, emaDecay } = config;
  const clipped = maxGradNorm === null ? grads : clipByGlobalNorm(grads, maxGradNorm)[0];
  const [network, optimizer] = adamW({ learningRate: rate, weightDecay }).update(
    clipped,
    state.optimizer,
    state.network,
  );
  const average = ema(state.average, network, emaDecay);
  const metrics = { "train/loss": value, "train/learning_rate": rate };
  return [{ ...state, network, average, optimizer }, metrics];
}

function learningRate(progress: Tensor, config: CloneStepConfig): Tensor {
  const { learningRate: peak, finalLearningRateShare, warmUpShare } = config;
  const end = finalLearningRateShare * peak;
  return cosineSchedule({ peak, end, numWarmUpSteps: warmUpShare, numSteps: 1 })(progress);
}
