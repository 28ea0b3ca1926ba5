// An ensemble of Gaussian models of a task: state and action to the change of the state and the reward.
//
// PETS, Chua et al. 2018, arXiv:1805.12114, as model-based offline RL uses it (MOPO, arXiv:2005.13239). Members
// differ by how they begin. A fixed tenth of the rows is held out from training; the elites are those members
// that err least on it. Rows are standardised observations, so that one scale does for all.

import { z } from "zod";
import type { Metrics } from "../agents/agent.ts";
import { type DescentConfig, descend, initDescent } from "../agents/descent.ts";
import type { Batch } from "../agents/rows.ts";
import { boundLogStd, gaussianLogProb } from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import {
  add,
  cast,
  concat,
  div,
  equal,
  expandDims,
  floor,
  greater,
  less,
  logicalAnd,
  logicalOr,
  maximum,
  mean,
  mul,
  neg,
  range,
  reshape,
  slice,
  split,
  square,
  sub,
  sum,
  type Tensor,
  where,
} from "../nn/ops.ts";
import type { AdamState } from "../nn/optimizers.ts";
import { array, type NdArray, zeros } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";

/** To be spread into an algorithm's strict object. */
export const dynamicsSettings = {
  numModels: z.int().min(1).max(32).default(7).describe("models of the task"),
  numElites: z.int().min(1).max(32).default(5).describe("of them, those that foretell"),
  modelHidden: z
    .array(z.int().min(1).max(8192))
    .default([200, 200, 200, 200])
    .describe("widths of a model's hidden layers"),
  modelLearningRate: z.number().positive().max(1).default(1e-3).describe("the models' step size"),
} as const;

export type DynamicsConfig = {
  readonly [K in keyof typeof dynamicsSettings]: z.infer<(typeof dynamicsSettings)[K]>;
};

/** Models and how well each has done on the rows that are held out. */
export type DynamicsState<T> = {
  readonly models: MlpParams<T>;
  readonly modelOptimizer: AdamState<T>;
  /** Running mean squared error on held-out rows, [M]. */
  readonly heldOutErrors: T;
  /** A row is held out by where its observation falls along this direction, [O]. */
  readonly probe: T;
};

const heldOutShare = 0.1;
const memory = 0.98; // of the running error
const logStdBound = { kind: "tanh", low: -5, high: 1 } as const;
const farthest = 10; // standard deviations of the data that a foretold state may be from their mean

export function initDynamics(
  rng: Rng,
  {
    observationSize,
    actionSize,
  }: { readonly observationSize: number; readonly actionSize: number },
  config: DynamicsConfig & DescentConfig,
): DynamicsState<NdArray> {
  if (config.numElites > config.numModels)
    throw new Error(`numElites ${config.numElites} is more than numModels ${config.numModels}`);
  const models = initMlp(rng.split("models"), {
    inputs: observationSize + actionSize,
    hidden: config.modelHidden,
    outputs: 2 * (observationSize + 1),
    ensemble: config.numModels,
  });
  const probes = rng.split("probe");
  return {
    models,
    modelOptimizer: initDescent(models, config),
    heldOutErrors: zeros([config.numModels]),
    probe: array(Float32Array.from({ length: observationSize }, () => probes.normal())),
  };
}

/** One step of all models on the rows that are not held out, and their errors on those that are. */
export function updateDynamics(
  state: DynamicsState<Tensor>,
  batch: Pick<Batch<Tensor>, "observations" | "actions" | "rewards" | "nextObservations">,
  progress: Tensor,
  config: DynamicsConfig & DescentConfig,
): readonly [DynamicsState<Tensor>, Metrics] {
  const { observations, actions, rewards, nextObservations } = batch;
  const wanted = concat([sub(nextObservations, observations), expandDims(rewards, -1)], -1);
  const heldOut = heldOutRows(observations, state.probe); // [B]
  const numHeldOut = sum(heldOut);
  const numSeen = maximum(sub(observations.shape[0]!, numHeldOut), 1);
  const [loss, grads, errors] = valueAndGrad((models: MlpParams<Tensor>) => {
    const { mean: foretold, logStd } = outcomes(models, observations, actions); // [M, B, O + 1]
    const unlikely = neg(gaussianLogProb({ mean: foretold, logStd }, wanted)); // [M, B]
    const seen = mul(unlikely, sub(1, heldOut));
    const errors = mean(square(sub(foretold, wanted)), -1); // [M, B]
    return [div(sum(seen), numSeen), errors] as const;
  })(state.models);
  const from = [state.models, grads, state.modelOptimizer] as const;
  const [models, modelOptimizer] = descend(from, config.modelLearningRate, progress, config);
  const now = div(sum(mul(errors, heldOut), -1), maximum(numHeldOut, 1)); // [M]
  const blended = add(mul(state.heldOutErrors, memory), mul(now, 1 - memory));
  const heldOutErrors = where(greater(numHeldOut, 0), blended, state.heldOutErrors);
  const metrics = {
    "train/model_loss": div(loss, config.numModels),
    "train/model_error": mean(now),
  };
  return [{ ...state, models, modelOptimizer, heldOutErrors }, metrics];
}

/** The state that follows by the elites' mean, [B, O], and its reward, [B]. */
export function foretell(
  state: DynamicsState<Tensor>,
  observations: Tensor,
  actions: Tensor,
  { numElites }: Pick<DynamicsConfig, "numElites">,
): { readonly nextObservations: Tensor; readonly rewards: Tensor } {
  const { mean: all } = outcomes(state.models, observations, actions); // [M, B, O + 1]
  const weights = div(cast(elites(state.heldOutErrors, numElites), "float32"), numElites);
  const outcome = sum(mul(all, reshape(weights, [-1, 1, 1])), 0); // [B, O + 1]
  const [numRows, size] = observations.shape as [number, number];
  const change = slice(outcome, [0, 0], [numRows, size]);
  const moved = add(observations, change);
  const inside = where(greater(moved, farthest), farthest, moved);
  return {
    nextObservations: where(less(inside, -farthest), -farthest, inside),
    rewards: reshape(slice(outcome, [0, size], [numRows, 1]), [-1]),
  };
}

/** Which of the errors [M] are the least `count`; of equal ones the first. */
export function elites(errors: Tensor, count: number): Tensor {
  const size = errors.shape[0]!;
  const index = range(0, size, 1, "float32");
  const [mine, other] = [expandDims(errors, 1), expandDims(errors, 0)];
  const earlier = less(expandDims(index, 0), expandDims(index, 1));
  const better = logicalOr(less(other, mine), logicalAnd(equal(other, mine), earlier));
  return less(sum(cast(better, "float32"), 1), count);
}

/** 1 where a row is held out, else 0, [B]; the same for equal observations, in every batch. */
export function heldOutRows(observations: Tensor, probe: Tensor): Tensor {
  const place = mul(sum(mul(observations, probe), -1), 16); // fine stripes, far above rounding
  return cast(less(sub(place, floor(place)), heldOutShare), "float32");
}

function outcomes(models: MlpParams<Tensor>, observations: Tensor, actions: Tensor) {
  const raw = mlp(models, concat([observations, actions], -1), { activation: "silu" });
  const [centre, spread] = split(raw, 2, -1) as [Tensor, Tensor];
  return { mean: centre, logStd: boundLogStd(spread, logStdBound) };
}
