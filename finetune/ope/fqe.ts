// Fitted Q evaluation: what a policy is worth, by temporal differences on logged data. It needs no densities, and
// works over long episodes, where importance sampling does not.
//
// Le et al. 2019, arXiv:1903.08738; settings are SCOPE-RL's. The Q is that policy's alone: fit anew for each, with
// equal seeds and numbers of updates. The policy's next actions are a column of the batch, computed once; time
// limits bootstrap.

import { z } from "zod";
import type { EnvSpec, Metrics } from "../../agents/agent.ts";
import { descend, descentSettings, initDescent } from "../../agents/descent.ts";
import { initCritics, qValues, reduceHeads } from "../../agents/networks.ts";
import type { Batch } from "../../agents/rows.ts";
import { valueAndGrad } from "../../nn/gradient.ts";
import type { MlpParams } from "../../nn/layers.ts";
import { add, mean, mul, square, sub, type Tensor } from "../../nn/ops.ts";
import { type AdamState, polyak } from "../../nn/optimizers.ts";
import type { NdArray } from "../../nn/tree.ts";
import type { Rng } from "../../sim/rng.ts";

export const fqeSettings = z.strictObject({
  ...descentSettings,
  criticLearningRate: descentSettings.criticLearningRate
    .unwrap()
    .default(1e-4)
    .describe("step size of Q"),
  criticHidden: z.array(z.int().min(1).max(8192)).default([100]).describe("widths of Q's layers"),
  discount: z.number().min(0).max(1).default(0.99).describe("γ"),
  batchSize: z.int().min(1).default(256).describe("rows in an update"),
  numUpdates: z.int().min(1).default(10_000).describe("updates of each policy's Q"),
  tau: z.number().positive().max(1).default(0.005).describe("rate of the target network"),
});

export type FqeConfig = z.infer<typeof fqeSettings>;

export type FqeState<T> = {
  readonly q: MlpParams<T>;
  readonly targetQ: MlpParams<T>;
  readonly optimizer: AdamState<T>;
};

/** Rows, with the judged policy's action at the next state in `nextActions`. */
export type FqeBatch<T> = Omit<Batch<T>, "nextActions" | "returnsToGo"> & {
  readonly nextActions: T;
};

export function initFqe(spec: EnvSpec, config: FqeConfig, rng: Rng): FqeState<NdArray> {
  const q = initCritics(rng.split("q"), spec, { ...config, numCritics: 1, criticLayerNorm: false });
  return { q, targetQ: q, optimizer: initDescent(q, config) };
}

/** One step down mean (Q(s, a) − r − γ (1 − d) Q̄(s', π(s')))². */
export function updateFqe(
  state: FqeState<Tensor>,
  { batch, progress }: { readonly batch: FqeBatch<Tensor>; readonly progress: Tensor },
  config: FqeConfig,
): readonly [FqeState<Tensor>, Metrics] {
  const { observations, actions, rewards, discounts, nextObservations, nextActions } = batch;
  const next = reduceHeads(qValues(state.targetQ, nextObservations, nextActions, {}), "min");
  const target = add(rewards, mul(discounts, next));
  const [loss, grads] = valueAndGrad((q: MlpParams<Tensor>) =>
    mean(square(sub(qValues(q, observations, actions, {}), target))),
  )(state.q);
  const from = [state.q, grads, state.optimizer] as const;
  const [q, optimizer] = descend(from, config.criticLearningRate, progress, config);
  const targetQ = polyak(q, state.targetQ, config.tau);
  return [{ q, targetQ, optimizer }, { "train/critic_loss": loss }];
}

/** Q(s, a), [B]; at first states with the policy's actions its mean is the estimate. */
export function fqeValues(q: MlpParams<Tensor>, observations: Tensor, actions: Tensor): Tensor {
  return reduceHeads(qValues(q, observations, actions, {}), "min");
}
