// Soft actor-critic with automatic temperature, and the family that its settings span.
//
// Haarnoja et al. 2018, arXiv:1812.05905v2; equation numbers refer to it. By settings also REDQ
// (arXiv:2101.05982: ten critics, the target from a random pair, the actor on their mean), DroQ
// (arXiv:2110.02034: dropout and layer norm in the critics) and RLPD's critics (arXiv:2302.02948).
// Differs: the log-density is exact in the tails; all learning rates may fall over the run; robots with a
// left and a right may learn from mirror images.

import { z } from "zod";
import type { Traced } from "../nn/compile.ts";
import {
  gaussianOf,
  type LogStdBound,
  sampleGaussian,
  sampleTanhGaussian,
} from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { scaled, uniformFanIn } from "../nn/initializers.ts";
import { dropoutMasks, initMlp, type MlpApply, type MlpParams, mlp } from "../nn/layers.ts";
import { type NoiseSpec, normal, subset } from "../nn/noise.ts";
import { add, exp, mean, mul, neg, sub, type Tensor, tanh } from "../nn/ops.ts";
import { type AdamState, polyak } from "../nn/optimizers.ts";
import { full, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "./agent.ts";
import { descentSettings, initDescent } from "./descent.ts";
import { halfMirrored } from "./mirror.ts";
import {
  initCritics,
  membersAt,
  networkSettings,
  numMembers,
  qValues,
  reduceHeads,
} from "./networks.ts";
import { offPolicySettings } from "./offPolicy.ts";
import type { ActInputs, UpdateInputs } from "./rows.ts";
import { descendActor, regressCritics, updateAlpha } from "./steps.ts";

const reduction = z.enum(["min", "mean"]);

/**
 * Defaults are the paper's (table 1), which Stable-Baselines3 shares, but for the log-std bound and 5,000
 * random steps, which are CleanRL's.
 */
export const sacSettings = z
  .strictObject({
    ...offPolicySettings,
    ...descentSettings,
    ...networkSettings,
    actorHeadScale: z
      .number()
      .positive()
      .default(1)
      .describe("factor on the actor's last layer at the start; 0.01 starts near the middle"),
    numTargetCritics: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe("critics in a target, drawn anew for each update where there are more"),
    targetReduction: reduction.default("min").describe("of the critics, in the target"),
    actorReduction: reduction.default("min").describe("of the critics, for the actor; REDQ: mean"),
    criticDropout: z.number().min(0).lt(1).default(0).describe("rate in the critics; DroQ: 0.01"),
    initialAlpha: z.number().positive().default(1).describe("worth of a nat of entropy at first"),
    learnAlpha: z.boolean().default(true).describe("tune alpha towards the target entropy"),
    alphaLearningRate: z.number().positive().max(1).default(3e-4).describe("alpha's step size"),
    alphaLoss: z
      .enum(["alpha", "logAlpha"])
      .default("alpha")
      .describe("what the entropy's error multiplies: alpha (paper, CleanRL) or its log (SB3)"),
    targetEntropyScale: z
      .number()
      .default(1)
      .describe("the target entropy is minus this for each action dimension, in nats"),
    backupEntropy: z.boolean().default(true).describe("count the entropy in the critics' target"),
    logStdBound: z
      .enum(["tanh", "clip"])
      .default("tanh")
      .describe("how the log standard deviation is kept in its range"),
    logStdLow: z.number().default(-5).describe("least log standard deviation"),
    logStdHigh: z.number().default(2).describe("greatest log standard deviation"),
    mirrorImages: z
      .boolean()
      .default(false)
      .describe("see half of each batch as in a mirror, where the robot has a left and a right"),
  })
  .refine((config) => config.numTargetCritics <= config.numCritics, {
    path: ["numTargetCritics"],
    message: "a target can't use more critics than there are (numCritics)",
  });

export type SacConfig = z.infer<typeof sacSettings>;

export type SacState<T> = {
  readonly actor: MlpParams<T>;
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly logAlpha: T;
  readonly actorOptimizer: AdamState<T>;
  readonly criticOptimizer: AdamState<T>;
  readonly alphaOptimizer: AdamState<T>;
};

type Masks<T> = { readonly [layer: `layer${number}`]: T };

/** Draws for the policy at this state and the next, for REDQ's choice, and dropout of three passes. */
export type SacNoise<T> = {
  readonly actions: T; // [B, A]
  readonly nextActions: T; // [B, A]
  readonly members: T; // [numTargetCritics]
  readonly masks: {
    readonly critics: Masks<T>;
    readonly targets: Masks<T>;
    readonly actor: Masks<T>;
  };
};

type State = SacState<Tensor>;
type Inputs = UpdateInputs<SacNoise<Tensor>>;

export const sac: OffPolicyAlgorithm<SacConfig, SacState<NdArray>, SacNoise<Tensor>> = {
  name: "sac",
  summary: "soft actor-critic; by settings also REDQ, DroQ and RLPD's critics",
  family: "offPolicy",
  settings: sacSettings,
  init,
  policyKeys: ["actor"],
  act,
  noise,
  update,
};

function init(spec: EnvSpec, config: SacConfig, rng: Rng): SacState<NdArray> {
  const { observationSize, actionSize } = spec;
  const critics = initCritics(rng.split("critics"), spec, config);
  const head = scaled(uniformFanIn, config.actorHeadScale);
  const actor = initMlp(rng.split("actor"), {
    inputs: observationSize,
    hidden: config.actorHidden,
    outputs: 2 * actionSize,
    finalInit: { kernel: head, bias: head },
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
  { actor }: Pick<Traced<SacState<NdArray>>, "actor">,
  { observations, noise }: ActInputs,
  config: SacConfig,
): Tensor {
  return tanh(sampleGaussian(policy(actor, observations, config), noise));
}

function noise({ actionSize }: EnvSpec, config: SacConfig): SacNoise<NoiseSpec> {
  const { batchSize, numCritics, numTargetCritics, criticDropout } = config;
  const hidden = criticDropout === 0 ? [] : config.criticHidden;
  const masks = (ensemble: number) =>
    dropoutMasks({ hidden, ensemble }, batchSize, 1 - criticDropout);
  return {
    actions: normal([batchSize, actionSize]),
    nextActions: normal([batchSize, actionSize]),
    members: subset([numTargetCritics], numCritics),
    masks: {
      critics: masks(numCritics),
      targets: masks(numTargetCritics),
      actor: masks(numCritics),
    },
  };
}

function update(
  state: State,
  given: Inputs,
  config: SacConfig,
  { actionSize, mirror }: EnvSpec,
  phase: UpdatePhase,
): readonly [State, Metrics] {
  const images = config.mirrorImages ? mirror : undefined;
  const inputs = images ? { ...given, batch: halfMirrored(given.batch, images) } : given;
  const [withCritics, criticMetrics] = updateCritics(state, inputs, config);
  if (!phase.trainActor) return [withCritics, criticMetrics];
  const [withActor, logProbs, actorMetrics] = updateActor(withCritics, inputs, config);
  const targetEntropy = -config.targetEntropyScale * actionSize;
  const [next, alphaMetrics] = updateAlpha(
    withActor,
    logProbs,
    targetEntropy,
    inputs.progress,
    config,
  );
  return [next, { ...criticMetrics, ...actorMetrics, ...alphaMetrics }];
}

/** Eq. 5 and 6: Σ_e mean (Q_e − y)², and the targets follow. */
function updateCritics(state: State, inputs: Inputs, config: SacConfig): readonly [State, Metrics] {
  const { observations, actions } = inputs.batch;
  const target = softTarget(state, inputs, config);
  const apply = judging(inputs.noise.masks.critics, config);
  const rows = { observations, actions, target, progress: inputs.progress };
  const [next, metrics] = regressCritics(state, rows, config, { apply });
  const targetCritics = polyak(next.critics, state.targetCritics, config.tau);
  return [{ ...next, targetCritics }, metrics];
}

/** Eq. 3 inside eq. 5: r + γᵐ (Q̄(s', a') − α log π(a'|s')), [B]. */
function softTarget(state: State, { batch, noise }: Inputs, config: SacConfig): Tensor {
  const { rewards, discounts, nextObservations } = batch;
  const gaussian = policy(state.actor, nextObservations, config);
  const [nextActions, nextLogProbs] = sampleTanhGaussian(gaussian, noise.nextActions);
  const judges =
    numMembers(state.targetCritics) > config.numTargetCritics
      ? membersAt(state.targetCritics, noise.members)
      : state.targetCritics;
  const apply = judging(noise.masks.targets, config);
  const nextQs = qValues(judges, nextObservations, nextActions, apply);
  const nextValues = reduceHeads(nextQs, config.targetReduction);
  const entropyBonus = mul(exp(state.logAlpha), nextLogProbs);
  const soft = config.backupEntropy ? sub(nextValues, entropyBonus) : nextValues;
  return add(rewards, mul(discounts, soft));
}

/** Eq. 9: mean (α log π(a|s) − Q(s, a)), a drawn with the gradient through it. */
function updateActor(
  state: State,
  { batch: { observations }, noise, progress }: Inputs,
  config: SacConfig,
): readonly [State, logProbs: Tensor, Metrics] {
  const alpha = exp(state.logAlpha);
  const [loss, grads, { logProbs }] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const gaussian = policy(actor, observations, config);
    const [actions, logProbs] = sampleTanhGaussian(gaussian, noise.actions);
    const apply = judging(noise.masks.actor, config);
    const qs = qValues(state.critics, observations, actions, apply); // [E, B]
    const values = reduceHeads(qs, config.actorReduction);
    return [mean(sub(mul(alpha, logProbs), values)), { logProbs }] as const;
  })(state.actor);
  const metrics = { "train/actor_loss": loss, "train/entropy": neg(mean(logProbs)) };
  return [descendActor(state, grads, progress, config), logProbs, metrics];
}

/** The distribution of actions before the tanh. */
function policy(actor: MlpParams<Tensor>, observations: Tensor, config: SacConfig) {
  const bound: LogStdBound = {
    kind: config.logStdBound,
    low: config.logStdLow,
    high: config.logStdHigh,
  };
  return gaussianOf(mlp(actor, observations, { activation: config.activation }), bound);
}

/** How critics are applied; dropout is active in every pass, the target's too. */
function judging(masks: Masks<Tensor>, { activation, criticDropout }: SacConfig): MlpApply {
  if (criticDropout === 0) return { activation };
  return { activation, dropout: { masks, keep: 1 - criticDropout } };
}
