import { describe, expect, test } from "vitest";
import {
  constant,
  heNormal,
  heUniform,
  type Initializer,
  lecunNormal,
  normal,
  orthogonal,
  scaled,
  uniform,
  uniformFanIn,
  xavierUniform,
  zeros,
} from "../../nn/initializers.ts";
import type { NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";

const shape = [80, 120];

describe.each<[string, Initializer, number]>([
  ["uniformFanIn", uniformFanIn, 1 / Math.sqrt(80)],
  ["xavierUniform", xavierUniform, Math.sqrt(6 / 200)],
  ["heUniform", heUniform, Math.sqrt(6 / 80)],
  ["uniform", uniform(3e-3), 3e-3],
])("%s", (_, initializer, bound) => {
  test("fills its interval evenly", () => {
    const data = Array.from(initializer(createRng(1), shape).data);
    expect(Math.max(...data)).toBeLessThanOrEqual(Math.fround(bound));
    expect(Math.max(...data)).toBeGreaterThan(0.99 * bound);
    expect(Math.min(...data)).toBeLessThan(-0.99 * bound);
    expect(deviation(data) / (bound / Math.sqrt(3))).toBeCloseTo(1, 1);
  });
});

describe.each<[string, Initializer, number]>([
  ["heNormal", heNormal, Math.sqrt(2 / 80)],
  ["lecunNormal", lecunNormal, Math.sqrt(1 / 80)],
  ["normal", normal(0.01), 0.01],
])("%s", (_, initializer, std) => {
  test("has its standard deviation, and tails beyond two of them", () => {
    const data = Array.from(initializer(createRng(2), shape).data);
    expect(Math.abs(deviation(data) / std - 1)).toBeLessThan(0.03);
    expect(Math.max(...data)).toBeGreaterThan(3 * std);
  });
});

test("the same seed gives the same weights, and fresh arrays", () => {
  const [a, b] = [uniformFanIn(createRng(3), shape), uniformFanIn(createRng(3), shape)];
  expect(a.data).toEqual(b.data);
  expect(a.data).not.toBe(b.data);
  expect(uniformFanIn(createRng(4), shape).data).not.toEqual(a.data);
});

test("a bias takes its layer's fans, which its shape does not tell", () => {
  const { data } = uniformFanIn(createRng(1), [1000], { fanIn: 400, fanOut: 1000 });
  expect(Math.max(...data)).toBeLessThanOrEqual(0.05);
  expect(Math.max(...data)).toBeGreaterThan(0.049);
  expect(() => uniformFanIn(createRng(1), [1000])).toThrow("fans of shape [1000] are unknown");
});

test("constants are constant, and scaled multiplies", () => {
  expect(Array.from(zeros(createRng(1), [3]).data)).toEqual([0, 0, 0]);
  expect(Array.from(constant(0.5)(createRng(1), [2]).data)).toEqual([0.5, 0.5]);
  const plain = heUniform(createRng(1), shape).data;
  const tenth = scaled(heUniform, 0.25)(createRng(1), shape).data;
  expect(tenth).toEqual(plain.map((x) => x / 4));
});

describe("orthogonal", () => {
  test.each([
    [64, 32],
    [32, 64],
    [48, 48],
    [5, 1],
  ])("a [%i, %i] kernel has an orthonormal shorter side, times the gain", (rows, columns) => {
    const gain = Math.SQRT2;
    const kernel = orthogonal(gain)(createRng(7), [rows, columns]);
    expect(orthogonalityError(kernel, 0, gain)).toBeLessThan(1e-6);
    expect(orthogonalityError(kernel, 0, 1)).toBeGreaterThan(0.9);
  });

  test("every member of an ensemble is orthogonal, and its own", () => {
    const kernel = orthogonal()(createRng(7), [3, 10, 6]);
    for (let member = 0; member < 3; member++) {
      expect(orthogonalityError(kernel, member, 1)).toBeLessThan(1e-6);
    }
    expect(kernel.data.slice(0, 60)).not.toEqual(kernel.data.slice(60, 120));
  });

  test("directions are uniform: the corner element has mean 0 and variance 1/n", () => {
    const rng = createRng(9);
    const corners = Array.from({ length: 4000 }, () => orthogonal()(rng, [4, 4]).data[15]!);
    expect(Math.abs(corners.reduce((a, b) => a + b) / 4000)).toBeLessThan(0.03);
    expect(deviation(corners) ** 2).toBeCloseTo(0.25, 1);
  });

  test("refuses a vector", () => {
    expect(() => orthogonal()(createRng(1), [4])).toThrow("orthogonal wants a matrix");
  });
});

/** Largest difference of the Gram matrix of the shorter side from gain² times the identity. */
function orthogonalityError({ shape, data }: NdArray, member: number, gain: number): number {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const at = (i: number, k: number) => {
    const [row, column] = rows <= columns ? [i, k] : [k, i];
    return data[member * rows * columns + row * columns + column]!;
  };
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  let worst = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let dot = 0;
      for (let k = 0; k < length; k++) dot += at(i, k) * at(j, k);
      worst = Math.max(worst, Math.abs(dot - (i === j ? gain * gain : 0)));
    }
  }
  return worst;
}

function deviation(values: readonly number[]): number {
  const centre = values.reduce((a, b) => a + b) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - centre) ** 2, 0) / values.length);
}
