// RO2O: a wide ensemble that is trained to judge and to act alike at states nearby, and to doubt actions there, so
// that going online changes little.
//
// Wen et al. 2023, arXiv:2309.16973. The steps are ensembleSac.ts'. Perturbations are drawn once for a batch. As in
// the authors' released scripts the three terms are off online; `robustOnline` keeps them. Online begins with an
// empty buffer and 2,500 steps without updates.

import { z } from "zod";
import type { EnvSpec, OffPolicyAlgorithm } from "../agents/agent.ts";
import { qValues } from "../agents/networks.ts";
import { withDefault } from "../agents/offPolicy.ts";
import type { UpdateInputs } from "../agents/rows.ts";
import { gaussianKl, sampleTanhGaussian } from "../nn/distributions.ts";
import type { MlpParams } from "../nn/layers.ts";
import { type NoiseSpec, normal, uniform } from "../nn/noise.ts";
import {
  add,
  div,
  expandDims,
  max,
  maximum,
  mean,
  minimum,
  mul,
  reshape,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from "../nn/ops.ts";
import { full, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { asRows, byProposal, repeatedRows } from "./conservative.ts";
import {
  type EnsembleNoise,
  type EnsembleState,
  ensembleAct,
  ensembleNoise,
  ensemblePolicy,
  ensembleSettings,
  initEnsemble,
  stepActor,
  stepCritics,
} from "./ensembleSac.ts";
import { offlineSettings } from "./offlineSettings.ts";

const weight = (value: number, what: string) => z.number().min(0).default(value).describe(what);

const settings = z.strictObject({
  ...ensembleSettings,
  offlineShare: withDefault(offlineSettings.offlineShare, 0),
  learningStarts: withDefault(offlineSettings.learningStarts, 2_500),
  numPerturbations: z.int().min(1).max(100).default(20).describe("perturbed states for each one"),
  judgingRange: weight(0.01, "greatest change of an observation, for the critics"),
  actingRange: weight(0.01, "the same, for the actor"),
  doubtRange: weight(0.01, "the same, where actions are doubted"),
  judgingCost: weight(1e-4, "η₁, cost of critics that change nearby"),
  doubtCost: weight(0.1, "η₂, cost of not doubting the policy's actions nearby"),
  actingCost: weight(1, "η₃, cost of a policy that changes nearby"),
  doubt: weight(1, "λ at first, standard deviations of the ensemble that an action loses"),
  leastDoubt: weight(0.1, "what λ falls to"),
  doubtDecay: weight(5e-7, "how much λ falls with each update"),
  robustOnline: z.boolean().default(false).describe("keep the three terms online"),
});

export type Ro2oConfig = z.infer<typeof settings>;

export type Ro2oState<T> = EnsembleState<T> & { readonly doubt: T };

/** Perturbations in [−1, 1] and the draws of the actions that are doubted. */
export type Ro2oNoise<T> = EnsembleNoise<T> & {
  readonly judging: T; // [n, O]
  readonly acting: T; // [n, O]
  readonly doubting: T; // [n, O]
  readonly doubted: T; // [n, B, A]
};

type State = Ro2oState<Tensor>;
type Inputs = UpdateInputs<Ro2oNoise<Tensor>>;

export const ro2o: OffPolicyAlgorithm<Ro2oConfig, Ro2oState<NdArray>, Ro2oNoise<Tensor>> = {
  name: "ro2o",
  summary: "RO2O: an ensemble that judges, acts and doubts alike at states nearby",
  family: "offPolicy",
  settings,
  needs: ["data"],
  offline: {},
  init: (spec: EnvSpec, config: Ro2oConfig, rng: Rng) => ({
    ...initEnsemble(spec, config, rng),
    doubt: full([], config.doubt),
  }),
  policyKeys: ["actor"],
  act: ensembleAct,

  noise(spec, config): Ro2oNoise<NoiseSpec> {
    const { batchSize, numPerturbations: n } = config;
    const nearby = uniform([n, spec.observationSize], -1, 1);
    return {
      ...ensembleNoise(spec, config),
      judging: nearby,
      acting: nearby,
      doubting: nearby,
      doubted: normal([n, batchSize, spec.actionSize]),
    };
  },

  update(state, inputs, config, _spec, { trainActor, stage }) {
    const robust = stage !== "online" || config.robustOnline;
    const actorTerm = (actor: MlpParams<Tensor>) =>
      robust ? mul(actingChange(actor, inputs, config), config.actingCost) : 0;
    const [acted, actorMetrics] = trainActor
      ? stepActor(state, inputs, config, actorTerm)
      : [state, {}];
    const criticTerm = (critics: MlpParams<Tensor>) =>
      robust ? criticTerms(critics, { ...state, ...acted }, inputs, config) : 0;
    const [next, criticMetrics] = stepCritics(acted, inputs, config, criticTerm);
    const least = Math.min(config.leastDoubt, config.doubt);
    const doubt =
      stage === "online" ? state.doubt : maximum(sub(state.doubt, config.doubtDecay), least);
    return [
      { ...next, doubt },
      { ...criticMetrics, ...actorMetrics, "train/doubt": doubt },
    ];
  },
};

function criticTerms(critics: MlpParams<Tensor>, state: State, inputs: Inputs, config: Ro2oConfig) {
  const change = mul(judgingChange(critics, inputs, config), config.judgingCost);
  return add(change, mul(doubtLoss(critics, state, inputs, config), config.doubtCost));
}

/** mean max_δ of how Q changes from s to s + δ; growing costs four times as much as falling. */
function judgingChange(critics: MlpParams<Tensor>, { batch, noise }: Inputs, config: Ro2oConfig) {
  const { observations, actions } = batch;
  const states = perturbed(observations, noise.judging, config.judgingRange);
  const rows = repeatedRows(actions, config.numPerturbations);
  const nearby = byProposal(qValues(critics, states, rows, config), actions.shape[0]!); // [E, n, B]
  const here = expandDims(qValues(critics, observations, actions, config), 1);
  return mean(max(mean(changeCost(sub(nearby, here)), 0), 0));
}

/** 0.8 D² where Q grows off the data, 0.2 D² where it falls. */
export function changeCost(difference: Tensor): Tensor {
  const up = mul(square(maximum(difference, 0)), 0.8);
  return add(up, mul(square(minimum(difference, 0)), 0.2));
}

/** mean (Q − sg(Q − λ u))², u the ensemble's spread, at the policy's actions at states nearby. */
function doubtLoss(
  critics: MlpParams<Tensor>,
  state: State,
  { batch, noise }: Inputs,
  config: Ro2oConfig,
): Tensor {
  const numRows = batch.actions.shape[0]!;
  const states = perturbed(batch.observations, noise.doubting, config.doubtRange);
  const gaussian = ensemblePolicy(state.actor, states, config);
  const [actions] = sampleTanhGaussian(gaussian, asRows(noise.doubted));
  const qs = byProposal(qValues(critics, states, actions, config), numRows); // [E, n, B]
  return doubtOf(qs, state.doubt);
}

/** The same of judgements [E, …]. */
export function doubtOf(qs: Tensor, doubt: Tensor): Tensor {
  const target = stopGradient(sub(qs, mul(ensembleSpread(qs), doubt)));
  return mean(square(sub(qs, target)));
}

/** Standard deviation over the first axis, with E − 1. */
export function ensembleSpread(qs: Tensor): Tensor {
  const off = sub(qs, expandDims(mean(qs, 0), 0));
  return sqrt(add(div(sum(square(off), 0), qs.shape[0]! - 1), 1e-12));
}

/** mean max_δ of both divergences between π(s) and π(s + δ), before the tanh. */
function actingChange(actor: MlpParams<Tensor>, { batch, noise }: Inputs, config: Ro2oConfig) {
  const n = config.numPerturbations;
  const states = perturbed(batch.observations, noise.acting, config.actingRange);
  const nearby = ensemblePolicy(actor, states, config);
  const here = ensemblePolicy(actor, repeatedRows(batch.observations, n), config);
  const both = add(gaussianKl(here, nearby), gaussianKl(nearby, here)); // [n · B]
  return mean(max(reshape(both, [n, -1]), 0));
}

/** States [B, O] with each of n perturbations, [n · B, O]. */
function perturbed(observations: Tensor, directions: Tensor, range: number): Tensor {
  const shifted = add(expandDims(observations, 0), expandDims(mul(directions, range), 1));
  return reshape(shifted, [-1, observations.shape[1]!]);
}
