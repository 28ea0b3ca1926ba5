// FamO2O on IQL: one policy for a whole family of balances between improving and copying, and a model that says,
// state by state, which balance to take.
//
// Wang et al. 2023, arXiv:2310.17966. Values and critics are iql.ts'. Offline the universal policy learns at random
// balances β, online at the balance model's; β weighs the copying and is encoded beside the observation. The
// balance model climbs the critics through the policy, which stands still for it, with an entropy of its own.
// Defaults are the authors' for locomotion. Differs: β and actions have draws of their own.

import { z } from "zod";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descend, initDescent } from "../agents/descent.ts";
import { qValues, reduceHeads } from "../agents/networks.ts";
import type { ActInputs, UpdateInputs } from "../agents/rows.ts";
import { descendActor } from "../agents/steps.ts";
import {
  boundLogStd,
  type Gaussian,
  gaussianLogProb,
  sampleGaussian,
  sampleTanhGaussian,
} from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import { type NoiseSpec, normal, uniform } from "../nn/noise.ts";
import {
  add,
  clipByValue,
  concat,
  cos,
  exp,
  mean,
  mul,
  neg,
  sin,
  squeeze,
  stopGradient,
  sub,
  type Tensor,
  tanh,
} from "../nn/ops.ts";
import type { AdamState } from "../nn/optimizers.ts";
import { full, type NdArray, zeros } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import {
  type ClippedActor,
  clippedGaussian,
  copyingWeights,
  initClippedActor,
} from "./clippedActor.ts";
import { type IqlJudges, initIqlJudges, iqlSettings, updateIqlJudges } from "./iql.ts";

const settings = z
  .strictObject({
    ...iqlSettings,
    leastBalance: z.number().min(0).default(1).describe("least β; the authors' mazes: 8"),
    greatestBalance: z.number().min(0).default(5).describe("greatest β; the authors' mazes: 14"),
    balanceLearningRate: z
      .number()
      .positive()
      .max(1)
      .default(3e-4)
      .describe("of the balance model"),
    balanceEntropy: z.number().default(-0.5).describe("wanted entropy of the balance, in nats"),
  })
  .refine((config) => config.leastBalance <= config.greatestBalance, {
    path: ["leastBalance"],
    message: "the least balance can't exceed the greatest",
  });

export type Famo2oConfig = z.infer<typeof settings>;

/** A tanh-Gaussian of one number. */
type Balance<T> = { readonly mean: MlpParams<T>; readonly logStd: T };

export type Famo2oState<T> = IqlJudges<T> & {
  readonly actor: ClippedActor<T>;
  readonly balance: Balance<T>;
  readonly logTemperature: T;
  readonly actorOptimizer: AdamState<T>;
  readonly balanceOptimizer: AdamState<T>;
  readonly temperatureOptimizer: AdamState<T>;
};

export type Famo2oNoise<T> = {
  readonly balances: T; // [B, 1], uniform in [−1, 1], offline
  readonly chosenBalances: T; // [B, 1], normal, online
  readonly judgedBalances: T; // [B, 1], normal
  readonly actions: T; // [B, A]
};

type State = Famo2oState<Tensor>;
type Inputs = UpdateInputs<Famo2oNoise<Tensor>>;

export const famo2o: OffPolicyAlgorithm<Famo2oConfig, Famo2oState<NdArray>, Famo2oNoise<Tensor>> = {
  name: "famo2o",
  summary: "FamO2O on IQL: a family of policies, and a balance chosen state by state",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: {},
  init,
  policyKeys: ["actor", "balance"],
  act,
  noise: ({ actionSize }, { batchSize }): Famo2oNoise<NoiseSpec> => ({
    balances: uniform([batchSize, 1], -1, 1),
    chosenBalances: normal([batchSize, 1]),
    judgedBalances: normal([batchSize, 1]),
    actions: normal([batchSize, actionSize]),
  }),
  update,
};

function init(spec: EnvSpec, config: Famo2oConfig, rng: Rng): Famo2oState<NdArray> {
  const actor = initClippedActor(rng.split("actor"), spec, config, encodingSize);
  const sizes = { inputs: spec.observationSize, hidden: config.actorHidden, outputs: 1 };
  const balance = { mean: initMlp(rng.split("balance"), sizes), logStd: zeros([1]) };
  const logTemperature = full([], 0);
  return {
    ...initIqlJudges(spec, config, rng),
    actor,
    balance,
    logTemperature,
    actorOptimizer: initDescent(actor, config),
    balanceOptimizer: initDescent(balance, config),
    temperatureOptimizer: initDescent(logTemperature, config),
  };
}

/** The balance is the model's mode, also while the policy explores. */
function act(
  { actor, balance }: Pick<State, "actor" | "balance">,
  { observations, noise }: ActInputs,
  config: Famo2oConfig,
): Tensor {
  const beta = betaOf(tanh(balanceAt(balance, observations, config).mean), config);
  const gaussian = universal(actor, observations, beta, config);
  return clipByValue(sampleGaussian(gaussian, noise), -1, 1);
}

function update(
  state: State,
  inputs: Inputs,
  config: Famo2oConfig,
  _spec: EnvSpec,
  { trainActor, stage }: UpdatePhase,
): readonly [State, Metrics] {
  const [judges, advantages, metrics] = updateIqlJudges(state, inputs, config);
  const judged = { ...state, ...judges };
  if (!trainActor) return [judged, metrics];
  const online = stage === "online";
  const [actor, actorMetrics] = stepUniversal(state, inputs, advantages, config, online);
  const [balance, balanceMetrics] = stepBalance(state, inputs, config);
  return [
    { ...judged, ...actor, ...balance },
    { ...metrics, ...actorMetrics, ...balanceMetrics },
  ];
}

/** −mean min(exp(β A), cap) log π(a|s, β); β is given. */
function stepUniversal(
  state: State,
  { batch: { observations, actions }, noise, progress }: Inputs,
  advantages: Tensor,
  config: Famo2oConfig,
  online: boolean,
) {
  const chosen = sampleTanhGaussian(
    balanceAt(state.balance, observations, config),
    noise.chosenBalances,
  )[0];
  const beta = betaOf(online ? stopGradient(chosen) : noise.balances, config); // [B, 1]
  const exponents = mul(squeeze(beta, [-1]), advantages);
  const weights = copyingWeights(exponents, config.greatestWeight);
  const [loss, grads] = valueAndGrad((actor: ClippedActor<Tensor>) =>
    neg(mean(mul(weights, gaussianLogProb(universal(actor, observations, beta, config), actions)))),
  )(state.actor);
  const { actor, actorOptimizer } = descendActor(state, grads, progress, config);
  return [{ actor, actorOptimizer }, { "train/actor_loss": loss }] as const;
}

/** mean (T log π_b(x|s) − min Q̄(s, ã)), ã ~ π(·|s, β(x)); T's loss is T (−log π_b − H). */
function stepBalance(state: State, { batch, noise, progress }: Inputs, config: Famo2oConfig) {
  const { observations } = batch;
  const temperature = exp(state.logTemperature);
  const [loss, grads, { logProbs, beta }] = valueAndGrad((balance: Balance<Tensor>) => {
    const gaussian = balanceAt(balance, observations, config);
    const [x, logProbs] = sampleTanhGaussian(gaussian, noise.judgedBalances);
    const beta = betaOf(x, config);
    const policy = universal(state.actor, observations, beta, config);
    const actions = clipByValue(sampleGaussian(policy, noise.actions), -1, 1);
    const q = reduceHeads(qValues(state.targetCritics, observations, actions, config), "min");
    return [mean(sub(mul(temperature, logProbs), q)), { logProbs, beta }] as const;
  })(state.balance);
  const [balance, balanceOptimizer] = descend(
    [state.balance, grads, state.balanceOptimizer],
    config.balanceLearningRate,
    progress,
    config,
  );
  const surplus = sub(neg(mean(logProbs)), config.balanceEntropy);
  const [, grad] = valueAndGrad((log: Tensor) => mul(exp(log), surplus))(state.logTemperature);
  const [logTemperature, temperatureOptimizer] = descend(
    [state.logTemperature, grad, state.temperatureOptimizer],
    config.balanceLearningRate,
    progress,
    { ...config, weightDecay: 0 },
  );
  const metrics = { "train/balance_loss": loss, "train/balance_mean": mean(beta) };
  const next = { balance, balanceOptimizer, logTemperature, temperatureOptimizer };
  return [next, metrics] as const;
}

/** From (−1, 1) to the range of balances. */
export function betaOf(
  x: Tensor,
  {
    leastBalance: low,
    greatestBalance: high,
  }: Pick<Famo2oConfig, "leastBalance" | "greatestBalance">,
): Tensor {
  return add(mul(add(x, 1), (high - low) / 2), low);
}

/** Numbers of an encoded balance. */
export const encodingSize = 6;
const encodingBase = 10_000;

/** Sines and cosines of β at three frequencies, in turns: [B, 1] → [B, 6]. */
export function encoded(beta: Tensor): Tensor {
  const parts = [0, 1, 2].flatMap((i) => {
    const angle = mul(beta, encodingBase ** ((-2 * i) / encodingSize));
    return [sin(angle), cos(angle)];
  });
  return concat(parts, -1);
}

function universal(
  actor: ClippedActor<Tensor>,
  observations: Tensor,
  beta: Tensor,
  config: Famo2oConfig,
): Gaussian {
  return clippedGaussian(actor, concat([observations, encoded(beta)], -1), config, "tanh");
}

function balanceAt(
  { mean, logStd }: Balance<Tensor>,
  observations: Tensor,
  { activation }: Famo2oConfig,
): Gaussian {
  const bound = { kind: "clip", low: -10, high: 2 } as const;
  return { mean: mlp(mean, observations, { activation }), logStd: boundLogStd(logStd, bound) };
}
