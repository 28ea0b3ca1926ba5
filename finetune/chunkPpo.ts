// What ReinFlow and DPPO have in common: a critic of observations, two optimisers, and a clock.
//
// A decision is a chunk of actions: its reward is the sum over the executed ones and the discount is one for
// the whole chunk. Advantages are those of agents/rollout.ts.

import { z } from "zod";
import { onPolicySettings } from "../agents/onPolicy.ts";
import {
  countReturns,
  initReturnMoments,
  type ReturnMoments,
  standardizeReturns,
  unstandardizeReturns,
} from "../agents/returnMoments.ts";
import type { RolloutBatch } from "../agents/rows.ts";
import { type TensorTree, valueAndGrad } from "../nn/gradient.ts";
import { initResidualMlp, type ResidualParams, residualMlp } from "../nn/layers.ts";
import {
  add,
  cast,
  greaterEqual,
  mean,
  mul,
  notEqual,
  square,
  squeeze,
  sub,
  type Tensor,
  where,
} from "../nn/ops.ts";
import { type AdamState, adamW, clipByGlobalNorm } from "../nn/optimizers.ts";
import { cosineSchedule } from "../nn/schedules.ts";
import { isNdArray, leaves, mapTree, type NdArray, type Tree, zeros } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";

/** To be spread into an algorithm's strict object; it may redefine a key with another default. */
export const chunkPpoSettings = {
  ...onPolicySettings,
  discount: onPolicySettings.discount.unwrap().default(0.99).describe("γ of a whole chunk"),
  rolloutLength: onPolicySettings.rolloutLength
    .unwrap()
    .default(64)
    .describe("chunks of every env in a rollout"),
  normalizer: z
    .enum(["none", "running", "dataset"])
    .default("dataset")
    .describe("observations: as they are, standardised by all so far, or as the cloned policy's"),
  numEpochs: onPolicySettings.numEpochs.unwrap().default(5).describe("passes over a rollout"),
  numMinibatches: onPolicySettings.numMinibatches
    .unwrap()
    .default(4)
    .describe("updates in an epoch; their batches are equal shares of the rollout"),
  actorLearningRate: z.number().positive().max(1).default(1e-4).describe("AdamW's, at first"),
  criticLearningRate: z.number().positive().max(1).default(1e-3).describe("AdamW's, at first"),
  finalLearningRateShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.45)
    .describe("what both fall to along a cosine, as a share of their start"),
  criticWeightDecay: z.number().min(0).default(1e-5).describe("AdamW's, of the critic alone"),
  maxGradNorm: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("clips the norm of each network's gradient; null never does"),
  criticWidth: z.int().min(1).max(8192).default(256).describe("of the critic's residual MLP"),
  criticBlocks: z.int().min(1).max(16).default(1).describe("of the critic's residual MLP"),
  criticWarmUp: z
    .int()
    .min(0)
    .max(100_000)
    .default(0)
    .describe("rollouts that the critic alone learns from at first"),
} as const;

/** What the settings above parse to. */
export type ChunkPpoConfig = {
  readonly [K in keyof typeof chunkPpoSettings]: z.infer<(typeof chunkPpoSettings)[K]>;
};

export type CriticParams<T> = ResidualParams<T>;

/** What a state holds of the critic. */
export type CriticState<T> = {
  readonly critic: CriticParams<T>;
  readonly returnMoments: ReturnMoments<T>;
  readonly criticOptimizer: AdamState<T>;
};

export function initCritic(
  rng: Rng,
  observationSize: number,
  { criticWidth: width, criticBlocks: numBlocks }: ChunkPpoConfig,
): CriticState<NdArray> {
  const critic = initResidualMlp(rng, { inputs: observationSize, width, numBlocks, outputs: 1 });
  const returnMoments = initReturnMoments();
  return { critic, returnMoments, criticOptimizer: adamW({ learningRate: 0 }).init(critic) };
}

/** The critic's opinion of observations in units of returns, [B]. */
export function valuesOf(
  { critic, returnMoments }: Pick<CriticState<Tensor>, "critic" | "returnMoments">,
  observations: Tensor,
): Tensor {
  return unstandardizeReturns(returnMoments, criticOutputs(critic, observations));
}

function criticOutputs(critic: CriticParams<Tensor>, observations: Tensor): Tensor {
  return squeeze(residualMlp(critic, observations, "mish"), [-1]);
}

/** One step on ½ mean (V(o) − R)², in the units of standardised returns. */
export function stepCritic(
  state: CriticState<Tensor>,
  { observations, returns }: Pick<RolloutBatch<Tensor>, "observations" | "returns">,
  progress: Tensor,
  config: ChunkPpoConfig,
): [next: CriticState<Tensor>, loss: Tensor] {
  const returnMoments = countReturns(state.returnMoments, returns);
  const targets = standardizeReturns(returnMoments, returns);
  const [loss, grads] = valueAndGrad((critic: CriticParams<Tensor>) =>
    mul(mean(square(sub(criticOutputs(critic, observations), targets))), 0.5),
  )(state.critic);
  const [critic, criticOptimizer] = descend(
    [state.critic, grads, state.criticOptimizer],
    fallingRate(config.criticLearningRate, progress, config),
    config.criticWeightDecay,
    config,
  );
  return [{ critic, returnMoments, criticOptimizer }, loss];
}

/** One step of AdamW. */
export function descend<P extends TensorTree>(
  [params, grads, state]: readonly [params: P, grads: P, state: AdamState<Tensor>],
  learningRate: Tensor,
  weightDecay: number,
  { maxGradNorm }: Pick<ChunkPpoConfig, "maxGradNorm">,
): [params: P, state: AdamState<Tensor>] {
  const clipped = maxGradNorm === null ? grads : clipByGlobalNorm(grads, maxGradNorm)[0];
  return adamW({ learningRate, weightDecay }).update(clipped, state, params);
}

/** A learning rate at a share of the run. */
export function fallingRate(
  rate: number,
  progress: Tensor,
  { finalLearningRateShare }: Pick<ChunkPpoConfig, "finalLearningRateShare">,
): Tensor {
  return cosineSchedule({ peak: rate, end: finalLearningRateShare * rate, numSteps: 1 })(progress);
}

/** The actor's rate: 0 for the rollouts that the critic warms up on. */
export function actorRate(clock: Clock<Tensor>, config: ChunkPpoConfig): Tensor {
  const rate = fallingRate(config.actorLearningRate, clock.now, config);
  if (config.criticWarmUp === 0) return rate;
  return mul(rate, cast(greaterEqual(clock.numRollouts, config.criticWarmUp + 1), "float32"));
}

/**
 * When things happened, as shares of the run: the last update, and the sampling of the rollout that it
 * learned from, which is the last update before that rollout. Scalars.
 */
export type Clock<T> = { readonly now: T; readonly sampledAt: T; readonly numRollouts: T };

export function initClock(): Clock<NdArray> {
  return { now: zeros([]), sampledAt: zeros([]), numRollouts: zeros([]) };
}

/** The clock at an update; all updates on one rollout come at one time, later than any before. */
export function tick({ now, sampledAt, numRollouts }: Clock<Tensor>, progress: Tensor) {
  const isNew = notEqual(progress, now);
  return {
    now: progress,
    sampledAt: where(isNew, now, sampledAt),
    numRollouts: add(numRollouts, cast(isNew, "float32")),
  };
}

/** The settings of those keys. */
export function inherited(
  algo: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => key in algo).map((key) => [key, algo[key]]));
}

/** Another run's arrays in the places of a state's; throws where they do not fit. */
export function sameShapes<P extends Tree<NdArray>>(own: P, given: Tree<NdArray> | undefined): P {
  const arrays = new Map(given === undefined ? [] : leaves<NdArray>(given, isNdArray));
  return mapTree<NdArray, NdArray>(own, isNdArray, ({ shape }, path) => {
    const found = arrays.get(path);
    if (found !== undefined && found.shape.join() === shape.join()) return found;
    const has = found === undefined ? "has none" : `has one of shape [${found.shape}]`;
    throw new Error(
      `the policy to go on with ${has} where "${path}" of shape [${shape}] is wanted; leave the settings of its chunks and its network as they were`,
    );
  }) as P;
}
