// EDAC, SAC-N, ReBRAC, Cal-QL and SPOT against cases worked out by hand.

import { describe, expect, test } from "vitest";
import { returnsToGo } from "../../finetune/calql.ts";
import { edac, likeness, sacN, slopeLikeness } from "../../finetune/edac.ts";
import { penalizedTarget, rebrac } from "../../finetune/rebrac.ts";
import { costShare, spot } from "../../finetune/spot.ts";
import { grad } from "../../nn/gradient.ts";
import type { MlpParams } from "../../nn/layers.ts";
import type { Tensor } from "../../nn/ops.ts";
import { array, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import {
  bitsOf,
  compileUpdate,
  randomBatch,
  scalarOf,
  settingsOf,
  small,
  spec,
} from "../agents/support.ts";
import { evaluate, expectClose } from "../nn/evaluate.ts";

describe("EDAC's likeness of slopes", () => {
  const of = async (slopes: number[], shape: number[]) =>
    (await evaluate(({ slopes }) => [likeness(slopes)], { slopes: array(slopes, shape) }))[0]![0]!;

  test("is E where all are equal, 0 where they are orthogonal, −2 for two opposed", async () => {
    expect(await of([1, 2, 2, 4, 3, 6], [3, 1, 2])).toBeCloseTo(3, 5); // 3 · 2 / (3 − 1)
    expect(await of([1, 0, 0, 5], [2, 1, 2])).toBeCloseTo(0, 5);
    expect(await of([1, 1, -2, -2], [2, 1, 2])).toBeCloseTo(-2, 5);
  });

  test("has the gradient that finite differences give, through the critics' own slopes", async () => {
    const config = settingsOf(edac, { ...small, numCritics: 3, activation: "tanh" });
    const { critics } = edac.init(spec, config as never, createRng(2));
    const { batch } = randomBatch(4, 3);
    const apply = { activation: "tanh" } as const;
    const kernel = critics["layer1"]!.kernel;
    const withKernel = (at: number, change: number): MlpParams<NdArray> => {
      const data = Float32Array.from(kernel.data);
      data[at]! += change;
      return { ...critics, layer1: { ...critics["layer1"]!, kernel: { ...kernel, data } } };
    };
    const given = (params: MlpParams<NdArray>) => ({
      params,
      observations: array(batch.observations, [4, 4]),
      actions: array(batch.actions, [4, 2]),
    });
    const loss = async (params: MlpParams<NdArray>) => {
      const [value] = await evaluate(
        ({ params, observations, actions }) => [
          slopeLikeness(params as never, observations, actions, apply),
        ],
        given(params),
        1e-4,
      );
      return value![0]!;
    };
    const [slopes] = await evaluate(
      ({ params, observations, actions }) => [
        grad((p: MlpParams<Tensor>) => slopeLikeness(p, observations, actions, apply))(
          params as never,
        )["layer1"]!.kernel,
      ],
      given(critics),
      1e-3,
    );
    const most = slopes!.reduce(
      (best, x, i) => (Math.abs(x) > Math.abs(slopes![best]!) ? i : best),
      0,
    );
    const step = 0.02;
    const difference = (await loss(withKernel(most, step))) - (await loss(withKernel(most, -step)));
    expect(difference / (2 * step) / slopes![most]!).toBeCloseTo(1, 1);
  });
});

test("SAC-N is EDAC without its diversity, to the bit", async () => {
  const config = settingsOf(sacN, { ...small, numCritics: 3 }) as never as { batchSize: number };
  const programs = await Promise.all([
    compileUpdate(sacN, config),
    compileUpdate(edac, { ...config, diversity: 0 } as never),
  ]);
  for (const program of programs) await program.run(randomBatch(small.batchSize));
  const [a, b] = await Promise.all(programs.map((program) => program.state()));
  expect(bitsOf(b!)).toEqual(bitsOf(a!));
  await Promise.all(programs.map((program) => program.dispose()));
});

describe("ReBRAC", () => {
  test("pays for the next action in its target: 1 + 0.9 (10 − 0.1 · 2) = 9.82", async () => {
    const given = {
      rewards: array([1]),
      discounts: array([0.9]),
      next: array([10]),
      gap: array([1, 1], [1, 2]),
    };
    const [target] = await evaluate(
      ({ rewards, discounts, next, gap }) => [
        penalizedTarget({ rewards, discounts }, next, gap, 0.1),
      ],
      given,
    );
    expect(target![0]!).toBeCloseTo(9.82, 5);
  });

  test("counts what the data did next, offline alone", async () => {
    const config = settingsOf(rebrac, {
      ...small,
      criticPenalty: 5,
      smoothingNoise: 0,
    }) as never as {
      batchSize: number;
    };
    const extras = ["nextActions"] as const;
    const { batch, progress } = randomBatch(small.batchSize, 5, spec, extras);
    const other = { ...batch, nextActions: batch.nextActions!.map((a) => -a) };
    const losses = async (stage: "offline" | "online") => {
      const program = await compileUpdate(rebrac, config, { stage });
      const state = await program.state();
      const results: number[] = [];
      for (const each of [batch, other]) {
        await program.load(state);
        results.push(scalarOf(await program.run({ batch: each, progress }), "train/critic_loss"));
      }
      await program.dispose();
      return results;
    };
    const [offline, online] = [await losses("offline"), await losses("online")];
    expect(Math.abs(offline[0]! - offline[1]!)).toBeGreaterThan(0.01);
    expect(online[0]).toBeCloseTo(online[1]!, 5);
  });
});

test("Cal-QL holds a failure's last reward for ever, a success for what it was", () => {
  const config = { discount: 0.99, sparseRewards: true };
  const rewards = new Float32Array(3).fill(-5);
  expect([...returnsToGo(rewards, { success: false }, config)]).toEqual([-500, -500, -500]);
  const won = [...returnsToGo(Float32Array.of(0, 0, 1), { success: true }, config)];
  expectClose(won, [0.9801, 0.99, 1]);
});

describe("SPOT", () => {
  test("charges λ, λ / 2 and the least share at the online part's begin, middle and end", async () => {
    const [shares] = await evaluate(({ t }) => [costShare(t, 0.2)], { t: array([0, 0.5, 1]) });
    expectClose(shares!, [1, 0.5, 0.2]);
  });

  test("trains its autoencoder first and alone, and never after", async () => {
    const config = settingsOf(spot, small) as never as { batchSize: number };
    for (const [stage, moves, stays] of [
      ["prepare", ["vae"], ["actor", "critics", "targetCritics"]],
      ["offline", ["actor", "critics"], ["vae"]],
    ] as const) {
      const program = await compileUpdate(spot, config, { stage });
      const before = await program.state();
      await program.run(randomBatch(small.batchSize));
      const after = await program.state();
      await program.dispose();
      for (const key of moves) expect(bitsOf(after[key]!)).not.toEqual(bitsOf(before[key]!));
      for (const key of stays) expect(bitsOf(after[key]!)).toEqual(bitsOf(before[key]!));
    }
  });
});
