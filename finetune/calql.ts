// Cal-QL: CQL whose push stops at what the data's own returns vouch for, so that there is little to unlearn online.
//
// Nakamoto et al. 2023, arXiv:2303.05479. Everything but the floor is cql.ts'. The floor is kept online, as in the
// authors' code: an episode's rows enter the replay once it is over and its returns are known. At a time limit
// returns end: with rewards from 0 on they are below the truth, and the floor holds.

import { z } from "zod";
import type { OffPolicyAlgorithm } from "../agents/agent.ts";
import { descentSettings } from "../agents/descent.ts";
import { networkSettings } from "../agents/networks.ts";
import { withDefault } from "../agents/offPolicy.ts";
import type { Tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import {
  actCql,
  type CqlNoise,
  type CqlState,
  cqlNoise,
  cqlSettings,
  initCql,
  updateCql,
} from "./cql.ts";
import { offlineSettings } from "./offlineSettings.ts";

// The authors' settings; CORL's are the same but for the sizes of the networks.
const settings = z.strictObject({
  ...cqlSettings,
  actorHidden: withDefault(networkSettings.actorHidden, [256, 256]),
  criticHidden: withDefault(networkSettings.criticHidden, [256, 256, 256, 256]),
  actorLearningRate: withDefault(descentSettings.actorLearningRate, 1e-4),
  alphaLearningRate: withDefault(cqlSettings.alphaLearningRate, 1e-4),
  conservatism: withDefault(cqlSettings.conservatism, 5),
  offlineShare: withDefault(offlineSettings.offlineShare, 0.5),
  sparseRewards: z
    .boolean()
    .default(false)
    .describe("a failed episode is worth its last reward for ever, from each of its steps on"),
});

export type CalQlConfig = z.infer<typeof settings>;

export const calql: OffPolicyAlgorithm<CalQlConfig, CqlState<NdArray>, CqlNoise<Tensor>> = {
  name: "calql",
  summary: "Cal-QL: CQL that pushes no further than the data's returns",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: { columns: ["returnsToGo"], returnsToGo },
  init: initCql,
  policyKeys: ["actor"],
  act: actCql,
  noise: cqlNoise,
  update: (state, inputs, config, spec, phase) =>
    updateCql(state, inputs, config, spec, phase, inputs.batch.returnsToGo!),
};

/** Σ γᵏ r; where rewards are sparse, a failure's last reward for ever: r / (1 − γ). */
export function returnsToGo(
  rewards: Float32Array,
  { success }: { readonly success: boolean },
  { discount, sparseRewards }: { readonly discount: number; readonly sparseRewards: boolean },
): Float32Array {
  if (sparseRewards && !success) return rewards.map(() => rewards.at(-1)! / (1 - discount));
  const sums = new Float32Array(rewards.length);
  let sum = 0;
  for (let t = rewards.length - 1; t >= 0; t--) {
    sum = rewards[t]! + discount * sum;
    sums[t] = sum;
  }
  return sums;
}
