// Importance sampling on a small decision problem whose truth is known.

import { describe, expect, test } from "vitest";
import {
  dr,
  effectiveSize,
  is,
  type LoggedEpisode,
  logKernel,
  pdis,
  snDr,
  snPdis,
  wis,
} from "../../../finetune/ope/weights.ts";
import { createRng, type Rng } from "../../../sim/rng.ts";

// Two steps, two actions each, behaviour even; the judged policy takes action 1 with 0.8. Rewards: the action's
// number at the first step, twice it at the second. Its value at γ = 0.9: 0.8 + 0.9 · 1.6.
const discount = 0.9;
const right = 0.8;
const truth = right + discount * 2 * right;

interface Models {
  readonly q?: (t: number, action: number) => number;
  readonly v?: (t: number) => number;
  readonly ratios?: (action: number) => number;
}

const exact = {
  v: (t: number) => (t === 0 ? truth : 2 * right),
  q: (t: number, action: number) => (t === 0 ? action + discount * 2 * right : 2 * action),
};
const exactRatio = (action: number) => (action === 1 ? right : 1 - right) / 0.5;

function episodes(
  rng: Rng,
  count: number,
  { q, v, ratios = exactRatio }: Models = {},
): LoggedEpisode[] {
  return Array.from({ length: count }, () => {
    const taken = [0, 1].map(() => (rng.uniform() < 0.5 ? 1 : 0));
    return {
      rewards: taken.map((action, t) => action * (t + 1)),
      logRatios: taken.map((action) => Math.log(ratios(action))),
      ...(q && { q: taken.map((action, t) => q(t, action)) }),
      ...(v && { v: taken.map((_, t) => v(t)) }),
    };
  });
}

/** Mean and standard error of estimates over many small sets of episodes, and their variance. */
function spread(estimate: (rng: Rng) => number, count = 2000) {
  const rng = createRng(3);
  const values = Array.from({ length: count }, () => estimate(rng));
  const mean = values.reduce((sum, x) => sum + x, 0) / count;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
  return { z: (mean - truth) / Math.sqrt(variance / count), variance };
}

describe("estimates of a policy that acted itself", () => {
  const logged: LoggedEpisode[] = [
    { rewards: [1, 2], logRatios: [0, 0] },
    { rewards: [3], logRatios: [0] },
  ];
  test.each([
    ["is", is],
    ["wis", wis],
    ["pdis", pdis],
    ["snPdis", snPdis],
  ] as const)("%s is the mean return", (_, estimate) => {
    expect(estimate(logged, 0.5).value).toBeCloseTo((2 + 3) / 2, 10);
  });

  test("by dr is the mean return whatever Q, where V is its mean over the policy's actions", () => {
    // One step, actions 0 and 1 as often: V = (7 + 5) / 2.
    const both = [0, 1].map((action) => ({
      rewards: [action],
      logRatios: [0],
      q: [action === 1 ? 7 : 5],
      v: [6],
    }));
    expect(dr(both, 1).value).toBeCloseTo(0.5, 10);
    expect(snDr(both, 1).value).toBeCloseTo(0.5, 10);
  });
});

describe("on the two-step problem", () => {
  test("is and pdis are unbiased, pdis varies less, dr with the true Q least", () => {
    const whole = spread((rng) => is(episodes(rng, 20), discount).value);
    const perStep = spread((rng) => pdis(episodes(rng, 20), discount).value);
    const robust = spread((rng) => dr(episodes(rng, 20, exact), discount).value);
    for (const { z } of [whole, perStep]) expect(Math.abs(z)).toBeLessThan(3);
    expect(perStep.variance).toBeLessThan(whole.variance);
    expect(robust.variance).toBeLessThan(1e-20);
  });

  test("dr is unbiased with a wrong Q and right ratios, and with a right Q and wrong ratios", () => {
    const wrong = { q: () => 3, v: () => 3 };
    expect(Math.abs(spread((rng) => dr(episodes(rng, 20, wrong), discount).value).z)).toBeLessThan(
      3,
    );
    const skewed = { ...exact, ratios: () => 1 };
    // Every set of episodes gives the truth here, as this problem has no luck but its actions.
    expect(dr(episodes(createRng(6), 20, skewed), discount).value).toBeCloseTo(truth, 10);
    const neither = { ...wrong, ratios: () => 1 };
    const off = spread((rng) => dr(episodes(rng, 20, neither), discount).value);
    expect(Math.abs(off.z)).toBeGreaterThan(10);
  });

  test("wis does not care for a factor on all weights, and stays among the returns", () => {
    const logged = episodes(createRng(5), 30);
    const scaled = logged.map((each) => ({
      ...each,
      logRatios: [...(each.logRatios as number[])].map((x, t) => (t === 0 ? x + 700 : x)),
    }));
    const { value } = wis(logged, discount);
    expect(wis(scaled, discount).value).toBeCloseTo(value, 8);
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(1 + discount * 2);
  });
});

test("a thousand steps of ratio 1.05 give numbers still, and one heavy episode counts as one", () => {
  const long = (ratio: number) => ({
    rewards: new Float64Array(1000).fill(1),
    logRatios: new Float64Array(1000).fill(Math.log(ratio)),
  });
  const logged = [long(1.05), long(1.05), long(0.9)];
  for (const estimate of [wis, snPdis]) expect(estimate(logged, 0.99).value).toBeCloseTo(100, 1);
  expect(effectiveSize([long(1), long(1), long(1)])).toBeCloseTo(3, 8);
  expect(effectiveSize([long(3), long(1), long(1)])).toBeCloseTo(1, 8);
});

test("the kernel around an action integrates to 1 in two dimensions", () => {
  let sum = 0;
  for (let x = -3; x < 3; x += 0.05)
    for (let y = -3; y < 3; y += 0.05)
      sum += Math.exp(logKernel([x, y], [0.2, -0.1], 0.4)) * 0.0025;
  expect(sum).toBeCloseTo(1, 3);
});
