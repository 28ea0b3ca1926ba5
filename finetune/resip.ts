// ResiP: a correction of a frozen base policy at every step, learned on-policy with PPO.
//
// Ankile et al. 2024, arXiv:2407.16677. The executed action is a_b + scale · a_r, with a_r from a Gaussian of
// [s, a_b] whose spread is fixed and whose mean begins near 0 (a last layer of gain 0.01). To PPO (ppo.ts)
// a_r is the action. Differs: one learning rate for actor and critic (the paper: 3e-4 and 5e-3), and time
// limits bootstrap; rollouts are as short as a few CPU envs need (the paper: 1024 envs, 700 steps).

import { z } from "zod";
import type { Metrics, OnPolicyAlgorithm } from "../agents/agent.ts";
import { withDefault } from "../agents/offPolicy.ts";
import { type PpoState, policy, ppo } from "../agents/ppo.ts";
import { ppoSettings } from "../agents/ppoSettings.ts";
import type { ActInputs, OnPolicyInputs, Sample } from "../agents/rows.ts";
import { sampleGaussian } from "../nn/distributions.ts";
import { add, clipByValue, div, mul, slice, sub, type Tensor } from "../nn/ops.ts";
import type { NdArray } from "../nn/tree.ts";

const { shape } = ppoSettings;

const settings = ppoSettings.extend({
  discount: withDefault(shape.discount, 0.999),
  numEpochs: withDefault(shape.numEpochs, 50),
  numMinibatches: withDefault(shape.numMinibatches, 1),
  rolloutLength: withDefault(shape.rolloutLength, 512),
  targetKl: withDefault(shape.targetKl, 0.1),
  hidden: withDefault(shape.hidden, [256, 256]),
  initialLogStd: withDefault(shape.initialLogStd, -1),
  learnStd: withDefault(shape.learnStd, false),
  learningRateSchedule: withDefault(shape.learningRateSchedule, "constant"),
  maxGradNorm: withDefault(shape.maxGradNorm, 1),
  residualScale: z
    .number()
    .positive()
    .max(2)
    .default(0.1)
    .describe("what a correction of 1 adds to the base's action"),
});

export type ResipConfig = ReturnType<typeof settings.parse>;

type State = PpoState<Tensor>;

export const resip: OnPolicyAlgorithm<ResipConfig, PpoState<NdArray>> = {
  ...ppo,
  name: "resip",
  summary: "ResiP: bounded exploration around a frozen base policy, corrections learned with PPO",
  settings,
  needs: ["base"],
  observesBase: true,
  act,
  sample,
  update,
};

function act(
  { actor }: Pick<State, "actor">,
  { observations, noise }: ActInputs,
  config: ResipConfig,
): Tensor {
  const correction = sampleGaussian(policy(actor, observations, config), noise);
  return clipByValue(onBase(observations, correction, config), -1, 1);
}

function sample(
  state: Pick<State, "actor" | "critic" | "returnMoments">,
  inputs: ActInputs,
  config: ResipConfig,
): Sample {
  const { actions: correction, ...opinion } = ppo.sample(state as never, inputs, config);
  return { ...opinion, actions: onBase(inputs.observations, correction, config) };
}

function update(
  state: State,
  { batch, progress }: OnPolicyInputs,
  config: ResipConfig,
  ...spec: [Parameters<typeof ppo.update>[3]]
): readonly [State, Metrics] {
  const base = baseActionsIn(batch.observations, batch.actions);
  const actions = div(sub(batch.actions, base), config.residualScale); // a_r
  return ppo.update(state, { batch: { ...batch, actions }, progress }, config, ...spec);
}

/** a_b + scale · a_r, [N, A]. */
function onBase(
  observations: Tensor,
  correction: Tensor,
  { residualScale }: Pick<ResipConfig, "residualScale">,
): Tensor {
  return add(baseActionsIn(observations, correction), mul(correction, residualScale));
}

/** The last columns of [s, a_b], as many as an action has. */
function baseActionsIn(observations: Tensor, actions: Tensor): Tensor {
  const [numRows = 0, width = 0] = observations.shape;
  const actionSize = actions.shape[1]!;
  return slice(observations, [0, width - actionSize], [numRows, actionSize]);
}
