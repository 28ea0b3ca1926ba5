// Uni-O4 against cases worked out by hand, on a linear system, and on a hill of advantages.

import { describe, expect, test } from "vitest";
import { boundedGaussianOf } from "../../finetune/boundedActor.ts";
import {
  dynamicsSettings,
  elites,
  foretell,
  heldOutRows,
  initDynamics,
  updateDynamics,
} from "../../finetune/dynamics.ts";
import { clippedGain, cloningLosses, uniO4, weighed } from "../../finetune/uniO4.ts";
import { decide } from "../../finetune/uniO4Gate.ts";
import { grad } from "../../nn/gradient.ts";
import { mean, mul, sum, type Tensor } from "../../nn/ops.ts";
import { array, full, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import {
  bitsOf,
  compileAny,
  compileUpdate,
  randomBatch,
  scalarOf,
  settingsOf,
  small,
  spec,
} from "../agents/support.ts";
import { evaluate, expectClose } from "../nn/evaluate.ts";

const { columns } = uniO4.offline!;
const config = settingsOf(uniO4) as { batchSize: number };
const rows = (seed = 5) => randomBatch(small.batchSize, seed, spec, columns);

describe("cloning", () => {
  const logProbs = array([-1, -2, -3, -4, -0.5, -6], [3, 2]);
  const slopes = (rivals: "still" | "moving", diversity: number) =>
    evaluate(
      ({ x }) => [
        grad((x: Tensor) => sum(cloningLosses(x, { diversity, rivals, numPolicies: 3 })))(x),
      ],
      { x: logProbs },
    );

  test("with still rivals is 1 + α times plain cloning, which Adam does not feel", async () => {
    const [slope] = await slopes("still", 0.1);
    expectClose(slope!, [-1.1, -1.1, -1.1, -1.1, -1.1, -1.1]);
  });

  test("with moving rivals pushes the likeliest member down in its rivals' stead", async () => {
    const [slope] = await slopes("moving", 0.1);
    // Row 0: −1, −3, −0.5: member 2 is the rival of 0 and 1, member 0 that of 2. Row 1: −2, −4, −6.
    expectClose(slope!, [-1.0, -0.9, -1.1, -1.0, -0.9, -1.1]);
  });

  test("counts log π − max of the others' log π, and nothing for one member", async () => {
    const [three, one] = await evaluate(
      ({ x, y }) => [
        cloningLosses(x, { diversity: 0.1, rivals: "still", numPolicies: 3 }),
        cloningLosses(y, { diversity: 0.1, rivals: "still", numPolicies: 1 }),
      ],
      { x: array([-1, -3, -0.5], [3, 1]), y: array([-2], [1, 1]) },
    );
    expectClose(three!, [1 + 0.1 * 0.5, 3 + 0.1 * 2.5, 0.5 - 0.1 * 0.5]);
    expectClose(one!, [2]);
  });
});

test("log standard deviations are −5, −2.5 and 0 at outputs of −1, 0 and 1", async () => {
  const [logStd] = await evaluate(({ x }) => [boundedGaussianOf(x).logStd], {
    x: array([0.3, -1, 0.3, 0, 0.3, 1], [3, 2]),
  });
  expectClose(logStd!, [-5, -2.5, 0]);
});

describe("improvement", () => {
  test("passes no gradient where a ratio has left the range in its advantage's favour", async () => {
    const [slope] = await evaluate(
      ({ ratios, advantages, clip }) => [
        grad((r: Tensor) => sum(clippedGain(r, advantages, clip)))(ratios),
      ],
      {
        ratios: array([1.4, 0.6, 1.4, 0.6]),
        advantages: array([2, -2, -2, 2]),
        clip: array([0.25], []),
      },
    );
    expectClose(slope!, [0, 0, -2, 2]);
  });

  test("weighs advantages above 0 by ω and others by 1 − ω, with SARSA's judges alone", async () => {
    const [sarsa, iql] = await evaluate(
      ({ x }) => [
        weighed(x, { judges: "sarsa", advantageWeight: 0.7 }),
        weighed(x, { judges: "iql", advantageWeight: 0.7 }),
      ],
      { x: array([1, 3, -4, 4], [2, 2]) },
    );
    expectClose(sarsa!, [-0.3, 0.7, -0.3, 0.7]);
    expectClose(iql!, [-1, 1, -1, 1]);
  });

  test("begins with ratios of 1: the loss is minus the mean weighed advantage", async () => {
    const program = await compileUpdate(uniO4, config, { stage: "offline" });
    const outputs = await program.run(rows());
    await program.dispose();
    expect(scalarOf(outputs, "train/ratio")).toBeCloseTo(1, 6);
    // Standardised advantages, of which those above 0 count 0.7 and others 0.3: the mean is 0.2 of their mean size.
    expect(scalarOf(outputs, "train/actor_loss")).toBeLessThan(-0.1);
    expect(scalarOf(outputs, "train/actor_loss")).toBeGreaterThan(-0.2);
  });

  test("climbs a hill of advantages step by step", async () => {
    const hill = { observationSize: 2, actionSize: 1, numEnvs: 1 };
    const climbing = settingsOf(uniO4, {
      ...small,
      batchSize: 256,
      numPolicies: 2,
      criticLearningRate: 3e-3,
      improveLearningRate: 3e-4,
    }) as { batchSize: number };
    const tried = Float32Array.from({ length: 256 }, (_, i) => (i + 0.5) / 128 - 1);
    const given = {
      batch: {
        observations: new Float32Array(512),
        actions: tried,
        rewards: tried.map((a) => -4 * (a - 0.3) ** 2),
        discounts: new Float32Array(256),
        nextObservations: new Float32Array(512),
        nextActions: new Float32Array(256),
        returnsToGo: new Float32Array(256),
      },
      progress: Float32Array.of(0),
    };
    const judging = await compileUpdate(uniO4, climbing, { spec: hill, trainActor: false });
    for (let i = 0; i < 600; i++) await judging.run(given, { outputs: [] });
    const improving = await compileUpdate(uniO4, climbing, { spec: hill });
    const review = await compileUpdate(uniO4, climbing, { spec: hill, stage: "review" });
    await improving.load(await judging.state());
    const seen: number[] = [];
    for (let i = 0; i < 5; i++) {
      let outputs: unknown;
      for (let k = 0; k < 40; k++) outputs = await improving.run(given);
      seen.push(scalarOf(outputs as never, "train/advantage"));
      await review.load(await improving.state());
      for (const progress of [0, 0.5])
        await review.run({ ...given, progress: Float32Array.of(progress) });
      await improving.load(await review.state());
    }
    await Promise.all([judging, improving, review].map((program) => program.dispose()));
    for (let i = 1; i < seen.length; i++) expect(seen[i]!).toBeGreaterThan(seen[i - 1]!);
  });
});

describe("the gate", () => {
  const member = (value: number) => ({
    layer0: { kernel: full([1, 1, 1], value), bias: full([1, 1, 1], value) },
  });

  test("replaces a reference where the score is greater, and only there: 1, 0.5, 2", async () => {
    const step = (state: never, { score, value }: { score: Tensor; value: Tensor }) => {
      const actors = { layer0: { kernel: mul(value, 1), bias: mul(value, 1) } };
      return [decide({ ...(state as object), actors } as never, score), {}] as const;
    };
    const begin = {
      actor: member(9),
      actors: member(9),
      references: member(9),
      bestScores: full([1], -1e9),
      numReplaced: full([], 0),
    };
    const float = (...shape: number[]) => ({ shape, dtype: "float32" });
    const inputs = { score: float(1), value: float(1, 1, 1) };
    const program = await compileAny(step, { state: begin, inputs });
    const kept: number[] = [];
    for (const [i, score] of [1, 0.5, 2].entries()) {
      await program.run({ score: Float32Array.of(score), value: Float32Array.of(i) });
      const state = (await program.state()) as unknown as typeof begin;
      kept.push(state.references.layer0.kernel.data[0]!);
      expect(bitsOf(state.actor)).toEqual(bitsOf(state.references));
    }
    const { numReplaced } = (await program.state()) as unknown as typeof begin;
    await program.dispose();
    expect(kept).toEqual([0, 0, 2]);
    expect(numReplaced.data[0]).toBe(2);
  });

  test("a review changes nothing but at its end, and then scores by the mean of Q on its way", async () => {
    const program = await compileUpdate(uniO4, config, { stage: "review" });
    const before = await program.state();
    await program.run({ ...rows(), progress: Float32Array.of(0) });
    const midst = await program.state();
    expect(bitsOf(midst["references"]!)).toEqual(bitsOf(before["references"]!));
    expect([...(midst["bestScores"] as NdArray).data]).toEqual(Array(4).fill(-1e9));
    await program.run({ ...rows(6), progress: Float32Array.of(0.5) });
    const { rollouts, bestScores } = (await program.state()) as never as {
      rollouts: { sums: NdArray };
      bestScores: NdArray;
    };
    await program.dispose();
    expectClose(
      [...bestScores.data],
      [...rollouts.sums.data].map((sum) => sum / 2),
    );
  });
});

describe("models of the task", () => {
  const settings = Object.fromEntries(
    Object.entries(dynamicsSettings).map(([key, schema]) => [key, schema.parse(undefined)]),
  );

  test("foretell a linear system near its noise on rows that were held out", async () => {
    const options = { ...config, ...settings, modelHidden: [32, 32], modelLearningRate: 3e-3 };
    const size = 128;
    const noise = 0.02;
    const sizes = { observationSize: 2, actionSize: 1 };
    const float = (...shape: number[]) => ({ shape, dtype: "float32" });
    const batch = {
      observations: float(size, 2),
      actions: float(size, 1),
      rewards: float(size),
      nextObservations: float(size, 2),
    };
    const update = (state: never, inputs: { batch: never; progress: Tensor }) =>
      updateDynamics(state, inputs.batch, inputs.progress, options as never);
    const state = initDynamics(createRng(1), sizes, options as never);
    const program = await compileAny(update, { state, inputs: { batch, progress: float() } });
    const rng = createRng(2);
    for (let i = 0; i < 1500; i++)
      await program.run(
        { batch: linear(size, noise, rng), progress: Float32Array.of(0) },
        { outputs: [] },
      );
    const trained = (await program.state()) as never as { heldOutErrors: NdArray };
    await program.dispose();
    for (const error of trained.heldOutErrors.data) expect(error).toBeLessThan(2.5 * noise ** 2);
    const ask = (state: never, { o, a }: { o: Tensor; a: Tensor }) =>
      [state, { next: foretell(state, o, a, { numElites: 5 }).nextObservations }] as const;
    const asked = { o: Float32Array.of(1, -0.5), a: Float32Array.of(0.5) };
    const model = await compileAny(ask, {
      state: trained,
      inputs: { o: float(1, 2), a: float(1, 1) },
    });
    const { next } = (await model.run(asked)) as never as { next: NdArray };
    await model.dispose();
    const [x, y] = next.data;
    expect(Math.abs(x! - 0.85)).toBeLessThan(0.05);
    expect(Math.abs(y! - -0.3)).toBeLessThan(0.05);
  });

  /** x' = 0.9 x + 0.1 y, y' = 0.8 y + 0.2 a, each with noise; the reward is x. */
  function linear(size: number, noise: number, rng: ReturnType<typeof createRng>) {
    const observations = Float32Array.from({ length: 2 * size }, () => rng.normal());
    const actions = Float32Array.from({ length: size }, () => 2 * rng.uniform() - 1);
    const next = (i: number) => {
      const [x, y] = [observations[2 * i]!, observations[2 * i + 1]!];
      const [u, v] = [0.9 * x + 0.1 * y, 0.8 * y + 0.2 * actions[i]!];
      return [u + noise * rng.normal(), v + noise * rng.normal()];
    };
    return {
      observations,
      actions,
      rewards: actions.map((_, i) => observations[2 * i]!),
      nextObservations: Float32Array.from([...actions.keys()].flatMap(next)),
    };
  }

  test("the elites are the five least errors, of equal ones the first", async () => {
    const [chosen] = await evaluate(({ x }) => [mul(elites(x, 5), 1)], {
      x: array([3, 1, 2, 7, 2, 0, 7]),
    });
    expect(chosen).toEqual([1, 1, 1, 0, 1, 1, 0]);
  });

  test("a tenth of the rows is held out, the same ones in every batch", async () => {
    const rng = createRng(4);
    const observations = array(
      Float32Array.from({ length: 8000 }, () => rng.normal()),
      [2000, 4],
    );
    const probe = array([0.3, -1.2, 0.7, 0.1]);
    const [share, again] = await evaluate(
      ({ o, p }) => [mean(heldOutRows(o, p)), heldOutRows(o, p)],
      { o: observations, p: probe },
    );
    expect(Math.abs(share![0]! - 0.1)).toBeLessThan(0.03);
    const first = array(observations.data.slice(0, 40), [10, 4]);
    const [few] = await evaluate(({ o, p }) => [heldOutRows(o, p)], { o: first, p: probe });
    expect(few).toEqual(again!.slice(0, 10));
  });
});
