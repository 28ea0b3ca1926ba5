// The update that is measured: soft actor-critic with automatic temperature, and its REDQ variant.
//
// A yardstick, not the agent. After CleanRL's sac_continuous_action.py, but with one learning rate and
// every part stepped in every update: critics, actor with the updated critics, temperature, targets.
// Two critics are SAC's; more are REDQ's (arXiv:2101.05982): the target is the minimum over a random
// pair and the actor climbs the mean.

import { gaussianOf, sampleTanhGaussian } from "../../nn/distributions.ts";
import { isTensor, valueAndGrad } from "../../nn/gradient.ts";
import { initMlp, type MlpParams, mlp } from "../../nn/layers.ts";
import { type NoiseSpec, normal, subset } from "../../nn/noise.ts";
import {
  add,
  concat,
  exp,
  gather,
  mean,
  min,
  mul,
  neg,
  square,
  squeeze,
  sub,
  sum,
  type Tensor,
} from "../../nn/ops.ts";
import { type AdamState, adam, polyak } from "../../nn/optimizers.ts";
import { type ArraySpec, mapTree, type NdArray, zeros } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";

const observationSize = 27;
const actionSize = 8;
const hidden = [256, 256];
const discount = 0.99;
const tau = 0.005;
const targetEntropy = -actionSize; // nats
const logStdBound = { kind: "tanh", low: -5, high: 2 } as const;
const optimizer = adam({ learningRate: 3e-4 });

export interface SacOptions {
  /** 2 is SAC, more are REDQ; default 2. */
  readonly numCritics?: number;
  readonly seed?: number;
}

export type SacState<T> = {
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly actor: MlpParams<T>;
  readonly logAlpha: T;
  readonly criticOptimizer: AdamState<T>;
  readonly actorOptimizer: AdamState<T>;
  readonly alphaOptimizer: AdamState<T>;
};

/** A batch, and the noise of the two policy samples and of REDQ's pair of critics. */
export type SacInputs<T, N> = {
  readonly observations: T; // [B, O]
  readonly actions: T; // [B, A]
  readonly rewards: T; // [B]
  readonly masks: T; // [B]
  readonly nextObservations: T; // [B, O]
  readonly noise: N; // [B, A]
  readonly nextNoise: N; // [B, A]
  readonly pair: N; // [2], two of the E critics
};

/** A fresh state. */
export function sacState({ numCritics = 2, seed = 1 }: SacOptions = {}): SacState<NdArray> {
  const rng = createRng(seed);
  const critics = initMlp(rng.split("critics"), {
    inputs: observationSize + actionSize,
    hidden,
    outputs: 1,
    ensemble: numCritics,
  });
  const actor = initMlp(rng.split("actor"), {
    inputs: observationSize,
    hidden,
    outputs: 2 * actionSize,
  });
  const logAlpha = zeros([]);
  return {
    critics,
    targetCritics: critics,
    actor,
    logAlpha,
    criticOptimizer: optimizer.init(critics),
    actorOptimizer: optimizer.init(actor),
    alphaOptimizer: optimizer.init(logAlpha),
  };
}

/** The shapes of the update's inputs. */
export function sacInputs(batchSize: number, numCritics = 2): SacInputs<ArraySpec, NoiseSpec> {
  const float = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });
  return {
    observations: float(batchSize, observationSize),
    actions: float(batchSize, actionSize),
    rewards: float(batchSize),
    masks: float(batchSize),
    nextObservations: float(batchSize, observationSize),
    noise: normal([batchSize, actionSize]),
    nextNoise: normal([batchSize, actionSize]),
    pair: subset([2], numCritics),
  };
}

/** A made-up batch; noise is left to the program. */
export function sacBatch(batchSize: number, seed = 5) {
  const rng = createRng(seed);
  const draw = (size: number) => Float32Array.from({ length: size }, () => 3 * rng.uniform() - 1.5);
  return {
    observations: draw(batchSize * observationSize),
    actions: draw(batchSize * actionSize).map(Math.tanh),
    rewards: draw(batchSize),
    masks: new Float32Array(batchSize).fill(1),
    nextObservations: draw(batchSize * observationSize),
  };
}

/** One gradient step of everything; returns the new state and the three losses. */
export function sacUpdate(state: SacState<Tensor>, inputs: SacInputs<Tensor, Tensor>) {
  const { observations } = inputs;
  const alpha = exp(state.logAlpha);
  const target = softTarget(state, inputs);

  const [criticLoss, criticGrads] = valueAndGrad((params: MlpParams<Tensor>) => {
    const errors = sub(critics(params, observations, inputs.actions), target); // [E, B]
    return sum(mean(square(errors), 1));
  })(state.critics);
  const [nextCritics, criticOptimizer] = optimizer.update(
    criticGrads,
    state.criticOptimizer,
    state.critics,
  );

  const [actorLoss, actorGrads, logProbs] = valueAndGrad<MlpParams<Tensor>, Tensor>((params) => {
    const [actions, logProbs] = sampleActions(params, observations, inputs.noise);
    const qs = critics(nextCritics, observations, actions); // [E, B]
    const values = isRedq(state) ? mean(qs, 0) : min(qs, 0); // [B]
    return [mean(sub(mul(alpha, logProbs), values)), logProbs] as const;
  })(state.actor);
  const [actor, actorOptimizer] = optimizer.update(actorGrads, state.actorOptimizer, state.actor);

  const [alphaLoss, alphaGrad] = valueAndGrad((logAlpha: Tensor) =>
    neg(mean(mul(exp(logAlpha), add(logProbs, targetEntropy)))),
  )(state.logAlpha);
  const [logAlpha, alphaOptimizer] = optimizer.update(
    alphaGrad,
    state.alphaOptimizer,
    state.logAlpha,
  );

  const next: SacState<Tensor> = {
    critics: nextCritics,
    targetCritics: polyak(nextCritics, state.targetCritics, tau),
    actor,
    logAlpha,
    criticOptimizer,
    actorOptimizer,
    alphaOptimizer,
  };
  return [next, { criticLoss, actorLoss, alphaLoss }] as const;
}

/** Acting alone: [N, O] observations and [N, A] noise, zero for the mode, to [N, A] actions. */
export function sacAct(
  state: { readonly actor: MlpParams<Tensor> },
  { observations, noise }: { readonly observations: Tensor; readonly noise: Tensor },
) {
  const [actions] = sampleActions(state.actor, observations, noise);
  return [state, { actions }] as const;
}

/** The shapes of acting's inputs. */
export function sacActInputs(numEnvs: number): { observations: ArraySpec; noise: NoiseSpec } {
  const observations: ArraySpec = { shape: [numEnvs, observationSize], dtype: "float32" };
  return { observations, noise: normal([numEnvs, actionSize]) };
}

/** r + γ m (min Q̄(s', a') − α log π(a'|s')), [B]. */
function softTarget(state: SacState<Tensor>, inputs: SacInputs<Tensor, Tensor>): Tensor {
  const { nextObservations, nextNoise } = inputs;
  const [nextActions, nextLogProbs] = sampleActions(state.actor, nextObservations, nextNoise);
  const judges = isRedq(state) ? membersAt(state.targetCritics, inputs.pair) : state.targetCritics;
  const nextQs = critics(judges, nextObservations, nextActions); // [E, B]
  const nextValues = sub(min(nextQs, 0), mul(exp(state.logAlpha), nextLogProbs)); // [B]
  return add(inputs.rewards, mul(mul(inputs.masks, discount), nextValues));
}

/** The members of an ensemble at the indices. */
function membersAt(params: MlpParams<Tensor>, indices: Tensor): MlpParams<Tensor> {
  const member = (x: Tensor) => gather(x, indices, 0);
  return mapTree<Tensor, Tensor>(params, isTensor, member) as MlpParams<Tensor>;
}

function critics(params: MlpParams<Tensor>, observations: Tensor, actions: Tensor): Tensor {
  return squeeze(mlp(params, concat([observations, actions], -1)), [-1]);
}

function sampleActions(params: MlpParams<Tensor>, observations: Tensor, noise: Tensor) {
  return sampleTanhGaussian(gaussianOf(mlp(params, observations), logStdBound), noise);
}

function isRedq({ critics }: SacState<Tensor>): boolean {
  return critics.layer0!.kernel.shape[0]! > 2;
}
