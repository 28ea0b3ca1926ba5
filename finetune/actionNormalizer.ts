// The range of a dataset's actions, which networks of chunks see as [−1, 1].

import type { EnvSpec } from "../agents/agent.ts";
import { add, div, mul, sub, type Tensor, tile } from "../nn/ops.ts";
import { array, full, type NdArray, zeros } from "../nn/tree.ts";

/** An entry of an agent's state, frozen: action = centre + halfRange · x, [A] each. */
export type ActionNormalizer<T> = { readonly centre: T; readonly halfRange: T };

/** The whole range of actions, [−1, 1]. */
export function unitActions(actionSize: number): ActionNormalizer<NdArray> {
  return { centre: zeros([actionSize]), halfRange: full([actionSize], 1) };
}

const leastHalfRange = 0.05; // an action that the data never moves must not blow up when it does

/** The range of some data's actions; all of it where there is none. */
export function actionRange({ actionRange: range, actionSize }: EnvSpec) {
  if (range === undefined) return unitActions(actionSize);
  const centre = range.low.map((low, i) => (low + range.high[i]!) / 2);
  const halfRange = range.low.map((low, i) => (range.high[i]! - low) / 2);
  return {
    centre: array(centre),
    halfRange: array(halfRange.map((half) => Math.max(half, leastHalfRange))),
  };
}

/** Chunks of the task's actions from chunks of the networks', [..., H · A]. */
export function toActions({ centre, halfRange }: ActionNormalizer<Tensor>, chunks: Tensor): Tensor {
  const repeats = chunks.shape.at(-1)! / centre.shape[0]!;
  return add(mul(chunks, tile(halfRange, [repeats])), tile(centre, [repeats]));
}

/** Chunks of the networks' actions from chunks of the task's, [..., H · A]. */
export function fromActions(
  { centre, halfRange }: ActionNormalizer<Tensor>,
  chunks: Tensor,
): Tensor {
  const repeats = chunks.shape.at(-1)! / centre.shape[0]!;
  return div(sub(chunks, tile(centre, [repeats])), tile(halfRange, [repeats]));
}
