import { expect, test } from "vitest";
import { bernoulli, fillNoise, indices, normal, subset, uniform } from "../../nn/noise.ts";
import { createRng } from "../../sim/rng.ts";

test("every ordered subset is equally likely", () => {
  const numRows = 120_000;
  const rows = new Int32Array(2 * numRows);
  fillNoise(subset([numRows, 2], 4).noise, rows, createRng(1));
  const counts = new Map<string, number>();
  for (let i = 0; i < rows.length; i += 2) {
    const key = `${rows[i]},${rows[i + 1]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(12); // ordered pairs of distinct numbers below 4
  for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test("a subset of everything is a permutation", () => {
  const row = new Int32Array(10);
  const random = createRng(2);
  const seen = new Set<string>();
  for (let i = 0; i < 20; i++) {
    fillNoise(subset([10], 10).noise, row, random);
    expect([...row].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    seen.add(row.join());
  }
  expect(seen.size).toBe(20);
});

test("every kind stays in its range and has its mean", () => {
  const mean = (spec: ReturnType<typeof normal>) => {
    const out = spec.dtype === "int32" ? new Int32Array(100_000) : new Float32Array(100_000);
    fillNoise(spec.noise, out, createRng(3));
    return [Math.min(...out.slice(0, 50_000)), Math.max(...out.slice(0, 50_000)), average(out)];
  };
  const [low, high, middle] = mean(uniform([1], -2, 3)) as [number, number, number];
  expect(low).toBeGreaterThanOrEqual(-2);
  expect(high).toBeLessThan(3);
  expect(middle).toBeCloseTo(0.5, 1);
  expect(mean(bernoulli([1], 0.25))).toEqual([0, 1, expect.closeTo(0.25, 2)]);
  expect(mean(indices([1], 5))).toEqual([0, 4, expect.closeTo(2, 1)]);
  expect(mean(normal([1]))[2]).toBeCloseTo(0, 1);
});

test("impossible noise is refused", () => {
  expect(() => uniform([2], 1, 1)).toThrow("wants low < high, got 1 and 1");
  expect(() => bernoulli([2], 1.5)).toThrow("probability in [0, 1], got 1.5");
  expect(() => indices([2], 0)).toThrow("positive whole bound, got 0");
  expect(() => subset([3], 2)).toThrow("subset noise wants an axis of at most 2 elements, got [3]");
  expect(() => subset([], 2)).toThrow("got []");
});

function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
