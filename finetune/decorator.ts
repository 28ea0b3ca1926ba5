// Policy Decorator: SAC's bounded corrections of a frozen base policy, let in little by little.
//
// Yuan et al. 2024, arXiv:2412.13630. The executed action is a_b + scale · a_r with a_r from a tanh-squashed
// Gaussian of [s, a_b]. While exploring, an env takes a correction with probability min(1, t / H) and else
// the base's action alone, so that the critics know where the base succeeds before corrections can spoil it.
// Rewards are less 1 a step, time limits bootstrap. SAC's equations are those of sac.ts, arXiv:1812.05905v2.
// Differs: H = 20,000 and 2,000 steps before learning suit runs of some 10⁵ steps (the paper's: millions);
// corrections live in the space that demonstrations, where there are some, normalise (correction.ts).

import { z } from "zod";
import type { EnvSpec, Metrics, OffPolicyAlgorithm, UpdatePhase } from "../agents/agent.ts";
import { descentSettings, initDescent } from "../agents/descent.ts";
import { initCritics, networkSettings, qValues, reduceHeads } from "../agents/networks.ts";
import { offPolicySettings, withDefault } from "../agents/offPolicy.ts";
import type { ActInputs, UpdateInputs } from "../agents/rows.ts";
import type { SacState } from "../agents/sac.ts";
import { descendActor, regressCritics, updateAlpha } from "../agents/steps.ts";
import { gaussianOf, sampleGaussian, sampleTanhGaussian } from "../nn/distributions.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { scaled, uniformFanIn } from "../nn/initializers.ts";
import { initMlp, type MlpParams, mlp } from "../nn/layers.ts";
import { type NoiseSpec, normal } from "../nn/noise.ts";
import {
  add,
  clipByValue,
  concat,
  exp,
  mean,
  mul,
  neg,
  sub,
  type Tensor,
  tanh,
} from "../nn/ops.ts";
import { polyak } from "../nn/optimizers.ts";
import { full, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import {
  type ActionNormalizer,
  actionNormalizer,
  aroundBase,
  corrected,
  correctionsIn,
  normalized,
  partsOf,
  seenWith,
} from "./correction.ts";

const settings = z.strictObject({
  ...offPolicySettings,
  ...descentSettings,
  ...networkSettings,
  discount: withDefault(offPolicySettings.discount, 0.97),
  batchSize: withDefault(offPolicySettings.batchSize, 1024),
  learningStarts: withDefault(offPolicySettings.learningStarts, 2_000),
  utdRatio: withDefault(offPolicySettings.utdRatio, 0.25),
  rewardShift: withDefault(offPolicySettings.rewardShift, -1),
  normalizer: withDefault(offPolicySettings.normalizer, "warmUp"),
  actorLearningRate: withDefault(descentSettings.actorLearningRate, 1e-4),
  criticLearningRate: withDefault(descentSettings.criticLearningRate, 1e-4),
  tau: withDefault(networkSettings.tau, 0.01),
  residualScale: z
    .number()
    .positive()
    .max(2)
    .default(0.1)
    .describe("greatest correction, normalised; also how far demonstrations' range is widened"),
  exploreSteps: z
    .int()
    .min(0)
    .default(20_000)
    .describe("H: control steps after which every action is a corrected one"),
  criticSees: z
    .enum(["sum", "correction", "both"])
    .default("sum")
    .describe("the executed action, the correction, or correction and base's action"),
  actorHeadScale: z
    .number()
    .positive()
    .default(0.01)
    .describe("factor on the actor's last layer at the start: corrections begin near 0"),
  initialAlpha: z.number().positive().default(1).describe("worth of a nat of entropy at first"),
  alphaLearningRate: z.number().positive().max(1).default(1e-4).describe("alpha's step size"),
  targetEntropyScale: z
    .number()
    .default(1)
    .describe("the target entropy is minus this for each action dimension, in nats"),
});

export type DecoratorConfig = z.infer<typeof settings>;

export type DecoratorState<T> = SacState<T> & {
  /** Never trained. */
  readonly actionNormalizer: ActionNormalizer<T>;
};

/** Draws for the correction at this state and the next, [B, A]. */
export type DecoratorNoise<T> = { readonly corrections: T; readonly nextCorrections: T };

type State = DecoratorState<Tensor>;
type Inputs = UpdateInputs<DecoratorNoise<Tensor>>;
type Seen = ReturnType<typeof partsOf>;

export const decorator: OffPolicyAlgorithm<
  DecoratorConfig,
  DecoratorState<NdArray>,
  DecoratorNoise<Tensor>
> = {
  name: "decorator",
  summary: "Policy Decorator: SAC's corrections of a frozen base policy, let in little by little",
  family: "offPolicy",
  settings,
  needs: ["base"],
  observesBase: true,
  init,
  policyKeys: ["actor", "actionNormalizer"],
  act,
  noise: ({ actionSize }, { batchSize }): DecoratorNoise<NoiseSpec> => ({
    corrections: normal([batchSize, actionSize]),
    nextCorrections: normal([batchSize, actionSize]),
  }),
  update,
  warmUpActions: (observations, draws, spec) => aroundBase(observations, draws, spec, 0),
  policyShare: ({ exploreSteps }, step) => (step < exploreSteps ? step / exploreSteps : 1),
};

const logStdBound = { kind: "tanh", low: -5, high: 2 } as const;

function init(spec: EnvSpec, config: DecoratorConfig, rng: Rng): DecoratorState<NdArray> {
  const { observationSize, actionSize, actionRange } = spec;
  const judged = config.criticSees === "both" ? 2 * actionSize : actionSize;
  const judges = { ...spec, observationSize: observationSize - actionSize, actionSize: judged };
  const critics = initCritics(rng.split("critics"), judges, config);
  const head = scaled(uniformFanIn, config.actorHeadScale);
  const actor = initMlp(rng.split("actor"), {
    inputs: observationSize, // the state and the base's action
    hidden: config.actorHidden,
    outputs: 2 * actionSize,
    finalInit: { kernel: head, bias: head },
  });
  const logAlpha = full([], Math.log(config.initialAlpha));
  return {
    actor,
    critics,
    targetCritics: critics,
    logAlpha,
    actorOptimizer: initDescent(actor, config),
    criticOptimizer: initDescent(critics, config),
    alphaOptimizer: initDescent(logAlpha, config),
    actionNormalizer: actionNormalizer(actionSize, actionRange, config.residualScale),
  };
}

function act(
  { actor, actionNormalizer }: Pick<State, "actor" | "actionNormalizer">,
  { observations, noise }: ActInputs,
  config: DecoratorConfig,
): Tensor {
  const seen = partsOf(observations, actionNormalizer);
  const correction = tanh(sampleGaussian(policy(actor, seen, config), noise));
  return corrected(seen.baseActions, mul(correction, config.residualScale), actionNormalizer);
}

/** The distribution of a_r before the tanh. */
function policy(actor: MlpParams<Tensor>, seen: Seen, { activation }: DecoratorConfig) {
  return gaussianOf(mlp(actor, seenWith(seen), { activation }), logStdBound);
}

function update(
  state: State,
  inputs: Inputs,
  config: DecoratorConfig,
  { actionSize }: EnvSpec,
  { trainActor }: UpdatePhase,
): readonly [State, Metrics] {
  const [withCritics, criticMetrics] = updateCritics(state, inputs, config);
  if (!trainActor) return [withCritics, criticMetrics];
  const [withActor, logProbs, actorMetrics] = updateActor(withCritics, inputs, config);
  const targetEntropy = -config.targetEntropyScale * actionSize;
  const [next, alphaMetrics] = updateAlpha(
    withActor,
    logProbs,
    targetEntropy,
    inputs.progress,
    config,
  );
  return [next, { ...criticMetrics, ...actorMetrics, ...alphaMetrics }];
}

/** What critics see beside the state, of corrections a_r in [−1, 1], [B, A] or [B, 2A]. */
export function judgedActions(
  { baseActions }: Pick<Seen, "baseActions">,
  correction: Tensor,
  { criticSees, residualScale }: Pick<DecoratorConfig, "criticSees" | "residualScale">,
): Tensor {
  if (criticSees === "correction") return correction;
  if (criticSees === "both") return concat([correction, baseActions], -1);
  return clipByValue(add(baseActions, mul(correction, residualScale)), -1, 1);
}

/** SAC's eq. 5 and 6: Σ_e mean (Q_e − y)², and the targets follow. */
function updateCritics(
  state: State,
  { batch, noise, progress }: Inputs,
  config: DecoratorConfig,
): readonly [State, Metrics] {
  const { actionNormalizer } = state;
  const seen = partsOf(batch.observations, actionNormalizer);
  const judged =
    config.criticSees === "sum"
      ? normalized(batch.actions, actionNormalizer)
      : judgedActions(
          seen,
          correctionsIn(batch.actions, seen, actionNormalizer, config.residualScale),
          config,
        );
  const target = softTarget(state, batch, noise.nextCorrections, config);
  const rows = { observations: seen.states, actions: judged, target, progress };
  const [next, metrics] = regressCritics(state, rows, config);
  const targetCritics = polyak(next.critics, state.targetCritics, config.tau);
  return [{ ...next, targetCritics }, metrics];
}

/** SAC's eq. 3 inside eq. 5: r + γᵐ (Q̄(s', a') − α log π(a_r'|s', a_b')), [B]. */
function softTarget(
  state: State,
  { rewards, discounts, nextObservations }: Inputs["batch"],
  noise: Tensor,
  config: DecoratorConfig,
): Tensor {
  const seen = partsOf(nextObservations, state.actionNormalizer);
  const [correction, logProbs] = sampleTanhGaussian(policy(state.actor, seen, config), noise);
  const judged = judgedActions(seen, correction, config);
  const nextQs = qValues(state.targetCritics, seen.states, judged, config);
  const nextValues = reduceHeads(nextQs, "min");
  const soft = sub(nextValues, mul(exp(state.logAlpha), logProbs));
  return add(rewards, mul(discounts, soft));
}

/** SAC's eq. 9: mean (α log π(a_r|s, a_b) − Q), a_r drawn with the gradient through it. */
function updateActor(
  state: State,
  { batch, noise, progress }: Inputs,
  config: DecoratorConfig,
): readonly [State, logProbs: Tensor, Metrics] {
  const seen = partsOf(batch.observations, state.actionNormalizer);
  const alpha = exp(state.logAlpha);
  const [loss, grads, { logProbs }] = valueAndGrad((actor: MlpParams<Tensor>) => {
    const gaussian = policy(actor, seen, config);
    const [correction, logProbs] = sampleTanhGaussian(gaussian, noise.corrections);
    const qs = qValues(state.critics, seen.states, judgedActions(seen, correction, config), config);
    return [mean(sub(mul(alpha, logProbs), reduceHeads(qs, "min"))), { logProbs }] as const;
  })(state.actor);
  const metrics = { "train/actor_loss": loss, "train/entropy": neg(mean(logProbs)) };
  return [descendActor(state, grads, progress, config), logProbs, metrics];
}
