// The range of a dataset's actions, which networks of chunks see as [−1, 1].

import { add, mul, type Tensor, tile } from "../nn/ops.ts";
import { full, type NdArray, zeros } from "../nn/tree.ts";

/** An entry of an agent's state, frozen: action = centre + halfRange · x, [A] each. */
export type ActionNormalizer<T> = { readonly centre: T; readonly halfRange: T };

/** The whole range of actions, [−1, 1]. */
export function unitActions(actionSize: number): ActionNormalizer<NdArray> {
  return { centre: zeros([actionSize]), halfRange: full([actionSize], 1) };
}

/** Chunks of the task's actions from chunks of the networks', [..., H · A]. */
export function toActions({ centre, halfRange }: ActionNormalizer<Tensor>, chunks: Tensor): Tensor {
  const repeats = chunks.shape.at(-1)! / centre.shape[0]!;
  return add(mul(chunks, tile(halfRange, [repeats])), tile(centre, [repeats]));
}
