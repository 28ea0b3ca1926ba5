// The networks of flow and diffusion policies, and the one way a flow is integrated.
//
// After ReinFlow's and DPPO's networks (arXiv:2505.22094, arXiv:2409.00588): a residual MLP sees the chunk
// on its way, an embedding of the time, and the observation. Differs: a shortcut net gives the observation
// to the residual MLP as it is, instead of through 16 numbers that are added to the embedding.
// Shapes: n = H · A numbers of a chunk; all functions take any leading axes, [B, …] or [B, K, …].

import { z } from "zod";
import {
  type Activation,
  initMlp,
  initResidualMlp,
  type MlpParams,
  mlp,
  type ResidualParams,
  residualMlp,
  sinusoidalEmbedding,
} from "../nn/layers.ts";
import { add, broadcastTo, clipByValue, concat, mul, type Tensor, tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";

/** What every flow policy's settings say of its chunks and its network. */
export const flowShapeSettings = {
  chunkLength: z.int().min(1).max(256).default(4).describe("actions that are chosen at once, H"),
  executed: z.int().min(1).max(256).default(4).describe("of which so many are taken, E ≤ H"),
  flowSteps: z.int().min(1).max(128).default(4).describe("Euler steps from noise to actions, K"),
  stepSizes: z.boolean().default(false).describe("a shortcut net, which is told 1 / K"),
  width: z.int().min(1).max(8192).default(256).describe("of the residual MLP"),
  numBlocks: z.int().min(1).max(16).default(1).describe("of the residual MLP"),
  activation: z
    .enum(["relu", "tanh", "silu", "elu", "gelu", "mish"])
    .default("relu")
    .describe("of the residual MLP"),
} as const;

const featureSize = 16; // sines and cosines of a time, and the width of the embedding

export type VelocityParams<T> = {
  /** [features of t, features of d where there is one] → embedding, Mish. */
  readonly time: MlpParams<T>;
  readonly network: ResidualParams<T>;
};

export interface VelocityOptions {
  readonly observationSize: number;
  /** n. */
  readonly chunkSize: number;
  readonly width: number;
  readonly numBlocks: number;
  /** Whether the net is told the size of the step that is taken with it: a shortcut net. */
  readonly stepSizes: boolean;
}

export function initVelocity(rng: Rng, options: VelocityOptions): VelocityParams<NdArray> {
  const { observationSize, chunkSize, width, numBlocks, stepSizes } = options;
  return {
    time: initMlp(rng.split("time"), {
      inputs: stepSizes ? 2 * featureSize : featureSize,
      hidden: [2 * featureSize],
      outputs: featureSize,
    }),
    network: initResidualMlp(rng.split("network"), {
      inputs: chunkSize + featureSize + observationSize,
      width,
      numBlocks,
      outputs: chunkSize,
    }),
  };
}

/**
 * When a velocity is asked for, [...]; an axis of 1 is for all rows. `steps`, for shortcut nets alone,
 * broadcasts to the times.
 */
export interface When {
  readonly times: Tensor;
  readonly steps?: Tensor | undefined;
}

/** The embedding of a time, and of a step where there is one, [..., 16]. */
export function embedTime(time: MlpParams<Tensor>, { times, steps }: When): Tensor {
  const given = steps === undefined ? [times] : [times, broadcastTo(steps, times.shape)];
  const features = given.map((x) => sinusoidalEmbedding(x, featureSize));
  return mlp(time, concat(features, -1), { activation: "mish" });
}

/** v(x, t, o): where a chunk on its way [..., n] is heading, [..., n]. */
export function velocity(
  { time, network }: VelocityParams<Tensor>,
  points: Tensor,
  when: When,
  observations: Tensor,
  activation: Activation,
): Tensor {
  const lead = points.shape.slice(0, -1);
  const embedding = broadcastTo(embedTime(time, when), [...lead, featureSize]);
  return residualMlp(network, concat([points, embedding, observations], -1), activation);
}

/**
 * t_k = k / K, k = 0 … K − 1, [1, K]: the one grid that flows are trained for, sampled and scored on. (The
 * grid k / (K − 1) steps beyond the data, and scores other chains than it samples.)
 */
export function timeGrid(numSteps: number): Tensor {
  const times = Array.from({ length: numSteps }, (_, k) => k / numSteps);
  return tensor(times, [1, numSteps], "float32");
}

/** One Euler step of 1 / K, kept within ±bound where there is one. */
export function eulerStep(point: Tensor, v: Tensor, numSteps: number, bound: number | null) {
  const next = add(point, mul(v, 1 / numSteps));
  return bound === null ? next : clipByValue(next, -bound, bound);
}

/**
 * The flow of a velocity field in K Euler steps from t = 0: the point after each, [B, n], the last one at t = 1. The
 * field is asked with t_k, [1].
 */
export function integratePath(
  field: (point: Tensor, times: Tensor) => Tensor,
  start: Tensor,
  numSteps: number,
  bound: number | null,
): Tensor[] {
  const path: Tensor[] = [];
  for (let k = 0; k < numSteps; k++) {
    const times = tensor([k / numSteps], [1], "float32");
    const point = path.at(-1) ?? start;
    path.push(eulerStep(point, field(point, times), numSteps, bound));
  }
  return path;
}

/** How much noise is added after a step, from the observation and the time's embedding. */
export interface NoiseNetOptions {
  readonly observationSize: number;
  readonly chunkSize: number;
  readonly hidden: readonly number[];
  /** Whether the noise follows the time too. */
  readonly timed: boolean;
}

export function initNoiseNet(rng: Rng, options: NoiseNetOptions): MlpParams<NdArray> {
  const { observationSize, chunkSize, hidden, timed } = options;
  const inputs = observationSize + (timed ? featureSize : 0);
  return initMlp(rng, { inputs, hidden, outputs: chunkSize });
}
