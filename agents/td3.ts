// Twin delayed deep deterministic policy gradient.
//
// Fujimoto, van Hoof and Meger 2018, arXiv:1802.09477; equation numbers refer to it. The actor and all
// targets move in every `actorPeriod`-th update. One critic, period 1 and no smoothing are DDPG
// (arXiv:1509.02971). Differs: learning rate 3e-4 (CleanRL's) where the paper has 1e-3.

import { z } from "zod";
import { valueAndGrad } from "../nn/gradient.ts";
import { initMlp, type MlpApply, type MlpParams, mlp } from "../nn/layers.ts";
import { type NoiseSpec, normal } from "../nn/noise.ts";
import { add, clipByValue, mean, mul, neg, type Tensor } from "../nn/ops.ts";
import { type AdamState, polyak } from "../nn/optimizers.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "./agent.ts";
import { descentSettings, initDescent } from "./descent.ts";
import { firstOf, initCritics, networkSettings, qValues, reduceHeads } from "./networks.ts";
import { offPolicySettings, withDefault } from "./offPolicy.ts";
import type { ActInputs, UpdateInputs } from "./rows.ts";
import { descendActor, regressCritics } from "./steps.ts";

/** How targets are smoothed; to be spread into an algorithm's strict object. */
export const smoothingSettings = {
  smoothingNoise: z.number().min(0).default(0.2).describe("std of the noise on target actions"),
  smoothingClip: z.number().min(0).default(0.5).describe("greatest noise on a target action"),
} as const;

// Defaults are the paper's; 5,000 random steps are SB3's order, the authors' code takes 25,000.
const settings = z.strictObject({
  ...offPolicySettings,
  ...descentSettings,
  ...networkSettings,
  actorPeriod: withDefault(offPolicySettings.actorPeriod, 2),
  explorationNoise: z.number().min(0).default(0.1).describe("std of the noise on actions"),
  ...smoothingSettings,
});

export type Td3Config = z.infer<typeof settings>;

export type Td3State<T> = {
  readonly actor: MlpParams<T>;
  readonly targetActor: MlpParams<T>;
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly actorOptimizer: AdamState<T>;
  readonly criticOptimizer: AdamState<T>;
};

export type Td3Noise<T> = { readonly smoothing: T }; // [B, A]

type State = Td3State<Tensor>;
type Inputs = UpdateInputs<Td3Noise<Tensor>>;

export const td3: OffPolicyAlgorithm<Td3Config, Td3State<NdArray>, Td3Noise<Tensor>> = {
  name: "td3",
  summary: "twin delayed DDPG: a deterministic actor, explored with noise",
  family: "offPolicy",
  settings,
  init,
  policyKeys: ["actor"],
  act,
  noise,
  update,
  explorationScale: ({ explorationNoise }) => [explorationNoise, explorationNoise],
};

function init(spec: EnvSpec, config: Td3Config, rng: Rng): Td3State<NdArray> {
  const { observationSize, actionSize } = spec;
  const critics = initCritics(rng.split("critics"), spec, config);
  const actor = initMlp(rng.split("actor"), {
    inputs: observationSize,
    hidden: config.actorHidden,
    outputs: actionSize,
  });
  return {
    actor,
    targetActor: actor,
    critics,
    targetCritics: critics,
    actorOptimizer: initDescent(actor, config),
    criticOptimizer: initDescent(critics, config),
  };
}

function act(
  { actor }: Pick<State, "actor">,
  { observations, noise }: ActInputs,
  config: Td3Config,
): Tensor {
  return clipByValue(add(mlp(actor, observations, acting(config)), noise), -1, 1);
}

function noise({ actionSize }: EnvSpec, { batchSize }: Td3Config): Td3Noise<NoiseSpec> {
  return { smoothing: normal([batchSize, actionSize]) };
}

function update(
  state: State,
  inputs: Inputs,
  config: Td3Config,
  _spec: EnvSpec,
  { trainActor }: UpdatePhase,
): readonly [State, Metrics] {
  const [withCritics, criticMetrics] = updateTd3Critics(state, inputs, config);
  if (!trainActor) return [withCritics, criticMetrics];
  const [next, actorMetrics] = updateActor(withCritics, inputs, config);
  return [withTargets(next, config.tau), { ...criticMetrics, ...actorMetrics }];
}

/** The state after its target networks followed. */
export function withTargets<S extends State>(state: S, tau: number): S {
  return {
    ...state,
    targetActor: polyak(state.actor, state.targetActor, tau),
    targetCritics: polyak(state.critics, state.targetCritics, tau),
  };
}

/** What the critics' step reads of the settings. */
type CriticConfig = Pick<
  Td3Config,
  "activation" | "smoothingNoise" | "smoothingClip" | keyof typeof descentSettings
>;

/** One step down Σ_e mean (Q_e − y)²; the targets stay. */
export function updateTd3Critics(
  state: State,
  inputs: Inputs,
  config: CriticConfig,
): readonly [State, Metrics] {
  const { observations, actions } = inputs.batch;
  const target = smoothTarget(state, inputs, config);
  const rows = { observations, actions, target, progress: inputs.progress };
  return regressCritics(state, rows, config);
}

/** Eq. 14 inside the clipped double target: r + γᵐ min Q̄(s', π̄(s') + clipped noise), [B]. */
function smoothTarget(state: State, { batch, noise }: Inputs, config: CriticConfig): Tensor {
  const { rewards, discounts, nextObservations } = batch;
  const { smoothingNoise, smoothingClip } = config;
  const shake = clipByValue(mul(noise.smoothing, smoothingNoise), -smoothingClip, smoothingClip);
  const intended = mlp(state.targetActor, nextObservations, acting(config));
  const nextActions = clipByValue(add(intended, shake), -1, 1);
  const nextQs = qValues(state.targetCritics, nextObservations, nextActions, judging(config));
  return add(rewards, mul(discounts, reduceHeads(nextQs, "min")));
}

/** −mean Q₀(s, π(s)): the first critic alone, as in the paper's algorithm 1. */
function updateActor(state: State, inputs: Inputs, config: Td3Config): readonly [State, Metrics] {
  const { observations } = inputs.batch;
  const first = firstOf(state.critics);
  const [loss, grads] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const actions = mlp(actor, observations, acting(config));
    return neg(mean(qValues(first, observations, actions, judging(config))));
  })(state.actor);
  return [descendActor(state, grads, inputs.progress, config), { "train/actor_loss": loss }];
}

function acting({ activation }: CriticConfig): MlpApply {
  return { activation, finalActivation: "tanh" };
}

function judging({ activation }: CriticConfig): MlpApply {
  return { activation };
}
