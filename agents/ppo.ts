// Proximal policy optimisation with a clipped surrogate.
//
// Schulman et al. 2017, arXiv:1707.06347; equation numbers refer to it. Advantages are those of
// rollout.ts (GAE, arXiv:1506.02438). Defaults follow CleanRL's ppo_continuous_action; where
// Stable-Baselines3 differs, the setting says so. Differs: the critic learns returns standardised by
// their running moments instead of scaled rewards. The learning rate may steer by the divergence, as
// in rsl_rl.

import type { z } from "zod";
import {
  boundLogStd,
  type Gaussian,
  gaussianEntropy,
  gaussianLogProb,
  sampleGaussian,
} from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { orthogonal, zeros as zeroInit } from "../nn/initializers.ts";
import { initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import {
  abs,
  add,
  cast,
  clipByValue,
  div,
  exp,
  greater,
  less,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  split,
  sqrt,
  square,
  squeeze,
  stopGradient,
  sub,
  type Tensor,
  where,
} from "../nn/ops.ts";
import { type AdamState, adam, clipByGlobalNorm } from "../nn/optimizers.ts";
import { linearSchedule } from "../nn/schedules.ts";
import { full, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import type { EnvSpec, Metrics, OnPolicyAlgorithm } from "./agent.ts";
import { chordLoss, chordWeight, gaussianImitation, scaledRate } from "./chord.ts";
import { ppoSettings } from "./ppoSettings.ts";
import {
  countReturns,
  initReturnMoments,
  type ReturnMoments,
  standardizeReturns,
  unstandardizeReturns,
} from "./returnMoments.ts";
import type { ActInputs, OnPolicyInputs, RolloutBatch, Sample } from "./rows.ts";

export type PpoConfig = z.infer<typeof ppoSettings>;

/** The actor gives means, or means and log standard deviations where `logStd` is missing. */
export type ActorParams<T> = { readonly network: MlpParams<T>; readonly logStd?: T };

export type PpoState<T> = {
  readonly actor: ActorParams<T>;
  readonly critic: MlpParams<T>;
  readonly returnMoments: ReturnMoments<T>;
  readonly optimizer: AdamState<T>;
  readonly learningRate: T;
};

type State = PpoState<Tensor>;
type Networks = Pick<State, "actor" | "critic">;

export const ppo: OnPolicyAlgorithm<PpoConfig, PpoState<NdArray>> = {
  name: "ppo",
  summary: "proximal policy optimisation: clipped surrogate, GAE, several epochs a rollout",
  family: "onPolicy",
  settings: ppoSettings,
  init,
  policyKeys: ["actor"],
  act,
  sampleKeys: ["actor", "critic", "returnMoments"],
  sample,
  update,
};

const optimizer = adam({ learningRate: 3e-4, epsilon: 1e-5 }); // CleanRL and SB3; `update` says the rate
const logStdBound = { kind: "clip", low: -5, high: 2 } as const; // of a state-dependent one
const softBound = 1.1; // rl_games'
const [leastRate, greatestRate, rateFactor] = [1e-5, 1e-2, 1.5]; // rsl_rl's

/** Orthogonal kernels of gain √2, 0.01 for the actions, 1 for the value, as in CleanRL and SB3. */
function init({ observationSize, actionSize }: EnvSpec, config: PpoConfig, rng: Rng) {
  const network = (name: string, outputs: number, gain: number) =>
    initMlp(rng.split(name), {
      inputs: observationSize,
      hidden: config.hidden,
      outputs,
      init: { kernel: orthogonal(Math.SQRT2), bias: zeroInit },
      finalInit: { kernel: orthogonal(gain), bias: zeroInit },
    });
  const actor: ActorParams<NdArray> = config.stateDependentStd
    ? { network: network("actor", 2 * actionSize, 0.01) }
    : {
        network: network("actor", actionSize, 0.01),
        logStd: full([actionSize], config.initialLogStd),
      };
  const critic = network("critic", 1, 1);
  return {
    actor,
    critic,
    returnMoments: initReturnMoments(),
    optimizer: optimizer.init({ actor, critic }),
    learningRate: full([], config.learningRate),
  };
}

function act(
  { actor }: Pick<State, "actor">,
  { observations, noise }: ActInputs,
  config: PpoConfig,
) {
  return clipByValue(sampleGaussian(policy(actor, observations, config), noise), -1, 1);
}

function sample(
  { actor, critic, returnMoments }: Pick<State, "actor" | "critic" | "returnMoments">,
  { observations, noise }: ActInputs,
  config: PpoConfig,
): Sample {
  const gaussian = policy(actor, observations, config);
  const actions = sampleGaussian(gaussian, noise);
  const outputs = value(critic, observations, config);
  const values = config.normalizeReturns ? unstandardizeReturns(returnMoments, outputs) : outputs;
  return { actions, logProbs: gaussianLogProb(gaussian, actions), values };
}

/** One step of Adam on −L of eq. 9; actor and critic share no layer. */
function update(state: State, inputs: OnPolicyInputs, config: PpoConfig): [State, Metrics] {
  const { batch, progress } = inputs;
  const { actor, critic } = state;
  const returnMoments = countReturns(state.returnMoments, batch.returns);
  const inUnits = (x: Tensor) =>
    config.normalizeReturns ? standardizeReturns(returnMoments, x) : x;
  const targets = { returns: inUnits(batch.returns), oldValues: inUnits(batch.values) };
  const [loss, grads, parts] = valueAndGrad((networks: Networks) => {
    const [policyLoss, policyParts] = policyTerms(networks.actor, batch, config);
    const valueLoss = valueTerm(
      value(networks.critic, batch.observations, config),
      targets,
      config,
    );
    const guided = besideDemonstrations(policyLoss, networks.actor, inputs, config);
    const total = add(guided, mul(valueLoss, config.valueCoef));
    return [total, { ...policyParts, valueLoss }] as const;
  })({ actor, critic });
  const { maxGradNorm } = config;
  const clipped = maxGradNorm === null ? grads : clipByGlobalNorm(grads, maxGradNorm)[0];
  const learningRate = nextRate(state.learningRate, parts.approxKl, progress, config);
  const networks = { actor, critic };
  const rate = scaledRate(learningRate, parts.ratio, config);
  const [next, moments] = optimizer.update(clipped, state.optimizer, networks, rate);
  const metrics = {
    "train/loss": loss,
    "train/policy_gradient_loss": parts.surrogate,
    "train/value_loss": parts.valueLoss,
    "train/entropy_loss": neg(parts.entropy),
    "train/approx_kl": parts.approxKl,
    "train/clip_fraction": parts.clipFraction,
    "train/std": parts.std,
    "train/learning_rate": rate,
  };
  return [{ ...next, returnMoments, optimizer: moments, learningRate }, metrics];
}

/** Eq. 7 less the entropy bonus, to be descended, and what is worth showing of it. */
function policyTerms(actor: ActorParams<Tensor>, batch: RolloutBatch<Tensor>, config: PpoConfig) {
  const gaussian = policy(actor, batch.observations, config);
  const logRatio = sub(gaussianLogProb(gaussian, batch.actions), batch.logProbs); // [B]
  const ratio = exp(logRatio); // [B]
  const advantages = config.normalizeAdvantages ? standardize(batch.advantages) : batch.advantages;
  const surrogate = neg(mean(clippedObjective(ratio, advantages, config.clipRange)));
  const entropy = mean(gaussianEntropy(gaussian));
  const outside = greater(abs(sub(ratio, 1)), config.clipRange);
  const parts = {
    surrogate,
    entropy,
    ratio,
    // Schulman's low-variance estimate of KL(old ‖ new), E[(r − 1) − log r]
    approxKl: mean(sub(sub(ratio, 1), logRatio)),
    clipFraction: mean(cast(outside, "float32")),
    std: mean(exp(gaussian.logStd)),
  };
  const loss = sub(surrogate, mul(entropy, config.entropyCoef));
  if (config.meanBoundCoef === 0) return [loss, parts] as const;
  return [add(loss, mul(beyondBounds(gaussian.mean), config.meanBoundCoef)), parts] as const;
}

/** The policy's loss with that of cloning demonstrations, where there are some. */
function besideDemonstrations(
  loss: Tensor,
  actor: ActorParams<Tensor>,
  { demonstrations, progress }: OnPolicyInputs,
  config: PpoConfig,
): Tensor {
  if (demonstrations === undefined) return loss;
  const gaussian = policy(actor, demonstrations.observations, config);
  const imitation = gaussianImitation(gaussian, demonstrations.actions, config);
  return chordLoss(loss, imitation, chordWeight(progress, config));
}

/** Mean square of how far means [B, A] lie beyond ±1.1: the bound loss of rl_games. */
export function beyondBounds(means: Tensor): Tensor {
  return mean(square(maximum(sub(abs(means), softBound), 0)));
}

/** Eq. 7 for each row: min(r A, clip(r, 1 − ε, 1 + ε) A). */
export function clippedObjective(ratio: Tensor, advantages: Tensor, clipRange: number): Tensor {
  const clipped = clipByValue(ratio, 1 - clipRange, 1 + clipRange);
  return minimum(mul(ratio, advantages), mul(clipped, advantages));
}

/** What the critic's outputs [B] are held against, in its own units. */
interface ValueTargets {
  readonly returns: Tensor;
  readonly oldValues: Tensor;
}

/** ½ mean (v − R)², or of the greater error where v is kept near its old value. */
export function valueTerm(
  values: Tensor,
  { returns, oldValues }: ValueTargets,
  { valueClipRange }: Pick<PpoConfig, "valueClipRange">,
): Tensor {
  const errors = square(sub(values, returns));
  if (valueClipRange === null) return mul(mean(errors), 0.5);
  const moved = clipByValue(sub(values, oldValues), -valueClipRange, valueClipRange);
  const clippedErrors = square(sub(add(oldValues, moved), returns));
  return mul(mean(maximum(errors, clippedErrors)), 0.5);
}

/** (x − mean) / (standard deviation + 10⁻⁸) over a batch. */
export function standardize(x: Tensor): Tensor {
  const centred = sub(x, mean(x));
  return div(centred, add(sqrt(mean(square(centred))), 1e-8));
}

/** The learning rate of this step; the adaptive one of rsl_rl aims at a divergence. */
function nextRate(rate: Tensor, kl: Tensor, progress: Tensor, config: PpoConfig): Tensor {
  const { learningRate, learningRateSchedule, desiredKl } = config;
  if (learningRateSchedule === "constant") return rate;
  if (learningRateSchedule === "linear") return linearSchedule(learningRate, 0, 1)(progress);
  const slower = maximum(mul(rate, 1 / rateFactor), leastRate);
  const faster = minimum(mul(rate, rateFactor), greatestRate);
  const raised = where(less(kl, desiredKl / 2), faster, rate);
  return where(greater(kl, desiredKl * 2), slower, raised);
}

/** The distribution of actions, not bounded. */
export function policy(
  actor: ActorParams<Tensor>,
  observations: Tensor,
  config: PpoConfig,
): Gaussian {
  const outputs = mlp(actor.network, observations, { activation: config.activation });
  if (actor.logStd !== undefined)
    return { mean: outputs, logStd: config.learnStd ? actor.logStd : stopGradient(actor.logStd) };
  const [mean, raw] = split(outputs, 2, -1) as [Tensor, Tensor];
  return { mean, logStd: boundLogStd(add(raw, config.initialLogStd), logStdBound) };
}

/** The critic's outputs, [B]. */
function value(critic: MlpParams<Tensor>, observations: Tensor, { activation }: PpoConfig): Tensor {
  return squeeze(mlp(critic, observations, { activation }), [-1]);
}
