// PPO against cases worked out by hand.

import { describe, expect, test } from "vitest";
import type { AgentState, EnvSpec } from "../../agents/agent.ts";
import {
  beyondBounds,
  clippedObjective,
  type PpoConfig,
  type PpoState,
  ppo,
  valueTerm,
} from "../../agents/ppo.ts";
import {
  countReturns,
  initReturnMoments,
  type ReturnMoments,
  standardizeReturns,
} from "../../agents/returnMoments.ts";
import { createRolloutBatch, type RolloutColumns } from "../../agents/rollout.ts";
import { grad } from "../../nn/gradient.ts";
import { add, sum, type Tensor } from "../../nn/ops.ts";
import { type ArraySpec, array, full, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { evaluate, expectClose } from "../nn/evaluate.ts";
import { type AnyProgram, bitsOf, compileAny, disagreements, scalarOf } from "./support.ts";

const spec: EnvSpec = { observationSize: 3, actionSize: 2, numEnvs: 16 };
const logTwoPi = Math.log(2 * Math.PI);

const configure = (overrides: Record<string, unknown> = {}): PpoConfig =>
  ppo.settings.parse({ hidden: [16, 16], learningRateSchedule: "constant", ...overrides });

const float = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });

function compileUpdate(
  config: PpoConfig,
  batchSize: number,
  state = ppo.init(spec, config, createRng(1)),
  device: "cpu" | "eager:cpu" = "cpu",
): Promise<AnyProgram> {
  const { observationSize: O, actionSize: A } = spec;
  const column = float(batchSize);
  const batch = {
    observations: float(batchSize, O),
    actions: float(batchSize, A),
    logProbs: column,
    values: column,
    advantages: column,
    returns: column,
  };
  const update = (traced: PpoState<Tensor>, inputs: never) =>
    ppo.update(traced, inputs, config, spec);
  return compileAny(update, { state, inputs: { batch, progress: float() } }, { device });
}

/** What the policy of a state does at random observations, as a batch with made-up advantages. */
async function sampleBatch(config: PpoConfig, state: PpoState<NdArray>, size: number) {
  const rng = createRng(6);
  const draw = (n: number) => Float32Array.from({ length: n }, () => rng.normal());
  const inputs = { observations: draw(size * 3), noise: draw(size * 2) };
  const sample = (traced: PpoState<Tensor>, given: never) =>
    [traced, ppo.sample(traced, given, config)] as const;
  const program = await compileAny(sample, {
    state,
    inputs: { observations: float(size, 3), noise: float(size, 2) },
  });
  const out = (await program.run(inputs)) as unknown as Record<string, NdArray>;
  await program.dispose();
  const batch: RolloutColumns = {
    ...createRolloutBatch(size, 3, 2),
    observations: inputs.observations,
    actions: out["actions"]!.data as Float32Array,
    logProbs: out["logProbs"]!.data as Float32Array,
    values: out["values"]!.data as Float32Array,
    advantages: draw(size),
    returns: draw(size),
  };
  return { batch, progress: Float32Array.of(0), noise: inputs.noise };
}

describe.each([false, true])(
  "with a standard deviation that depends on the state: %s",
  (dependent) => {
    const config = configure({ stateDependentStd: dependent, initialLogStd: -0.5 });
    const state = ppo.init(spec, config, createRng(1));

    test("at unchanged weights all ratios are 1: no divergence, nothing clipped", async () => {
      const { batch, progress } = await sampleBatch(config, state, 64);
      const program = await compileUpdate(config, 64, state);
      const metrics = await program.run({ batch, progress });
      await program.dispose();
      expect(Math.abs(scalarOf(metrics, "train/approx_kl"))).toBeLessThan(1e-6);
      expect(scalarOf(metrics, "train/clip_fraction")).toBe(0);
      // Standardised advantages at ratios of 1 have the mean 0.
      expect(Math.abs(scalarOf(metrics, "train/policy_gradient_loss"))).toBeLessThan(1e-6);
    });

    test("an update is that op by op", async () => {
      const { batch, progress } = await sampleBatch(config, state, 32);
      const shifted = { ...batch, logProbs: batch.logProbs.map((x, i) => x + 0.3 * Math.sin(i)) };
      const programs = await Promise.all(
        (["cpu", "eager:cpu"] as const).map((device) => compileUpdate(config, 32, state, device)),
      );
      const given = { batch: shifted, progress };
      const [a, b] = await Promise.all(programs.map((program) => program.run(given)));
      expect(disagreements(a as never, b as never, 1e-4)).toEqual([]);
      const [after, reference] = await Promise.all(programs.map((program) => program.state()));
      expect(disagreements(after!, reference!, 1e-4)).toEqual([]);
      await Promise.all(programs.map((program) => program.dispose()));
    });
  },
);

test("log-probabilities and the entropy are those of the closed forms", async () => {
  // u = mean + σ n, σ = e^−½: log p = −½ n² + ½ − ½ log 2π an action; H = ½ (1 + log 2π) − ½ each.
  const config = configure({ initialLogStd: -0.5 });
  const state = ppo.init(spec, config, createRng(1));
  const { batch, progress, noise } = await sampleBatch(config, state, 64);
  batch.logProbs.forEach((logProb, i) => {
    const squares = noise[2 * i]! ** 2 + noise[2 * i + 1]! ** 2;
    expect(logProb).toBeCloseTo(-0.5 * squares + 1 - logTwoPi, 4);
  });
  const program = await compileUpdate(config, 64, state);
  const metrics = await program.run({ batch, progress });
  await program.dispose();
  expect(scalarOf(metrics, "train/entropy_loss")).toBeCloseTo(-(1 + logTwoPi - 1), 5);
  expect(scalarOf(metrics, "train/std")).toBeCloseTo(Math.exp(-0.5), 6);
});

test("the objective is clipped where the ratio has gone far enough, and there alone has no slope", async () => {
  // ε = 0.2. A > 0: slope A up to 1.2, none beyond, A below 0.8 too. A < 0: none below 0.8.
  const ratio = array([0.5, 1, 1.1, 1.5, 0.5, 0.9, 1, 1.5]);
  const advantages = array([2, 2, 2, 2, -2, -2, -2, -2]);
  const [objective, slope] = await evaluate(
    ({ r, a }) => [
      clippedObjective(r, a, 0.2),
      grad((x: Tensor) => sum(clippedObjective(x, a, 0.2)))(r),
    ],
    { r: ratio, a: advantages },
  );
  expectClose(objective!, [1, 2, 2.2, 2.4, -1.6, -1.8, -2, -3]);
  expectClose(slope!, [2, 2, 2, 0, 0, -2, -2, -2]);
});

test("means beyond 1.1 are charged by the square of how far, and pulled back; others are free", async () => {
  // ((1.6 − 1.1)² + (−2.1 + 1.1)²) / 4 = 0.3125; slopes 2 · 0.5 / 4 and −2 · 1 / 4.
  const means = array([1.6, 1.05, -2.1, 0]);
  const [loss, slope] = await evaluate(
    ({ x }) => [beyondBounds(x), grad((m: Tensor) => beyondBounds(m))(x)],
    { x: means },
  );
  expectClose(loss!, [0.3125]);
  expectClose(slope!, [0.25, 0, -0.5, 0]);
});

test("the divergence is positive on both sides of 1 and counts which ratios are outside", async () => {
  // log r = ±0.1 and ±0.5: (r − 1) − log r = 0.005171, 0.004837, 0.148721, 0.106531; mean 0.066315.
  const config = configure();
  const state = ppo.init(spec, config, createRng(1));
  const { batch, progress } = await sampleBatch(config, state, 4);
  const shifts = [0.1, -0.1, 0.5, -0.5];
  const logProbs = batch.logProbs.map((x, i) => x - shifts[i]!);
  const program = await compileUpdate(config, 4, state);
  const metrics = await program.run({ batch: { ...batch, logProbs }, progress });
  await program.dispose();
  expect(scalarOf(metrics, "train/approx_kl")).toBeCloseTo(0.066315, 5);
  expect(scalarOf(metrics, "train/clip_fraction")).toBe(0.5);
});

test("a value's move is clipped where that makes the error greater, with no slope there", async () => {
  // R = 1, old 0, clip 0.2. v = 0.5: max(0.25, (0.2 − 1)² = 0.64) clipped; v = 0.1: 0.81, free;
  // v = −0.5: max(2.25, 1.44), free.
  const moved = array([0.5, 0.1, -0.5]);
  const targets = { returns: full([3], 1), oldValues: full([3], 0) };
  const term = (v: Tensor, t: typeof targets | object, valueClipRange: number | null) =>
    valueTerm(v, t as { returns: Tensor; oldValues: Tensor }, { valueClipRange });
  const [clipped, slope, free] = await evaluate(
    ({ v, t }) => [term(v, t, 0.2), grad((x: Tensor) => term(x, t, 0.2))(v), term(v, t, null)],
    { v: moved, t: targets },
  );
  expectClose(clipped!, [(0.64 + 0.81 + 2.25) / 6]);
  expectClose(slope!, [0, -0.9 / 3, -1.5 / 3]);
  expectClose(free!, [(0.25 + 0.81 + 2.25) / 6]);
});

test("advantages count by their place in the minibatch: scale and offset do not matter", async () => {
  const stepOf = async (normalizeAdvantages: boolean, change: (x: number) => number) => {
    const config = configure({ normalizeAdvantages });
    const state = ppo.init(spec, config, createRng(1));
    const { batch, progress } = await sampleBatch(config, state, 32);
    const program = await compileUpdate(config, 32, state);
    await program.run({ batch: { ...batch, advantages: batch.advantages.map(change) }, progress });
    const { actor } = await program.state();
    await program.dispose();
    return actor!;
  };
  const plain = await stepOf(true, (x) => x);
  const changed = await stepOf(true, (x) => 4 * x + 8);
  expect(disagreements(changed, plain, 1e-4)).toEqual([]);
  const raw = await stepOf(false, (x) => x);
  expect(disagreements(await stepOf(false, (x) => 4 * x + 8), raw, 1e-4)).not.toEqual([]);
});

test("return moments are those of all returns at first and follow them later", async () => {
  // The first batch counts for all: 1, 3 have mean 2 and variance 1. A second 5, 7 weighs
  // 0.01 / (1 − 0.99²) = 0.502513: mean 2 + 4 · 0.502513; variance 1 + 16 · 0.502513 · 0.497487.
  const [first, second, standard] = await evaluate(
    ({ start, a, b }) => {
      const one = countReturns(start as ReturnMoments<Tensor>, a);
      const two = countReturns(one, b);
      return [meanPlusVariance(one), meanPlusVariance(two), standardizeReturns(one, a)];
    },
    { start: initReturnMoments(), a: array([1, 3]), b: array([5, 7]) },
  );
  expectClose(first!, [3]);
  expectClose(second!, [2 + 4 * 0.502513 + 1 + 16 * 0.502513 * 0.497487], 1e-4);
  expectClose(standard!, [-1, 1]);
});

function meanPlusVariance({ mean, variance }: ReturnMoments<Tensor>): Tensor {
  return add(mean, variance);
}

test("the learning rate falls with progress, or steers by the divergence", async () => {
  const rateAfter = async (overrides: object, shift: number, progress: number) => {
    const config = configure({ learningRate: 1e-3, desiredKl: 0.01, ...overrides });
    const state = ppo.init(spec, config, createRng(1));
    const { batch } = await sampleBatch(config, state, 32);
    const logProbs = batch.logProbs.map((x) => x + shift);
    const program = await compileUpdate(config, 32, state);
    await program.run({ batch: { ...batch, logProbs }, progress: Float32Array.of(progress) });
    const { learningRate } = await program.state();
    await program.dispose();
    return (learningRate as NdArray).data[0]!;
  };
  expect(await rateAfter({}, 0, 0.25)).toBeCloseTo(1e-3, 8);
  expect(await rateAfter({ learningRateSchedule: "linear" }, 0, 0.25)).toBeCloseTo(0.75e-3, 8);
  const adaptive = { learningRateSchedule: "adaptive" };
  // Divergences: 0 below half of the desired; 0.0100 and 0.11 for ratios of e^−0.14 and e^−0.5.
  expect(await rateAfter(adaptive, 0, 0.25)).toBeCloseTo(1.5e-3, 8);
  expect(await rateAfter(adaptive, 0.14, 0.25)).toBeCloseTo(1e-3, 8);
  expect(await rateAfter(adaptive, 0.5, 0.25)).toBeCloseTo(1e-3 / 1.5, 8);
});

test("learns which actions pay: on a bandit the mean comes to the best one and the spread shrinks", async () => {
  const config = configure({ learningRate: 1e-2, numMinibatches: 1 });
  const size = 256;
  const goal = [0.5, -0.3];
  let state = ppo.init(spec, config, createRng(1));
  const update = await compileUpdate(config, size, state);
  for (let iteration = 0; iteration < 25; iteration++) {
    const { batch, progress } = await sampleBatch(config, state, size);
    for (let i = 0; i < size; i++) {
      const [x, y] = [batch.actions[2 * i]!, batch.actions[2 * i + 1]!];
      batch.returns[i] = -((x - goal[0]!) ** 2) - (y - goal[1]!) ** 2;
      batch.advantages[i] = batch.returns[i]! - batch.values[i]!;
    }
    for (let epoch = 0; epoch < 8; epoch++) await update.run({ batch, progress }, { outputs: [] });
    state = (await update.state()) as unknown as PpoState<NdArray>;
  }
  await update.dispose();
  const { batch } = await sampleBatch(config, state, size);
  const means = [0, 1].map(
    (k) => batch.actions.filter((_, i) => i % 2 === k).reduce((a, b) => a + b, 0) / size,
  );
  expect(Math.abs(means[0]! - goal[0]!)).toBeLessThan(0.1);
  expect(Math.abs(means[1]! - goal[1]!)).toBeLessThan(0.1);
  for (const logStd of state.actor.logStd!.data) expect(logStd).toBeLessThan(-0.7);
  const moments = state.returnMoments.mean.data[0]!;
  const values = batch.values.reduce((a, b) => a + b, 0) / size;
  expect(Math.abs(values - moments)).toBeLessThan(0.3);
});

test("equal states and batches give equal bits", async () => {
  const config = configure();
  const state = ppo.init(spec, config, createRng(1));
  const given = await sampleBatch(config, state, 32);
  const states: AgentState[] = [];
  for (let run = 0; run < 2; run++) {
    const program = await compileUpdate(config, 32, state);
    for (let i = 0; i < 5; i++)
      await program.run({ batch: given.batch, progress: given.progress }, { outputs: [] });
    states.push(await program.state());
    await program.dispose();
  }
  expect(bitsOf(states[0]!)).toEqual(bitsOf(states[1]!));
});
