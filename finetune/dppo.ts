// DPPO: proximal policy optimisation of the last steps back of a cloned diffusion policy.
//
// Ren et al. 2024, arXiv:2409.00588. Each step back is an action with a Gaussian likelihood whose standard
// deviation has a floor; the last K' steps are trained, those before them stay as they were cloned. A chunk's
// advantage counts less at noisier steps, whose ratios are also clipped more tightly. Defaults are those of the
// authors' locomotion runs. Differs: a minibatch has all K' steps of its chunks instead of a draw of pairs of
// chunk and step; a time-out bootstraps from its true last observation and cuts the sum; the critic learns
// standardised returns; with K' = 1 the clip range is that of the last step (0 / 0 in the authors' code).
// Shapes: n = H · A; a rollout's row holds the chain of the trained steps, [K' + 1, n], their log-densities, [K'],
// and then the chunk as the task takes it, [n].

import { z } from "zod";
import type { ActionLayout, EnvSpec, Metrics, OnPolicyAlgorithm } from "../agents/agent.ts";
import { chordLoss, chordWeight, scaledRate } from "../agents/chord.ts";
import { standardize } from "../agents/ppo.ts";
import type { ActInputs, OnPolicyInputs, Sample } from "../agents/rows.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import {
  abs,
  add,
  cast,
  clipByValue,
  concat,
  exp,
  expandDims,
  greater,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  reshape,
  slice,
  square,
  stack,
  sub,
  type Tensor,
  tensor,
} from "../nn/ops.ts";
import { type AdamState, adamW } from "../nn/optimizers.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { type ActionNormalizer, toActions, unitActions } from "./actionNormalizer.ts";
import { stepsOf } from "./chain.ts";
import { diffusionImitation } from "./chunkImitation.ts";
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
import {
  cut,
  diffusionPath,
  diffusionShapeSettings,
  drawsOf,
  meanBack,
  meansBack,
  stepsBack,
  truncated,
} from "./diffusionNet.ts";
import { clipRanges, discountsOf } from "./dppoWeights.ts";
import { initVelocity, type VelocityParams } from "./flowNet.ts";

const settings = z.strictObject({
  ...chunkPpoSettings,
  ...diffusionShapeSettings,
  tunedSteps: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe("K', the last steps back that are trained; at most sampleSteps"),
  minStd: z
    .number()
    .positive()
    .max(10)
    .default(0.1)
    .describe("least noise of a step while it learns"),
  stepDiscount: z
    .number()
    .min(0)
    .max(1)
    .default(0.99)
    .describe("what an advantage is multiplied by for each step further from the action"),
  clipRange: z.number().positive().default(0.01).describe("ε of the last step's ratio"),
  noisyClipRange: z.number().positive().default(0.01).describe("ε of the noisiest step's ratio"),
  clipRate: z.number().positive().default(3).describe("how late between them ε changes"),
});

export type DppoConfig = z.infer<typeof settings>;

export type DppoState<T> = CriticState<T> & {
  readonly actor: VelocityParams<T>;
  readonly actorOptimizer: AdamState<T>;
  /** What was cloned, for the steps before. */
  readonly base: VelocityParams<T>;
  readonly actionNormalizer: ActionNormalizer<T>;
  readonly clock: Clock<T>;
};

type State = DppoState<Tensor>;
type Policy = Pick<State, "actor" | "base" | "actionNormalizer">;

export const dppo: OnPolicyAlgorithm<DppoConfig, DppoState<NdArray>> = {
  name: "dppo",
  summary: "fine-tunes a cloned diffusion policy: PPO over its last steps back",
  family: "onPolicy",
  needs: ["base"],
  continues: {
    algorithms: ["diffusion"],
    settings: (algo) => inherited(algo, Object.keys(diffusionShapeSettings)),
    begin(state, policy) {
      const actor = sameShapes(state.actor, policy["average"]);
      const actionNormalizer = sameShapes(state.actionNormalizer, policy["actionNormalizer"]);
      return { ...state, actor, base: actor, actionNormalizer };
    },
  },
  settings,
  layout,
  init,
  policyKeys: ["actor", "base", "actionNormalizer"],
  act,
  path,
  sampleKeys: ["actor", "base", "actionNormalizer", "critic", "returnMoments"],
  sample,
  update,
};

function layout({ actionSize }: EnvSpec, config: DppoConfig): ActionLayout {
  const { chunkLength, executed, sampleSteps, tunedSteps } = config;
  if (tunedSteps > sampleSteps)
    throw new Error(`tunedSteps ${tunedSteps} is more than the ${sampleSteps} sampleSteps`);
  const n = chunkLength * actionSize;
  return {
    chunkLength,
    executed,
    numDraws: drawsOf(config, n),
    drawsAlways: true,
    sampleDraws: (sampleSteps + 1) * n,
    stored: (tunedSteps + 2) * n + tunedSteps,
  };
}

function init(spec: EnvSpec, config: DppoConfig, rng: Rng): DppoState<NdArray> {
  const { observationSize, actionSize } = spec;
  const chunkSize = config.chunkLength * actionSize;
  const { width, numBlocks } = config;
  const sizes = { observationSize, chunkSize, width, numBlocks, stepSizes: false };
  const actor = initVelocity(rng.split("network"), sizes);
  return {
    actor,
    actorOptimizer: adamW({ learningRate: 0 }).init(actor),
    base: actor,
    ...initCritic(rng.split("critic"), observationSize, config),
    actionNormalizer: unitActions(actionSize),
    clock: initClock(),
  };
}

function act(...input: Parameters<typeof path>): Tensor {
  return path(...input).at(-1)!;
}

/** The chunk after each step back, with no more noise than diffusion has, none in its last step. */
function path({ actor, base, actionNormalizer }: Policy, inputs: ActInputs, config: DppoConfig) {
  const first = config.sampleSteps - config.tunedSteps;
  const netAt = (index: number) => (index < first ? base : actor);
  const n = actionNormalizer.centre.shape[0]! * config.chunkLength;
  const chunks = diffusionPath(netAt, inputs.noise, inputs.observations, config, n);
  return chunks.map((chunk) => toActions(actionNormalizer, chunk));
}

function sample(
  state: Pick<State, "actor" | "base" | "actionNormalizer" | "critic" | "returnMoments">,
  { observations, noise }: ActInputs,
  config: DppoConfig,
): Sample {
  const { chunkLength, sampleSteps, tunedSteps, minStd, activation } = config;
  const n = state.actionNormalizer.centre.shape[0]! * chunkLength;
  const [start, ...draws] = cut(noise, n) as [Tensor, ...Tensor[]];
  const points = [start];
  const means: Tensor[] = [];
  for (const [i, step] of stepsBack(config).entries()) {
    const net = i < sampleSteps - tunedSteps ? state.base : state.actor;
    means.push(meanBack(net, points[i]!, step, observations, activation));
    const drawn = mul(truncated(draws[i]!), Math.max(step.std, minStd));
    const next = add(means[i]!, drawn);
    points.push(i + 1 < sampleSteps ? next : clipByValue(next, -1, 1));
  }
  const chain = stack(points.slice(-tunedSteps - 1), 1); // [N, K' + 1, n]
  const logProbs = stepLogProbs(chain, stack(means.slice(-tunedSteps), 1), config); // [N, K']
  const row = reshape(chain, [chain.shape[0]!, (tunedSteps + 1) * n]);
  return {
    actions: concat([row, logProbs, toActions(state.actionNormalizer, points.at(-1)!)], -1),
    logProbs: mean(logProbs, -1),
    values: valuesOf(state, observations),
  };
}

type Inputs = OnPolicyInputs;

/** One step of the critic and, once that is warm, of the actor. */
function update(state: State, inputs: Inputs, config: DppoConfig): [State, Metrics] {
  const { batch, progress } = inputs;
  const clock = tick(state.clock, progress);
  const [critic, valueLoss] = stepCritic(state, batch, progress, config);
  const [loss, grads, parts] = valueAndGrad((actor: VelocityParams<Tensor>) =>
    actorLoss(actor, state, inputs, config),
  )(state.actor);
  const rate = scaledRate(actorRate(clock, config), parts.ratio, config);
  const pair = [state.actor, grads, state.actorOptimizer] as const;
  const [actor, actorOptimizer] = descend(pair, rate, 0, config);
  const metrics = {
    "train/loss": loss,
    "train/policy_gradient_loss": loss,
    "train/value_loss": valueLoss,
    "train/approx_kl": parts.approxKl,
    "train/clip_fraction": parts.clipFraction,
    "train/log_prob": parts.logProb,
    "train/learning_rate": rate,
  };
  return [{ ...state, ...critic, actor, actorOptimizer, clock }, metrics];
}

/** The surrogate, with the loss that diffusions are cloned by on demonstrations where there are some. */
function actorLoss(
  actor: VelocityParams<Tensor>,
  { actionNormalizer }: Pick<State, "actionNormalizer">,
  inputs: Inputs,
  config: DppoConfig,
) {
  const [loss, parts] = surrogate(actor, inputs.batch, config);
  const guided = diffusionImitation(actor, actionNormalizer, inputs, config);
  const weight = chordWeight(inputs.progress, config);
  return [guided ? chordLoss(loss, guided, weight) : loss, parts] as const;
}

/** The clipped surrogate, a mean over chunks and steps back. */
function surrogate(actor: VelocityParams<Tensor>, batch: Inputs["batch"], config: DppoConfig) {
  const { chain, oldLogProbs } = keptOf(batch.actions, config);
  const [from] = stepsOf(chain);
  const steps = stepsBack(config).slice(-config.tunedSteps);
  const means = meansBack(actor, from, steps, batch.observations, config.activation);
  const logProbs = stepLogProbs(chain, means, config);
  const logRatio = sub(logProbs, oldLogProbs);
  const ratio = exp(logRatio); // [B, K']
  const weights = discountsOf(config);
  const advantages = mul(expandDims(standardize(batch.advantages), -1), row(weights));
  const ranges = row(clipRanges(config));
  const clipped = minimum(maximum(ratio, sub(1, ranges)), add(1, ranges));
  const loss = neg(mean(minimum(mul(ratio, advantages), mul(clipped, advantages))));
  const parts = {
    ratio,
    approxKl: mean(sub(sub(ratio, 1), logRatio)),
    clipFraction: mean(cast(greater(abs(sub(ratio, 1)), ranges), "float32")),
    logProb: mean(logProbs),
  };
  return [loss, parts] as const;
}

const [leastLogProb, greatestLogProb] = [-5, 2]; // DPPO's, of each number

/** Mean log-density of each step's numbers, clipped number by number, [B, K']. */
function stepLogProbs(chain: Tensor, means: Tensor, config: DppoConfig): Tensor {
  const [, to] = stepsOf(chain);
  const logStd = logStdOf(config);
  const z = mul(sub(to, means), exp(neg(logStd)));
  const each = sub(sub(mul(square(z), -0.5), logStd), 0.5 * Math.log(2 * Math.PI));
  return mean(clipByValue(each, leastLogProb, greatestLogProb), -1);
}

/** What a rollout's rows [B, …] hold of the trained steps. */
function keptOf(stored: Tensor, { tunedSteps }: DppoConfig) {
  const [batch, width] = stored.shape as [number, number];
  const n = (width - tunedSteps) / (tunedSteps + 2);
  const length = tunedSteps + 1;
  return {
    chain: reshape(slice(stored, [0, 0], [batch, length * n]), [batch, length, n]),
    oldLogProbs: slice(stored, [0, length * n], [batch, tunedSteps]),
  };
}

/** log σ of the trained steps, [1, K', 1]. */
function logStdOf(config: DppoConfig): Tensor {
  const steps = stepsBack(config).slice(-config.tunedSteps);
  const values = steps.map(({ std }) => Math.log(Math.max(std, config.minStd)));
  return tensor(values, [1, steps.length, 1], "float32");
}

function row(values: readonly number[]): Tensor {
  return tensor([...values], [1, values.length], "float32");
}
