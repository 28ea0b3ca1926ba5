// Ensembles of critics: E networks that judge pairs of observation and action in one batched product.

import { isTensor } from "../nn/gradient.ts";
import { type MlpApply, type MlpParams, mlp } from "../nn/layers.ts";
import { concat, gather, mean, min, squeeze, type Tensor } from "../nn/ops.ts";
import { mapTree } from "../nn/tree.ts";

/** How an ensemble's judgements become one. */
export type Reduction = "min" | "mean";

/** Q_e(s, a), [E, B]. */
export function qValues(
  critics: MlpParams<Tensor>,
  observations: Tensor,
  actions: Tensor,
  apply: MlpApply,
): Tensor {
  return squeeze(mlp(critics, concat([observations, actions], -1), apply), [-1]);
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

/** Number of members. */
export function numMembers(critics: MlpParams<Tensor>): number {
  return critics.layer0!.kernel.shape[0]!;
}
