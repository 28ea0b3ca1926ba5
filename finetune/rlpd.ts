// RLPD: soft actor-critic that learns from demonstrations too, half of every batch.
//
// Ball et al. 2023, arXiv:2302.02948. The equations are sac.ts's; what makes it RLPD is the data beside its
// own steps, and settings: ten critics under layer norm, targets from two of them drawn anew for each
// update, the actor on the mean of all, once for every twenty of the critics' steps, half a nat of entropy
// less for each action dimension. Differs: the critics' loss is summed over heads, not averaged, which Adam
// does not see.

import type { OffPolicyAlgorithm } from "../agents/agent.ts";
import { withDefault } from "../agents/offPolicy.ts";
import { type SacConfig, type SacNoise, type SacState, sac, sacSettings } from "../agents/sac.ts";
import type { Tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";

const { shape } = sacSettings;

const settings = sacSettings.safeExtend({
  utdRatio: withDefault(shape.utdRatio, 20),
  actorPeriod: withDefault(shape.actorPeriod, 20),
  numCritics: withDefault(shape.numCritics, 10),
  criticLayerNorm: withDefault(shape.criticLayerNorm, true),
  actorReduction: withDefault(shape.actorReduction, "mean"),
  targetEntropyScale: withDefault(shape.targetEntropyScale, 0.5),
  logStdBound: withDefault(shape.logStdBound, "clip"),
  logStdLow: withDefault(shape.logStdLow, -20),
});

export const rlpd: OffPolicyAlgorithm<SacConfig, SacState<NdArray>, SacNoise<Tensor>> = {
  ...sac,
  name: "rlpd",
  summary: "RLPD: soft actor-critic with half of each batch from demonstrations",
  settings,
  needs: ["data"],
};
