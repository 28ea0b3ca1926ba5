// Implicit Q-learning: values are upper expectiles of what the data's actions are worth, so that no action
// outside the data is ever judged; the policy copies the data by its advantages.
//
// Kostrikov et al. 2021, arXiv:2110.06169; equation numbers refer to it. Defaults are its locomotion's. All
// three steps start from the parameters as they were before the update, and the critics' losses are averaged,
// as in CORL (the authors' code steps V first and sums). Rates stay constant: they shall be there online.
// The mean is squashed by tanh, the density is a plain Gaussian's, and actions are clipped.

import { z } from "zod";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descend, descentSettings, initDescent } from "../agents/descent.ts";
import { initCritics, networkSettings, qValues, reduceHeads } from "../agents/networks.ts";
import type { ActInputs, UpdateInputs } from "../agents/rows.ts";
import { descendActor, descendCritics } from "../agents/steps.ts";
import type { Traced } from "../nn/compile.ts";
import { gaussianLogProb, sampleGaussian } from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import {
  add,
  clipByValue,
  less,
  mean,
  mul,
  neg,
  square,
  squeeze,
  sub,
  sum,
  type Tensor,
  where,
} from "../nn/ops.ts";
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

/** What values, critics and weights are made with; also of methods that stand on this one. */
export const iqlSettings = {
  ...offlineSettings,
  ...descentSettings,
  ...networkSettings,
  valueLearningRate: z.number().positive().max(1).default(3e-4).describe("the value's step size"),
  expectile: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.7)
    .describe("τ, which expectile of the data's actions is a state's value; 0.5 is their mean"),
  greatestWeight: z.number().positive().default(100).describe("cap on what an action counts"),
} as const;

const settings = z.strictObject({
  ...iqlSettings,
  inverseTemperature: z
    .number()
    .min(0)
    .default(3)
    .describe("β, how much an advantage counts in copying; 0 is plain cloning"),
  deterministic: z
    .boolean()
    .default(false)
    .describe("an actor without a distribution, that copies by squared error"),
  explorationNoise: z
    .number()
    .min(0)
    .default(0.1)
    .describe("std of the noise on actions, online, where the actor is deterministic"),
});

export type IqlConfig = z.infer<typeof settings>;

/** Value and critics, without an actor. */
export type IqlJudges<T> = {
  readonly value: MlpParams<T>;
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly valueOptimizer: AdamState<T>;
  readonly criticOptimizer: AdamState<T>;
};

export type IqlState<T> = IqlJudges<T> & {
  readonly actor: ClippedActor<T>;
  readonly actorOptimizer: AdamState<T>;
};

/** What values and critics are made with. */
type JudgeConfig = Omit<z.infer<z.ZodObject<typeof iqlSettings>>, "greatestWeight">;
type State = IqlState<Tensor>;
type Inputs = UpdateInputs<Record<string, never>>;

export const iql: OffPolicyAlgorithm<IqlConfig, IqlState<NdArray>, Record<string, never>> = {
  name: "iql",
  summary: "implicit Q-learning: never judges an action that is not in the data",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: {},
  init,
  policyKeys: ["actor"],
  act,
  noise: () => ({}),
  update,
  explorationScale: ({ deterministic, explorationNoise }) =>
    deterministic ? [explorationNoise, explorationNoise] : [1, 1],
};

function init(spec: EnvSpec, config: IqlConfig, rng: Rng): IqlState<NdArray> {
  const actor = initClippedActor(rng.split("actor"), spec, config);
  const actorOptimizer = initDescent(actor, config);
  return { ...initIqlJudges(spec, config, rng), actor, actorOptimizer };
}

/** Fresh values and critics. */
export function initIqlJudges(spec: EnvSpec, config: JudgeConfig, rng: Rng): IqlJudges<NdArray> {
  const critics = initCritics(rng.split("critics"), spec, config);
  const sizes = { inputs: spec.observationSize, hidden: config.criticHidden, outputs: 1 };
  const value = initMlp(rng.split("value"), sizes);
  return {
    value,
    critics,
    targetCritics: critics,
    valueOptimizer: initDescent(value, config),
    criticOptimizer: initDescent(critics, config),
  };
}

function act(
  { actor }: Pick<Traced<IqlState<NdArray>>, "actor">,
  { observations, noise }: ActInputs,
  config: IqlConfig,
): Tensor {
  const gaussian = clippedGaussian(actor, observations, config, "tanh");
  const chosen = config.deterministic ? add(gaussian.mean, noise) : sampleGaussian(gaussian, noise);
  return clipByValue(chosen, -1, 1);
}

function update(
  state: State,
  inputs: Inputs,
  config: IqlConfig,
  _spec: EnvSpec,
  { trainActor }: UpdatePhase,
): readonly [State, Metrics] {
  const [judges, advantages, metrics] = updateIqlJudges(state, inputs, config);
  const next = { ...state, ...judges };
  if (!trainActor) return [next, metrics];
  const [actor, actorOptimizer, loss] = updateActor(state, inputs, advantages, config);
  return [
    { ...next, actor, actorOptimizer },
    { ...metrics, "train/actor_loss": loss },
  ];
}

/** One step of value and critics, and A(s, a) = min Q̄(s, a) − V(s) as it was before, [B]. */
export function updateIqlJudges(
  state: IqlJudges<Tensor>,
  { batch, progress }: Pick<UpdateInputs, "batch" | "progress">,
  config: JudgeConfig,
): readonly [IqlJudges<Tensor>, advantages: Tensor, Metrics] {
  const { observations, actions, rewards, discounts, nextObservations } = batch;
  const q = reduceHeads(qValues(state.targetCritics, observations, actions, config), "min");
  const nextValues = valuesOf(state.value, nextObservations, config);
  const [valueLoss, valueGrads, { values }] = valueAndGrad((value: MlpParams<Tensor>) => {
    const values = valuesOf(value, observations, config);
    return [expectileLoss(sub(q, values), config.expectile), { values }] as const;
  })(state.value);
  const target = add(rewards, mul(discounts, nextValues)); // eq. 6
  const [criticLoss, criticGrads] = valueAndGrad((critics: MlpParams<Tensor>) =>
    mean(square(sub(qValues(critics, observations, actions, config), target))),
  )(state.critics);
  const [value, valueOptimizer] = descend(
    [state.value, valueGrads, state.valueOptimizer],
    config.valueLearningRate,
    progress,
    config,
  );
  const { critics, criticOptimizer } = descendCritics(state, criticGrads, progress, config);
  const targetCritics = polyak(critics, state.targetCritics, config.tau);
  const metrics = {
    "train/critic_loss": criticLoss,
    "train/value_loss": valueLoss,
    "train/q_mean": mean(q),
  };
  const judges = { value, critics, targetCritics, valueOptimizer, criticOptimizer };
  return [judges, sub(q, values), metrics];
}

/** Eq. 5: mean |τ − 1[u < 0]| u². */
export function expectileLoss(errors: Tensor, expectile: number): Tensor {
  const weights = where(less(errors, 0), 1 - expectile, expectile);
  return mean(mul(weights, square(errors)));
}

/** Eq. 7: −mean w log π(a|s), w = min(exp(β A), cap). */
function updateActor(
  state: State,
  { batch: { observations, actions }, progress }: Inputs,
  advantages: Tensor,
  config: IqlConfig,
): readonly [ClippedActor<Tensor>, AdamState<Tensor>, loss: Tensor] {
  const weights = copyingWeights(mul(advantages, config.inverseTemperature), config.greatestWeight);
  const [loss, grads] = valueAndGrad((actor: ClippedActor<Tensor>) => {
    const gaussian = clippedGaussian(actor, observations, config, "tanh");
    const misfit = config.deterministic
      ? sum(square(sub(gaussian.mean, actions)), -1)
      : neg(gaussianLogProb(gaussian, actions));
    return mean(mul(weights, misfit));
  })(state.actor);
  const { actor, actorOptimizer } = descendActor(state, grads, progress, config);
  return [actor, actorOptimizer, loss];
}

/** V(s) of observations [B, O], [B]. */
export function valuesOf(
  value: MlpParams<Tensor>,
  observations: Tensor,
  config: JudgeConfig,
): Tensor {
  return squeeze(mlp(value, observations, { activation: config.activation }), [-1]);
}
