// ResFiT: a small correction of a frozen base policy at every step, learned off-policy from sparse rewards.
//
// Ankile et al. 2025, arXiv:2509.19301. The base is a black box whose action a_b is observed; the executed
// action is a_b + a_r with a_r = scale · tanh f(s, a_b), zero at first. Twin delayed DDPG (td3.ts) with ten
// critics under layer norm, targets from two of them drawn anew for each update (REDQ), the actor on the mean
// of all, n-step returns, and batches half of demonstrations (RLPD), whose base actions were computed along
// them. Differs: networks and rates are for states and one CPU (the paper: 1024s, 1e-4 and 1e-6, from
// pixels); what is executed and stored is clipped as the task clips it; the critics' loss is the paper's,
// and the released code's, which couples the heads, is a setting.

import { z } from "zod";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descentSettings, initDescent } from "../agents/descent.ts";
import {
  initCritics,
  membersAt,
  networkSettings,
  qValues,
  reduceHeads,
} from "../agents/networks.ts";
import { offPolicySettings, withDefault } from "../agents/offPolicy.ts";
import type { ActInputs, UpdateInputs } from "../agents/rows.ts";
import { descendActor, regressCritics } from "../agents/steps.ts";
import type { Td3State } from "../agents/td3.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { zeros } from "../nn/initializers.ts";
import { initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import { type NoiseSpec, normal, subset } from "../nn/noise.ts";
import { abs, add, clipByValue, mean, mul, neg, square, sum, type Tensor } from "../nn/ops.ts";
import { polyak } from "../nn/optimizers.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import {
  type ActionNormalizer,
  actionNormalizer,
  aroundBase,
  corrected,
  normalized,
  partsOf,
  seenWith,
} from "./correction.ts";

const settings = z
  .strictObject({
    ...offPolicySettings,
    ...descentSettings,
    ...networkSettings,
    numStepReturns: withDefault(offPolicySettings.numStepReturns, 3),
    bufferSize: withDefault(offPolicySettings.bufferSize, 200_000),
    actorPeriod: withDefault(offPolicySettings.actorPeriod, 4),
    normalizer: withDefault(offPolicySettings.normalizer, "warmUp"),
    timeOuts: withDefault(offPolicySettings.timeOuts, "terminal"),
    criticWarmUp: withDefault(offPolicySettings.criticWarmUp, 1_000),
    actorLearningRate: withDefault(descentSettings.actorLearningRate, 1e-4),
    weightDecay: withDefault(descentSettings.weightDecay, 0.01),
    maxGradNorm: withDefault(descentSettings.maxGradNorm, 1),
    numCritics: withDefault(networkSettings.numCritics, 10),
    criticLayerNorm: withDefault(networkSettings.criticLayerNorm, true),
    actorLayerNorm: z.boolean().default(true).describe("layer norm in the actor"),
    numTargetCritics: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe("critics in a target, drawn anew"),
    residualScale: z
      .number()
      .positive()
      .max(2)
      .default(0.2)
      .describe("greatest correction, normalised; also how far demonstrations' range is widened"),
    warmUpNoise: z
      .number()
      .min(0)
      .max(2)
      .default(0.2)
      .describe("before learning starts: uniform corrections of the base up to this"),
    explorationNoise: z.number().min(0).default(0.05).describe("std of the noise on corrections"),
    smoothingNoise: z.number().min(0).default(0.05).describe("the same in a target"),
    smoothingClip: z.number().min(0).default(0.3).describe("greatest noise in a target"),
    criticLoss: z
      .enum(["mean", "coupled"])
      .default("mean")
      .describe("mean of squared errors (paper), or square of a row's mean error (its code)"),
    correctionCost: z
      .number()
      .min(0)
      .default(0)
      .describe("weight of the corrections' squares in the actor's loss"),
    targetRange: z
      .tuple([z.number(), z.number()])
      .nullable()
      .default(null)
      .describe(
        "what targets are clipped to, [0, 1] where success alone is rewarded; null: nothing",
      ),
  })
  .refine((config) => config.numTargetCritics <= config.numCritics, {
    path: ["numTargetCritics"],
    message: "a target can't use more critics than there are (numCritics)",
  });

export type ResidualConfig = z.infer<typeof settings>;

export type ResidualState<T> = Td3State<T> & {
  /** Never trained. */
  readonly actionNormalizer: ActionNormalizer<T>;
};

/** Draws for the smoothed target, and which critics judge it. */
export type ResidualNoise<T> = {
  readonly smoothing: T; // [B, A]
  readonly members: T; // [numTargetCritics]
};

type State = ResidualState<Tensor>;
type Inputs = UpdateInputs<ResidualNoise<Tensor>>;

export const residual: OffPolicyAlgorithm<
  ResidualConfig,
  ResidualState<NdArray>,
  ResidualNoise<Tensor>
> = {
  name: "residual",
  summary: "ResFiT: bounded corrections of a frozen base policy, off-policy from sparse rewards",
  family: "offPolicy",
  settings,
  needs: ["base"],
  observesBase: true,
  init,
  policyKeys: ["actor", "actionNormalizer"],
  act,
  noise,
  update,
  explorationScale: ({ explorationNoise }) => [explorationNoise, explorationNoise],
  warmUpActions: (observations, draws, spec, { warmUpNoise }) =>
    aroundBase(observations, draws, spec, warmUpNoise),
};

const almostOne = 1 - 1e-6;

function init(spec: EnvSpec, config: ResidualConfig, rng: Rng): ResidualState<NdArray> {
  const { observationSize, actionSize, actionRange } = spec;
  const judged = { ...spec, observationSize: observationSize - actionSize };
  const critics = initCritics(rng.split("critics"), judged, config);
  const actor = initMlp(rng.split("actor"), {
    inputs: observationSize, // the state and the base's action
    hidden: config.actorHidden,
    outputs: actionSize,
    layerNorm: config.actorLayerNorm,
    finalInit: { kernel: zeros, bias: zeros },
  });
  return {
    actor,
    targetActor: actor,
    critics,
    targetCritics: critics,
    actorOptimizer: initDescent(actor, config),
    criticOptimizer: initDescent(critics, config),
    actionNormalizer: actionNormalizer(actionSize, actionRange, config.residualScale),
  };
}

function act(
  { actor, actionNormalizer }: Pick<State, "actor" | "actionNormalizer">,
  { observations, noise }: ActInputs,
  config: ResidualConfig,
): Tensor {
  const seen = partsOf(observations, actionNormalizer);
  const shaken = add(corrections(actor, seen, config), noise);
  const bounded = clipByValue(shaken, -almostOne, almostOne);
  return corrected(seen.baseActions, bounded, actionNormalizer);
}

/** a_r = scale · tanh f(s, a_b), [B, A]. */
export function corrections(
  actor: MlpParams<Tensor>,
  seen: ReturnType<typeof partsOf>,
  { activation, residualScale }: Pick<ResidualConfig, "activation" | "residualScale">,
): Tensor {
  const apply = { activation, finalActivation: "tanh" } as const;
  return mul(mlp(actor, seenWith(seen), apply), residualScale);
}

function noise({ actionSize }: EnvSpec, config: ResidualConfig): ResidualNoise<NoiseSpec> {
  const { batchSize, numCritics, numTargetCritics } = config;
  return {
    smoothing: normal([batchSize, actionSize]),
    members: subset([numTargetCritics], numCritics),
  };
}

function update(
  state: State,
  inputs: Inputs,
  config: ResidualConfig,
  _spec: EnvSpec,
  { trainActor }: UpdatePhase,
): readonly [State, Metrics] {
  const [withCritics, criticMetrics] = updateCritics(state, inputs, config);
  if (!trainActor) return [withCritics, criticMetrics];
  const [next, actorMetrics] = updateActor(withCritics, inputs, config);
  const targetActor = polyak(next.actor, next.targetActor, config.tau);
  return [
    { ...next, targetActor },
    { ...criticMetrics, ...actorMetrics },
  ];
}

function updateCritics(
  state: State,
  inputs: Inputs,
  config: ResidualConfig,
): readonly [State, Metrics] {
  const { states } = partsOf(inputs.batch.observations, state.actionNormalizer);
  const actions = normalized(inputs.batch.actions, state.actionNormalizer);
  const target = smoothTarget(state, inputs, config);
  const rows = { observations: states, actions, target, progress: inputs.progress };
  const lossOf = (errors: Tensor) => criticLoss(errors, config.criticLoss);
  const [next, metrics] = regressCritics(state, rows, config, { lossOf });
  const targetCritics = polyak(next.critics, state.targetCritics, config.tau);
  return [{ ...next, targetCritics }, metrics];
}

/** Of errors [E, B]: their mean square, or the mean of the squared mean of a row's magnitudes. */
export function criticLoss(errors: Tensor, kind: ResidualConfig["criticLoss"]): Tensor {
  return kind === "mean" ? mean(square(errors)) : mean(square(mean(abs(errors), 0)));
}

/** R + γᵐ min over the drawn heads of Q̄(s', a_b' + smoothed correction), [B]. */
function smoothTarget(state: State, { batch, noise }: Inputs, config: ResidualConfig): Tensor {
  const { smoothingNoise, smoothingClip, targetRange } = config;
  const { actionNormalizer } = state;
  const seen = partsOf(batch.nextObservations, actionNormalizer);
  const shake = clipByValue(mul(noise.smoothing, smoothingNoise), -smoothingClip, smoothingClip);
  const shaken = add(corrections(state.targetActor, seen, config), shake);
  const executed = corrected(seen.baseActions, shaken, actionNormalizer);
  const nextActions = normalized(executed, actionNormalizer);
  const judges = membersAt(state.targetCritics, noise.members);
  const nextQs = qValues(judges, seen.states, nextActions, config);
  const target = add(batch.rewards, mul(batch.discounts, reduceHeads(nextQs, "min")));
  return targetRange === null ? target : clipByValue(target, ...targetRange);
}

/** −mean over rows and all heads of Q(s, a_b + a_r), and what corrections cost. */
function updateActor(
  state: State,
  inputs: Inputs,
  config: ResidualConfig,
): readonly [State, Metrics] {
  const { actionNormalizer, critics } = state;
  const seen = partsOf(inputs.batch.observations, actionNormalizer);
  const [loss, grads, { size }] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const intended = corrections(actor, seen, config);
    const executed = corrected(seen.baseActions, intended, actionNormalizer);
    const qs = qValues(critics, seen.states, normalized(executed, actionNormalizer), config);
    const cost = mul(mean(sum(square(intended), -1)), config.correctionCost);
    return [add(neg(mean(qs)), cost), { size: mean(abs(intended)) }] as const;
  })(state.actor);
  const metrics = { "train/actor_loss": loss, "train/correction_size": size };
  return [descendActor(state, grads, inputs.progress, config), metrics];
}
