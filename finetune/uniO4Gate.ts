// The gate of Uni-O4: which members of the ensemble are taken over as references, and which one acts.

import { membersAt } from "../agents/networks.ts";
import type { MlpParams } from "../nn/layers.ts";
import { add, argMax, greater, max, reshape, sum, type Tensor, where } from "../nn/ops.ts";

/** The score of what was not scored. */
export const unscored = -1e9;

interface Gated {
  /** An ensemble of one. */
  readonly actor: MlpParams<Tensor>;
  readonly actors: MlpParams<Tensor>;
  readonly references: MlpParams<Tensor>;
  /** Of the references, [E]. */
  readonly bestScores: Tensor;
  readonly numReplaced: Tensor;
}

/** References become the members that score higher than these did; the best of all acts. */
export function decide<S extends Gated>(state: S, scores: Tensor): S {
  const better = greater(scores, state.bestScores); // [E]
  const bestScores = where(better, scores, state.bestScores);
  const references = chosen(better, state.actors, state.references);
  const numReplaced = add(state.numReplaced, sum(where(better, 1, 0)));
  const best = membersAt(references, reshape(argMax(bestScores, 0), [1]));
  const actor = chosen(reshape(greater(max(bestScores), unscored), [1]), best, state.actor);
  return { ...state, references, bestScores, numReplaced, actor };
}

/** Members of one ensemble where the flags [E] say so, of the other where they do not. */
function chosen(flags: Tensor, ones: MlpParams<Tensor>, others: MlpParams<Tensor>) {
  const pick = (a: Tensor, b: Tensor) => where(reshape(flags, [-1, 1, 1]), a, b);
  return Object.fromEntries(
    Object.entries(ones).map(([name, { kernel, bias }]) => {
      const other = others[name as keyof typeof others]!;
      return [name, { kernel: pick(kernel, other.kernel), bias: pick(bias, other.bias) }];
    }),
  ) as MlpParams<Tensor>;
}
