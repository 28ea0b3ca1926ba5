import { describe, expect, test } from "vitest";
import {
  anchorTargets,
  chunkLoss,
  shortcutTargets,
  straightTargets,
  timesOf,
} from "../../finetune/flowLoss.ts";
import { add, expandDims, mul, squeeze, sub, type Tensor } from "../../nn/ops.ts";
import { array } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { evaluate, expectClose, mean, midpoints, normals } from "../nn/evaluate.ts";

describe("times", () => {
  const uniform = midpoints(0, 1, 2000);

  test("are drawn as their distribution says", async () => {
    const draws = { uniform: array(uniform), normal: array([-1, 0, 2]) };
    const [flat, beta, logit] = await evaluate(
      ({ uniform, normal }) => [
        timesOf(uniform, "uniform"),
        timesOf(uniform, "beta"),
        timesOf(normal, "logitNormal"),
      ],
      draws,
    );
    expectClose(flat!, uniform);
    // 0.999 (1 − B), B ~ Beta(1.5, 1): mean 0.6, variance 0.6 · 0.4 / 3.5
    expect(mean(beta!)).toBeCloseTo(0.999 * 0.4, 3);
    expect(mean(beta!.map((t) => (t - 0.3996) ** 2))).toBeCloseTo(0.0686 * 0.998, 3);
    expectClose(
      logit!,
      [-1, 0, 2].map((z) => 1 / (1 + Math.exp(-z))),
    );
  });
});

test("rectified flow's least loss is the variance of x₁ − x₀ on the way, not 0", async () => {
  const [m, s, t] = [0.3, 0.5, 0.4];
  const rng = createRng(4);
  const given = { x0: normals(rng, [40_000, 1]), x1: normals(rng, [40_000, 1], s) };
  const variance = t * t * s * s + (1 - t) ** 2; // of x_t
  const gain = (t * s * s - (1 - t)) / variance;
  const [loss] = await evaluate(({ x0, x1 }) => {
    const times = add(mul(sum(x0), 0), t);
    const { points, velocities, steps } = straightTargets(x0, add(x1, m), times);
    const optimal = add(mul(sub(points, t * m), gain), m);
    const mask = add(mul(expandDims(sum(x0), -1), 0), 1);
    return [chunkLoss(sub(velocities, optimal), mask), steps];
  }, given);
  const least = s * s + 1 - (t * s * s - (1 - t)) ** 2 / variance; // Var(x₁ − x₀ | x_t)
  expect(least).toBeGreaterThan(0.4);
  expect(loss![0]!).toBeCloseTo(least, 1);
});

test("a loss counts the actions of the mask alone", async () => {
  const errors = array([1, 1, 2, 2, 9, 9, 3, 3, 9, 9, 9, 9], [2, 6]); // [B, H · A], A = 2
  const mask = array([1, 1, 0, 1, 0, 0], [2, 3]);
  const [loss] = await evaluate(({ errors, mask }) => [chunkLoss(errors, mask)], { errors, mask });
  expectClose(loss!, [(1 + 4 + 9) / 3]);
});

describe("shortcuts", () => {
  const rng = createRng(7);
  const x0 = normals(rng, [4, 2]);
  const x1 = normals(rng, [4, 2], 0.5);
  const [c, e, f] = [0.7, -0.3, 0.2];
  /** A field that is linear in the point, the time and the size of the step. */
  const field = (x: Tensor, t: Tensor, d: Tensor): Tensor =>
    add(mul(x, c), expandDims(add(mul(t, e), mul(d, f)), -1));

  test("are worth two half steps of the same net; the smallest are asked with d = 0", async () => {
    const exponents = array([0, 1, 2, 2], [4], "int32");
    const places = array([0.9, 0.7, 0.3, 0.99]);
    const [velocities, times, steps, points] = await evaluate(
      ({ x0, x1, exponents, places }) => {
        const all = shortcutTargets(field, x0, x1, { exponents, places }, 2);
        return [all.velocities, all.times, all.steps, all.points];
      },
      { x0, x1, exponents, places },
    );
    expectClose(times!, [0, 0.5, 0.25, 0.75]);
    expectClose(steps!, [1, 0.5, 0.25, 0.25]);
    const wanted = Array.from({ length: 8 }, (_, i) => {
      const row = Math.floor(i / 2);
      const [t, d, x] = [times![row]!, steps![row]!, points![i]!];
      expect(x).toBeCloseTo((1 - (1 - 1e-5) * t) * x0.data[i]! + t * x1.data[i]!, 5);
      const told = row < 2 ? d / 2 : 0;
      const first = c * x + e * t + f * told;
      const second = c * (x + (d / 2) * first) + e * (t + d / 2) + f * told;
      return (first + second) / 2;
    });
    expectClose(velocities!, wanted, 1e-5);
  });

  test("of size 0 are rectified flow", async () => {
    const times = array([0, 0.3, 0.6, 0.9]);
    const [points, velocities, plainPoints, plainVelocities, steps] = await evaluate(
      ({ x0, x1, times }) => {
        const [anchor, plain] = [anchorTargets(x0, x1, times), straightTargets(x0, x1, times)];
        return [anchor.points, anchor.velocities, plain.points, plain.velocities, anchor.steps];
      },
      { x0, x1, times },
    );
    expectClose(points!, plainPoints!, 1e-4);
    expectClose(velocities!, plainVelocities!, 1e-4);
    expect(steps).toEqual([0, 0, 0, 0]);
  });
});

/** The rows' numbers [B], of [B, 1]. */
function sum(x: Tensor): Tensor {
  return squeeze(x, [-1]);
}
