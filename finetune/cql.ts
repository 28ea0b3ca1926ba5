// Conservative Q-learning: soft actor-critic whose critics are pushed down on actions that the data lacks.
//
// Kumar et al. 2020, arXiv:2006.04779. Defaults and order follow CORL's locomotion: all steps start from the
// parameters as they were before the update, and the target has no entropy. Its warm start by cloning is left
// out: it clones fresh samples, not the data. calql.ts lifts the push off actions that the data's own returns
// vouch for.

import { z } from "zod";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descend, descentSettings, initDescent } from "../agents/descent.ts";
import { initCritics, networkSettings, qValues, reduceHeads } from "../agents/networks.ts";
import { withDefault } from "../agents/offPolicy.ts";
import type { ActInputs, UpdateInputs } from "../agents/rows.ts";
import { descendActor, descendCritics, stepAlpha, summedSquares } from "../agents/steps.ts";
import type { Traced } from "../nn/compile.ts";
import { sampleGaussian, sampleTanhGaussian } from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import type { MlpParams } from "../nn/layers.ts";
import { type NoiseSpec, normal, uniform } from "../nn/noise.ts";
import {
  add,
  clipByValue,
  exp,
  max,
  mean,
  mul,
  neg,
  sub,
  sum,
  type Tensor,
  tanh,
} from "../nn/ops.ts";
import { type AdamState, polyak } from "../nn/optimizers.ts";
import { full, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { asRows, byProposal, gapJudge, repeatedRows } from "./conservative.ts";
import { offlineSettings } from "./offlineSettings.ts";
import {
  initSquashedActor,
  type SquashedActor,
  smallHead,
  squashedGaussian,
} from "./squashedActor.ts";

export const cqlSettings = {
  ...offlineSettings,
  ...descentSettings,
  ...networkSettings,
  actorHidden: withDefault(networkSettings.actorHidden, [256, 256, 256]),
  criticHidden: withDefault(networkSettings.criticHidden, [256, 256, 256]),
  actorLearningRate: withDefault(descentSettings.actorLearningRate, 3e-5),
  conservatism: z
    .number()
    .min(0)
    .default(10)
    .describe("weight of the push down on actions that the data lacks"),
  conservatismOnline: z
    .number()
    .min(0)
    .nullable()
    .default(null)
    .describe("the same once the run takes steps of its own; null: as before"),
  numProposals: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe("actions of each kind that are pushed down: uniform, of this state, of the next"),
  softness: z.number().positive().default(1).describe("temperature of the push's maximum"),
  valueGap: z
    .number()
    .nullable()
    .default(null)
    .describe("push only as far as this beyond the data's actions, by a multiplier; null: always"),
  leastGap: z.number().nullable().default(null).describe("the push counts no less; null: any"),
  greatestOfNext: z
    .boolean()
    .default(false)
    .describe("the target takes the best of numProposals next actions, not one"),
  initialAlpha: z.number().positive().default(1).describe("worth of a nat of entropy at first"),
  alphaLearningRate: z.number().positive().max(1).default(3e-5).describe("alpha's step size"),
} as const;

const settings = z.strictObject(cqlSettings);

export type CqlConfig = z.infer<typeof settings>;

export type CqlState<T> = {
  readonly actor: SquashedActor<T>;
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly logAlpha: T;
  /** Log of the push's multiplier, of use where there is a `valueGap`. */
  readonly logMultiplier: T;
  readonly actorOptimizer: AdamState<T>;
  readonly criticOptimizer: AdamState<T>;
  readonly alphaOptimizer: AdamState<T>;
  readonly multiplierOptimizer: AdamState<T>;
};

/** Draws for the policy at this state, the target's action(s), and the proposals of three kinds. */
export type CqlNoise<T> = {
  readonly actions: T; // [B, A]
  readonly nextActions: T; // [n or 1, B, A]
  readonly uniform: T; // [n, B, A], in [−1, 1]
  readonly proposals: T; // [n, B, A]
  readonly nextProposals: T; // [n, B, A]
};

type State = CqlState<Tensor>;
type Inputs = UpdateInputs<CqlNoise<Tensor>>;

export const cql: OffPolicyAlgorithm<CqlConfig, CqlState<NdArray>, CqlNoise<Tensor>> = {
  name: "cql",
  summary: "conservative Q-learning: pushes down what the data does not show",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: {},
  init: initCql,
  policyKeys: ["actor"],
  act: actCql,
  noise: cqlNoise,
  update: (state, inputs, config, spec, phase) => updateCql(state, inputs, config, spec, phase),
};

export function initCql(spec: EnvSpec, config: CqlConfig, rng: Rng): CqlState<NdArray> {
  const begin = { finalInit: smallHead };
  const critics = initCritics(rng.split("critics"), spec, config, begin);
  const actor = initSquashedActor(rng.split("actor"), spec, config);
  const logAlpha = full([], Math.log(config.initialAlpha));
  const logMultiplier = full([], 1);
  return {
    actor,
    critics,
    targetCritics: critics,
    logAlpha,
    logMultiplier,
    actorOptimizer: initDescent(actor, config),
    criticOptimizer: initDescent(critics, config),
    alphaOptimizer: initDescent(logAlpha, config),
    multiplierOptimizer: initDescent(logMultiplier, config),
  };
}

export function actCql(
  { actor }: Pick<Traced<CqlState<NdArray>>, "actor">,
  { observations, noise }: ActInputs,
  config: CqlConfig,
): Tensor {
  return tanh(sampleGaussian(squashedGaussian(actor, observations, config), noise));
}

export function cqlNoise({ actionSize }: EnvSpec, config: CqlConfig): CqlNoise<NoiseSpec> {
  const { batchSize, numProposals, greatestOfNext } = config;
  const many = [numProposals, batchSize, actionSize];
  return {
    actions: normal([batchSize, actionSize]),
    nextActions: normal([greatestOfNext ? numProposals : 1, batchSize, actionSize]),
    uniform: uniform(many, -1, 1),
    proposals: normal(many),
    nextProposals: normal(many),
  };
}

/** `floor` [B] is the least that the policy's actions are pushed down to: Cal-QL. */
export function updateCql(
  state: State,
  inputs: Inputs,
  config: CqlConfig,
  { actionSize }: EnvSpec,
  { trainActor, stage }: UpdatePhase,
  floor?: Tensor,
): readonly [State, Metrics] {
  const weight =
    stage === "online" ? (config.conservatismOnline ?? config.conservatism) : config.conservatism;
  const [judged, criticMetrics] = updateCritics(state, inputs, config, { weight, floor });
  if (!trainActor) return [judged, criticMetrics];
  const [acted, actorMetrics] = updateActor(state, inputs, config, -actionSize);
  return [
    { ...judged, ...acted },
    { ...criticMetrics, ...actorMetrics },
  ];
}

/** Σ_e mean (Q_e − y)² + α_c (log Σ exp Q_e − Q_e(s, a)), eq. 4. */
function updateCritics(
  state: State,
  inputs: Inputs,
  config: CqlConfig,
  { weight, floor }: { readonly weight: number; readonly floor: Tensor | undefined },
): readonly [State, Metrics] {
  const { progress } = inputs;
  const target = targetOf(state, inputs, config);
  const policyAt = (x: Tensor) => squashedGaussian(state.actor, x, config);
  const gapsOf = gapJudge(policyAt, inputs, config, floor);
  const multiplier = config.valueGap === null ? 1 : clipByValue(exp(state.logMultiplier), 0, 1e6);
  const [loss, grads, { gap, qs, error }] = valueAndGrad((critics: MlpParams<Tensor>) => {
    const { gaps, qs } = gapsOf(critics); // [E, B] both
    const error = summedSquares(sub(qs, target));
    const bounded = config.leastGap === null ? gaps : clipByValue(gaps, config.leastGap, 1e9);
    const excess = sub(mean(bounded, 1), config.valueGap ?? 0); // [E]
    const push = mul(mul(sum(excess), multiplier), weight);
    return [add(error, push), { gap: mean(excess), qs, error }] as const;
  })(state.critics);
  const descended = descendCritics(state, grads, progress, config);
  const targetCritics = polyak(descended.critics, state.targetCritics, config.tau);
  const next = { ...descended, targetCritics };
  const metrics = {
    "train/critic_loss": error,
    "train/q_mean": mean(qs),
    "train/value_gap": gap,
    "train/critic_objective": loss,
  };
  return [updateMultiplier(next, mul(gap, weight), progress, config), metrics];
}

/** r + γᵐ min Q̄(s', a'), the greatest over the next actions where there are several, [B]. */
function targetOf(state: State, { batch, noise }: Inputs, config: CqlConfig): Tensor {
  const { rewards, discounts, nextObservations } = batch;
  const gaussian = squashedGaussian(state.actor, nextObservations, config);
  const [nextActions] = sampleTanhGaussian(gaussian, noise.nextActions); // [n, B, A]
  const rows = repeatedRows(nextObservations, nextActions.shape[0]!);
  const qs = qValues(state.targetCritics, rows, asRows(nextActions), config);
  const least = reduceHeads(byProposal(qs, rewards.shape[0]!), "min"); // [n, B]
  return add(rewards, mul(discounts, max(least, 0)));
}

/** The multiplier grows while the gap is wider than wanted. */
function updateMultiplier(
  state: State,
  weightedGap: Tensor,
  progress: Tensor,
  config: CqlConfig,
): State {
  if (config.valueGap === null) return state;
  const [, grad] = valueAndGrad((logMultiplier: Tensor) =>
    neg(mul(clipByValue(exp(logMultiplier), 0, 1e6), weightedGap)),
  )(state.logMultiplier);
  const [logMultiplier, multiplierOptimizer] = descend(
    [state.logMultiplier, grad, state.multiplierOptimizer],
    config.criticLearningRate,
    progress,
    config,
  );
  return { ...state, logMultiplier, multiplierOptimizer };
}

/** mean (α log π(a|s) − min Q(s, a)); α's loss is −log α (log π − A). */
function updateActor(
  state: State,
  { batch: { observations }, noise, progress }: Inputs,
  config: CqlConfig,
  targetEntropy: number,
) {
  const alpha = exp(state.logAlpha);
  const [loss, grads, { logProbs }] = valueAndGrad((actor: SquashedActor<Tensor>) => {
    const gaussian = squashedGaussian(actor, observations, config);
    const [actions, logProbs] = sampleTanhGaussian(gaussian, noise.actions);
    const value = reduceHeads(qValues(state.critics, observations, actions, config), "min");
    return [mean(sub(mul(alpha, logProbs), value)), { logProbs }] as const;
  })(state.actor);
  const excess = add(mean(logProbs), targetEntropy);
  const acted = descendActor(state, grads, progress, config);
  const [{ actor, actorOptimizer, logAlpha, alphaOptimizer }] = stepAlpha(
    acted,
    { excess, of: "logAlpha", progress },
    config,
  );
  const metrics = {
    "train/actor_loss": loss,
    "train/entropy": neg(mean(logProbs)),
    "train/ent_coef": alpha,
  };
  return [{ actor, actorOptimizer, logAlpha, alphaOptimizer }, metrics] as const;
}
