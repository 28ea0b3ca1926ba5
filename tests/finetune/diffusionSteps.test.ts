import { describe, expect, test } from "vitest";
import {
  cosineShares,
  type ReverseStep,
  reverseMean,
  reverseSteps,
} from "../../finetune/diffusionSteps.ts";
import { add, mul, sub, type Tensor } from "../../nn/ops.ts";
import { array } from "../../nn/tree.ts";
import { evaluate, expectClose } from "../nn/evaluate.ts";

test("the data's share falls along a squared cosine, from nearly 1 to nearly 0", () => {
  const shares = cosineShares(20);
  const curve = (k: number) => Math.cos(((k / 20 + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  for (let k = 0; k < 19; k++) expect(shares[k]).toBeCloseTo(curve(k + 1) / curve(0), 10);
  expect(shares[0]).toBeGreaterThan(0.98);
  expect(shares[19]! / shares[18]!).toBeCloseTo(0.001, 10); // β is at most 0.999
});

test("with all steps and η = 1 a step back is DDPM's posterior", () => {
  const shares = cosineShares(20);
  const steps = reverseSteps({ numSteps: 20, sampleSteps: 20, eta: 1 });
  steps.forEach((step, i) => {
    const k = 19 - i;
    expect(step.time).toBe(k);
    const [share, previous] = [shares[k]!, k > 0 ? shares[k - 1]! : 1];
    const beta = 1 - share / previous;
    // Eq. 6 and 7 of arXiv:2006.11239
    expect(step.a).toBeCloseTo((Math.sqrt(previous) * beta) / (1 - share), 8);
    expect(step.b).toBeCloseTo((Math.sqrt(1 - beta) * (1 - previous)) / (1 - share), 8);
    expect(step.std ** 2).toBeCloseTo(((1 - previous) / (1 - share)) * beta, 8);
  });
});

test("fewer steps are spread evenly and end at the data", () => {
  const steps = reverseSteps({ numSteps: 20, sampleSteps: 5, eta: 0 });
  expect(steps.map(({ time }) => time)).toEqual([19, 15, 11, 7, 3]);
  expect(steps.map(({ std }) => std)).toEqual([0, 0, 0, 0, 0]);
  const last = steps.at(-1)!;
  expect([last.a, last.b]).toEqual([1, 0]);
});

describe("with the best denoiser of data N(m, s²)", () => {
  const [m, s] = [0.4, 0.3];
  /** The noise that is in a point, on average. */
  const noiseIn = (x: Tensor, { p, q }: ReverseStep): Tensor => {
    const share = 1 / p ** 2;
    const gain = (s * s * Math.sqrt(share)) / (share * s * s + 1 - share);
    const data = add(mul(sub(x, Math.sqrt(share) * m), gain), m);
    return mul(sub(mul(x, p), data), 1 / q);
  };
  const backFrom = async (starts: number[], numSteps: number) => {
    const steps = reverseSteps({ numSteps, sampleSteps: numSteps, eta: 0 });
    const [points] = await evaluate(
      ({ x }) => [steps.reduce((at, step) => reverseMean(at, noiseIn(at, step), step, null), x)],
      { x: array(starts) },
      1e-3,
    );
    return points!;
  };

  test("DDIM leads noise z to m + s z, the better the more steps it takes", async () => {
    const starts = [-1.5, 0, 0.7];
    const exact = starts.map((z) => m + s * z);
    const errors = [];
    for (const numSteps of [5, 20, 100]) {
      const points = await backFrom(starts, numSteps);
      errors.push(Math.max(...points.map((x, i) => Math.abs(x - exact[i]!))));
    }
    expect(errors[0]).toBeGreaterThan(errors[1]!);
    expect(errors[1]).toBeGreaterThan(errors[2]!);
    expect(errors[2]).toBeLessThan(0.02);
  });

  test("DDPM's chain has the data's moments, but for its steps' number", () => {
    for (const [numSteps, tolerance] of [
      [20, 0.06],
      [400, 0.005],
    ] as const) {
      let [mean, variance] = [0, 1];
      for (const { p, q, a, b, std } of reverseSteps({ numSteps, sampleSteps: numSteps, eta: 1 })) {
        const share = 1 / p ** 2;
        expect(q).toBeCloseTo(Math.sqrt((1 - share) / share), 8);
        const gain = (s * s * Math.sqrt(share)) / (share * s * s + 1 - share);
        const data = m + gain * (mean - Math.sqrt(share) * m);
        mean = a * data + b * mean;
        variance = (a * gain + b) ** 2 * variance + std ** 2;
      }
      expect(Math.abs(mean - m)).toBeLessThan(0.01);
      expect(Math.abs(Math.sqrt(variance) - s)).toBeLessThan(tolerance);
    }
  });

  test("what a net takes for data is clipped before a step", async () => {
    const [step] = reverseSteps({ numSteps: 20, sampleSteps: 20, eta: 1 });
    const [mean] = await evaluate(({ x }) => [reverseMean(x, mul(x, 0), step!, 1)], {
      x: array([3, -3]),
    });
    expectClose(mean!, [step!.a + 3 * step!.b, -step!.a - 3 * step!.b]);
  });
});
