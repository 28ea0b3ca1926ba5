// Soft actor-critic with a wide ensemble, whose least judgement is pessimism enough for logged data: the steps
// that SAC-N, EDAC and RO2O share, and their settings.
//
// An et al. 2021, arXiv:2110.01548. The order is that of its code: temperature, actor, critics.

import { z } from "zod";
import type { EnvSpec, Metrics } from "../agents/agent.ts";
import { descentSettings, initDescent } from "../agents/descent.ts";
import { initCritics, networkSettings, qValues, reduceHeads } from "../agents/networks.ts";
import { withDefault } from "../agents/offPolicy.ts";
import type { ActInputs, Batch, UpdateInputs } from "../agents/rows.ts";
import type { SacState } from "../agents/sac.ts";
import {
  descendActor,
  type RegressionOptions,
  regressCritics,
  stepAlpha,
} from "../agents/steps.ts";
import type { Traced } from "../nn/compile.ts";
import {
  type Gaussian,
  gaussianOf,
  sampleGaussian,
  sampleTanhGaussian,
} from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { constant, uniform, uniformFanIn } from "../nn/initializers.ts";
import { type Activation, initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import { type NoiseSpec, normal } from "../nn/noise.ts";
import { add, exp, mean, mul, neg, sub, type Tensor, tanh } from "../nn/ops.ts";
import { polyak } from "../nn/optimizers.ts";
import { full, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { offlineSettings } from "./offlineSettings.ts";

export const ensembleSettings = {
  ...offlineSettings,
  ...descentSettings,
  ...networkSettings,
  actorHidden: withDefault(networkSettings.actorHidden, [256, 256, 256]),
  criticHidden: withDefault(networkSettings.criticHidden, [256, 256, 256]),
  numCritics: withDefault(networkSettings.numCritics, 10),
  alphaLearningRate: z.number().positive().max(1).default(3e-4).describe("alpha's step size"),
} as const;

export type EnsembleConfig = z.infer<z.ZodObject<typeof ensembleSettings>>;

export type EnsembleState<T> = SacState<T>;

/** Draws for the policy at this state and at the next. */
export type EnsembleNoise<T> = { readonly actions: T; readonly nextActions: T }; // [B, A] each

type State = EnsembleState<Tensor>;
type Inputs = UpdateInputs<EnsembleNoise<Tensor>>;

/** Hidden biases at 0.1 and a last layer near 0, as in the authors' code. */
export function initEnsemble(
  spec: EnvSpec,
  config: EnsembleConfig,
  rng: Rng,
): EnsembleState<NdArray> {
  const near = (bound: number) => ({ kernel: uniform(bound), bias: uniform(bound) });
  const init = { kernel: uniformFanIn, bias: constant(0.1) };
  const begin = { init, finalInit: near(3e-3) };
  const critics = initCritics(rng.split("critics"), spec, config, begin);
  const actor = initMlp(rng.split("actor"), {
    inputs: spec.observationSize,
    hidden: config.actorHidden,
    outputs: 2 * spec.actionSize,
    init,
    finalInit: near(1e-3),
  });
  const logAlpha = full([], 0);
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

export function ensembleAct(
  { actor }: Pick<Traced<EnsembleState<NdArray>>, "actor">,
  { observations, noise }: ActInputs,
  config: EnsembleConfig,
): Tensor {
  return tanh(sampleGaussian(ensemblePolicy(actor, observations, config), noise));
}

export function ensembleNoise(
  { actionSize }: EnvSpec,
  { batchSize }: EnsembleConfig,
): EnsembleNoise<NoiseSpec> {
  const rows = normal([batchSize, actionSize]);
  return { actions: rows, nextActions: rows };
}

/** The distribution of actions before the tanh. */
export function ensemblePolicy(
  actor: MlpParams<Tensor>,
  observations: Tensor,
  { activation }: { readonly activation: Activation },
): Gaussian {
  return gaussianOf(mlp(actor, observations, { activation }), { kind: "clip", low: -5, high: 2 });
}

/** −log α (log π − A), then mean (α log π(a|s) − min Q(s, a)) + `extra` with the new α. */
export function stepActor(
  state: State,
  { batch: { observations }, noise, progress }: Inputs,
  config: EnsembleConfig,
  extra: (actor: MlpParams<Tensor>) => Tensor | number = () => 0,
): readonly [State, Metrics] {
  const actionSize = noise.actions.shape[1]!;
  const before = ensemblePolicy(state.actor, observations, config);
  const excess = sub(mean(sampleTanhGaussian(before, noise.actions)[1]), actionSize);
  const [tuned] = stepAlpha(state, { excess, of: "logAlpha", progress }, config);
  const alpha = exp(tuned.logAlpha);
  const [loss, grads, { entropy }] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const gaussian = ensemblePolicy(actor, observations, config);
    const [actions, logProbs] = sampleTanhGaussian(gaussian, noise.actions);
    const value = reduceHeads(qValues(state.critics, observations, actions, config), "min");
    const loss = mean(sub(mul(alpha, logProbs), value));
    return [add(loss, extra(actor)), { entropy: neg(mean(logProbs)) }] as const;
  })(state.actor);
  const metrics = { "train/actor_loss": loss, "train/entropy": entropy, "train/ent_coef": alpha };
  return [descendActor(tuned, grads, progress, config), metrics];
}

/** Σ_e mean (Q_e − y)² + `extra`, y = r + γᵐ (min Q̄(s', a') − α log π); the targets follow. */
export function stepCritics(
  state: State,
  { batch, noise, progress }: Inputs,
  config: EnsembleConfig,
  extra?: RegressionOptions["extra"],
): readonly [State, Metrics] {
  const { observations, actions } = batch;
  const target = pessimisticTarget(state, batch, noise.nextActions, config);
  const rows = { observations, actions, target, progress };
  const [next, metrics] = regressCritics(state, rows, config, { extra });
  const targetCritics = polyak(next.critics, state.targetCritics, config.tau);
  return [{ ...next, targetCritics }, metrics];
}

function pessimisticTarget(
  state: State,
  { rewards, discounts, nextObservations }: Batch<Tensor>,
  noise: Tensor,
  config: EnsembleConfig,
): Tensor {
  const gaussian = ensemblePolicy(state.actor, nextObservations, config);
  const [nextActions, logProbs] = sampleTanhGaussian(gaussian, noise);
  const qs = qValues(state.targetCritics, nextObservations, nextActions, config);
  const soft = sub(reduceHeads(qs, "min"), mul(exp(state.logAlpha), logProbs));
  return add(rewards, mul(discounts, soft));
}
