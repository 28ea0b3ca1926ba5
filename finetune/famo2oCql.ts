// FamO2O on CQL: a family of policies between following the critics and keeping their entropy, and a model that says,
// state by state, how much to follow.
//
// Wang et al. 2023, arXiv:2310.17966, its second form; famo2o.ts is the first and has the encoding. β weighs the
// critics in the policy's loss: at random offline, by the balance model online. Critics have layer norm and are pushed
// down as CQL's, online too. Differs: β stays in its range (the released code lets it leave it, below 0); online the
// next state's action goes by the balance there.

import { z } from "zod";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descend, descentSettings, initDescent } from "../agents/descent.ts";
import { initCritics, networkSettings, qValues, reduceHeads } from "../agents/networks.ts";
import { withDefault } from "../agents/offPolicy.ts";
import type { ActInputs, UpdateInputs } from "../agents/rows.ts";
import { descendActor, descendCritics, stepAlpha, summedSquares } from "../agents/steps.ts";
import { type Gaussian, sampleGaussian, sampleTanhGaussian } from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import type { MlpParams } from "../nn/layers.ts";
import { type NoiseSpec, normal, uniform } from "../nn/noise.ts";
import {
  add,
  concat,
  exp,
  mean,
  mul,
  neg,
  squeeze,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
} from "../nn/ops.ts";
import { type AdamState, polyak } from "../nn/optimizers.ts";
import { full, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { gapJudge } from "./conservative.ts";
import { cqlSettings } from "./cql.ts";
import { betaOf, encoded, encodingSize } from "./famo2o.ts";
import {
  initSquashedActor,
  type SquashedActor,
  smallHead,
  squashedGaussian,
} from "./squashedActor.ts";

const settings = z
  .strictObject({
    ...cqlSettings,
    valueGap: z.null().default(null).describe("not here: the push is never bounded"),
    leastGap: z.null().default(null).describe("not here"),
    greatestOfNext: z.literal(false).default(false).describe("not here"),
    conservatismOnline: z.null().default(null).describe("not here: the push stays"),
    actorHidden: withDefault(networkSettings.actorHidden, [256, 256]),
    criticHidden: withDefault(networkSettings.criticHidden, [256, 256]),
    criticLayerNorm: withDefault(networkSettings.criticLayerNorm, true),
    actorLearningRate: withDefault(descentSettings.actorLearningRate, 3e-4),
    alphaLearningRate: withDefault(cqlSettings.alphaLearningRate, 3e-4),
    conservatism: withDefault(cqlSettings.conservatism, 1),
    leastBalance: z.number().min(0).default(0.5).describe("least β"),
    greatestBalance: z.number().min(0).default(1.5).describe("greatest β"),
    balanceLearningRate: z
      .number()
      .positive()
      .max(1)
      .default(3e-4)
      .describe("of the balance model"),
  })
  .refine((config) => config.leastBalance <= config.greatestBalance, {
    path: ["leastBalance"],
    message: "the least balance can't exceed the greatest",
  });

export type Famo2oCqlConfig = z.infer<typeof settings>;

export type Famo2oCqlState<T> = {
  readonly actor: SquashedActor<T>;
  readonly balance: SquashedActor<T>;
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly logAlpha: T;
  readonly actorOptimizer: AdamState<T>;
  readonly balanceOptimizer: AdamState<T>;
  readonly criticOptimizer: AdamState<T>;
  readonly alphaOptimizer: AdamState<T>;
};

export type Famo2oCqlNoise<T> = {
  readonly balances: T; // [B, 1], uniform in [−1, 1], offline
  readonly chosenBalances: T; // [B, 1], normal: online, at this state
  readonly nextBalances: T; // [B, 1]: and at the next
  readonly judgedBalances: T; // [B, 1]
  readonly judgedActions: T; // [B, A]
  readonly actions: T; // [B, A]
  readonly nextActions: T; // [B, A]
  readonly uniform: T; // [n, B, A]
  readonly proposals: T; // [n, B, A]
  readonly nextProposals: T; // [n, B, A]
};

type State = Famo2oCqlState<Tensor>;
type Inputs = UpdateInputs<Famo2oCqlNoise<Tensor>>;

export const famo2oCql: OffPolicyAlgorithm<
  Famo2oCqlConfig,
  Famo2oCqlState<NdArray>,
  Famo2oCqlNoise<Tensor>
> = {
  name: "famo2oCql",
  summary: "FamO2O on CQL: how far to follow the critics is chosen state by state",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: {},
  init,
  policyKeys: ["actor", "balance"],
  act,
  noise,
  update,
};

function init(spec: EnvSpec, config: Famo2oCqlConfig, rng: Rng): Famo2oCqlState<NdArray> {
  const critics = initCritics(rng.split("critics"), spec, config, { finalInit: smallHead });
  const actor = initSquashedActor(rng.split("actor"), spec, config, encodingSize);
  const balance = initSquashedActor(rng.split("balance"), { ...spec, actionSize: 1 }, config);
  const logAlpha = full([], Math.log(config.initialAlpha));
  return {
    actor,
    balance,
    critics,
    targetCritics: critics,
    logAlpha,
    actorOptimizer: initDescent(actor, config),
    balanceOptimizer: initDescent(balance, config),
    criticOptimizer: initDescent(critics, config),
    alphaOptimizer: initDescent(logAlpha, config),
  };
}

function act(
  { actor, balance }: Pick<State, "actor" | "balance">,
  { observations, noise }: ActInputs,
  config: Famo2oCqlConfig,
): Tensor {
  const beta = betaOf(tanh(squashedGaussian(balance, observations, config).mean), config);
  return tanh(sampleGaussian(universal(actor, observations, beta, config), noise));
}

function noise(
  { actionSize }: EnvSpec,
  { batchSize, numProposals }: Famo2oCqlConfig,
): Famo2oCqlNoise<NoiseSpec> {
  const one = normal([batchSize, 1]);
  const rows = normal([batchSize, actionSize]);
  const many = [numProposals, batchSize, actionSize];
  return {
    balances: uniform([batchSize, 1], -1, 1),
    chosenBalances: one,
    nextBalances: one,
    judgedBalances: one,
    judgedActions: rows,
    actions: rows,
    nextActions: rows,
    uniform: uniform(many, -1, 1),
    proposals: normal(many),
    nextProposals: normal(many),
  };
}

/** All steps start from the parameters as they were. */
function update(
  state: State,
  inputs: Inputs,
  config: Famo2oCqlConfig,
  { actionSize }: EnvSpec,
  { trainActor, stage }: UpdatePhase,
): readonly [State, Metrics] {
  const { batch, noise } = inputs;
  const chosen = (observations: Tensor, draws: Tensor) =>
    stage === "online"
      ? betaOf(stopGradient(balanceDrawn(state.balance, observations, draws, config)), config)
      : betaOf(noise.balances, config);
  const beta = chosen(batch.observations, noise.chosenBalances);
  const nextBeta = chosen(batch.nextObservations, noise.nextBalances);
  const [critics, criticMetrics] = stepCritics(state, inputs, [beta, nextBeta], config);
  const judged = { ...state, ...critics };
  if (!trainActor) return [judged, criticMetrics];
  const [actor, actorMetrics] = stepUniversal(state, inputs, beta, config, actionSize);
  const [balance, balanceMetrics] = stepBalance(state, inputs, config);
  return [
    { ...judged, ...actor, ...balance },
    { ...criticMetrics, ...actorMetrics, ...balanceMetrics },
  ];
}

/** Σ_e mean (Q_e − y)² + α_c (log Σ exp Q_e − Q_e(s, a)), y without entropy. */
function stepCritics(
  state: State,
  { batch, noise, progress }: Inputs,
  [beta, nextBeta]: readonly [Tensor, Tensor],
  config: Famo2oCqlConfig,
) {
  const { rewards, discounts, observations, nextObservations } = batch;
  const here = universal(state.actor, observations, beta, config);
  const there = universal(state.actor, nextObservations, nextBeta, config);
  const [nextActions] = sampleTanhGaussian(there, noise.nextActions);
  const nextQs = qValues(state.targetCritics, nextObservations, nextActions, config);
  const target = add(rewards, mul(discounts, reduceHeads(nextQs, "min")));
  const policyAt = (x: Tensor) => (x === observations ? here : there);
  const gapsOf = gapJudge(policyAt, { batch, noise }, config);
  const [, grads, { error, gap }] = valueAndGrad((critics: MlpParams<Tensor>) => {
    const { gaps, qs } = gapsOf(critics);
    const error = summedSquares(sub(qs, target));
    const gap = sum(mean(gaps, 1));
    return [add(error, mul(gap, config.conservatism)), { error, gap }] as const;
  })(state.critics);
  const { critics, criticOptimizer } = descendCritics(state, grads, progress, config);
  const targetCritics = polyak(critics, state.targetCritics, config.tau);
  const metrics = { "train/critic_loss": error, "train/value_gap": gap };
  return [{ critics, criticOptimizer, targetCritics }, metrics] as const;
}

/** mean (α log π(a|s, β) − β min Q(s, a)); α's loss is −log α (log π − A). */
function stepUniversal(
  state: State,
  { batch: { observations }, noise, progress }: Inputs,
  beta: Tensor,
  config: Famo2oCqlConfig,
  actionSize: number,
) {
  const alpha = exp(state.logAlpha);
  const [loss, grads, { logProbs }] = valueAndGrad((actor: SquashedActor<Tensor>) => {
    const gaussian = universal(actor, observations, beta, config);
    const [actions, logProbs] = sampleTanhGaussian(gaussian, noise.actions);
    const q = reduceHeads(qValues(state.critics, observations, actions, config), "min");
    const loss = mean(sub(mul(alpha, logProbs), mul(squeeze(beta, [-1]), q)));
    return [loss, { logProbs }] as const;
  })(state.actor);
  const acted = descendActor(state, grads, progress, config);
  const excess = sub(mean(logProbs), actionSize);
  const [{ actor, actorOptimizer, logAlpha, alphaOptimizer }] = stepAlpha(
    acted,
    { excess, of: "logAlpha", progress },
    config,
  );
  const metrics = { "train/actor_loss": loss, "train/ent_coef": alpha };
  return [{ actor, actorOptimizer, logAlpha, alphaOptimizer }, metrics] as const;
}

/** −mean min Q(s, a), a ~ π(·|s, β(s)); policy and critics stand still. */
function stepBalance(
  state: State,
  { batch: { observations }, noise, progress }: Inputs,
  config: Famo2oCqlConfig,
) {
  const [loss, grads, { beta }] = valueAndGrad((balance: SquashedActor<Tensor>) => {
    const x = balanceDrawn(balance, observations, noise.judgedBalances, config);
    const beta = betaOf(x, config);
    const gaussian = universal(state.actor, observations, beta, config);
    const [actions] = sampleTanhGaussian(gaussian, noise.judgedActions);
    const q = reduceHeads(qValues(state.critics, observations, actions, config), "min");
    return [neg(mean(q)), { beta }] as const;
  })(state.balance);
  const from = [state.balance, grads, state.balanceOptimizer] as const;
  const [balance, balanceOptimizer] = descend(from, config.balanceLearningRate, progress, config);
  const metrics = { "train/balance_loss": loss, "train/balance_mean": mean(beta) };
  return [{ balance, balanceOptimizer }, metrics] as const;
}

function balanceDrawn(
  balance: SquashedActor<Tensor>,
  observations: Tensor,
  draws: Tensor,
  config: Famo2oCqlConfig,
): Tensor {
  return tanh(sampleGaussian(squashedGaussian(balance, observations, config), draws));
}

function universal(
  actor: SquashedActor<Tensor>,
  observations: Tensor,
  beta: Tensor,
  config: Famo2oCqlConfig,
): Gaussian {
  return squashedGaussian(actor, concat([observations, encoded(beta)], -1), config);
}
