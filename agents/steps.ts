// Steps that off-policy algorithms take alike: of an actor or critics down given gradients, of critics towards a
// target, of the entropy's worth towards a wanted entropy. What is particular to an algorithm, its target and
// its actor's loss, is in its own file.

import { valueAndGrad } from "../nn/gradient.ts";
import type { Activation, MlpApply, MlpParams } from "../nn/layers.ts";
import { add, exp, mean, mul, neg, square, sub, sum, type Tensor } from "../nn/ops.ts";
import type { AdamState } from "../nn/optimizers.ts";
import type { Metrics } from "./agent.ts";
import { type DescentConfig, descend } from "./descent.ts";
import { qValues } from "./networks.ts";

type Params = Parameters<typeof descend>[0][0];

interface ActorState {
  readonly actor: Params;
  readonly actorOptimizer: AdamState<Tensor>;
}

interface CriticState {
  readonly critics: MlpParams<Tensor>;
  readonly criticOptimizer: AdamState<Tensor>;
}

interface AlphaState {
  readonly logAlpha: Tensor;
  readonly alphaOptimizer: AdamState<Tensor>;
}

/** The state after a step of its actor down the gradients. */
export function descendActor<S extends ActorState>(
  state: S,
  grads: S["actor"],
  progress: Tensor,
  config: DescentConfig,
): S {
  const from = [state.actor, grads, state.actorOptimizer] as const;
  const [actor, actorOptimizer] = descend(from, config.actorLearningRate, progress, config);
  return { ...state, actor, actorOptimizer };
}

/** The state after a step of its critics down the gradients; their targets stay. */
export function descendCritics<S extends CriticState>(
  state: S,
  grads: S["critics"],
  progress: Tensor,
  config: DescentConfig,
): S {
  const from = [state.critics, grads, state.criticOptimizer] as const;
  const [critics, criticOptimizer] = descend(from, config.criticLearningRate, progress, config);
  return { ...state, critics, criticOptimizer };
}

/** What critics are to learn: rows and their worth. */
export interface Regression {
  readonly observations: Tensor; // [B, O]
  readonly actions: Tensor; // [B, A]
  readonly target: Tensor; // [B]
  readonly progress: Tensor;
}

export interface RegressionOptions {
  /** How critics are applied; with the config's activation where missing. */
  readonly apply?: MlpApply;
  /** Of errors [E, B]; Σ_e mean (Q_e − y)² where missing. */
  readonly lossOf?: (errors: Tensor) => Tensor;
  /** What else critics pay for. */
  readonly extra?: ((critics: MlpParams<Tensor>) => Tensor | number) | undefined;
}

/** One step of the critics towards a target; their targets stay. */
export function regressCritics<S extends CriticState>(
  state: S,
  { observations, actions, target, progress }: Regression,
  config: DescentConfig & { readonly activation: Activation },
  { apply, lossOf = summedSquares, extra }: RegressionOptions = {},
): readonly [S, Metrics] {
  const { activation } = config;
  const [, grads, { qs, error }] = valueAndGrad((critics: MlpParams<Tensor>) => {
    const qs = qValues(critics, observations, actions, apply ?? { activation }); // [E, B]
    const error = lossOf(sub(qs, target));
    return [extra ? add(error, extra(critics)) : error, { qs, error }] as const;
  })(state.critics);
  const metrics = { "train/critic_loss": error, "train/q_mean": mean(qs) };
  return [descendCritics(state, grads, progress, config), metrics];
}

/** Σ_e mean (Q_e − y)², of errors [E, B]. */
export function summedSquares(errors: Tensor): Tensor {
  return sum(mean(square(errors), 1));
}

export interface AlphaOptions {
  /** mean log π + H̄: above 0 where the policy is surer of itself than it shall be. */
  readonly excess: Tensor;
  /** What the excess multiplies. */
  readonly of: "alpha" | "logAlpha";
  readonly progress: Tensor;
}

/** One step of the entropy's worth down −α · excess (SAC's eq. 18), or −log α · excess; and that loss. */
export function stepAlpha<S extends AlphaState>(
  state: S,
  { excess, of, progress }: AlphaOptions,
  config: DescentConfig & { readonly alphaLearningRate: number },
): readonly [S, loss: Tensor] {
  const [loss, grad] = valueAndGrad((logAlpha: Tensor) =>
    neg(mul(of === "alpha" ? exp(logAlpha) : logAlpha, excess)),
  )(state.logAlpha);
  const from = [state.logAlpha, grad, state.alphaOptimizer] as const;
  const plain = { ...config, weightDecay: 0 };
  const [logAlpha, alphaOptimizer] = descend(from, config.alphaLearningRate, progress, plain);
  return [{ ...state, logAlpha, alphaOptimizer }, loss];
}

/** The same with its metrics, from the log-probabilities that the actor's step had. */
export function updateAlpha<S extends AlphaState>(
  state: S,
  logProbs: Tensor,
  targetEntropy: number,
  progress: Tensor,
  config: DescentConfig & {
    readonly alphaLearningRate: number;
    readonly learnAlpha?: boolean;
    readonly alphaLoss?: "alpha" | "logAlpha";
  },
): readonly [S, Metrics] {
  const metrics = { "train/ent_coef": exp(state.logAlpha) };
  if (config.learnAlpha === false) return [state, metrics];
  const excess = add(mean(logProbs), targetEntropy);
  const options = { excess, of: config.alphaLoss ?? "alpha", progress } as const;
  const [next, loss] = stepAlpha(state, options, config);
  return [next, { ...metrics, "train/ent_coef_loss": loss }];
}
