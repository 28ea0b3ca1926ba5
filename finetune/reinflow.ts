// ReinFlow: proximal policy optimisation of a cloned flow or shortcut policy.
//
// Zhang et al. 2025, arXiv:2505.22094. A learned, bounded noise after each Euler step makes the flow a
// Markov chain with an exact density (chain.ts), so that PPO applies to the whole chain; without the noise the
// flow is the policy again. Defaults are those of the authors' locomotion runs. Differs: one time grid
// k / K everywhere (their released code scores other times than it samples); a time-out bootstraps from its
// true last observation and cuts the sum; the critic learns standardised returns instead of scaled rewards;
// learning rates fall along one cosine.
// Shapes: n = H · A; a rollout's row holds the chain, [K + 1, n], and then the chunk as the task takes it, [n].

import { z } from "zod";
import type { ActionLayout, EnvSpec, Metrics, OnPolicyAlgorithm } from "../agents/agent.ts";
import { chordLoss, chordWeight, scaledRate } from "../agents/chord.ts";
import { clippedObjective, standardize } from "../agents/ppo.ts";
import type { ActInputs, OnPolicyInputs, Sample } from "../agents/rows.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import {
  abs,
  add,
  cast,
  clipByValue,
  concat,
  exp,
  greater,
  mean,
  mul,
  neg,
  reshape,
  slice,
  square,
  sub,
  type Tensor,
  zeros,
} from "../nn/ops.ts";
import { type AdamState, adamW } from "../nn/optimizers.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { type ActionNormalizer, toActions, unitActions } from "./actionNormalizer.ts";
import { chainLogProb, entropyRate, maxStdAt, type NoiseBounds } from "./chain.ts";
import { flowImitation } from "./chunkImitation.ts";
import {
  actorRate,
  type Clock,
  type CriticState,
  chunkPpoSettings,
  descend,
  inherited,
  initClock,
  initCritic,
  sameShapes,
  stepCritic,
  tick,
  valuesOf,
} from "./chunkPpo.ts";
import { flowShapeSettings, initNoiseNet, initVelocity, type VelocityParams } from "./flowNet.ts";
import { flowChunk, flowPath, type NoisyFlowParams, sampleChain, scoreSteps } from "./noisyFlow.ts";

const settings = z.strictObject({
  ...chunkPpoSettings,
  ...flowShapeSettings,
  minStd: z.number().positive().max(10).default(0.1).describe("least noise after a step"),
  maxStd: z.number().positive().max(10).default(0.24).describe("greatest noise, at first"),
  maxStdHold: z
    .number()
    .min(0)
    .lt(1)
    .default(0.35)
    .describe("share of the run that it is held for"),
  maxStdKeep: z
    .number()
    .min(0)
    .max(1)
    .default(0.7)
    .describe("share of itself that it falls to, along a cosine; the rest is the least noise"),
  noiseHidden: z
    .array(z.int().min(1).max(8192))
    .default([64, 64])
    .describe("widths of the noise net's hidden layers"),
  timedNoise: z
    .boolean()
    .default(true)
    .describe("noise follows the time, not the observation alone"),
  clipRange: z
    .number()
    .positive()
    .default(0.01)
    .describe(
      "ε of a ratio of mean densities; times (K + 1) n it is a ratio's of the chain, in nats",
    ),
  logProbBound: z
    .number()
    .positive()
    .default(1)
    .describe(
      "nats that mean densities are clipped to, where they feel no gradient; noise below 0.05 passes 1",
    ),
  entropyCoef: z.number().min(0).default(0.03).describe("worth of a nat of entropy rate"),
  regularizer: z
    .number()
    .min(0)
    .default(0)
    .describe("charge for the square distance of its chunk to the cloned flow's, from noise 0"),
});

export type ReinflowConfig = z.infer<typeof settings>;

export type ReinflowState<T> = CriticState<T> & {
  readonly actor: NoisyFlowParams<T>;
  readonly actorOptimizer: AdamState<T>;
  readonly actionNormalizer: ActionNormalizer<T>;
  readonly clock: Clock<T>;
  /** The cloned flow, where the regulariser wants it. */
  readonly base?: VelocityParams<T>;
};

type State = ReinflowState<Tensor>;
type Policy = Pick<State, "actor" | "actionNormalizer">;

export const reinflow: OnPolicyAlgorithm<ReinflowConfig, ReinflowState<NdArray>> = {
  name: "reinflow",
  summary: "fine-tunes a cloned flow or shortcut policy: PPO over its steps with learned noise",
  family: "onPolicy",
  needs: ["base"],
  continues: {
    algorithms: ["flow", "shortcut"],
    settings: (algo) => inherited(algo, Object.keys(flowShapeSettings)),
    begin(state, policy) {
      const velocity = sameShapes(state.actor.velocity, policy["average"]);
      const base = state.base === undefined ? {} : { base: velocity };
      const actionNormalizer = sameShapes(state.actionNormalizer, policy["actionNormalizer"]);
      return { ...state, ...base, actor: { ...state.actor, velocity }, actionNormalizer };
    },
  },
  settings,
  layout,
  init,
  policyKeys: ["actor", "actionNormalizer"],
  act,
  path,
  sampleKeys: ["actor", "actionNormalizer", "critic", "returnMoments", "clock"],
  sample,
  update,
};

function layout({ actionSize }: EnvSpec, config: ReinflowConfig): ActionLayout {
  const { chunkLength, executed, flowSteps } = config;
  const n = chunkLength * actionSize;
  return {
    chunkLength,
    executed,
    numDraws: n,
    drawsAlways: true,
    sampleDraws: (flowSteps + 1) * n,
    stored: (flowSteps + 2) * n,
  };
}

function init(spec: EnvSpec, config: ReinflowConfig, rng: Rng): ReinflowState<NdArray> {
  const { observationSize, actionSize } = spec;
  const chunkSize = config.chunkLength * actionSize;
  const sizes = { observationSize, chunkSize };
  const velocity = initVelocity(rng.split("velocity"), { ...config, ...sizes });
  const actor = {
    velocity,
    noise: initNoiseNet(rng.split("noise"), {
      ...sizes,
      hidden: config.noiseHidden,
      timed: config.timedNoise,
    }),
  };
  return {
    actor,
    actorOptimizer: adamW({ learningRate: 0 }).init(actor),
    ...initCritic(rng.split("critic"), observationSize, config),
    actionNormalizer: unitActions(actionSize),
    clock: initClock(),
    ...(config.regularizer > 0 ? { base: velocity } : {}),
  };
}

function act(...input: Parameters<typeof path>): Tensor {
  return path(...input).at(-1)!;
}

/** The flow's chunk after each step, without noise between them. */
function path(
  { actor, actionNormalizer }: Policy,
  { observations, noise }: ActInputs,
  config: ReinflowConfig,
): Tensor[] {
  const chunks = flowPath(actor.velocity, noise, observations, config);
  return chunks.map((chunk) => toActions(actionNormalizer, chunk));
}

function sample(
  state: Pick<State, "actor" | "actionNormalizer" | "critic" | "returnMoments" | "clock">,
  { observations, noise }: ActInputs,
  config: ReinflowConfig,
): Sample {
  const bounds = boundsAt(state.clock.now, config);
  const [chain, steps] = sampleChain(state.actor, noise, observations, config, bounds);
  const [numRows, length, n] = chain.shape as [number, number, number];
  const last = reshape(slice(chain, [0, length - 1, 0], [numRows, 1, n]), [numRows, n]);
  const actions = concat(
    [reshape(chain, [numRows, length * n]), toActions(state.actionNormalizer, last)],
    -1,
  );
  return { actions, logProbs: chainLogProb(chain, steps), values: valuesOf(state, observations) };
}

type Inputs = OnPolicyInputs;

/** One step of the critic and, once that is warm, of the actor. */
function update(state: State, inputs: Inputs, config: ReinflowConfig): [State, Metrics] {
  const { batch, progress } = inputs;
  const clock = tick(state.clock, progress);
  const [critic, valueLoss] = stepCritic(state, batch, progress, config);
  const [loss, grads, parts] = valueAndGrad((actor: NoisyFlowParams<Tensor>) =>
    actorLoss(actor, state, inputs, boundsAt(clock.sampledAt, config), config),
  )(state.actor);
  const rate = scaledRate(actorRate(clock, config), parts.ratio, config);
  const [actor, actorOptimizer] = descend(
    [state.actor, grads, state.actorOptimizer],
    rate,
    0,
    config,
  );
  const metrics = {
    "train/loss": loss,
    "train/policy_gradient_loss": parts.surrogate,
    "train/value_loss": valueLoss,
    "train/entropy_loss": neg(parts.entropy),
    "train/approx_kl": parts.approxKl,
    "train/clip_fraction": parts.clipFraction,
    "train/std": parts.std,
    "train/log_prob": parts.logProb,
    "train/learning_rate": rate,
  };
  return [{ ...state, ...critic, actor, actorOptimizer, clock }, metrics];
}

/** The clipped surrogate of mean densities, less the entropy bonus, plus the regulariser. */
function actorLoss(
  actor: NoisyFlowParams<Tensor>,
  state: State,
  inputs: Inputs,
  bounds: NoiseBounds,
  config: ReinflowConfig,
) {
  const { logProbBound: bound, clipRange } = config;
  const { batch } = inputs;
  const chain = chainOf(batch.actions, config);
  const steps = scoreSteps(actor, chain, batch.observations, config, bounds);
  const logProbs = clipByValue(chainLogProb(chain, steps), -bound, bound);
  const logRatio = sub(logProbs, clipByValue(batch.logProbs, -bound, bound));
  const ratio = exp(logRatio); // [B]
  const advantages = standardize(batch.advantages);
  const surrogate = neg(mean(clippedObjective(ratio, advantages, clipRange)));
  const entropy = mean(entropyRate(steps.logStd));
  const parts = {
    surrogate,
    entropy,
    ratio,
    approxKl: mean(sub(sub(ratio, 1), logRatio)),
    clipFraction: mean(cast(greater(abs(sub(ratio, 1)), clipRange), "float32")),
    std: mean(exp(steps.logStd)),
    logProb: mean(logProbs),
  };
  const plain = sub(surrogate, mul(entropy, config.entropyCoef));
  const guided = flowImitation(actor.velocity, state.actionNormalizer, inputs, config);
  const loss = guided ? chordLoss(plain, guided, chordWeight(inputs.progress, config)) : plain;
  if (state.base === undefined) return [loss, parts] as const;
  const shift = distance(actor.velocity, state.base, batch.observations, config);
  return [add(loss, mul(shift, config.regularizer)), parts] as const;
}

/** Mean square distance of two flows' chunks from noise 0. */
function distance(
  one: VelocityParams<Tensor>,
  other: VelocityParams<Tensor>,
  observations: Tensor,
  config: ReinflowConfig,
): Tensor {
  const start = zeros([observations.shape[0]!, one.network.output.bias.shape[0]!]);
  const [chunk, wanted] = [one, other].map((flow) => flowChunk(flow, start, observations, config));
  return mean(square(sub(chunk!, wanted!)));
}

/** [B, K + 1, n] of what a rollout keeps. */
function chainOf(stored: Tensor, { flowSteps }: ReinflowConfig): Tensor {
  const [batch, width] = stored.shape as [number, number];
  const n = width / (flowSteps + 2);
  return reshape(slice(stored, [0, 0], [batch, width - n]), [batch, flowSteps + 1, n]);
}

function boundsAt(progress: Tensor, config: ReinflowConfig): NoiseBounds {
  const { minStd, maxStd, maxStdHold: hold, maxStdKeep: keep } = config;
  return { minStd, maxStd: maxStdAt(progress, { minStd, maxStd, hold, keep }) };
}
