// RO2O and FamO2O against cases worked out by hand.

import { describe, expect, test } from "vitest";
import { betaOf, encoded, famo2o } from "../../finetune/famo2o.ts";
import { famo2oCql } from "../../finetune/famo2oCql.ts";
import { changeCost, doubtOf, ensembleSpread, ro2o } from "../../finetune/ro2o.ts";
import { grad } from "../../nn/gradient.ts";
import type { Tensor } from "../../nn/ops.ts";
import { array, type NdArray } from "../../nn/tree.ts";
import {
  bitsOf,
  compileUpdate,
  randomBatch,
  scalarOf,
  settingsOf,
  small,
} from "../agents/support.ts";
import { evaluate, expectClose } from "../nn/evaluate.ts";

describe("RO2O", () => {
  test("doubts by the ensemble's spread: 1, 2, 3 are off by 1 each, with slopes 2 λ u / E", async () => {
    const [loss, spread, slopes] = await evaluate(
      ({ qs, doubt }) => [
        doubtOf(qs, doubt),
        ensembleSpread(qs),
        grad((q: Tensor) => doubtOf(q, doubt))(qs),
      ],
      { qs: array([1, 2, 3], [3, 1]), doubt: array([1], []) },
    );
    expectClose(loss!, [1]);
    expectClose(spread!, [1]);
    expectClose(slopes!, [2 / 3, 2 / 3, 2 / 3]);
  });

  test("charges 0.8 where Q grows by 1 and 0.2 where it falls by 1", async () => {
    const [cost] = await evaluate(({ d }) => [changeCost(d)], { d: array([1, -1, 0]) });
    expectClose(cost!, [0.8, 0.2, 0]);
  });

  test("lets its doubt fall to the least and no further, offline alone", async () => {
    const config = settingsOf(ro2o, {
      ...small,
      numCritics: 2,
      numPerturbations: 2,
      doubt: 1,
      leastDoubt: 0.9,
      doubtDecay: 0.04,
    }) as never as { batchSize: number };
    const program = await compileUpdate(ro2o, config);
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      await program.run(randomBatch(small.batchSize), { outputs: [] });
      seen.push(((await program.state())["doubt"] as NdArray).data[0]!);
    }
    await program.dispose();
    expectClose(seen, [0.96, 0.92, 0.9, 0.9]);
    const online = await compileUpdate(ro2o, config, { stage: "online" });
    await online.run(randomBatch(small.batchSize), { outputs: [] });
    expect(((await online.state())["doubt"] as NdArray).data[0]!).toBe(1);
    await online.dispose();
  });
});

describe("FamO2O", () => {
  test("encodes a balance by three frequencies", async () => {
    const [codes] = await evaluate(({ b }) => [encoded(b)], { b: array([10, 8], [2, 1]) });
    const wanted = [
      [-0.544021, -0.839072, 0.447671, 0.894198, 0.021543, 0.999768],
      [0.989358, -0.1455, 0.362852, 0.931847, 0.017235, 0.999851],
    ];
    expectClose(codes!, wanted.flat());
  });

  test("balances from the least at −1 to the greatest at 1", async () => {
    const range = { leastBalance: 8, greatestBalance: 14 };
    const [betas] = await evaluate(({ x }) => [betaOf(x, range)], { x: array([-1, 0, 1]) });
    expectClose(betas!, [8, 11, 14]);
  });

  test("lowers its temperature while the balance has more entropy than wanted", async () => {
    const temperatureAfter = async (balanceEntropy: number) => {
      const config = settingsOf(famo2o, { ...small, balanceEntropy });
      const program = await compileUpdate(famo2o, config as never);
      await program.run(randomBatch(small.batchSize), { outputs: [] });
      const state = await program.state();
      await program.dispose();
      return (state["logTemperature"] as NdArray).data[0]!;
    };
    expect(await temperatureAfter(-20)).toBeLessThan(0);
    expect(await temperatureAfter(20)).toBeGreaterThan(0);
  });

  test("on CQL pushes the critics down online too", async () => {
    const config = settingsOf(famo2oCql, small) as never as { batchSize: number };
    const gapAfter = async (conservatism: number) => {
      const options = { stage: "online" } as const;
      const program = await compileUpdate(famo2oCql, { ...config, conservatism } as never, options);
      const given = randomBatch(small.batchSize);
      for (let i = 0; i < 60; i++) await program.run(given, { outputs: [] });
      const gap = scalarOf(await program.run(given), "train/value_gap");
      await program.dispose();
      return gap;
    };
    expect(await gapAfter(10)).toBeLessThan((await gapAfter(0)) - 0.01);
  });

  test("trains the policy without regard to the balance model offline, by it online", async () => {
    const config = settingsOf(famo2o, small) as never as { batchSize: number };
    const actorAfter = async (stage: "offline" | "online", shift: number) => {
      const fresh = await compileUpdate(famo2o, config, { stage });
      const state = await fresh.state();
      const balance = state["balance"] as never as { mean: object; logStd: NdArray };
      const logStd = { ...balance.logStd, data: Float32Array.of(shift) };
      await fresh.load({ ...state, balance: { ...balance, logStd } } as never);
      await fresh.run(randomBatch(small.batchSize), { outputs: [] });
      const after = await fresh.state();
      await fresh.dispose();
      return bitsOf(after["actor"]!);
    };
    expect(await actorAfter("offline", 1)).toEqual(await actorAfter("offline", -1));
    expect(await actorAfter("online", 1)).not.toEqual(await actorAfter("online", -1));
  });
});
