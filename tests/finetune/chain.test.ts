import { describe, expect, test } from "vitest";
import { boundNoise, chainLogProb, entropyRate, maxStdAt, stepsOf } from "../../finetune/chain.ts";
import { eulerStep } from "../../finetune/flowNet.ts";
import { add, exp, mul, type Tensor } from "../../nn/ops.ts";
import { array, full } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { evaluate, expectClose, midpoints, normals } from "../nn/evaluate.ts";

/** Mean log-density of chains [B, K + 1, n] under a constant velocity and noise. */
function densityOf(chain: Tensor, v: number, std: number): Tensor {
  const [from] = stepsOf(chain);
  const numSteps = from.shape[1]!;
  const means = eulerStep(from, add(mul(from, 0), v), numSteps, 1);
  return chainLogProb(chain, { mean: means, logStd: add(mul(from, 0), Math.log(std)) });
}

test("the density of a chain is the one worked out by hand", async () => {
  const chain = array([0.2, 0.5, 0.7], [1, 3, 1]);
  const [density] = await evaluate(({ chain }) => [densityOf(chain, 0.5, 0.1)], { chain });
  expectClose(density!, [(-0.938939 + 1.258647 + 1.258647) / 3], 1e-5); // 0.526118
});

test("the density of a step integrates to 1", async () => {
  const grid = midpoints(-1.5, 2.5, 4000);
  const chain = array(
    grid.flatMap((x) => [0.2, x]),
    [grid.length, 2, 1],
  );
  const [density] = await evaluate(({ chain }) => [densityOf(chain, 0.5, 0.1)], { chain });
  const start = -0.5 * (0.2 ** 2 + Math.log(2 * Math.PI));
  const total = density!.reduce((sum, lp) => sum + Math.exp(2 * lp - start) * (4 / grid.length), 0);
  expect(total).toBeCloseTo(1, 4);
});

test("the density is a mean: twice the same dimensions leave it as it is", async () => {
  const chain = normals(createRng(3), [5, 3, 2], 0.5);
  const twice = array(
    Array.from({ length: 15 }, (_, row) =>
      [0, 1, 0, 1].map((i) => chain.data[2 * row + i]!),
    ).flat(),
    [5, 3, 4],
  );
  const [once, again] = await evaluate(
    ({ chain, twice }) => [densityOf(chain, 0.3, 0.2), densityOf(twice, 0.3, 0.2)],
    { chain, twice },
  );
  expectClose(again!, once!, 1e-6);
});

test("noise is bounded: raw 0 gives the geometric mean, great numbers the bounds", async () => {
  const raw = array([-20, 0, 20]);
  const [fixed, moved] = await evaluate(
    ({ raw, maxStd }) => [
      exp(boundNoise(raw, { minStd: 0.1, maxStd: 0.24 })),
      exp(boundNoise(raw, { minStd: 0.1, maxStd })),
    ],
    { raw, maxStd: full([], 0.24) },
  );
  expectClose(fixed!, [0.1, 0.154919, 0.24], 1e-5);
  expectClose(moved!, fixed!, 1e-6);
});

test("the entropy rate is that of the formula", async () => {
  const of = (std: number) => full([1, 4, 3], Math.log(std));
  const [low, high] = await evaluate(({ low, high }) => [entropyRate(low), entropyRate(high)], {
    low: of(0.1),
    high: of(0.24),
  });
  expectClose(low!, [-0.42313], 1e-5);
  expectClose(high!, [0.277245], 1e-5);
});

describe("the greatest noise", () => {
  const decay = { minStd: 0.1, maxStd: 0.24, hold: 0.35, keep: 0.7 };

  test("is held for 35 % of the run, then falls to 0.7 of itself and 0.3 of the least", async () => {
    const shares = [0, 0.2, 0.35, 0.675, 1];
    const wanted = [0.24, 0.24, 0.24, (0.24 + 0.198) / 2, 0.198];
    expectClose(
      shares.map((share) => maxStdAt(share, decay)),
      wanted,
      1e-9,
    );
    const [inside] = await evaluate(({ shares }) => [maxStdAt(shares, decay)], {
      shares: array(shares),
    });
    expectClose(inside!, wanted, 1e-6);
  });

  test("stays where nothing is taken from it", () => {
    expect(maxStdAt(1, { ...decay, keep: 1 })).toBeCloseTo(0.24, 12);
  });
});
