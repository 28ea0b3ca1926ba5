// SAC-N and EDAC: pessimism from the least of many critics, and critics that are kept apart in how they slope.
//
// An et al. 2021, arXiv:2110.01548; equation numbers refer to it. The steps are ensembleSac.ts'. EDAC gets by with
// far fewer critics than SAC-N, which the authors gave 500 on hopper-medium; sizes there are settings.

import { z } from "zod";
import type { OffPolicyAlgorithm } from "../agents/agent.ts";
import { qValues } from "../agents/networks.ts";
import { grad } from "../nn/gradient.ts";
import type { MlpApply, MlpParams } from "../nn/layers.ts";
import {
  add,
  broadcastTo,
  div,
  mean,
  mul,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import {
  type EnsembleConfig,
  type EnsembleNoise,
  type EnsembleState,
  ensembleAct,
  ensembleNoise,
  ensembleSettings,
  initEnsemble,
  stepActor,
  stepCritics,
} from "./ensembleSac.ts";

const sacNSettings = z.strictObject(ensembleSettings);
const edacSettings = z.strictObject({
  ...ensembleSettings,
  diversity: z
    .number()
    .min(0)
    .default(1)
    .describe("η, cost of critics that slope alike at the data's actions"),
});

export type EdacConfig = z.infer<typeof edacSettings>;

type Ensemble<C extends EnsembleConfig> = OffPolicyAlgorithm<
  C,
  EnsembleState<NdArray>,
  EnsembleNoise<Tensor>
>;

export const sacN: Ensemble<EnsembleConfig> = {
  name: "sacN",
  summary: "SAC-N: soft actor-critic, pessimistic by the least of many critics",
  family: "offPolicy",
  settings: sacNSettings,
  needs: ["data"],
  offline: {},
  init: initEnsemble,
  policyKeys: ["actor"],
  act: ensembleAct,
  noise: ensembleNoise,

  update(state, inputs, config, _spec, { trainActor }) {
    const [acted, actorMetrics] = trainActor ? stepActor(state, inputs, config) : [state, {}];
    const [next, criticMetrics] = stepCritics(acted, inputs, config);
    return [next, { ...criticMetrics, ...actorMetrics }];
  },
};

export const edac: Ensemble<EdacConfig> = {
  ...sacN,
  name: "edac",
  summary: "EDAC: SAC-N whose critics are kept apart in how they slope",
  settings: edacSettings,

  update(state, inputs, config, _spec, { trainActor }) {
    const { observations, actions } = inputs.batch;
    const [acted, actorMetrics] = trainActor ? stepActor(state, inputs, config) : [state, {}];
    const [next, criticMetrics] = stepCritics(acted, inputs, config, (critics) =>
      config.diversity === 0
        ? 0
        : mul(slopeLikeness(critics, observations, actions, config), config.diversity),
    );
    return [next, { ...criticMetrics, ...actorMetrics }];
  },
};

/** Eq. 9: mean Σ_{i≠j} cos(∇ₐQᵢ, ∇ₐQⱼ) / (E − 1), from E when all slope alike to about −1. */
export function slopeLikeness(
  critics: MlpParams<Tensor>,
  observations: Tensor,
  actions: Tensor,
  apply: MlpApply,
): Tensor {
  const numCritics = critics.layer0!.kernel.shape[0]!;
  const each = (x: Tensor) => broadcastTo(x, [numCritics, ...x.shape]);
  const states = each(observations);
  const slopes = grad((a: Tensor) => sum(qValues(critics, states, a, apply)))(each(actions));
  return likeness(slopes);
}

/** The same of slopes [E, B, A]. */
export function likeness(slopes: Tensor): Tensor {
  const numCritics = slopes.shape[0]!;
  const length = sqrt(add(sum(square(slopes), -1, true), 1e-12)); // has a gradient at 0 too
  const unit = div(slopes, length);
  const all = sum(square(sum(unit, 0)), -1); // Σᵢⱼ cos, [B]
  const own = sum(sum(square(unit), -1), 0);
  return div(mean(sub(all, own)), numCritics - 1);
}
