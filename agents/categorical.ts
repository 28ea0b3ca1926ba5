// Critics whose outputs are histograms of the return over fixed atoms: C51, arXiv:1707.06887.

import { z } from "zod";
import { atoms, projectCategorical, type Support } from "../nn/distributions.ts";
import { add, broadcastTo, expandDims, mean, mul, slice, type Tensor } from "../nn/ops.ts";

// Uniform histograms, which fresh critics put out, then have the mean 0: an optimistic start would take
// thousands of updates to forget.
/** To be spread into an algorithm's strict object; it may redefine a key with another default. */
export const categoricalSettings = {
  numAtoms: z.int().min(2).max(1001).default(101).describe("atoms of a return's histogram"),
  valueLow: z.number().default(-40).describe("least return that the atoms cover"),
  valueHigh: z.number().default(40).describe("greatest return that the atoms cover"),
} as const;

/** The atoms that the settings name. */
export function supportOf(config: {
  readonly numAtoms: number;
  readonly valueLow: number;
  readonly valueHigh: number;
}): Support {
  return { low: config.valueLow, high: config.valueHigh, numAtoms: config.numAtoms };
}

/** Eq. 7: successors' histograms [..., B, K], moved to r + γᵐ z and projected onto the atoms. */
export function bellmanProjection(
  probs: Tensor,
  { rewards, discounts }: { readonly rewards: Tensor; readonly discounts: Tensor }, // [B]
  support: Support,
): Tensor {
  const spread = mul(expandDims(discounts, -1), atoms(support)); // [B, K]
  const values = add(expandDims(rewards, -1), spread);
  return projectCategorical(probs, broadcastTo(values, probs.shape), support);
}

/** Share of the mass on the two outermost atoms: above 0.02 the support is too narrow. */
export function edgeMass(probs: Tensor): Tensor {
  const numAtoms = probs.shape.at(-1)!;
  const at = (index: number) => {
    const begin = probs.shape.map((_, axis) => (axis === probs.shape.length - 1 ? index : 0));
    return mean(slice(probs, begin, [...probs.shape.slice(0, -1), 1]));
  };
  return add(at(0), at(numAtoms - 1));
}
