// Diffusion: a policy that takes noise back from a chunk of actions, cloned from a dataset.
//
// Chi et al. 2023, arXiv:2303.04137, with the cosine schedule and the residual MLP of DPPO (arXiv:2409.00588),
// which begins with these policies: a net learns the noise ε in √ᾱ_k x₀ + √(1 − ᾱ_k) ε (diffusionSteps.ts).

import { z } from "zod";
import type { ActionLayout, CloneAlgorithm, EnvSpec } from "../agents/agent.ts";
import type { ActInputs, CloneInputs } from "../agents/rows.ts";
import { indices, normal } from "../nn/noise.ts";
import { add, cast, expandDims, gather, mul, sub, type Tensor, tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { type ActionNormalizer, fromActions, toActions } from "./actionNormalizer.ts";
import { type CloneState, cloneStepSettings, initClone, stepClone } from "./cloneStep.ts";
import { diffusionPath, diffusionShapeSettings, drawsOf } from "./diffusionNet.ts";
import { cosineShares } from "./diffusionSteps.ts";
import { chunkLoss } from "./flowLoss.ts";
import { initVelocity, type VelocityParams, velocity } from "./flowNet.ts";

const settings = z.strictObject({ ...cloneStepSettings, ...diffusionShapeSettings });

export type DiffusionConfig = z.infer<typeof settings>;
type Noise = { readonly noise: Tensor; readonly steps: Tensor };

export const diffusion: CloneAlgorithm<DiffusionConfig, CloneState<NdArray>, Noise> = {
  name: "diffusion",
  summary: "clones a dataset as chunks of actions that noise is taken back from (DDPM, DDIM)",
  family: "clone",
  needs: ["data"],
  settings,
  layout,
  init,
  policyKeys: ["average", "actionNormalizer"],
  act,
  path,
  noise: ({ actionSize }, { batchSize, chunkLength, diffusionSteps }) => ({
    noise: normal([batchSize, chunkLength * actionSize]),
    steps: indices([batchSize], diffusionSteps),
  }),
  update(state, inputs, config) {
    const loss = lossOf(state.actionNormalizer, inputs, config);
    return stepClone(state, loss, inputs.progress, config);
  },
  loss: ({ average, actionNormalizer }, inputs, config) =>
    lossOf(actionNormalizer, inputs, config)(average),
};

function lossOf(
  normalizer: ActionNormalizer<Tensor>,
  { batch, noise }: CloneInputs<Noise>,
  config: DiffusionConfig,
): (network: VelocityParams<Tensor>) => Tensor {
  const data = fromActions(normalizer, batch.actions);
  const points = noised(data, noise, config.diffusionSteps);
  const times = cast(noise.steps, "float32");
  return (network) => {
    const guess = velocity(network, points, { times }, batch.observations, config.activation);
    return chunkLoss(sub(guess, noise.noise), batch.mask);
  };
}

function layout({ actionSize }: EnvSpec, config: DiffusionConfig): ActionLayout {
  const { chunkLength, executed } = config;
  const n = chunkLength * actionSize;
  const numDraws = drawsOf(config, n);
  return { chunkLength, executed, numDraws, drawsAlways: true, sampleDraws: numDraws, stored: n };
}

function init(spec: EnvSpec, config: DiffusionConfig, rng: Rng): CloneState<NdArray> {
  const { observationSize, actionSize } = spec;
  const { chunkLength, width, numBlocks } = config;
  const network = initVelocity(rng.split("network"), {
    observationSize,
    chunkSize: chunkLength * actionSize,
    width,
    numBlocks,
    stepSizes: false,
  });
  return initClone(network, spec);
}

function act(...input: Parameters<typeof path>): Tensor {
  return path(...input).at(-1)!;
}

/** The chunk after each step back, as the task takes it. */
function path(
  { average, actionNormalizer }: Pick<CloneState<Tensor>, "average" | "actionNormalizer">,
  { observations, noise }: ActInputs,
  config: DiffusionConfig,
): Tensor[] {
  const chunkSize = actionNormalizer.centre.shape[0]! * config.chunkLength;
  const chunks = diffusionPath(() => average, noise, observations, config, chunkSize);
  return chunks.map((chunk) => toActions(actionNormalizer, chunk));
}

/** √ᾱ_k x₀ + √(1 − ᾱ_k) ε, each row at its own k. */
export function noised(data: Tensor, { noise, steps }: Noise, numSteps: number): Tensor {
  const shares = cosineShares(numSteps);
  const at = (of: (share: number) => number) =>
    expandDims(gather(tensor(shares.map(of), [numSteps], "float32"), steps), -1);
  const [kept, lost] = [at(Math.sqrt), at((share) => Math.sqrt(1 - share))];
  return add(mul(data, kept), mul(noise, lost));
}
