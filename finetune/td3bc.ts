// TD3+BC: TD3 whose actor is also to copy the data.
//
// Fujimoto and Gu 2021, arXiv:2106.06860; defaults are those of its code, which CORL shares. The critics are
// td3.ts'. Online nothing changes but where rows come from. Differs: nothing known.

import { z } from "zod";
import type { Metrics, OffPolicyAlgorithm } from "../agents/agent.ts";
import { descentSettings } from "../agents/descent.ts";
import { firstOf, networkSettings, qValues } from "../agents/networks.ts";
import { withDefault } from "../agents/offPolicy.ts";
import type { UpdateInputs } from "../agents/rows.ts";
import { descendActor } from "../agents/steps.ts";
import { type Td3Noise, type Td3State, td3, updateTd3Critics, withTargets } from "../agents/td3.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { type MlpParams, mlp } from "../nn/layers.ts";
import { abs, add, div, mean, mul, square, stopGradient, sub, type Tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";
import { offlineSettings, onlineTd3Settings } from "./offlineSettings.ts";

const settings = z.strictObject({
  ...offlineSettings,
  ...descentSettings,
  ...networkSettings,
  actorPeriod: withDefault(offlineSettings.actorPeriod, 2),
  copyingAlpha: z
    .number()
    .positive()
    .default(2.5)
    .describe("α, worth of the critics' opinion beside one of copying"),
  ...onlineTd3Settings,
});

export type Td3BcConfig = z.infer<typeof settings>;

type State = Td3State<Tensor>;
type Inputs = UpdateInputs<Td3Noise<Tensor>>;

export const td3bc: OffPolicyAlgorithm<Td3BcConfig, Td3State<NdArray>, Td3Noise<Tensor>> = {
  name: "td3bc",
  summary: "TD3+BC: twin delayed DDPG whose actor also copies the data",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: {},
  init: td3.init,
  policyKeys: td3.policyKeys,
  act: td3.act,
  noise: td3.noise,
  explorationScale: ({ explorationNoise }) => [explorationNoise, explorationNoise],

  update(state, inputs, config, _spec, { trainActor }) {
    const [withCritics, criticMetrics] = updateTd3Critics(state, inputs, config);
    if (!trainActor) return [withCritics, criticMetrics];
    const [next, actorMetrics] = updateActor(withCritics, inputs, config);
    return [withTargets(next, config.tau), { ...criticMetrics, ...actorMetrics }];
  },
};

/** Eq. 3 to 5: −λ mean Q₀(s, π(s)) + mean (π(s) − a)², λ = α / mean |Q₀(s, π(s))| without a gradient. */
function updateActor(
  state: State,
  { batch, progress }: Inputs,
  config: Td3BcConfig,
): readonly [State, Metrics] {
  const { observations, actions } = batch;
  const { activation, copyingAlpha } = config;
  const first = firstOf(state.critics);
  const [loss, grads, { copying }] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const chosen = mlp(actor, observations, { activation, finalActivation: "tanh" });
    const qs = qValues(first, observations, chosen, { activation });
    const lambda = div(copyingAlpha, stopGradient(mean(abs(qs))));
    const copying = mean(square(sub(chosen, actions)));
    return [add(mul(mul(lambda, mean(qs)), -1), copying), { copying }] as const;
  })(state.actor);
  const metrics = { "train/actor_loss": loss, "train/copying_error": copying };
  return [descendActor(state, grads, progress, config), metrics];
}
