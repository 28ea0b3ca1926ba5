// Flow: a policy that carries noise to a chunk of actions along straight ways, cloned from a dataset.
//
// Rectified flow, Liu et al. 2022, arXiv:2209.03003, as the policies that ReinFlow (arXiv:2505.22094) begins
// with: v(x_t, t, o) shall be x₁ − x₀ (flowLoss.ts). A chunk is K Euler steps on the grid k / K, kept within the
// data's range at each, just as they are when the policy is fine-tuned.

import { z } from "zod";
import type { ActionLayout, CloneAlgorithm, EnvSpec } from "../agents/agent.ts";
import type { ActInputs, CloneInputs } from "../agents/rows.ts";
import { type NoiseSpec, normal, uniform } from "../nn/noise.ts";
import { sub, type Tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { type ActionNormalizer, fromActions, toActions } from "./actionNormalizer.ts";
import { type CloneState, cloneStepSettings, initClone, stepClone } from "./cloneStep.ts";
import { chunkLoss, straightTargets, timeDistributions, timesOf } from "./flowLoss.ts";
import { flowShapeSettings, initVelocity, type VelocityParams, velocity } from "./flowNet.ts";
import { flowPath } from "./noisyFlow.ts";

const settings = z.strictObject({
  ...cloneStepSettings,
  ...flowShapeSettings,
  stepSizes: z.literal(false).default(false).describe("no shortcut net; `shortcut` is"),
  timeDistribution: z
    .enum(timeDistributions)
    .default("uniform")
    .describe("of the times that are trained: logitNormal is most in the midst, beta early"),
});

export type FlowConfig = z.infer<typeof settings>;
type Noise = { readonly start: Tensor; readonly times: Tensor };

export const flow: CloneAlgorithm<FlowConfig, CloneState<NdArray>, Noise> = {
  name: "flow",
  summary: "clones a dataset as a flow from noise to chunks of actions (rectified flow)",
  family: "clone",
  needs: ["data"],
  settings,
  layout: flowLayout,
  init: initFlow,
  policyKeys: ["average", "actionNormalizer"],
  act: actFlow,
  path: flowActions,
  noise,
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
  config: FlowConfig,
): (network: VelocityParams<Tensor>) => Tensor {
  const times = timesOf(noise.times, config.timeDistribution);
  const data = fromActions(normalizer, batch.actions);
  const { points, velocities } = straightTargets(noise.start, data, times);
  return (network) => {
    const v = velocity(network, points, { times }, batch.observations, config.activation);
    return chunkLoss(sub(v, velocities), batch.mask);
  };
}

/** Settings that a flow and a shortcut policy have in common. */
type FlowSettings = { readonly [K in keyof typeof flowShapeSettings]: FlowShapeConfig[K] };
type FlowShapeConfig = z.infer<z.ZodObject<typeof flowShapeSettings>>;

/** Draws are where a chunk starts. */
export function flowLayout({ actionSize }: EnvSpec, config: FlowSettings): ActionLayout {
  const { chunkLength, executed } = config;
  const n = chunkLength * actionSize;
  return { chunkLength, executed, numDraws: n, drawsAlways: true, sampleDraws: n, stored: n };
}

export function initFlow(spec: EnvSpec, config: FlowSettings, rng: Rng): CloneState<NdArray> {
  const { observationSize, actionSize } = spec;
  const chunkSize = config.chunkLength * actionSize;
  const network = initVelocity(rng.split("network"), { ...config, observationSize, chunkSize });
  return initClone(network, spec);
}

export function actFlow(...input: Parameters<typeof flowActions>): Tensor {
  return flowActions(...input).at(-1)!;
}

/** The chunk after each step of the flow, as the task takes it. */
export function flowActions(
  { average, actionNormalizer }: Pick<CloneState<Tensor>, "average" | "actionNormalizer">,
  { observations, noise }: ActInputs,
  config: FlowSettings,
): Tensor[] {
  const path = flowPath(average, noise, observations, config);
  return path.map((chunk) => toActions(actionNormalizer, chunk));
}

function noise({ actionSize }: EnvSpec, config: FlowConfig): Record<"start" | "times", NoiseSpec> {
  const { batchSize, chunkLength, timeDistribution } = config;
  return {
    start: normal([batchSize, chunkLength * actionSize]),
    times: timeDistribution === "logitNormal" ? normal([batchSize]) : uniform([batchSize]),
  };
}
