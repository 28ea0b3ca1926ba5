// Uni-O4: one objective, PPO's, on logged data and then online. Policies are cloned as an ensemble, made better by
// clipped steps against a fixed judgement of the data, and taken over only where an estimate says that they are.
//
// Lei et al. 2024, arXiv:2311.03351; defaults are its code's. Stages: "prepare" fits values, critics, models of the
// task (dynamics.ts) and clones all at once; "offline" improves each member against its reference; "review" rolls the
// models out and has those that score higher become references; online uniO4Online.ts goes on with the best one.
// Differs, on purpose: the clip range falls to 0 with the learning rate (the code freezes it after 200 updates);
// clones are scored before any improvement, so that the first one has something to beat; the member is chosen by the
// estimate alone (the code asks the simulator); rollouts follow the elites' mean and know no terminations; members
// share the clipping of their gradients; critics are as many as `numCritics`, the least of them counts.

import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descend, initDescent } from "../agents/descent.ts";
import { firstOf, qValues, reduceHeads } from "../agents/networks.ts";
import type { ActInputs, UpdateInputs } from "../agents/rows.ts";
import { regressCritics } from "../agents/steps.ts";
import { gaussianEntropy, gaussianLogProb, sampleGaussian } from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import type { MlpParams } from "../nn/layers.ts";
import { type NoiseSpec, normal } from "../nn/noise.ts";
import {
  add,
  clipByValue,
  div,
  exp,
  expandDims,
  eye,
  greater,
  greaterEqual,
  lessEqual,
  max,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  reshape,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tile,
  where,
} from "../nn/ops.ts";
import { type AdamState, polyak } from "../nn/optimizers.ts";
import { full, type NdArray, zeros } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import {
  boundedActions,
  boundedGaussian,
  boundedGaussians,
  initBoundedActors,
} from "./boundedActor.ts";
import { type DynamicsState, foretell, initDynamics, updateDynamics } from "./dynamics.ts";
import { type IqlJudges, initIqlJudges, updateIqlJudges, valuesOf } from "./iql.ts";
import { decide, unscored } from "./uniO4Gate.ts";
import { uniO4Online } from "./uniO4Online.ts";
import { type UniO4Config, uniO4Settings } from "./uniO4Settings.ts";

export type UniO4State<T> = IqlJudges<T> & {
  readonly dynamics: DynamicsState<T>;
  /** The member that acts, an ensemble of one. */
  readonly actor: MlpParams<T>;
  readonly actors: MlpParams<T>;
  readonly actorsOptimizer: AdamState<T>;
  /** What each member is held near, and samples from. */
  readonly references: MlpParams<T>;
  /** Of the references, [E]. */
  readonly bestScores: T;
  /** How often one was replaced. */
  readonly numReplaced: T;
  /** A review under way: where the models are, [E, B, O], and the sum of Q so far, [E]. */
  readonly rollouts: { readonly observations: T; readonly sums: T };
};

export type UniO4Noise<T> = { readonly actions: T }; // [E, B, A]

type State = UniO4State<Tensor>;
type Inputs = UpdateInputs<UniO4Noise<Tensor>>;

export const uniO4: OffPolicyAlgorithm<UniO4Config, UniO4State<NdArray>, UniO4Noise<Tensor>> = {
  name: "uniO4",
  summary: "Uni-O4: PPO on logged data behind an estimate's gate, then PPO online",
  family: "offPolicy",
  settings: uniO4Settings,
  needs: ["data"],
  offline: {
    columns: ["nextActions", "returnsToGo"],
    prepareUpdates: ({ prepareUpdates }) => prepareUpdates,
    reviews: ({ reviewPeriod, horizon }) => ({ period: reviewPeriod, steps: horizon }),
    online: uniO4Online as never,
  },
  init,
  policyKeys: ["actor"],
  act: ({ actor }, { observations, noise }: ActInputs, config) =>
    boundedActions(boundedGaussian(actor, observations, config), noise),
  noise: ({ actionSize }, { numPolicies, batchSize }): UniO4Noise<NoiseSpec> => ({
    actions: normal([numPolicies, batchSize, actionSize]),
  }),
  update,
};

function init(spec: EnvSpec, config: UniO4Config, rng: Rng): UniO4State<NdArray> {
  const { numPolicies, batchSize } = config;
  const actors = initBoundedActors(rng.split("actors"), spec, config, numPolicies);
  const actor = initBoundedActors(rng.split("actor"), spec, config, 1);
  return {
    ...initIqlJudges(spec, config, rng),
    dynamics: initDynamics(rng.split("dynamics"), spec, config),
    actor,
    actors,
    actorsOptimizer: initDescent(actors, config),
    references: actors,
    bestScores: full([numPolicies], unscored),
    numReplaced: zeros([]),
    rollouts: {
      observations: zeros([numPolicies, batchSize, spec.observationSize]),
      sums: zeros([numPolicies]),
    },
  };
}

function update(
  state: State,
  inputs: Inputs,
  config: UniO4Config,
  _spec: EnvSpec,
  { trainActor, stage }: UpdatePhase,
): readonly [State, Metrics] {
  if (stage === "review") {
    const reviewed = review(state, inputs, config);
    return [reviewed, { "train/ope_best": max(reviewed.bestScores) }];
  }
  if (stage !== "prepare")
    return trainActor ? improve(state, inputs, config) : updateJudges(state, inputs, config);
  const [judged, judgeMetrics] = updateJudges(state, inputs, config);
  const [cloned, cloneMetrics] = clone(judged, inputs, config);
  const { batch, progress } = inputs;
  const [dynamics, modelMetrics] = updateDynamics(state.dynamics, batch, progress, config);
  return [
    { ...cloned, dynamics },
    { ...judgeMetrics, ...cloneMetrics, ...modelMetrics },
  ];
}

/** Values and critics of the policy that made the data: V by its returns, Q by its next actions; or IQL's. */
function updateJudges(
  state: State,
  { batch, progress }: Inputs,
  config: UniO4Config,
): readonly [State, Metrics] {
  if (config.judges === "iql") {
    const [judges, , metrics] = updateIqlJudges(state, { batch, progress }, config);
    return [{ ...state, ...judges }, metrics];
  }
  const { observations, actions, rewards, discounts, nextObservations } = batch;
  const { nextActions, returnsToGo } = batch as Required<typeof batch>;
  const [valueLoss, valueGrads] = valueAndGrad((value: MlpParams<Tensor>) =>
    mean(square(sub(valuesOf(value, observations, config), returnsToGo))),
  )(state.value);
  const from = [state.value, valueGrads, state.valueOptimizer] as const;
  const [value, valueOptimizer] = descend(from, config.valueLearningRate, progress, config);
  const next = qValues(state.targetCritics, nextObservations, nextActions, config);
  const target = add(rewards, mul(discounts, reduceHeads(next, "min")));
  const rows = { observations, actions, target, progress };
  const [judged, metrics] = regressCritics({ ...state, value, valueOptimizer }, rows, config);
  const targetCritics = polyak(judged.critics, state.targetCritics, config.tau);
  return [
    { ...judged, targetCritics },
    { ...metrics, "train/value_loss": valueLoss },
  ];
}

/** One step of all clones; until the first review each is its own reference, and the first one acts. */
function clone(
  state: State,
  { batch: { observations, actions }, progress }: Inputs,
  config: UniO4Config,
): readonly [State, Metrics] {
  const [loss, grads] = valueAndGrad((actors: MlpParams<Tensor>) => {
    const logProbs = gaussianLogProb(boundedGaussians(actors, observations, config), actions);
    return sum(mean(cloningLosses(logProbs, config), 1));
  })(state.actors);
  const from = [state.actors, grads, state.actorsOptimizer] as const;
  const [actors, actorsOptimizer] = descend(from, config.actorLearningRate, progress, config);
  const next = { ...state, actors, actorsOptimizer, references: actors, actor: firstOf(actors) };
  return [next, { "train/clone_loss": div(loss, config.numPolicies) }];
}

/**
 * −log πᵢ − α (log πᵢ − max over others of log πⱼ), of log-probabilities [E, B]. With still rivals its gradient is
 * (1 + α) times plain cloning's, which Adam does not feel: members then differ by how they began.
 */
export function cloningLosses(
  logProbs: Tensor,
  { diversity, rivals, numPolicies }: Pick<UniO4Config, "diversity" | "rivals" | "numPolicies">,
): Tensor {
  if (numPolicies === 1) return neg(logProbs);
  const own = mul(expandDims(eye(numPolicies), -1), -1e9); // [E, E, 1]
  const likeliest = max(add(expandDims(logProbs, 0), own), 1); // [E, B]
  const rival = rivals === "still" ? stopGradient(likeliest) : likeliest;
  return neg(add(logProbs, mul(sub(logProbs, rival), diversity)));
}

/** One clipped step of every member against its reference's own actions, as the fixed judges see them. */
function improve(
  state: State,
  { batch: { observations }, noise, progress }: Inputs,
  config: UniO4Config,
): readonly [State, Metrics] {
  const old = boundedGaussians(state.references, observations, config);
  const actions = clipByValue(sampleGaussian(old, noise.actions), -1, 1); // [E, B, A]
  const oldLogProbs = gaussianLogProb(old, actions); // [E, B]
  const raw = advantagesOf(state, observations, actions, config);
  const advantages = weighed(raw, config);
  const clip = mul(sub(1, progress), config.clipRange);
  const [loss, grads, ratios] = valueAndGrad((actors: MlpParams<Tensor>) => {
    const now = boundedGaussians(actors, observations, config);
    const ratios = exp(sub(gaussianLogProb(now, actions), oldLogProbs));
    const gain = sum(mean(clippedGain(ratios, advantages, clip), 1));
    const entropy = mul(sum(mean(gaussianEntropy(now), 1)), config.entropyCoef);
    return [neg(add(gain, entropy)), ratios] as const;
  })(state.actors);
  const from = [state.actors, grads, state.actorsOptimizer] as const;
  const falling = { ...config, finalLearningRateShare: 0 };
  const [actors, actorsOptimizer] = descend(from, config.improveLearningRate, progress, falling);
  const metrics = {
    "train/actor_loss": div(loss, config.numPolicies),
    "train/advantage": mean(raw),
    "train/ratio": mean(ratios),
    "train/ope_best": max(state.bestScores),
    "train/num_replaced": state.numReplaced,
  };
  return [{ ...state, actors, actorsOptimizer }, metrics];
}

/** min(r A, clip(r, 1 − c, 1 + c) A). */
export function clippedGain(ratios: Tensor, advantages: Tensor, clip: Tensor): Tensor {
  const clipped = minimum(maximum(ratios, sub(1, clip)), add(1, clip));
  return minimum(mul(ratios, advantages), mul(clipped, advantages));
}

/** Q(s, a) − V(s) for every member's actions [E, B, A], [E, B]. */
function advantagesOf(state: State, observations: Tensor, actions: Tensor, config: UniO4Config) {
  const rows = tile(expandDims(observations, 0), [config.numPolicies, 1, 1]);
  const qs = judged(state, rows, actions, config);
  return sub(qs, valuesOf(state.value, observations, config));
}

/** The critics' least for observations [E, B, O] and actions [E, B, A], [E, B]. */
function judged(state: State, observations: Tensor, actions: Tensor, config: UniO4Config): Tensor {
  const flat = (x: Tensor) => reshape(x, [-1, x.shape.at(-1)!]);
  const qs = qValues(state.critics, flat(observations), flat(actions), config);
  return reshape(reduceHeads(qs, "min"), actions.shape.slice(0, 2) as [number, number]);
}

/** Standardised in each member's batch; with SARSA's judges those above 0 count ω, others 1 − ω. */
export function weighed(
  advantages: Tensor,
  { judges, advantageWeight }: Pick<UniO4Config, "judges" | "advantageWeight">,
): Tensor {
  const centred = sub(advantages, mean(advantages, 1, true));
  const scaled = div(centred, add(sqrt(mean(square(centred), 1, true)), 1e-10));
  if (judges === "iql") return scaled;
  return mul(scaled, where(greater(scaled, 0), advantageWeight, 1 - advantageWeight));
}

/** One step of the models with every member's mode; the last one of a review decides. */
function review(state: State, { batch, progress }: Inputs, config: UniO4Config): State {
  const { numPolicies, horizon } = config;
  const begins = lessEqual(progress, 0);
  const starts = tile(expandDims(batch.observations, 0), [numPolicies, 1, 1]);
  const observations = where(begins, starts, state.rollouts.observations); // [E, B, O]
  const { mean: actions } = boundedGaussians(state.actors, observations, config);
  const score = mean(judged(state, observations, actions, config), 1); // [E]
  const sums = add(where(begins, 0, state.rollouts.sums), score);
  const [rows, size] = [observations.shape.slice(0, 2), observations.shape[2]!];
  const flat = (x: Tensor) => reshape(x, [-1, x.shape.at(-1)!]);
  const { nextObservations } = foretell(state.dynamics, flat(observations), flat(actions), config);
  const rollouts = { observations: reshape(nextObservations, [...rows, size]), sums };
  const ends = greaterEqual(progress, 1 - 1.5 / horizon);
  return decide({ ...state, rollouts }, where(ends, div(sums, horizon), unscored));
}
