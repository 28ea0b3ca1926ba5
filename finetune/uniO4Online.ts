// The online stage of Uni-O4: PPO from the chosen member and the values that the data gave.
//
// Lei et al. 2024, arXiv:2311.03351. Observations are standardised by the data's moments, which stay. Values move at
// most the clip range on one rollout; actions are clipped, and their density is taken where they are then.

import type { EnvSpec, Metrics, OnPolicyAlgorithm } from "../agents/agent.ts";
import { descend, initDescent } from "../agents/descent.ts";
import { clippedObjective, standardize, valueTerm } from "../agents/ppo.ts";
import type { ActInputs, RolloutBatch, Sample } from "../agents/rows.ts";
import { gaussianEntropy, gaussianLogProb } from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { initMlp, type MlpParams } from "../nn/layers.ts";
import { abs, add, cast, exp, greater, mean, mul, neg, sub, type Tensor } from "../nn/ops.ts";
import type { AdamState } from "../nn/optimizers.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { boundedActions, boundedGaussian, initBoundedActors } from "./boundedActor.ts";
import { valuesOf } from "./iql.ts";
import type { UniO4Config } from "./uniO4Settings.ts";

export type UniO4OnlineState<T> = {
  readonly actor: MlpParams<T>;
  readonly actorOptimizer: AdamState<T>;
  readonly value: MlpParams<T>;
  readonly valueOptimizer: AdamState<T>;
};

type State = UniO4OnlineState<Tensor>;
type Config = UniO4Config & { readonly normalizer: "none" };
type Inputs = { readonly batch: RolloutBatch<Tensor>; readonly progress: Tensor };

/** Not registered: `uniO4` is what one asks for, and its settings are these. */
export const uniO4Online: Omit<OnPolicyAlgorithm<Config, UniO4OnlineState<NdArray>>, "settings"> = {
  name: "uniO4",
  summary: "the online stage of Uni-O4",
  family: "onPolicy",
  continues: {
    algorithms: ["uniO4"],
    settings: () => ({}),
    begin: (state, { actor, value }) =>
      ({ ...state, actor, value }) as unknown as UniO4OnlineState<NdArray>,
  },
  init,
  policyKeys: ["actor"],
  act: ({ actor }, { observations, noise }: ActInputs, config) =>
    boundedActions(boundedGaussian(actor, observations, config), noise),
  sampleKeys: ["actor", "value"],
  sample,
  update,
};

function init(spec: EnvSpec, config: Config, rng: Rng): UniO4OnlineState<NdArray> {
  const actor = initBoundedActors(rng.split("actor"), spec, config, 1);
  const sizes = { inputs: spec.observationSize, hidden: config.criticHidden, outputs: 1 };
  const value = initMlp(rng.split("value"), sizes);
  return {
    actor,
    actorOptimizer: initDescent(actor, config),
    value,
    valueOptimizer: initDescent(value, config),
  };
}

function sample(
  { actor, value }: Pick<State, "actor" | "value">,
  { observations, noise }: ActInputs,
  config: Config,
): Sample {
  const gaussian = boundedGaussian(actor, observations, config);
  const actions = boundedActions(gaussian, noise);
  const logProbs = gaussianLogProb(gaussian, actions);
  return { actions, logProbs, values: valuesOf(value, observations, config) };
}

function update(
  state: State,
  { batch, progress }: Inputs,
  config: Config,
): readonly [State, Metrics] {
  const { observations, actions, logProbs, returns, values: oldValues } = batch;
  const advantages = standardize(batch.advantages);
  const { onlineClipRange: clip } = config;
  const [actorLoss, actorGrads, parts] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const gaussian = boundedGaussian(actor, observations, config);
    const logRatio = sub(gaussianLogProb(gaussian, actions), logProbs);
    const ratio = exp(logRatio);
    const entropy = mean(gaussianEntropy(gaussian));
    const gain = mean(clippedObjective(ratio, advantages, clip));
    const kl = mean(sub(sub(ratio, 1), logRatio));
    return [
      neg(add(gain, mul(entropy, config.onlineEntropyCoef))),
      { ratio, entropy, kl },
    ] as const;
  })(state.actor);
  const [valueLoss, valueGrads] = valueAndGrad((value: MlpParams<Tensor>) =>
    valueTerm(
      valuesOf(value, observations, config),
      { returns, oldValues },
      { valueClipRange: clip },
    ),
  )(state.value);
  const falling = { ...config, finalLearningRateShare: 0 };
  const { onlineActorLearningRate, onlineValueLearningRate } = config;
  const ofActor = [state.actor, actorGrads, state.actorOptimizer] as const;
  const ofValue = [state.value, valueGrads, state.valueOptimizer] as const;
  const [actor, actorOptimizer] = descend(ofActor, onlineActorLearningRate, progress, falling);
  const [value, valueOptimizer] = descend(ofValue, onlineValueLearningRate, progress, falling);
  const outside = greater(abs(sub(parts.ratio, 1)), clip);
  const metrics = {
    "train/policy_gradient_loss": actorLoss,
    "train/value_loss": valueLoss,
    "train/entropy_loss": neg(parts.entropy),
    "train/approx_kl": parts.kl,
    "train/clip_fraction": mean(cast(outside, "float32")),
  };
  return [{ actor, actorOptimizer, value, valueOptimizer }, metrics];
}
