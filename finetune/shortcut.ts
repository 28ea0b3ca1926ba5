// Shortcut: a flow policy whose net is told the size of its steps, so that few of them do.
//
// Frans et al. 2024, arXiv:2410.12557, as ReinFlow (arXiv:2505.22094) begins with: most rows of a batch are
// rectified flow with steps of size 0, the first of them ask that one step be worth two of half its size
// (flowLoss.ts), with targets of the net that is trained. Differs from ReinFlow's code: steps are 1, 1/2, … down
// to 1 / maxSteps instead of down to 2⁻¹⁸.

import { z } from "zod";
import type { CloneAlgorithm, EnvSpec } from "../agents/agent.ts";
import type { CloneInputs } from "../agents/rows.ts";
import { indices, normal, uniform } from "../nn/noise.ts";
import { concat, slice, sub, type Tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import { type ActionNormalizer, fromActions } from "./actionNormalizer.ts";
import { type CloneState, cloneStepSettings, stepClone } from "./cloneStep.ts";
import { actFlow, flowActions, flowLayout, initFlow } from "./flow.ts";
import { anchorTargets, chunkLoss, shortcutTargets, type Targets } from "./flowLoss.ts";
import { flowShapeSettings, type VelocityParams, velocity } from "./flowNet.ts";

const settings = z.strictObject({
  ...cloneStepSettings,
  ...flowShapeSettings,
  stepSizes: z.literal(true).default(true).describe("a shortcut net; `flow` is none"),
  consistencyShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.25)
    .describe("share of the rows whose step shall be worth two half ones"),
  maxSteps: z
    .union([1, 2, 4, 8, 16, 32, 64, 128].map((count) => z.literal(count)))
    .default(8)
    .describe("1 / the smallest step that is worth two half ones, a power of 2"),
});

export type ShortcutConfig = z.infer<typeof settings>;
type Noise = {
  readonly start: Tensor;
  readonly times: Tensor;
  readonly exponents: Tensor;
  readonly places: Tensor;
};

export const shortcut: CloneAlgorithm<ShortcutConfig, CloneState<NdArray>, Noise> = {
  name: "shortcut",
  summary: "clones a dataset as a flow whose net knows how large its steps are (shortcut model)",
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
    const { network, actionNormalizer } = state;
    const loss = lossOf(network, actionNormalizer, inputs, config);
    return stepClone(state, loss, inputs.progress, config);
  },
  loss: ({ average, actionNormalizer }, inputs, config) =>
    lossOf(average, actionNormalizer, inputs, config)(average),
};

/** Of a network, with consistent targets of another. */
function lossOf(
  target: VelocityParams<Tensor>,
  normalizer: ActionNormalizer<Tensor>,
  { batch, noise }: CloneInputs<Noise>,
  config: ShortcutConfig,
): (network: VelocityParams<Tensor>) => Tensor {
  const data = fromActions(normalizer, batch.actions);
  const { points, times, steps, velocities } = targets(target, { ...batch, data }, noise, config);
  return (network) => {
    const when = { times, steps };
    const v = velocity(network, points, when, batch.observations, config.activation);
    return chunkLoss(sub(v, velocities), batch.mask);
  };
}

/** Rows of a batch that are asked to be consistent; the first of it. */
function numConsistent({ batchSize, consistencyShare }: ShortcutConfig): number {
  return Math.round(batchSize * consistencyShare);
}

function noise({ actionSize }: EnvSpec, config: ShortcutConfig) {
  const { batchSize, chunkLength, maxSteps } = config;
  const count = Math.max(1, numConsistent(config));
  return {
    start: normal([batchSize, chunkLength * actionSize]),
    times: uniform([batchSize]),
    exponents: indices([count], Math.log2(maxSteps) + 1),
    places: uniform([count]),
  };
}

function targets(
  network: VelocityParams<Tensor>,
  { data, observations }: { readonly data: Tensor; readonly observations: Tensor },
  { start, times, ...draws }: Noise,
  config: ShortcutConfig,
): Targets {
  const count = numConsistent(config);
  const cutRows = (x: Tensor, from: number, to: number) =>
    slice(x, [from, ...x.shape.slice(1).map(() => 0)], [to - from, ...x.shape.slice(1)]);
  const end = config.batchSize;
  const straight = anchorTargets(
    cutRows(start, count, end),
    cutRows(data, count, end),
    cutRows(times, count, end),
  );
  if (count === 0) return straight;
  const seen = cutRows(observations, 0, count);
  const field = (points: Tensor, times: Tensor, steps: Tensor) =>
    velocity(network, points, { times, steps }, seen, config.activation);
  const [x0, x1] = [cutRows(start, 0, count), cutRows(data, 0, count)];
  const consistent = shortcutTargets(field, x0, x1, draws, Math.log2(config.maxSteps));
  if (count === end) return consistent;
  const both = (key: keyof Targets) => concat([consistent[key], straight[key]], 0);
  return {
    points: both("points"),
    times: both("times"),
    steps: both("steps"),
    velocities: both("velocities"),
  };
}
