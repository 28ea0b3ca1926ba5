import { expect, test } from "vitest";
import {
  accuracyOf,
  bootstrapInterval,
  portfolios,
  ranked,
} from "../../../finetune/ope/portfolio.ts";
import { createRng } from "../../../sim/rng.ts";

test("SharpeRatio@k: what the best of the first k gains, over how much they differ", () => {
  const [two, three] = portfolios([30, 20, 10], [5, 3, 1], { behavior: 2 });
  expect(two!.sharpeRatio).toBeCloseTo(2.1213, 4);
  expect(three!.sharpeRatio).toBeCloseTo(1.5, 8);
  expect(three).toMatchObject({ k: 3, best: 5, worst: 1, mean: 3, std: 2 });
  expect(three!.violationRate).toBeCloseTo(1 / 3, 8);
});

test("nothing is gained where no policy beats the one that acted", () => {
  for (const { sharpeRatio } of portfolios([1, 2], [1, 0], { behavior: 2 }))
    expect(sharpeRatio).toBe(0);
});

test("the estimates decide who is first, the truths what that is worth", () => {
  expect(ranked([1, 3, 2])).toEqual([1, 2, 0]);
  const wrong = accuracyOf([1, 2, 3], [3, 2, 1]);
  expect(wrong.rankCorrelation).toBeCloseTo(-1, 8);
  expect(wrong.regret).toBe(2);
  expect(wrong.meanSquaredError).toBeCloseTo(8 / 3, 8);
  expect(accuracyOf([10, 20, 30], [1, 5, 6]).rankCorrelation).toBeCloseTo(1, 8);
});

test("a bootstrap interval of a mean is as wide as two standard errors each way", () => {
  const rng = createRng(4);
  const values = Array.from({ length: 400 }, () => rng.normal());
  const [low, high] = bootstrapInterval(values, rng);
  expect(high - low).toBeGreaterThan(0.16);
  expect(high - low).toBeLessThan(0.24); // 4 / √400
});
