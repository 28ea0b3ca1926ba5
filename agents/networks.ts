// What off-policy algorithms judge with: E critics in one batched product, and the settings of networks.

import { z } from "zod";
import { isTensor } from "../nn/gradient.ts";
import { type DenseInit, initMlp, type MlpApply, type MlpParams, mlp } from "../nn/layers.ts";
import { concat, gather, mean, min, slice, squeeze, type Tensor } from "../nn/ops.ts";
import { mapTree, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import type { EnvSpec } from "./agent.ts";

const width = z.int().min(1).max(8192);

/** To be spread into an algorithm's strict object; it may redefine a key with another default. */
export const networkSettings = {
  actorHidden: z.array(width).default([256, 256]).describe("widths of the actor's hidden layers"),
  criticHidden: z.array(width).default([256, 256]).describe("widths of a critic's hidden layers"),
  activation: z
    .enum(["relu", "tanh", "silu", "elu", "gelu", "mish"])
    .default("relu")
    .describe("of all hidden layers"),
  criticLayerNorm: z.boolean().default(false).describe("layer norm in the critics"),
  numCritics: z.int().min(1).max(100).default(2).describe("members of the ensemble"),
  tau: z.number().positive().max(1).default(0.005).describe("rate of the target networks"),
} as const;

/** Fresh critics of observation and action; how they begin is PyTorch's way where nothing is said. */
export function initCritics(
  rng: Rng,
  { observationSize, actionSize }: EnvSpec,
  config: {
    readonly criticHidden: readonly number[];
    readonly numCritics: number;
    readonly criticLayerNorm: boolean;
  },
  begin: { readonly init?: DenseInit; readonly finalInit?: DenseInit } = {},
): MlpParams<NdArray> {
  return initMlp(rng, {
    inputs: observationSize + actionSize,
    hidden: config.criticHidden,
    outputs: 1,
    ensemble: config.numCritics,
    layerNorm: config.criticLayerNorm,
    ...begin,
  });
}

/** How an ensemble's judgements become one. */
export type Reduction = "min" | "mean";

/** What the critics put out for pairs of observation and action, [E, B, outputs]. */
export function judge(
  critics: MlpParams<Tensor>,
  observations: Tensor,
  actions: Tensor,
  apply: MlpApply,
): Tensor {
  return mlp(critics, concat([observations, actions], -1), apply);
}

/** Q_e(s, a) of critics with one output, [E, B]. */
export function qValues(...input: Parameters<typeof judge>): Tensor {
  return squeeze(judge(...input), [-1]);
}

/** One value for each pair: [E, B] → [B]. */
export function reduceHeads(qs: Tensor, reduction: Reduction): Tensor {
  return reduction === "min" ? min(qs, 0) : mean(qs, 0);
}

/** The members of an ensemble at the indices. */
export function membersAt(critics: MlpParams<Tensor>, indices: Tensor): MlpParams<Tensor> {
  const member = (x: Tensor) => gather(x, indices, 0);
  return mapTree<Tensor, Tensor>(critics, isTensor, member) as MlpParams<Tensor>;
}

/** The first member, as an ensemble of one. */
export function firstOf(critics: MlpParams<Tensor>): MlpParams<Tensor> {
  const first = (x: Tensor) => slice(x, [0, 0, 0], [1, ...x.shape.slice(1)]);
  return mapTree<Tensor, Tensor>(critics, isTensor, first) as MlpParams<Tensor>;
}

/** Number of members. */
export function numMembers(critics: MlpParams<Tensor>): number {
  return critics.layer0!.kernel.shape[0]!;
}
