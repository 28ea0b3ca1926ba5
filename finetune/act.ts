// ACT: a transformer that answers an observation with a chunk of actions, cloned with the absolute error.
//
// Zhao et al. 2023, arXiv:2304.13705: a conditional VAE, whose encoder sees the chunk that was taken and whose
// decoder sees a latent z, 0 when it acts; temporal ensembling. Differs: observations are numbers, not pictures, so
// that one stack in which the observation, z and H queries look at each other takes the place of encoder and
// decoder; norms come before the layers; no dropout; an average of the weights acts.

import { z } from "zod";
import type { ActionLayout, CloneAlgorithm, EnvSpec } from "../agents/agent.ts";
import type { ActInputs, CloneInputs } from "../agents/rows.ts";
import { initTransformer, type TransformerParams, transformer } from "../nn/attention.ts";
import { gaussianKl, sampleGaussian } from "../nn/distributions.ts";
import { normal as normalNumbers } from "../nn/initializers.ts";
import { type DenseParams, dense, initDense } from "../nn/layers.ts";
import { normal } from "../nn/noise.ts";
import {
  abs,
  add,
  broadcastTo,
  clipByValue,
  concat,
  expandDims,
  mean,
  mul,
  ones,
  reshape,
  slice,
  split,
  sub,
  type Tensor,
  zerosLike,
} from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { type ActionNormalizer, fromActions, toActions } from "./actionNormalizer.ts";
import { type CloneState, cloneStepSettings, initClone, stepClone } from "./cloneStep.ts";
import { chunkMean } from "./flowLoss.ts";

const count = (most: number) => z.int().min(1).max(most);
const settings = z
  .strictObject({
    ...cloneStepSettings,
    batchSize: count(1_000_000).default(64).describe("rows of a minibatch"),
    chunkLength: count(256).default(16).describe("actions that are chosen at once, H"),
    executed: count(256).default(8).describe("of which so many are taken, E ≤ H"),
    temporalEnsemble: z
      .number()
      .min(0)
      .nullable()
      .default(null)
      .describe(
        "m: asks at every step and takes the mean of all chunks' answers, e^(−m age); null: never",
      ),
    width: count(4096).default(64).describe("of a token"),
    numHeads: count(64).default(4).describe("of attention, dividing the width"),
    numBlocks: count(16).default(2).describe("of the policy's transformer"),
    numEncoderBlocks: count(16).default(1).describe("of the transformer that sees the chunk taken"),
    feedForward: count(16_384).default(128).describe("width between a block's dense layers"),
    activation: z
      .enum(["relu", "tanh", "silu", "elu", "gelu", "mish"])
      .default("relu")
      .describe("of a block's dense layers"),
    latentSize: z.int().min(0).max(1024).default(8).describe("numbers of z; 0 is no VAE"),
    klWeight: z.number().min(0).default(10).describe("β, of z's divergence from N(0, I)"),
  })
  .refine(({ width, numHeads }) => width % numHeads === 0, {
    path: ["numHeads"],
    message: "wants a divisor of the width",
  });

export type ActConfig = z.infer<typeof settings>;

type Stack<T> = { readonly tokens: T; readonly transformer: TransformerParams<T> };
export type ActNetwork<T> = {
  readonly observation: DenseParams<T>;
  readonly output: DenseParams<T>;
  /** The H queries, and what says which token is the observation and which is z, [H + 1 or 2, W]. */
  readonly policy: Stack<T>;
  /** Where there is a VAE. */
  readonly latent?: DenseParams<T>;
  readonly encoder?: Stack<T> & {
    readonly observation: DenseParams<T>;
    readonly action: DenseParams<T>;
    readonly output: DenseParams<T>;
  };
};
type State<T> = CloneState<T, ActNetwork<T>>;
type Noise = { readonly latent: Tensor };

export const act: CloneAlgorithm<ActConfig, State<NdArray>, Noise> = {
  name: "act",
  summary: "clones a dataset with a transformer that gives chunks of actions (ACT)",
  family: "clone",
  needs: ["data"],
  settings,
  layout,
  init,
  policyKeys: ["average", "actionNormalizer"],
  act: actChunk,
  noise: (_, config) => ({ latent: normal([config.batchSize, numDraws(config)]) }),
  update(state, inputs, config) {
    const loss = lossOf(state.actionNormalizer, inputs, config);
    return stepClone(state, loss, inputs.progress, config);
  },
  loss: ({ average, actionNormalizer }, inputs, config) =>
    lossOf(actionNormalizer, inputs, config)(average),
};

/** Draws are z; a program wants one at least. */
function numDraws({ latentSize }: ActConfig): number {
  return Math.max(1, latentSize);
}

function layout({ actionSize }: EnvSpec, config: ActConfig): ActionLayout {
  const { chunkLength, temporalEnsemble } = config;
  const draws = numDraws(config);
  return {
    chunkLength,
    executed: temporalEnsemble === null ? config.executed : 1,
    ensembleDecay: temporalEnsemble ?? undefined,
    numDraws: draws,
    drawsAlways: false,
    sampleDraws: draws,
    stored: chunkLength * actionSize,
  };
}

function init(spec: EnvSpec, config: ActConfig, rng: Rng): State<NdArray> {
  const { width, latentSize, numBlocks } = config;
  const { observationSize, actionSize } = spec;
  const layer = (name: string, inputs: number, outputs: number) =>
    initDense(rng.split(name), { inputs, outputs });
  const numGiven = latentSize > 0 ? 2 : 1;
  const network: ActNetwork<NdArray> = {
    observation: layer("observation", observationSize, width),
    output: layer("output", width, actionSize),
    policy: initStack(rng.split("policy"), config, config.chunkLength + numGiven, numBlocks),
    ...(latentSize > 0 && {
      latent: layer("latent", latentSize, width),
      encoder: initEncoder(rng.split("encoder"), spec, config),
    }),
  };
  return initClone(network, spec);
}

function initEncoder(rng: Rng, { observationSize, actionSize }: EnvSpec, config: ActConfig) {
  const { width, latentSize, chunkLength, numEncoderBlocks } = config;
  const layer = (name: string, inputs: number, outputs: number) =>
    initDense(rng.split(name), { inputs, outputs });
  return {
    ...initStack(rng, config, chunkLength + 2, numEncoderBlocks),
    observation: layer("observation", observationSize, width),
    action: layer("action", actionSize, width),
    output: layer("output", width, 2 * latentSize),
  };
}

function initStack(rng: Rng, config: ActConfig, numTokens: number, numBlocks: number) {
  const tokens = normalNumbers(0.5)(rng.split("tokens"), [numTokens, config.width]);
  return { tokens, transformer: initTransformer(rng.split("blocks"), { ...config, numBlocks }) };
}

function actChunk(
  { average, actionNormalizer }: Pick<State<Tensor>, "average" | "actionNormalizer">,
  { observations, noise }: ActInputs,
  config: ActConfig,
): Tensor {
  const chunk = decode(average, observations, noise, config);
  return toActions(actionNormalizer, clipByValue(chunk, -1, 1));
}

/** Chunks [B, H · A] for observations and latents [B, L]. */
function decode(
  network: ActNetwork<Tensor>,
  observations: Tensor,
  latents: Tensor,
  config: ActConfig,
): Tensor {
  const { chunkLength, width } = config;
  const size = observations.shape[0]!;
  const given = [dense(network.observation, observations)];
  if (network.latent) given.push(dense(network.latent, latents));
  const quiet = broadcastTo(mul(slice(network.policy.tokens, [0, 0], [chunkLength, width]), 0), [
    size,
    chunkLength,
    width,
  ]);
  const tokens = concat([...given.map((x) => expandDims(x, 1)), quiet], 1);
  const seen = attendAll(network.policy, tokens, config);
  const answers = slice(seen, [0, given.length, 0], [size, chunkLength, width]);
  return reshape(dense(network.output, answers), [size, -1]);
}

/** Tokens with what says which is which, through the stack's transformer. */
function attendAll(
  { tokens: names, transformer: params }: Stack<Tensor>,
  tokens: Tensor,
  { numHeads, activation }: ActConfig,
  seen?: Tensor,
): Tensor {
  return transformer(params, add(tokens, names), { numHeads, activation, seen });
}

/** q(z | o, a): what kind of chunk was taken; actions past the episode's end are not seen. */
function encode(
  encoder: NonNullable<ActNetwork<Tensor>["encoder"]>,
  observations: Tensor,
  chunks: Tensor,
  mask: Tensor,
  config: ActConfig,
) {
  const { chunkLength, width } = config;
  const size = observations.shape[0]!;
  const actions = dense(encoder.action, reshape(chunks, [size, chunkLength, -1]));
  const observed = expandDims(dense(encoder.observation, observations), 1);
  const tokens = concat([zerosLike(observed), observed, actions], 1);
  const seen = attendAll(encoder, tokens, config, concat([ones([size, 2]), mask], 1));
  const summary = reshape(slice(seen, [0, 0, 0], [size, 1, width]), [size, width]);
  const [mean, raw] = split(dense(encoder.output, summary), 2, -1) as [Tensor, Tensor];
  return { mean, logStd: clipByValue(raw, -5, 2) };
}

/** |a − â|, the mean over the numbers within episodes, + β KL(q(z | o, a) ‖ N(0, I)). */
function lossOf(
  normalizer: ActionNormalizer<Tensor>,
  { batch, noise }: CloneInputs<Noise>,
  config: ActConfig,
): (network: ActNetwork<Tensor>) => Tensor {
  const { observations, mask } = batch;
  const data = fromActions(normalizer, batch.actions);
  const error = (chunks: Tensor) => chunkMean(abs(sub(data, chunks)), mask);
  return (network) => {
    const { encoder } = network;
    if (encoder === undefined) return error(decode(network, observations, noise.latent, config));
    const guess = encode(encoder, observations, data, mask, config);
    const latents = sampleGaussian(guess, noise.latent);
    const prior = { mean: zerosLike(guess.mean), logStd: zerosLike(guess.logStd) };
    const divergence = mean(gaussianKl(guess, prior));
    return add(
      error(decode(network, observations, latents, config)),
      mul(divergence, config.klWeight),
    );
  };
}
