// FastTD3: TD3 for many environments, with categorical critics and noise of many breadths.
//
// Seo et al. 2025, arXiv:2505.22642. Both critics learn the projected histogram of the target critic
// that expects less; exploration is as broad as each env's own draw. The targets' actor is the online
// one, and the target critics follow in every update, as in the authors' code.
// Differs: sizes. The paper trains on a GPU with 128 to 4096 envs, batches of 32,768, actor
// 512-256-128, critics 1024-512-256, tau 0.1 and 2 updates for each step of all envs.

import { z } from "zod";
import { crossEntropy, expectedValue } from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { normal as normalInit, zeros as zerosInit } from "../nn/initializers.ts";
import { initMlp, type MlpApply, type MlpParams, mlp } from "../nn/layers.ts";
import { type NoiseSpec, normal } from "../nn/noise.ts";
import {
  add,
  argMin,
  cast,
  clipByValue,
  expandDims,
  mean,
  min,
  mul,
  neg,
  oneHot,
  softmax,
  sum,
  type Tensor,
  transpose,
} from "../nn/ops.ts";
import { type AdamState, polyak } from "../nn/optimizers.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "./agent.ts";
import { bellmanProjection, categoricalSettings, edgeMass, supportOf } from "./categorical.ts";
import { descentSettings, initDescent } from "./descent.ts";
import { judge, networkSettings } from "./networks.ts";
import { offPolicySettings, withDefault } from "./offPolicy.ts";
import type { ActInputs, UpdateInputs } from "./rows.ts";
import { descendActor, descendCritics } from "./steps.ts";

// In brackets the paper's. Ours suit one CPU: a tau of 0.1 belongs to batches of thousands.
const settings = z
  .strictObject({
    ...offPolicySettings,
    ...descentSettings,
    ...networkSettings,
    ...categoricalSettings,
    batchSize: withDefault(offPolicySettings.batchSize, 512), // [32,768]
    learningStarts: withDefault(offPolicySettings.learningStarts, 4_000), // [10 steps of all envs]
    utdRatio: withDefault(offPolicySettings.utdRatio, 1 / 16), // [2 over the number of envs]
    actorPeriod: withDefault(offPolicySettings.actorPeriod, 2), // [2]
    normalizer: withDefault(offPolicySettings.normalizer, "running"), // [running]
    weightDecay: withDefault(descentSettings.weightDecay, 0.1), // [0.1]
    actorHidden: withDefault(networkSettings.actorHidden, [128, 128]), // [512, 256, 128]
    criticHidden: withDefault(networkSettings.criticHidden, [256, 128]), // [1024, 512, 256]
    tau: withDefault(networkSettings.tau, 0.02), // [0.1]
    valueLow: withDefault(categoricalSettings.valueLow, -100), // [±250; ±10 in Playground]
    valueHigh: withDefault(categoricalSettings.valueHigh, 100),
    explorationLow: z.number().min(0).default(0.001).describe("least std of an env's noise"),
    explorationHigh: z.number().min(0).default(0.4).describe("greatest std of an env's noise"),
    smoothingNoise: z.number().min(0).default(0.001).describe("std of the noise on target actions"),
    smoothingClip: z.number().min(0).default(0.5).describe("greatest noise on a target action"),
  })
  .refine((config) => config.valueLow < config.valueHigh, {
    path: ["valueHigh"],
    message: "must exceed valueLow",
  })
  .refine((config) => config.explorationLow <= config.explorationHigh, {
    path: ["explorationHigh"],
    message: "must be explorationLow or more",
  });

export type FastTd3Config = z.infer<typeof settings>;

export type FastTd3State<T> = {
  readonly actor: MlpParams<T>;
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly actorOptimizer: AdamState<T>;
  readonly criticOptimizer: AdamState<T>;
};

export type FastTd3Noise<T> = { readonly smoothing: T }; // [B, A]

type State = FastTd3State<Tensor>;
type Inputs = UpdateInputs<FastTd3Noise<Tensor>>;

export const fastTd3: OffPolicyAlgorithm<
  FastTd3Config,
  FastTd3State<NdArray>,
  FastTd3Noise<Tensor>
> = {
  name: "fastTd3",
  summary: "TD3 for many environments: categorical critics, noise of many breadths",
  family: "offPolicy",
  settings,
  init,
  policyKeys: ["actor"],
  act,
  noise,
  update,
  explorationScale: ({ explorationLow, explorationHigh }) => [explorationLow, explorationHigh],
};

function init(spec: EnvSpec, config: FastTd3Config, rng: Rng): FastTd3State<NdArray> {
  const { observationSize, actionSize } = spec;
  const critics = initMlp(rng.split("critics"), {
    inputs: observationSize + actionSize,
    hidden: config.criticHidden,
    outputs: config.numAtoms,
    ensemble: config.numCritics,
    layerNorm: config.criticLayerNorm,
  });
  const actor = initMlp(rng.split("actor"), {
    inputs: observationSize,
    hidden: config.actorHidden,
    outputs: actionSize,
    finalInit: { kernel: normalInit(0.01), bias: zerosInit },
  });
  return {
    actor,
    critics,
    targetCritics: critics,
    actorOptimizer: initDescent(actor, config),
    criticOptimizer: initDescent(critics, config),
  };
}

function act(
  { actor }: Pick<State, "actor">,
  { observations, noise }: ActInputs,
  config: FastTd3Config,
): Tensor {
  return clipByValue(add(mlp(actor, observations, acting(config)), noise), -1, 1);
}

function noise({ actionSize }: EnvSpec, { batchSize }: FastTd3Config): FastTd3Noise<NoiseSpec> {
  return { smoothing: normal([batchSize, actionSize]) };
}

function update(
  state: State,
  inputs: Inputs,
  config: FastTd3Config,
  _spec: EnvSpec,
  { trainActor }: UpdatePhase,
): readonly [State, Metrics] {
  const [withCritics, criticMetrics] = updateCritics(state, inputs, config);
  if (!trainActor) return [withCritics, criticMetrics];
  const [next, actorMetrics] = updateActor(withCritics, inputs, config);
  return [next, { ...criticMetrics, ...actorMetrics }];
}

/** Cross-entropy to the projected target, summed over the critics; the targets follow. */
function updateCritics(
  state: State,
  inputs: Inputs,
  config: FastTd3Config,
): readonly [State, Metrics] {
  const { observations, actions } = inputs.batch;
  const target = targetHistograms(state, inputs, config); // [B, K]
  const [loss, grads] = valueAndGrad((critics: MlpParams<Tensor>) => {
    const logits = judge(critics, observations, actions, judging(config)); // [E, B, K]
    return sum(mean(crossEntropy(logits, target), 1));
  })(state.critics);
  const next = descendCritics(state, grads, inputs.progress, config);
  const targetCritics = polyak(next.critics, state.targetCritics, config.tau);
  const metrics = {
    "train/critic_loss": loss,
    "train/q_mean": mean(expectedValue(target, supportOf(config))),
    "train/edge_mass": edgeMass(target),
  };
  return [{ ...next, targetCritics }, metrics];
}

/** The successor's histogram as the critic has it that expects least, moved by the rewards, [B, K]. */
function targetHistograms(state: State, { batch, noise }: Inputs, config: FastTd3Config): Tensor {
  const { smoothingNoise, smoothingClip } = config;
  const { nextObservations } = batch;
  const shake = clipByValue(mul(noise.smoothing, smoothingNoise), -smoothingClip, smoothingClip);
  const intended = mlp(state.actor, nextObservations, acting(config));
  const nextActions = clipByValue(add(intended, shake), -1, 1);
  const logits = judge(state.targetCritics, nextObservations, nextActions, judging(config));
  return bellmanProjection(leastExpected(softmax(logits), config), batch, supportOf(config));
}

/** For each row the histogram of the lowest mean: [E, B, K] → [B, K]. */
function leastExpected(probs: Tensor, config: FastTd3Config): Tensor {
  const lowest = argMin(expectedValue(probs, supportOf(config)), 0); // [B]
  const chosen = transpose(cast(oneHot(lowest, config.numCritics) as Tensor, "float32")); // [E, B]
  return sum(mul(probs, expandDims(chosen, -1)), 0);
}

/** −mean min_e Q_e(s, π(s)). */
function updateActor(
  state: State,
  inputs: Inputs,
  config: FastTd3Config,
): readonly [State, Metrics] {
  const { observations } = inputs.batch;
  const [loss, grads] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const actions = mlp(actor, observations, acting(config));
    const logits = judge(state.critics, observations, actions, judging(config));
    const qs = expectedValue(softmax(logits), supportOf(config)); // [E, B]
    return neg(mean(min(qs, 0)));
  })(state.actor);
  return [descendActor(state, grads, inputs.progress, config), { "train/actor_loss": loss }];
}

function acting({ activation }: FastTd3Config): MlpApply {
  return { activation, finalActivation: "tanh" };
}

function judging({ activation }: FastTd3Config): MlpApply {
  return { activation };
}
