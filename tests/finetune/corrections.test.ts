// Policy Decorator, ResiP and RLPD against cases worked out by hand.

import { describe, expect, test } from "vitest";
import type { AgentState, EnvSpec } from "../../agents/agent.ts";
import { batchWidths, createBatch, ReplayBuffer, sampleBatch } from "../../agents/replay.ts";
import { createRolloutBatch } from "../../agents/rollout.ts";
import { actionNormalizer, correctionsIn } from "../../finetune/correction.ts";
import { type DecoratorConfig, decorator, judgedActions } from "../../finetune/decorator.ts";
import { resip } from "../../finetune/resip.ts";
import { rlpd } from "../../finetune/rlpd.ts";
import { array, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { mixed } from "../../train/offPolicy.ts";
import { actions, compileAny, compileUpdate, randomBatch, scalarOf } from "../agents/support.ts";
import { evaluate, expectClose } from "../nn/evaluate.ts";

const spec: EnvSpec = { observationSize: 5, actionSize: 2, numEnvs: 1, observesBase: true };
const small = { actorHidden: [16], criticHidden: [16], batchSize: 8 };

/** Rows of [s, a_b]. */
const rows = Float32Array.of(1, 2, 3, 0.5, -0.98, -1, 0, 1, 0, 0.2);
const tensorOf = (data: readonly number[], ...shape: number[]) =>
  array(Float32Array.from(data), shape);

describe("decorator", () => {
  const configure = (overrides: object = {}) =>
    decorator.settings.parse({ ...small, ...overrides });

  test("begins near the base, and never goes further from it than its scale", async () => {
    const config = configure({ residualScale: 0.25 });
    const state = decorator.init(spec, config, createRng(4));
    const noise = new Float32Array(4);
    const mode = await actions(decorator, config, state, { observations: rows, noise }, spec);
    const wild = await actions(
      decorator,
      config,
      state,
      { observations: rows, noise: noise.fill(-99) },
      spec,
    );
    const base = [0.5, -0.98, 0, 0.2];
    for (const [i, a] of mode.data.entries()) expect(Math.abs(a - base[i]!)).toBeLessThan(0.01);
    const wanted = base.map((a) => Math.max(-1, a - 0.25));
    expectClose([...wild.data], wanted, 1e-5);
  });

  test("takes a correction with probability t / H, then always; else the base's action alone", () => {
    const config = configure({ exploreSteps: 1000 });
    const shares = [0, 250, 1000, 5000].map((step) => decorator.policyShare!(config, step));
    expect(shares).toEqual([0, 0.25, 1, 1]);
    expect(decorator.policyShare!(configure({ exploreSteps: 0 }), 0)).toBe(1);
    const draws = Float32Array.of(1, -1, 0.5, 0);
    const others = decorator.warmUpActions!(rows, draws, spec, config);
    expect(others).toEqual(Float32Array.of(0.5, -0.98, 0, 0.2));
  });

  test("shows its critics the executed sum, the correction, or both", async () => {
    const base = tensorOf([0.5, -0.98], 1, 2);
    const correction = tensorOf([0.4, -1], 1, 2);
    const judged = (criticSees: DecoratorConfig["criticSees"]) =>
      evaluate(
        ({ base, correction }) => [
          judgedActions({ baseActions: base }, correction, { criticSees, residualScale: 0.1 }),
        ],
        { base, correction },
      );
    expectClose((await judged("sum"))[0]!, [0.54, -1], 1e-6);
    expectClose((await judged("correction"))[0]!, [0.4, -1], 1e-6);
    expectClose((await judged("both"))[0]!, [0.4, -1, 0.5, -0.98], 1e-6);
  });

  test("finds the correction in what was executed", async () => {
    const normalizer = actionNormalizer(2, undefined, 0.1);
    const found = await evaluate(
      ({ executed, base, normalizer }) => [
        correctionsIn(executed, { baseActions: base }, normalizer, 0.1),
      ],
      { executed: tensorOf([0.54, -1], 1, 2), base: tensorOf([0.5, -0.98], 1, 2), normalizer },
    );
    expectClose(found[0]!, [0.4, -0.2], 1e-5);
  });

  test.each(["correction", "both"] as const)("learns where critics see: %s", async (criticSees) => {
    const program = await compileUpdate(decorator, configure({ criticSees }), { spec });
    const metrics = await program.run(randomBatch(8, 1, spec));
    await program.dispose();
    expect(Number.isFinite(scalarOf(metrics, "train/critic_loss"))).toBe(true);
    expect(scalarOf(metrics, "train/ent_coef")).toBeCloseTo(1, 6);
  });
});

describe("resip", () => {
  const config = resip.settings.parse({ hidden: [16], residualScale: 0.1 });
  const state = resip.init(spec, config, createRng(2));
  const noise = Float32Array.of(1, -1, 0.5, 0);

  /** What it draws at `rows`, as a batch. */
  async function sampled() {
    const inputs = { observations: array(rows, [2, 5]), noise: array(noise, [2, 2]) };
    const program = await compileAny(
      (traced: never, given: never) => [traced, resip.sample(traced, given, config)],
      { state, inputs },
    );
    const out = (await program.run(inputs)) as unknown as Record<string, NdArray>;
    await program.dispose();
    const floats = (name: string) => out[name]!.data as Float32Array;
    return {
      ...createRolloutBatch(2, 5, 2),
      observations: rows,
      actions: floats("actions"),
      logProbs: floats("logProbs"),
      values: floats("values"),
      advantages: Float32Array.of(1, -1),
      returns: Float32Array.of(0.5, 0),
    };
  }

  async function updated(batch: object, from: AgentState = state) {
    const size = { observations: [2, 5], actions: [2, 2] } as Record<string, number[]>;
    const columns = Object.keys(batch).map((name) => [
      name,
      { shape: size[name] ?? [2], dtype: "float32" },
    ]);
    const inputs = {
      batch: Object.fromEntries(columns),
      progress: { shape: [], dtype: "float32" },
    };
    const program = await compileAny(
      (traced: never, given: never) => resip.update(traced, given, config, spec),
      { state: from, inputs },
    );
    const metrics = await program.run({ batch, progress: Float32Array.of(0) });
    const next = (await program.state()) as unknown as typeof state;
    await program.dispose();
    return { metrics, next };
  }

  test("draws around the base with a tenth of its own spread", async () => {
    const { actions: drawn } = await sampled();
    const base = [0.5, -0.98, 0, 0.2];
    for (const [i, a] of drawn.entries())
      expect(Math.abs(a - (base[i]! + 0.1 * Math.exp(-1) * noise[i]!))).toBeLessThan(0.005);
    const mode = await actions(
      resip,
      config,
      state,
      { observations: rows, noise: new Float32Array(4) },
      spec,
    );
    for (const [i, a] of mode.data.entries()) expect(Math.abs(a - base[i]!)).toBeLessThan(0.005);
  });

  test("finds its corrections again: at unchanged weights all ratios are 1", async () => {
    const { metrics } = await updated(await sampled());
    expect(Math.abs(scalarOf(metrics, "train/approx_kl"))).toBeLessThan(1e-5);
    expect(scalarOf(metrics, "train/clip_fraction")).toBe(0);
    const logProb = (await sampled()).logProbs[0]!;
    expect(logProb).toBeCloseTo(-1 + 2 - Math.log(2 * Math.PI), 4); // −½(1 + 1) − 2 · −1 − log 2π
  });

  test("trains its mean and leaves its spread", async () => {
    const { next } = await updated(await sampled());
    expect(next.actor.logStd).toEqual(state.actor.logStd);
    expect(next.actor.network).not.toEqual(state.actor.network);
  });
});

describe("rlpd", () => {
  test("is soft actor-critic with the paper's settings, and wants data", () => {
    expect(rlpd.needs).toEqual(["data"]);
    expect(rlpd.settings.parse({})).toMatchObject({
      numCritics: 10,
      numTargetCritics: 2,
      criticLayerNorm: true,
      actorReduction: "mean",
      targetEntropyScale: 0.5,
      offlineShare: 0.5,
      actorPeriod: 20,
    });
    expect(() => rlpd.settings.parse({ numTargetCritics: 11 })).toThrow(/numTargetCritics/);
  });

  test("has exactly 128 rows of each source in a batch of 256, each row whole", () => {
    const widths = batchWidths(5, 2);
    const noOffsets = { ...batchWidths(0, 0), rewards: 0, discounts: 0 };
    const filled = (numRows: number, tag: number) => {
      const buffer = new ReplayBuffer(numRows, widths);
      const row = createBatch(1, widths);
      for (const column of Object.values(row)) column.fill(tag);
      for (let i = 0; i < numRows; i++) buffer.add(row, noOffsets);
      return buffer;
    };
    const sources = mixed(filled(7, 1), filled(900, -1), rlpd.settings.parse({}).offlineShare);
    const batch = createBatch(256, widths);
    sampleBatch(sources, batch, 0, 256, createRng(1));
    expect([...batch.discounts].filter((x) => x === 1)).toHaveLength(128);
    for (let i = 0; i < 256; i++) expect(batch.actions[2 * i]).toBe(batch.discounts[i]);
  });
});
