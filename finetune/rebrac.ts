// ReBRAC: TD3 that pays for leaving the data twice, in the actor's loss and in the critics' target.
//
// Tarasov et al. 2023, arXiv:2305.09836; defaults are CORL's for hopper-medium. Penalties are sums over the action's
// dimensions (TD3+BC's is a mean). Online the critics pay nothing and the actor's penalty falls to a half, linearly.
// Differs: the critics' layer norm is before the activation; rates and batch stay as they are online.

import { z } from "zod";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descentSettings } from "../agents/descent.ts";
import { networkSettings, qValues, reduceHeads } from "../agents/networks.ts";
import { withDefault } from "../agents/offPolicy.ts";
import type { UpdateInputs } from "../agents/rows.ts";
import { descendActor, regressCritics } from "../agents/steps.ts";
import { type Td3Noise, type Td3State, td3, withTargets } from "../agents/td3.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { type MlpParams, mlp } from "../nn/layers.ts";
import {
  abs,
  add,
  clipByValue,
  div,
  mean,
  mul,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import { offlineSettings, onlineTd3Settings } from "./offlineSettings.ts";

const settings = z.strictObject({
  ...offlineSettings,
  ...descentSettings,
  ...networkSettings,
  batchSize: withDefault(offlineSettings.batchSize, 1024),
  normalizer: withDefault(offlineSettings.normalizer, "none"),
  offlineShare: withDefault(offlineSettings.offlineShare, 0.5),
  actorPeriod: withDefault(offlineSettings.actorPeriod, 2),
  actorHidden: withDefault(networkSettings.actorHidden, [256, 256, 256]),
  criticHidden: withDefault(networkSettings.criticHidden, [256, 256, 256]),
  criticLayerNorm: withDefault(networkSettings.criticLayerNorm, true),
  actorLearningRate: withDefault(descentSettings.actorLearningRate, 1e-3),
  criticLearningRate: withDefault(descentSettings.criticLearningRate, 1e-3),
  actorPenalty: z.number().min(0).default(0.01).describe("β₁, cost of leaving the data's action"),
  criticPenalty: z
    .number()
    .min(0)
    .default(0.01)
    .describe("β₂, the same for the next action, in targets; 0 online"),
  finalPenaltyShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("what the actor's penalty falls to over the online part"),
  ...onlineTd3Settings,
});

export type RebracConfig = z.infer<typeof settings>;

type State = Td3State<Tensor>;
type Inputs = UpdateInputs<Td3Noise<Tensor>>;

export const rebrac: OffPolicyAlgorithm<RebracConfig, Td3State<NdArray>, Td3Noise<Tensor>> = {
  name: "rebrac",
  summary: "ReBRAC: TD3 that pays for leaving the data, in actor and critics",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: { columns: ["nextActions"] },
  init: td3.init,
  policyKeys: td3.policyKeys,
  act: td3.act,
  noise: td3.noise,
  update,
  explorationScale: ({ explorationNoise }) => [explorationNoise, explorationNoise],
};

function update(
  state: State,
  inputs: Inputs,
  config: RebracConfig,
  _spec: EnvSpec,
  { trainActor, stage }: UpdatePhase,
): readonly [State, Metrics] {
  const online = stage === "online";
  const [judged, criticMetrics] = updateCritics(state, inputs, config, online);
  if (!trainActor) return [judged, criticMetrics];
  const [next, actorMetrics] = updateActor(judged, inputs, config, online);
  return [withTargets(next, config.tau), { ...criticMetrics, ...actorMetrics }];
}

/** Σ_e mean (Q_e − y)², eq. 5. */
function updateCritics(
  state: State,
  { batch, noise, progress }: Inputs,
  config: RebracConfig,
  online: boolean,
): readonly [State, Metrics] {
  const { observations, actions, nextObservations } = batch;
  const { smoothingNoise, smoothingClip } = config;
  const shake = clipByValue(mul(noise.smoothing, smoothingNoise), -smoothingClip, smoothingClip);
  const intended = acted(state.targetActor, nextObservations, config);
  const nextActions = clipByValue(add(intended, shake), -1, 1);
  const nextQs = qValues(state.targetCritics, nextObservations, nextActions, judging(config));
  const penalty = online ? 0 : config.criticPenalty;
  const gap = sub(nextActions, batch.nextActions!);
  const target = penalizedTarget(batch, reduceHeads(nextQs, "min"), gap, penalty);
  return regressCritics(state, { observations, actions, target, progress }, config);
}

/** r + γᵐ (Q̄(s', a') − β₂ ‖a' − a'_data‖²), [B]. */
export function penalizedTarget(
  { rewards, discounts }: { readonly rewards: Tensor; readonly discounts: Tensor },
  nextValues: Tensor,
  gap: Tensor, // [B, A]
  penalty: number,
): Tensor {
  const cost = mul(sum(square(gap), -1), penalty);
  return add(rewards, mul(discounts, sub(nextValues, cost)));
}

/** mean (β₁ ‖π(s) − a‖² − λ min Q(s, π(s))), λ = 1 / mean |min Q| without a gradient, eq. 4. */
function updateActor(
  state: State,
  { batch, progress }: Inputs,
  config: RebracConfig,
  online: boolean,
): readonly [State, Metrics] {
  const { observations, actions } = batch;
  const fall = online ? mul(progress, 1 - config.finalPenaltyShare) : 0;
  const penalty = mul(sub(1, fall), config.actorPenalty);
  const [loss, grads, { copying }] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const chosen = acted(actor, observations, config);
    const q = reduceHeads(qValues(state.critics, observations, chosen, judging(config)), "min");
    const lambda = div(1, stopGradient(mean(abs(q))));
    const copying = mean(sum(square(sub(chosen, actions)), -1));
    return [sub(mul(penalty, copying), mul(lambda, mean(q))), { copying }] as const;
  })(state.actor);
  const metrics = { "train/actor_loss": loss, "train/copying_error": copying };
  return [descendActor(state, grads, progress, config), metrics];
}

function acted(actor: MlpParams<Tensor>, observations: Tensor, { activation }: RebracConfig) {
  return mlp(actor, observations, { activation, finalActivation: "tanh" });
}

const judging = ({ activation }: RebracConfig) => ({ activation });
