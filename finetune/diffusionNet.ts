// A diffusion policy's chains: how they are drawn, step back by step back, and scored all steps at once.
//
// Chi et al. 2023, arXiv:2303.04137; Ren et al. 2024, DPPO, arXiv:2409.00588. A net sees the noise in a chunk
// on its way, [n], at step k; diffusionSteps.ts says how a step is taken back. Data and actions are in [−1, 1].
// Shapes: B or N rows, S steps back, n = H · A numbers of a chunk.

import { z } from "zod";
import type { Activation } from "../nn/layers.ts";
import {
  add,
  broadcastTo,
  clipByValue,
  expandDims,
  mul,
  slice,
  type Tensor,
  tensor,
} from "../nn/ops.ts";
import { type ReverseStep, reverseMean, reverseSteps } from "./diffusionSteps.ts";
import { type VelocityParams, velocity } from "./flowNet.ts";

/** What every diffusion policy's settings say of its chunks, its steps and its network. */
export const diffusionShapeSettings = {
  chunkLength: z.int().min(1).max(256).default(4).describe("actions that are chosen at once, H"),
  executed: z.int().min(1).max(256).default(4).describe("of which so many are taken, E ≤ H"),
  diffusionSteps: z.int().min(1).max(1000).default(20).describe("steps of noise in training"),
  sampleSteps: z
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .describe("steps back to an action; fewer than diffusionSteps are DDIM's"),
  eta: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("share of DDPM's noise in a step back: 0 is plain DDIM, 1 with all steps is DDPM"),
  width: z.int().min(1).max(8192).default(256).describe("of the residual MLP"),
  numBlocks: z.int().min(1).max(16).default(1).describe("of the residual MLP"),
  activation: z
    .enum(["relu", "tanh", "silu", "elu", "gelu", "mish"])
    .default("relu")
    .describe("of the residual MLP"),
} as const;

export interface DiffusionShape {
  readonly diffusionSteps: number;
  readonly sampleSteps: number;
  readonly eta: number;
  readonly activation: Activation;
}

const bound = 1; // of data and of actions
const truncation = 3; // standard deviations of the noise that is drawn; DPPO's

/** The steps back of a policy, from the noisiest. */
export function stepsBack({ diffusionSteps: numSteps, sampleSteps, eta }: DiffusionShape) {
  if (sampleSteps > numSteps)
    throw new Error(`sampleSteps ${sampleSteps} is more than the ${numSteps} diffusionSteps`);
  return reverseSteps({ numSteps, sampleSteps, eta });
}

/** How many numbers a chunk is drawn from: the start, and the noise of all steps but the last. */
export function drawsOf({ sampleSteps, eta }: DiffusionShape, chunkSize: number): number {
  return chunkSize * (eta > 0 ? sampleSteps : 1);
}

/** Where a step back leads from points [N, n]. */
export function meanBack(
  params: VelocityParams<Tensor>,
  point: Tensor,
  step: ReverseStep,
  observations: Tensor,
  activation: Activation,
): Tensor {
  const times = tensor([step.time], [1], "float32");
  const noise = velocity(params, point, { times }, observations, activation);
  return reverseMean(point, noise, step, bound);
}

/** Where draws [N, `drawsOf`] lead: the point after each step back, [N, n], as the policy acts. */
export function diffusionPath(
  netAt: (index: number) => VelocityParams<Tensor>,
  draws: Tensor,
  observations: Tensor,
  shape: DiffusionShape,
  chunkSize: number,
): Tensor[] {
  const noise = cut(draws, chunkSize);
  const points = [noise[0]!];
  for (const [i, step] of stepsBack(shape).entries()) {
    const mean = meanBack(netAt(i), points[i]!, step, observations, shape.activation);
    const drawn = step.std > 0 ? noise[i + 1] : undefined;
    points.push(drawn === undefined ? mean : add(mean, mul(truncated(drawn), step.std)));
  }
  return points.slice(1).map((point) => clipByValue(point, -bound, bound));
}

/** Draws cut to ±3. */
export function truncated(draws: Tensor): Tensor {
  return clipByValue(draws, -truncation, truncation);
}

/** Rows [N, m · n] as m tensors [N, n]. */
export function cut(rows: Tensor, width: number): Tensor[] {
  const count = rows.shape[1]! / width;
  return Array.from({ length: count }, (_, i) => slice(rows, [0, i * width], [-1, width]));
}

/** Where steps back lead from where each began, [B, K, n]: all steps in one pass. */
export function meansBack(
  params: VelocityParams<Tensor>,
  points: Tensor,
  steps: readonly ReverseStep[],
  observations: Tensor,
  activation: Activation,
): Tensor {
  const [batch, numSteps] = points.shape as [number, number];
  const column = (of: (step: ReverseStep) => number, shape = [1, numSteps, 1]) =>
    tensor(steps.map(of), shape, "float32");
  const times = column(({ time }) => time, [1, numSteps]);
  const repeated = broadcastTo(expandDims(observations, 1), [
    batch,
    numSteps,
    observations.shape[1]!,
  ]);
  const noise = velocity(params, points, { times }, repeated, activation);
  const numbers = {
    p: column(({ p }) => p),
    q: column(({ q }) => q),
    a: column(({ a }) => a),
    b: column(({ b }) => b),
  };
  return reverseMean(points, noise, numbers, bound);
}
