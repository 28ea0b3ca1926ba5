import { describe, expect, test } from "vitest";
import { type Sigmoid, tolerance } from "../../tasks/rewards.ts";

const sigmoids: Sigmoid[] = [
  "gaussian",
  "hyperbolic",
  "longTail",
  "reciprocal",
  "cosine",
  "linear",
  "quadratic",
  "tanhSquared",
];

test("is 1 within the bounds and a step without a margin", () => {
  const bounds = [1, 3] as const;
  expect([0.99, 1, 2, 3, 3.01].map((x) => tolerance(x, { bounds }))).toEqual([0, 1, 1, 1, 0]);
});

describe.each(sigmoids)("%s", (sigmoid) => {
  const options = { bounds: [1, 3], margin: 2, sigmoid, valueAtMargin: 0.3 } as const;
  test("has the value at the margin on both sides", () => {
    expect(tolerance(-1, options)).toBeCloseTo(0.3, 12);
    expect(tolerance(5, options)).toBeCloseTo(0.3, 12);
  });

  test("falls from 1 towards 0 and stays in [0, 1]", () => {
    let last = 1;
    for (let x = 3; x < 40; x += 0.1) {
      const value = tolerance(x, options);
      expect(value).toBeLessThanOrEqual(last);
      expect(value).toBeGreaterThanOrEqual(0);
      last = value;
    }
    expect(last).toBeLessThan(0.05);
  });
});

test.each([
  // Halfway to a margin of 1, with 0.1 there.
  ["gaussian", 0.1 ** 0.25],
  ["hyperbolic", 1 / Math.cosh(0.5 * Math.acosh(10))],
  ["longTail", 1 / (0.25 * 9 + 1)],
  ["reciprocal", 1 / 5.5],
  ["cosine", (1 + Math.cos(0.5 * Math.acos(-0.8))) / 2],
  ["linear", 0.55],
  ["quadratic", 0.775],
  ["tanhSquared", 1 - Math.tanh(0.5 * Math.atanh(Math.sqrt(0.9))) ** 2],
] as const)("%s is dm_control's halfway", (sigmoid, wanted) => {
  expect(tolerance(0.5, { margin: 1, sigmoid })).toBeCloseTo(wanted, 12);
});
