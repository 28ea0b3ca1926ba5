// FastSAC: soft actor-critic for many environments, with categorical critics and mirror images.
//
// Seo et al. 2025, arXiv:2512.01996. Each critic learns the projected histogram of its own target, the
// actor climbs the mean of the critics, and the entropy's worth is taken off the reward before the
// projection. Layer norm and SiLU in every hidden layer, the actor's head begins at zero.
// Differs: sizes. The paper trains on a GPU with thousands of envs, batches of 8192, actor
// 512-256-128, critics 768-384-192, tau 0.125 and 8 updates for each step of all envs, 2 with the
// actor; and each action is [−1, 1] here, where the paper's bounds are the joints'.

import { z } from "zod";
import {
  crossEntropy,
  expectedValue,
  gaussianOf,
  sampleGaussian,
  sampleTanhGaussian,
} from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { zeros as zerosInit } from "../nn/initializers.ts";
import { initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import { type NoiseSpec, normal } from "../nn/noise.ts";
import { exp, mean, mul, neg, softmax, sub, sum, type Tensor, tanh } from "../nn/ops.ts";
import { type AdamState, polyak } from "../nn/optimizers.ts";
import { full, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "./agent.ts";
import { bellmanProjection, categoricalSettings, edgeMass, supportOf } from "./categorical.ts";
import { descentSettings, initDescent } from "./descent.ts";
import { withMirrorImages } from "./mirror.ts";
import { judge, networkSettings } from "./networks.ts";
import { offPolicySettings, withDefault } from "./offPolicy.ts";
import type { ActInputs, UpdateInputs } from "./rows.ts";
import { descendActor, descendCritics, updateAlpha } from "./steps.ts";

// In brackets the paper's, for locomotion. Ours suit one CPU: tau goes with the batch's size.
const settings = z
  .strictObject({
    ...offPolicySettings,
    ...descentSettings,
    ...networkSettings,
    ...categoricalSettings,
    discount: withDefault(offPolicySettings.discount, 0.97), // [0.97]
    batchSize: withDefault(offPolicySettings.batchSize, 512), // [8192]
    learningStarts: withDefault(offPolicySettings.learningStarts, 4_000), // [10 steps of all envs]
    utdRatio: withDefault(offPolicySettings.utdRatio, 1 / 16), // [8 over the number of envs]
    actorPeriod: withDefault(offPolicySettings.actorPeriod, 4), // [4]
    normalizer: withDefault(offPolicySettings.normalizer, "running"), // [running]
    adamBeta2: withDefault(descentSettings.adamBeta2, 0.95), // [0.95]
    weightDecay: withDefault(descentSettings.weightDecay, 1e-3), // [1e-3]
    actorHidden: withDefault(networkSettings.actorHidden, [128, 128]), // [512, 256, 128]
    criticHidden: withDefault(networkSettings.criticHidden, [256, 128]), // [768, 384, 192]
    activation: withDefault(networkSettings.activation, "silu"), // [silu]
    criticLayerNorm: withDefault(networkSettings.criticLayerNorm, true), // [yes]
    tau: withDefault(networkSettings.tau, 0.02), // [0.125]
    actorLayerNorm: z.boolean().default(true).describe("layer norm in the actor"),
    initialAlpha: z
      .number()
      .positive()
      .default(1e-3)
      .describe("worth of a nat of entropy at first"),
    learnAlpha: z.boolean().default(true).describe("tune alpha towards the target entropy"),
    alphaLearningRate: z.number().positive().max(1).default(3e-4).describe("alpha's step size"),
    targetEntropyScale: z
      .number()
      .default(0) // [0; 0.5 for motion tracking]
      .describe("the target entropy is minus this for each action dimension, in nats"),
    logStdLow: z.number().default(-5).describe("least log standard deviation"),
    logStdHigh: z.number().default(0).describe("greatest log standard deviation"),
    mirrorImages: z
      .boolean()
      .default(true)
      .describe("learn from the mirror image of each row too, where the robot has one"),
  })
  .refine((config) => config.valueLow < config.valueHigh, {
    path: ["valueHigh"],
    message: "must exceed valueLow",
  });

export type FastSacConfig = z.infer<typeof settings>;

export type FastSacState<T> = {
  readonly actor: MlpParams<T>;
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly logAlpha: T;
  readonly actorOptimizer: AdamState<T>;
  readonly criticOptimizer: AdamState<T>;
  readonly alphaOptimizer: AdamState<T>;
};

/** Draws for the policy at this state and the next, also for the mirror images, [B or 2B, A]. */
export type FastSacNoise<T> = { readonly actions: T; readonly nextActions: T };

type State = FastSacState<Tensor>;
type Inputs = UpdateInputs<FastSacNoise<Tensor>>;

export const fastSac: OffPolicyAlgorithm<
  FastSacConfig,
  FastSacState<NdArray>,
  FastSacNoise<Tensor>
> = {
  name: "fastSac",
  summary: "soft actor-critic for many environments: categorical critics, mirror images",
  family: "offPolicy",
  settings,
  init,
  policyKeys: ["actor"],
  act,
  noise,
  update,
};

function init(spec: EnvSpec, config: FastSacConfig, rng: Rng): FastSacState<NdArray> {
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
    outputs: 2 * actionSize,
    layerNorm: config.actorLayerNorm,
    finalInit: { kernel: zerosInit, bias: zerosInit },
  });
  const logAlpha = full([], Math.log(config.initialAlpha));
  return {
    actor,
    critics,
    targetCritics: critics,
    logAlpha,
    actorOptimizer: initDescent(actor, config),
    criticOptimizer: initDescent(critics, config),
    alphaOptimizer: initDescent(logAlpha, config),
  };
}

function act(
  { actor }: Pick<State, "actor">,
  { observations, noise }: ActInputs,
  config: FastSacConfig,
): Tensor {
  return tanh(sampleGaussian(policy(actor, observations, config), noise));
}

function noise(spec: EnvSpec, config: FastSacConfig): FastSacNoise<NoiseSpec> {
  const images = mirrorOf(spec, config) === undefined ? 1 : 2;
  const draws = normal([images * config.batchSize, spec.actionSize]);
  return { actions: draws, nextActions: draws };
}

function update(
  state: State,
  given: Inputs,
  config: FastSacConfig,
  spec: EnvSpec,
  { trainActor }: UpdatePhase,
): readonly [State, Metrics] {
  const mirror = mirrorOf(spec, config);
  const batch = mirror === undefined ? given.batch : withMirrorImages(given.batch, mirror);
  const inputs = { ...given, batch };
  const [withCritics, criticMetrics] = updateCritics(state, inputs, config);
  if (!trainActor) return [withCritics, criticMetrics];
  const [withActor, logProbs, actorMetrics] = updateActor(withCritics, inputs, config);
  const targetEntropy = -config.targetEntropyScale * spec.actionSize;
  const [next, alphaMetrics] = updateAlpha(
    withActor,
    logProbs,
    targetEntropy,
    inputs.progress,
    config,
  );
  return [next, { ...criticMetrics, ...actorMetrics, ...alphaMetrics }];
}

/** Cross-entropy of each critic to its own projected target, summed; the targets follow. */
function updateCritics(
  state: State,
  inputs: Inputs,
  config: FastSacConfig,
): readonly [State, Metrics] {
  const { observations, actions } = inputs.batch;
  const targets = targetHistograms(state, inputs, config); // [E, B, K]
  const [loss, grads] = valueAndGrad((critics: MlpParams<Tensor>) => {
    const logits = judge(critics, observations, actions, config); // [E, B, K]
    return sum(mean(crossEntropy(logits, targets), 1));
  })(state.critics);
  const next = descendCritics(state, grads, inputs.progress, config);
  const targetCritics = polyak(next.critics, state.targetCritics, config.tau);
  const metrics = {
    "train/critic_loss": loss,
    "train/q_mean": mean(expectedValue(targets, supportOf(config))),
    "train/edge_mass": edgeMass(targets),
  };
  return [{ ...next, targetCritics }, metrics];
}

/** Histograms of r − γᵐ α log π(a'|s') + γᵐ z, one for each critic, [E, B, K]. */
function targetHistograms(state: State, { batch, noise }: Inputs, config: FastSacConfig): Tensor {
  const { rewards, discounts, nextObservations } = batch;
  const gaussian = policy(state.actor, nextObservations, config);
  const [nextActions, nextLogProbs] = sampleTanhGaussian(gaussian, noise.nextActions);
  const probs = softmax(judge(state.targetCritics, nextObservations, nextActions, config));
  const entropyCost = mul(mul(discounts, exp(state.logAlpha)), nextLogProbs);
  const softRewards = { rewards: sub(rewards, entropyCost), discounts };
  return bellmanProjection(probs, softRewards, supportOf(config));
}

/** mean (α log π(a|s) − mean_e Q_e(s, a)), a drawn with the gradient through it. */
function updateActor(
  state: State,
  { batch: { observations }, noise, progress }: Inputs,
  config: FastSacConfig,
): readonly [State, logProbs: Tensor, Metrics] {
  const alpha = exp(state.logAlpha);
  const [loss, grads, { logProbs }] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const gaussian = policy(actor, observations, config);
    const [actions, logProbs] = sampleTanhGaussian(gaussian, noise.actions);
    const probs = softmax(judge(state.critics, observations, actions, config)); // [E, B, K]
    const values = mean(expectedValue(probs, supportOf(config)), 0); // [B]
    return [mean(sub(mul(alpha, logProbs), values)), { logProbs }] as const;
  })(state.actor);
  const metrics = { "train/actor_loss": loss, "train/entropy": neg(mean(logProbs)) };
  return [descendActor(state, grads, progress, config), logProbs, metrics];
}

/** The distribution of actions before the tanh. */
function policy(actor: MlpParams<Tensor>, observations: Tensor, config: FastSacConfig) {
  const { activation, logStdLow, logStdHigh } = config;
  const outputs = mlp(actor, observations, { activation });
  return gaussianOf(outputs, { kind: "tanh", low: logStdLow, high: logStdHigh });
}

/** The mirror to learn from, if any. */
function mirrorOf({ mirror }: EnvSpec, { mirrorImages }: FastSacConfig): EnvSpec["mirror"] {
  return mirrorImages ? mirror : undefined;
}
