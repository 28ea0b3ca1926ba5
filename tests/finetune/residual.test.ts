// ResFiT's corrections against cases worked out by hand.

import { describe, expect, test } from "vitest";
import type { EnvSpec } from "../../agents/agent.ts";
import {
  actionNormalizer,
  aroundBase,
  corrected,
  normalized,
  partsOf,
} from "../../finetune/correction.ts";
import { corrections, criticLoss, residual } from "../../finetune/residual.ts";
import { valueAndGrad } from "../../nn/gradient.ts";
import { fillNoise } from "../../nn/noise.ts";
import { mean, mul, neg, square, sub, type Tensor } from "../../nn/ops.ts";
import { array, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { actions, compileAny, compileUpdate, randomBatch, scalarOf } from "../agents/support.ts";

const spec: EnvSpec = { observationSize: 5, actionSize: 2, numEnvs: 1, observesBase: true };
const small = { actorHidden: [16], criticHidden: [16], batchSize: 8, numCritics: 10 };
const configure = (overrides: object = {}) => residual.settings.parse({ ...small, ...overrides });
const fresh = (config = configure(), env = spec) => residual.init(env, config, createRng(4));

/** Rows of [s, a_b] with base actions in [−1, 1]. */
function observationsOf(numRows: number, seed = 1): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: 5 * numRows }, (_, i) =>
    i % 5 < 3 ? rng.normal() : 2 * rng.uniform() - 1,
  );
}

function baseActionsIn(observations: Float32Array): Float32Array {
  return observations.filter((_, i) => i % 5 >= 3);
}

/** Runs a function of tensors on arrays. */
async function evaluate(fn: (inputs: never) => unknown, inputs: object): Promise<NdArray> {
  const program = await compileAny((state: never, given: never) => [state, fn(given)], {
    state: { nothing: array(Float32Array.of(0), [1]) },
    inputs,
  });
  const result = (await program.run(inputs)) as unknown as NdArray;
  await program.dispose();
  return result;
}

/** A state whose actor's last layer pushes every correction to its bound. */
function pushing(config = configure()) {
  const state = fresh(config);
  const last = Object.keys(state.actor).at(-1) as "layer1";
  const bias = array(Float32Array.of(50, -50), [2]);
  return { ...state, actor: { ...state.actor, [last]: { ...state.actor[last]!, bias } } };
}

describe("the correction", () => {
  const observations = observationsOf(1000);

  test("is exactly 0 at first: the combined policy is the base", async () => {
    const noise = new Float32Array(2000);
    const { data } = await actions(residual, configure(), fresh(), { observations, noise }, spec);
    expect(data).toEqual(baseActionsIn(observations));
  });

  test("stays within its scale, a draw within 1, what is executed within 1", async () => {
    const config = configure({ residualScale: 0.3 });
    const state = pushing(config);
    const quiet = new Float32Array(2000);
    const mode = await actions(residual, config, state, { observations, noise: quiet }, spec);
    const base = baseActionsIn(observations);
    for (const [i, a] of mode.data.entries()) {
      const wanted = Math.max(-1, Math.min(1, base[i]! + (i % 2 === 0 ? 0.3 : -0.3)));
      expect(a).toBeCloseTo(wanted, 5);
    }
    const wild = await actions(
      residual,
      config,
      state,
      { observations, noise: quiet.map((_, i) => (i % 3) * 9 - 9) },
      spec,
    );
    expect(Math.max(...wild.data.map(Math.abs))).toBeLessThanOrEqual(1);
  });

  test("is trained by the gradient of Q at what is executed, and not beyond a bound", async () => {
    const normalizer = actionNormalizer(2, undefined, 0.2);
    const slope = await evaluate(
      (given: { base: Tensor; correction: Tensor; normalizer: never }) => {
        const loss = (correction: Tensor) => {
          const executed = corrected(given.base, correction, given.normalizer);
          return [neg(mean(mul(square(sub(executed, 0.3)), -1))), {}] as const;
        };
        return valueAndGrad(loss)(given.correction)[1];
      },
      {
        base: array(Float32Array.of(0.1, 0.95), [1, 2]),
        correction: array(Float32Array.of(0.05, 0.1), [1, 2]),
        normalizer,
      },
    );
    expect(slope.data[0]).toBeCloseTo(0.1 + 0.05 - 0.3, 6); // d/dr ½ ((a − 0.3)² + …)
    expect(slope.data[1]).toBe(0);
  });

  test("before learning starts is drawn around the base's action, within [−1, 1]", () => {
    const rows = Float32Array.of(9, 9, 9, 0.5, -0.95);
    const around = aroundBase(rows, Float32Array.of(-1, -1), spec, 0.2);
    expect([...around].map((x) => Math.round(1000 * x) / 1000)).toEqual([0.3, -1]);
  });
});

describe("normalised actions", () => {
  const range = { low: [-0.4, 0.2], high: [0.6, 0.2] };
  const normalizer = actionNormalizer(2, range, 0.25);

  test("put the demonstrations' extremes at ±1 / (1 + margin); a constant has half range 0.05", async () => {
    const extremes = array(Float32Array.of(-0.4, 0.2, 0.6, 0.25), [2, 2]);
    const given = { extremes, normalizer };
    const { data } = await evaluate(
      ({ extremes, normalizer }: { extremes: Tensor; normalizer: never }) =>
        normalized(extremes, normalizer),
      given,
    );
    for (const [i, wanted] of [-0.8, 0, 0.8, 0.8].entries()) expect(data[i]).toBeCloseTo(wanted, 6);
    expect(normalizer.halfRange.data[1]).toBeCloseTo(0.05 * 1.25, 7);
  });

  test("come back as they were, and are the task's where there are no demonstrations", async () => {
    const plain = actionNormalizer(2, undefined, 0.2);
    expect([...plain.centre.data, ...plain.halfRange.data]).toEqual([0, 0, 1, 1]);
    const tried = array(Float32Array.of(-0.3, 0.19, 0.5, 0.22), [2, 2]);
    const { data } = await evaluate(
      ({ tried, normalizer }: { tried: Tensor; normalizer: never }) =>
        corrected(normalized(tried, normalizer), mul(tried, 0), normalizer),
      { tried, normalizer },
    );
    for (const [i, wanted] of tried.data.entries()) expect(data[i]).toBeCloseTo(wanted, 6);
  });

  test("are what the policy corrects in: its state carries the range", async () => {
    const config = configure({ residualScale: 0.25 });
    const state = fresh(config, { ...spec, actionRange: range });
    expect(state.actionNormalizer).toEqual(normalizer);
    const observations = Float32Array.of(0, 0, 0, 0.5, 0.21);
    const noise = Float32Array.of(0.1, 0.1);
    const { data } = await actions(residual, config, state, { observations, noise }, spec);
    expect(data[0]).toBeCloseTo(0.5 + 0.1 * 0.625, 6);
    expect(data[1]).toBeCloseTo(0.21 + 0.1 * 0.0625, 6);
  });
});

describe("the critics", () => {
  test("have the mean of squared errors as their loss, 5 for +1 and −3; coupled heads 4", async () => {
    const errors = array(Float32Array.of(1, -3), [2, 1]);
    const lossOf = (kind: "mean" | "coupled") =>
      evaluate(({ errors }: { errors: Tensor }) => criticLoss(errors, kind), { errors });
    expect((await lossOf("mean")).data[0]).toBeCloseTo(5, 6);
    expect((await lossOf("coupled")).data[0]).toBeCloseTo(4, 6);
  });

  test("alone find the base's return along a chain, within 3 %", async () => {
    const config = configure({
      criticHidden: [32],
      batchSize: 5,
      criticLearningRate: 3e-3,
      tau: 0.05,
      smoothingNoise: 0,
      weightDecay: 0,
      finalLearningRateShare: 0.05,
    });
    const program = await compileUpdate(residual, config, { spec, trainActor: false });
    const row = (i: number) => [i / 2 - 1, 1, 0, 0.2, -0.1];
    const steps = [0, 1, 2, 3, 4];
    const batch = {
      observations: Float32Array.from(steps.flatMap(row)),
      actions: Float32Array.from(steps.flatMap(() => [0.2, -0.1])),
      rewards: Float32Array.of(0, 0, 0, 0, 1),
      discounts: Float32Array.of(0.9, 0.9, 0.9, 0.9, 0),
      nextObservations: Float32Array.from(steps.flatMap((i) => row(Math.min(i + 1, 4)))),
    };
    for (let i = 0; i < 1500; i++)
      await program.run({ batch, progress: Float32Array.of(i / 1500) }, { outputs: [] });
    const outputs = await program.run({ batch, progress: Float32Array.of(1) });
    await program.dispose();
    const wanted = steps.reduce((sum, i) => sum + 0.9 ** (4 - i), 0) / 5;
    expect(Math.abs(scalarOf(outputs, "train/q_mean") / wanted - 1)).toBeLessThan(0.03);
  });

  test("in a target are two of ten, drawn anew for each update; all ten move", async () => {
    const { members } = residual.noise(spec, configure()) as never as {
      members: { noise: Parameters<typeof fillNoise>[0] };
    };
    const rng = createRng(3);
    const pairs = Array.from({ length: 20 }, () => {
      const pair = new Int32Array(2);
      fillNoise(members.noise, pair, rng);
      return [...pair].sort().join();
    });
    expect(new Set(pairs).size).toBeGreaterThan(10);
    const program = await compileUpdate(residual, configure(), { spec, trainActor: false });
    const before = (await program.state())["critics"] as ReturnType<typeof fresh>["critics"];
    await program.run(randomBatch(8, 1, spec));
    const after = (await program.state())["critics"] as ReturnType<typeof fresh>["critics"];
    await program.dispose();
    for (let head = 0; head < 10; head++)
      expect(after["layer1"]!.bias.data[head]).not.toBe(before["layer1"]!.bias.data[head]);
  });
});

describe("the actor", () => {
  test("follows the mean of all ten critics: each one alone would move it", async () => {
    // Critics that are deaf but for one: Q = w · a of that head's last layer, through one hidden unit.
    const config = configure({
      actorPeriod: 1,
      actorLearningRate: 1e-2,
      criticLearningRate: 1e-12,
    });
    for (const loud of [0, 4, 9]) {
      const state = fresh(config);
      const last = state.critics["layer1"]!;
      const kernel = last.kernel.data.map((x, i) => (Math.floor(i / 16) === loud ? x : 0));
      const critics = {
        ...state.critics,
        layer1: { ...last, kernel: array(kernel as Float32Array, last.kernel.shape) },
      };
      const program = await compileUpdate(residual, config, { spec, state: { ...state, critics } });
      await program.run(randomBatch(8, 1, spec));
      const { actor } = (await program.state()) as never as { actor: typeof state.actor };
      await program.dispose();
      expect(actor["layer1"]!.bias.data.some((x) => Math.abs(x) > 1e-4)).toBe(true);
    }
  });

  test("sees the state and the base's action, and is bounded by its scale", async () => {
    const state = pushing();
    const observations = array(observationsOf(20), [20, 5]);
    const { data } = await evaluate(
      ({ observations, state }: { observations: Tensor; state: never }) => {
        const { actor, actionNormalizer } = state as { actor: never; actionNormalizer: never };
        return corrections(actor, partsOf(observations, actionNormalizer), configure());
      },
      { observations, state: { actor: state.actor, actionNormalizer: state.actionNormalizer } },
    );
    for (const x of data) expect(Math.abs(x)).toBeLessThanOrEqual(Math.fround(0.2));
  });
});
