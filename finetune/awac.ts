// AWAC: the actor copies the data's actions, those most that the critics find better than its own.
//
// Nair et al. 2020, arXiv:2006.09359. Defaults are those of CORL's locomotion (λ = 1/3), the order of its steps
// too: critics, then the actor by the critics as they are now, then the targets. The policy is a Gaussian that
// is clipped, not squashed: the log-density of the data's actions at the edges stays finite.

import { z } from "zod";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descentSettings, initDescent } from "../agents/descent.ts";
import { initCritics, networkSettings, qValues, reduceHeads } from "../agents/networks.ts";
import { withDefault } from "../agents/offPolicy.ts";
import type { ActInputs, UpdateInputs } from "../agents/rows.ts";
import { descendActor, regressCritics } from "../agents/steps.ts";
import type { Traced } from "../nn/compile.ts";
import { gaussianLogProb, sampleGaussian } from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import type { MlpParams } from "../nn/layers.ts";
import { type NoiseSpec, normal } from "../nn/noise.ts";
import { add, clipByValue, mean, mul, neg, sub, type Tensor } from "../nn/ops.ts";
import { type AdamState, polyak } from "../nn/optimizers.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import {
  type ClippedActor,
  clippedGaussian,
  copyingWeights,
  initClippedActor,
} from "./clippedActor.ts";
import { offlineSettings } from "./offlineSettings.ts";

const settings = z.strictObject({
  ...offlineSettings,
  ...descentSettings,
  ...networkSettings,
  actorHidden: withDefault(networkSettings.actorHidden, [256, 256, 256]),
  criticHidden: withDefault(networkSettings.criticHidden, [256, 256, 256]),
  advantageScale: z
    .number()
    .positive()
    .default(1 / 3)
    .describe("λ: the advantage that makes an action count e times"),
  greatestWeight: z.number().positive().default(100).describe("cap on what an action counts"),
});

export type AwacConfig = z.infer<typeof settings>;

export type AwacState<T> = {
  readonly actor: ClippedActor<T>;
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly actorOptimizer: AdamState<T>;
  readonly criticOptimizer: AdamState<T>;
};

/** Draws for the policy at this state and at the next. */
export type AwacNoise<T> = { readonly actions: T; readonly nextActions: T }; // [B, A] each

type State = AwacState<Tensor>;
type Inputs = UpdateInputs<AwacNoise<Tensor>>;

export const awac: OffPolicyAlgorithm<AwacConfig, AwacState<NdArray>, AwacNoise<Tensor>> = {
  name: "awac",
  summary: "advantage-weighted actor-critic: copies what its critics find good",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: {},
  init,
  policyKeys: ["actor"],
  act,
  noise: ({ actionSize }, { batchSize }): AwacNoise<NoiseSpec> => ({
    actions: normal([batchSize, actionSize]),
    nextActions: normal([batchSize, actionSize]),
  }),
  update,
};

function init(spec: EnvSpec, config: AwacConfig, rng: Rng): AwacState<NdArray> {
  const critics = initCritics(rng.split("critics"), spec, config);
  const actor = initClippedActor(rng.split("actor"), spec, config);
  return {
    actor,
    critics,
    targetCritics: critics,
    actorOptimizer: initDescent(actor, config),
    criticOptimizer: initDescent(critics, config),
  };
}

function act(
  { actor }: Pick<Traced<AwacState<NdArray>>, "actor">,
  { observations, noise }: ActInputs,
  config: AwacConfig,
): Tensor {
  return drawn(actor, observations, noise, config);
}

function update(
  state: State,
  inputs: Inputs,
  config: AwacConfig,
  _spec: EnvSpec,
  { trainActor }: UpdatePhase,
): readonly [State, Metrics] {
  const [withCritics, criticMetrics] = updateCritics(state, inputs, config);
  const [next, actorMetrics] = trainActor
    ? updateActor(withCritics, inputs, config)
    : [withCritics, {}];
  const targetCritics = polyak(next.critics, state.targetCritics, config.tau);
  return [
    { ...next, targetCritics },
    { ...criticMetrics, ...actorMetrics },
  ];
}

/** Σ_e mean (Q_e − y)², y = r + γᵐ min Q̄(s', a'), a' ~ π. */
function updateCritics(
  state: State,
  { batch, noise, progress }: Inputs,
  config: AwacConfig,
): readonly [State, Metrics] {
  const { observations, actions, rewards, discounts, nextObservations } = batch;
  const nextActions = drawn(state.actor, nextObservations, noise.nextActions, config);
  const nextQs = qValues(state.targetCritics, nextObservations, nextActions, config);
  const target = add(rewards, mul(discounts, reduceHeads(nextQs, "min")));
  return regressCritics(state, { observations, actions, target, progress }, config);
}

/** Eq. 13: −mean w log π(a|s), w = min(exp((Q(s, a) − Q(s, ã)) / λ), cap), ã ~ π. */
function updateActor(
  state: State,
  { batch, noise, progress }: Inputs,
  config: AwacConfig,
): readonly [State, Metrics] {
  const { observations, actions } = batch;
  const own = drawn(state.actor, observations, noise.actions, config);
  const worth = (chosen: Tensor) =>
    reduceHeads(qValues(state.critics, observations, chosen, config), "min");
  const advantages = sub(worth(actions), worth(own));
  const weights = copyingWeights(mul(advantages, 1 / config.advantageScale), config.greatestWeight);
  const [loss, grads] = valueAndGrad((actor: ClippedActor<Tensor>) =>
    neg(mean(mul(weights, gaussianLogProb(clippedGaussian(actor, observations, config), actions)))),
  )(state.actor);
  const metrics = { "train/actor_loss": loss, "train/weight_mean": mean(weights) };
  return [descendActor(state, grads, progress, config), metrics];
}

function drawn(
  actor: ClippedActor<Tensor>,
  observations: Tensor,
  noise: Tensor,
  config: AwacConfig,
): Tensor {
  return clipByValue(sampleGaussian(clippedGaussian(actor, observations, config), noise), -1, 1);
}
