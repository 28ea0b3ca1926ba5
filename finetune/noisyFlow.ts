// A flow policy with noise after each step: how chains are drawn, and scored all steps at once.
//
// See chain.ts for the density. Shapes: B or N rows, K steps, n numbers of a chunk.

import type { Gaussian } from "../nn/distributions.ts";
import { type Activation, type MlpParams, mlp } from "../nn/layers.ts";
import {
  add,
  broadcastTo,
  clipByValue,
  concat,
  exp,
  expandDims,
  mul,
  reshape,
  stack,
  stopGradient,
  type Tensor,
  tensor,
  unstack,
} from "../nn/ops.ts";
import { boundNoise, type NoiseBounds, stepsOf } from "./chain.ts";
import {
  embedTime,
  eulerStep,
  integratePath,
  timeGrid,
  type VelocityParams,
  velocity,
  type When,
} from "./flowNet.ts";

/** What a flow is and how it is integrated. */
export interface FlowShape {
  /** K. */
  readonly flowSteps: number;
  /** Whether the net is a shortcut net, which is told 1 / K. */
  readonly stepSizes: boolean;
  readonly activation: Activation;
}

/** Largest ±number of an action, and of a chunk on its way, in the normaliser's units. */
export const actionBound = 1;
const truncation = 3; // standard deviations; ReinFlow's

/** Where a flow leads from noise [N, n]: the point after each of its steps, [N, n], as the policy acts. */
export function flowPath(
  params: VelocityParams<Tensor>,
  start: Tensor,
  observations: Tensor,
  shape: FlowShape,
): Tensor[] {
  const field = (point: Tensor, times: Tensor) =>
    velocity(params, point, whenOf(times, shape), observations, shape.activation);
  return integratePath(field, start, shape.flowSteps, actionBound);
}

/** The chunk, the last point of that way. */
export function flowChunk(...input: Parameters<typeof flowPath>): Tensor {
  return flowPath(...input).at(-1)!;
}

export type NoisyFlowParams<T> = {
  readonly velocity: VelocityParams<T>;
  /** [embedding of the time where the noise follows it, observation] → raw noise, tanh. */
  readonly noise: MlpParams<T>;
};

export interface NoisyFlowShape extends FlowShape {
  readonly timedNoise: boolean;
}

/** Where steps from points [..., n] lead: the Gaussian of μ_k and σ_k. */
function transition(
  { velocity: params, noise }: NoisyFlowParams<Tensor>,
  points: Tensor,
  [times, observations]: readonly [times: Tensor, observations: Tensor],
  shape: NoisyFlowShape,
  bounds: NoiseBounds,
): Gaussian {
  const when = whenOf(times, shape);
  const v = velocity(params, points, when, observations, shape.activation);
  const embedding = stopGradient(embedTime(params.time, when));
  const lead = points.shape.slice(0, -1);
  const given = shape.timedNoise
    ? concat([broadcastTo(embedding, [...lead, embedding.shape.at(-1)!]), observations], -1)
    : observations;
  return {
    mean: eulerStep(points, v, shape.flowSteps, actionBound),
    logStd: boundNoise(mlp(noise, given, { activation: "tanh" }), bounds),
  };
}

/** Where each step of chains [B, K + 1, n] would lead, [B, K, n]: all steps in one pass. */
export function scoreSteps(
  params: NoisyFlowParams<Tensor>,
  chain: Tensor,
  observations: Tensor,
  shape: NoisyFlowShape,
  bounds: NoiseBounds,
): Gaussian {
  const [points] = stepsOf(chain);
  const [batch, numSteps] = points.shape as [number, number];
  const size = [batch, numSteps, observations.shape[1]!];
  const repeated = broadcastTo(expandDims(observations, 1), size);
  return transition(params, points, [timeGrid(numSteps), repeated], shape, bounds);
}

/**
 * Chains [N, K + 1, n] and their steps' Gaussians, from draws [N, (K + 1) n] of which the first n are a₀.
 * The last point is clipped to the actions' range.
 */
export function sampleChain(
  params: NoisyFlowParams<Tensor>,
  draws: Tensor,
  observations: Tensor,
  shape: NoisyFlowShape,
  bounds: NoiseBounds,
): [chain: Tensor, steps: Gaussian] {
  const { flowSteps } = shape;
  const [start, ...noise] = unstack(reshape(draws, [draws.shape[0]!, flowSteps + 1, -1]), 1) as [
    Tensor,
    ...Tensor[],
  ];
  const points = [start];
  const steps = noise.map((eps, k) => {
    const given = [tensor([k / flowSteps], [1], "float32"), observations] as const;
    const step = transition(params, points[k]!, given, shape, bounds);
    const drawn = mul(exp(step.logStd), clipByValue(eps, -truncation, truncation));
    const next = add(step.mean, drawn);
    points.push(k + 1 < flowSteps ? next : clipByValue(next, -actionBound, actionBound));
    return step;
  });
  const mean = stack(
    steps.map((step) => step.mean),
    1,
  );
  const logStd = stack(
    steps.map((step) => step.logStd),
    1,
  );
  return [stack(points, 1), { mean, logStd }];
}

function whenOf(times: Tensor, { stepSizes, flowSteps }: FlowShape): When {
  if (!stepSizes) return { times };
  return { times, steps: tensor([1 / flowSteps], [1], "float32") };
}
