// SPOT: TD3 whose actor is to stay where the data are likely, by a variational autoencoder of their actions.
//
// Wu et al. 2022, arXiv:2202.06239. The autoencoder is trained first and then stands still; its negative evidence
// bound, up to scale and offset, is the penalty. Online the penalty's weight falls linearly. Defaults are the
// authors' for hopper-medium.

import { z } from "zod";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descend, descentSettings, initDescent } from "../agents/descent.ts";
import { firstOf, networkSettings, qValues } from "../agents/networks.ts";
import { withDefault } from "../agents/offPolicy.ts";
import type { UpdateInputs } from "../agents/rows.ts";
import { descendActor } from "../agents/steps.ts";
import { type Td3State, td3, updateTd3Critics, withTargets } from "../agents/td3.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import { type NoiseSpec, normal } from "../nn/noise.ts";
import {
  abs,
  add,
  clipByValue,
  concat,
  div,
  exp,
  maximum,
  mean,
  mul,
  neg,
  split,
  square,
  stopGradient,
  sub,
  type Tensor,
} from "../nn/ops.ts";
import type { AdamState } from "../nn/optimizers.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { offlineSettings, onlineTd3Settings } from "./offlineSettings.ts";

const settings = z.strictObject({
  ...offlineSettings,
  ...descentSettings,
  ...networkSettings,
  actorPeriod: withDefault(offlineSettings.actorPeriod, 2),
  vaeUpdates: z.int().min(0).default(100_000).describe("updates of the autoencoder, before others"),
  vaeHidden: z.int().min(1).max(8192).default(750).describe("width of its two hidden layers"),
  vaeLearningRate: z.number().positive().max(1).default(1e-3).describe("its step size"),
  latentCost: z.number().positive().default(0.5).describe("β, weight of its latents' divergence"),
  supportCost: z.number().min(0).default(0.1).describe("λ, cost of actions unlike the data's"),
  finalCostShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe("least share of λ that is left online"),
  ...onlineTd3Settings,
});

export type SpotConfig = z.infer<typeof settings>;

/** An autoencoder of actions, given the state: (s, a) → z → a. */
export type Vae<T> = { readonly encoder: MlpParams<T>; readonly decoder: MlpParams<T> };

export type SpotState<T> = Td3State<T> & {
  readonly vae: Vae<T>;
  readonly vaeOptimizer: AdamState<T>;
};

export type SpotNoise<T> = {
  readonly smoothing: T; // [B, A]
  readonly latents: T; // [B, 2A]
};

type State = SpotState<Tensor>;
type Inputs = UpdateInputs<SpotNoise<Tensor>>;

export const spot: OffPolicyAlgorithm<SpotConfig, SpotState<NdArray>, SpotNoise<Tensor>> = {
  name: "spot",
  summary: "SPOT: TD3 that stays where an autoencoder finds the data likely",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: { prepareUpdates: ({ vaeUpdates }) => vaeUpdates },
  init,
  policyKeys: ["actor"],
  act: td3.act,
  noise: ({ actionSize }, { batchSize }): SpotNoise<NoiseSpec> => ({
    smoothing: normal([batchSize, actionSize]),
    latents: normal([batchSize, 2 * actionSize]),
  }),
  update,
  explorationScale: ({ explorationNoise }) => [explorationNoise, explorationNoise],
};

function init(spec: EnvSpec, config: SpotConfig, rng: Rng): SpotState<NdArray> {
  const { observationSize, actionSize } = spec;
  const hidden = [config.vaeHidden, config.vaeHidden];
  const vae = {
    encoder: initMlp(rng.split("encoder"), {
      inputs: observationSize + actionSize,
      hidden,
      outputs: 4 * actionSize, // mean and log-std of 2A latents
    }),
    decoder: initMlp(rng.split("decoder"), {
      inputs: observationSize + 2 * actionSize,
      hidden,
      outputs: actionSize,
    }),
  };
  return { ...td3.init(spec, config as never, rng), vae, vaeOptimizer: initDescent(vae, config) };
}

function update(
  state: State,
  inputs: Inputs,
  config: SpotConfig,
  _spec: EnvSpec,
  { trainActor, stage }: UpdatePhase,
): readonly [State, Metrics] {
  if (stage === "prepare") return updateVae(state, inputs, config);
  const [judged, criticMetrics] = updateTd3Critics(state, inputs, config);
  const withCritics = { ...state, ...judged };
  if (!trainActor) return [withCritics, criticMetrics];
  const share = stage === "online" ? costShare(inputs.progress, config.finalCostShare) : 1;
  const [next, actorMetrics] = updateActor(withCritics, inputs, config, share);
  return [withTargets(next, config.tau), { ...criticMetrics, ...actorMetrics }];
}

/** max(least, 1 − t / T). */
export function costShare(progress: Tensor, least: number): Tensor {
  return maximum(sub(1, progress), least);
}

function updateVae(state: State, inputs: Inputs, config: SpotConfig): readonly [State, Metrics] {
  const { observations, actions } = inputs.batch;
  const [loss, grads] = valueAndGrad((vae: Vae<Tensor>) =>
    mean(unlikeliness(vae, observations, actions, inputs.noise.latents, config.latentCost)),
  )(state.vae);
  const [vae, vaeOptimizer] = descend(
    [state.vae, grads, state.vaeOptimizer],
    config.vaeLearningRate,
    inputs.progress,
    config,
  );
  return [{ ...state, vae, vaeOptimizer }, { "train/vae_loss": loss }];
}

/** Mean squared error over the action's dimensions + β times the latents' mean divergence, [B]. */
export function unlikeliness(
  { encoder, decoder }: Vae<Tensor>,
  observations: Tensor,
  actions: Tensor,
  noise: Tensor,
  latentCost: number,
): Tensor {
  const [centre, raw] = split(mlp(encoder, concat([observations, actions], -1)), 2, -1) as [
    Tensor,
    Tensor,
  ];
  const logStd = clipByValue(raw, -4, 15);
  const latents = add(centre, mul(exp(logStd), noise));
  const again = mlp(decoder, concat([observations, latents], -1), { finalActivation: "tanh" });
  const spread = sub(sub(exp(mul(logStd, 2)), mul(logStd, 2)), 1);
  const divergence = mul(mean(add(spread, square(centre)), -1), 0.5);
  return add(mean(square(sub(again, actions)), -1), mul(divergence, latentCost));
}

/** −mean Q₀(s, π(s)) / mean |Q₀| + λ mean l(s, π(s)); the autoencoder stands still. */
function updateActor(
  state: State,
  { batch: { observations }, noise, progress }: Inputs,
  config: SpotConfig,
  share: Tensor | number,
): readonly [State, Metrics] {
  const { activation } = config;
  const first = firstOf(state.critics);
  const [loss, grads, { unlike }] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const chosen = mlp(actor, observations, { activation, finalActivation: "tanh" });
    const qs = qValues(first, observations, chosen, { activation });
    const opinion = neg(div(mean(qs), stopGradient(mean(abs(qs)))));
    const unlike = mean(
      unlikeliness(state.vae, observations, chosen, noise.latents, config.latentCost),
    );
    return [add(opinion, mul(mul(unlike, config.supportCost), share)), { unlike }] as const;
  })(state.actor);
  const metrics = { "train/actor_loss": loss, "train/unlikeliness": unlike };
  return [descendActor(state, grads, progress, config), metrics];
}
