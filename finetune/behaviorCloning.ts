// Behaviour cloning: a policy that answers an observation with the chunk of actions that a dataset took there.
//
// Regression as in robomimic (Mandlekar et al. 2021, arXiv:2108.03298), its MLP policies: the likelihood of a
// Gaussian or the squared error, in the range of the data's actions. Differs: chunks of actions, and an average of
// the weights acts.

import { z } from "zod";
import type { ActionLayout, CloneAlgorithm, EnvSpec } from "../agents/agent.ts";
import type { ActInputs, CloneInputs } from "../agents/rows.ts";
import { boundLogStd, sampleGaussian } from "../nn/distributions.ts";
import {
  dropoutMasks,
  initMlp,
  initResidualMlp,
  type MlpParams,
  mlp,
  type ResidualParams,
  residualMlp,
} from "../nn/layers.ts";
import { add, clipByValue, exp, mul, split, square, sub, type Tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { type ActionNormalizer, fromActions, toActions } from "./actionNormalizer.ts";
import { type CloneState, cloneStepSettings, initClone, stepClone } from "./cloneStep.ts";
import { chunkMean } from "./flowLoss.ts";

const settings = z
  .strictObject({
    ...cloneStepSettings,
    chunkLength: z.int().min(1).max(256).default(4).describe("actions that are chosen at once, H"),
    executed: z.int().min(1).max(256).default(4).describe("of which so many are taken, E ≤ H"),
    loss: z
      .enum(["gaussian", "squaredError"])
      .default("gaussian")
      .describe("a Gaussian's negative log-likelihood, or the squared error of its mean alone"),
    hidden: z
      .array(z.int().min(1).max(8192))
      .min(1)
      .default([256, 256])
      .describe("widths of the hidden layers; of residual blocks, which want equal ones"),
    residual: z.boolean().default(false).describe("blocks with a way around them"),
    activation: z
      .enum(["relu", "tanh", "silu", "elu", "gelu", "mish"])
      .default("relu")
      .describe("of the hidden layers"),
    layerNorm: z.boolean().default(true).describe("layer norm in the hidden layers"),
    dropout: z
      .number()
      .min(0)
      .max(0.9)
      .default(0)
      .describe("share of a hidden layer that an update leaves out; of a plain network"),
  })
  .refine(({ residual, dropout }) => !(residual && dropout > 0), {
    path: ["dropout"],
    message: "wants a plain network, residual=false",
  })
  .refine(({ residual, hidden }) => !(residual && new Set(hidden).size > 1), {
    path: ["hidden"],
    message: "residual blocks want equal widths",
  });

export type BehaviorCloningConfig = z.infer<typeof settings>;
type Network<T> = MlpParams<T> | ResidualParams<T>;
type State<T> = CloneState<T, Network<T>>;
type Noise = { readonly masks: MlpMasks<Tensor> };
type MlpMasks<T> = { readonly [layer: `layer${number}`]: T };

/** Of the range of the data's actions. */
const logStdBound = { kind: "clip", low: -5, high: 1 } as const;

export const behaviorCloning: CloneAlgorithm<BehaviorCloningConfig, State<NdArray>, Noise> = {
  name: "mlp",
  summary: "clones a dataset by regression: an MLP that gives chunks of actions",
  family: "clone",
  needs: ["data"],
  settings,
  layout,
  init,
  policyKeys: ["average", "actionNormalizer"],
  act,
  noise: (_, { hidden, batchSize, dropout }) => ({
    masks: dropout === 0 ? {} : dropoutMasks({ hidden }, batchSize, 1 - dropout),
  }),
  update(state, inputs, config) {
    const loss = lossOf(state.actionNormalizer, inputs, config, inputs.noise.masks);
    return stepClone(state, loss, inputs.progress, config);
  },
  loss: ({ average, actionNormalizer }, inputs, config) =>
    lossOf(actionNormalizer, inputs, config)(average),
};

function layout({ actionSize }: EnvSpec, config: BehaviorCloningConfig): ActionLayout {
  const { chunkLength, executed } = config;
  const n = chunkLength * actionSize;
  return { chunkLength, executed, numDraws: n, drawsAlways: false, sampleDraws: n, stored: n };
}

function init(spec: EnvSpec, config: BehaviorCloningConfig, rng: Rng): State<NdArray> {
  const { hidden, residual, layerNorm, chunkLength } = config;
  const numParts = config.loss === "gaussian" ? 2 : 1; // means, log standard deviations
  const sizes = {
    inputs: spec.observationSize,
    outputs: numParts * chunkLength * spec.actionSize,
    layerNorm,
  };
  const stream = rng.split("network");
  const network = residual
    ? initResidualMlp(stream, { ...sizes, width: hidden[0]!, numBlocks: hidden.length })
    : initMlp(stream, { ...sizes, hidden });
  return initClone<Network<NdArray>>(network, spec);
}

/** The mode where noise is 0; a network of means alone has no other. */
function act(
  { average, actionNormalizer }: Pick<State<Tensor>, "average" | "actionNormalizer">,
  { observations, noise }: ActInputs,
  config: BehaviorCloningConfig,
): Tensor {
  const { mean, logStd } = predict(average, observations, config);
  const chunk = logStd === null ? mean : sampleGaussian({ mean, logStd }, noise);
  return toActions(actionNormalizer, clipByValue(chunk, -1, 1));
}

/** Chunks in the range of the data's actions, [B, H · A], and their spread where there is one. */
function predict(
  network: Network<Tensor>,
  observations: Tensor,
  { residual, activation, loss, dropout }: BehaviorCloningConfig,
  masks: MlpMasks<Tensor> = {},
): { readonly mean: Tensor; readonly logStd: Tensor | null } {
  const drop = "layer0" in masks ? { masks, keep: 1 - dropout } : undefined;
  const outputs = residual
    ? residualMlp(network as ResidualParams<Tensor>, observations, activation)
    : mlp(network as MlpParams<Tensor>, observations, { activation, dropout: drop });
  if (loss === "squaredError") return { mean: outputs, logStd: null };
  const [mean, raw] = split(outputs, 2, -1) as [Tensor, Tensor];
  return { mean, logStd: boundLogStd(raw, logStdBound) };
}

/** −log N(a; μ, σ) but for its constant, or (a − μ)², the mean over the numbers within episodes. */
function lossOf(
  normalizer: ActionNormalizer<Tensor>,
  { batch }: CloneInputs<Noise>,
  config: BehaviorCloningConfig,
  masks?: MlpMasks<Tensor>,
): (network: Network<Tensor>) => Tensor {
  const data = fromActions(normalizer, batch.actions);
  return (network) => {
    const { mean, logStd } = predict(network, batch.observations, config, masks);
    const errors = square(sub(data, mean));
    if (logStd === null) return chunkMean(errors, batch.mask);
    const precise = mul(errors, mul(exp(mul(logStd, -2)), 0.5));
    return chunkMean(add(precise, logStd), batch.mask);
  };
}
