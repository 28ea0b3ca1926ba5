import { describe, expect, test } from "vitest";
import { grad } from "../../nn/gradient.ts";
import * as nn from "../../nn/ops.ts";
import { floorDiv, mul, square, stopGradient, sum, type Tensor, tensor } from "../../nn/ops.ts";
import { array, type NdArray, sizeOf } from "../../nn/tree.ts";
import { type GradientCase, gradientCases, withoutGradient } from "./gradientCases.ts";
import { compileAny, draws, expectClose, listOf } from "./support.ts";

interface Results {
  readonly y: readonly NdArray[];
  readonly gradient: readonly NdArray[];
  readonly curvature: readonly NdArray[];
}

/** Weights that make a sum of outputs depend on every one differently. */
function weights(shape: readonly number[]): NdArray {
  const values = Array.from(
    { length: sizeOf(shape) },
    (_, i) => 0.6 + 0.4 * Math.sin(2.3 * i + 0.7),
  );
  return array(values, shape);
}

/** y = f(x), the gradient g of a weighted sum of y, and the gradient of |g|². */
function derivatives({ fn }: GradientCase) {
  const loss = (x: Tensor[]) =>
    listOf(fn(...x))
      .map((y) => sum(mul(y, tensor(weights(y.shape).data, y.shape, "float32"))))
      .reduce((total, part) => nn.add(total, part));
  const slope = (x: Tensor[]) =>
    grad(loss)(x)
      .map((g) => sum(square(g)))
      .reduce((total, part) => nn.add(total, part));
  return (_state: unknown, x: Tensor[]) => {
    return [{}, { y: listOf(fn(...x)), gradient: grad(loss)(x), curvature: grad(slope)(x) }];
  };
}

const step = 0.01;

/** Derivatives of f by every element of x, by central differences of fourth order. */
async function differences(
  f: (x: readonly NdArray[]) => Promise<number>,
  x: readonly NdArray[],
): Promise<NdArray[]> {
  const slopes: NdArray[] = [];
  for (const [k, own] of x.entries()) {
    const slope = new Float32Array(own.data.length);
    for (let i = 0; i < slope.length; i++) {
      const at = (distance: number) => {
        const data = own.data.slice();
        data[i]! += distance;
        return f(x.with(k, { ...own, data }));
      };
      const near = (await at(step)) - (await at(-step));
      const far = (await at(2 * step)) - (await at(-2 * step));
      slope[i] = (8 * near - far) / (12 * step);
    }
    slopes.push(array(slope, own.shape));
  }
  return slopes;
}

function weightedSum(y: readonly NdArray[]): number {
  let total = 0;
  for (const { shape, data } of y) {
    const w = weights(shape).data;
    data.forEach((value, i) => {
      total += value * w[i]!;
    });
  }
  return total;
}

function sumOfSquares(g: readonly NdArray[]): number {
  return g.flatMap(({ data }) => Array.from(data)).reduce((total, x) => total + x * x, 0);
}

function expectAllClose(
  actual: readonly NdArray[],
  wanted: readonly NdArray[],
  about: string,
  tolerance: number,
): void {
  expect(actual.length).toBe(wanted.length);
  actual.forEach((one, i) => {
    expectClose(one, wanted[i]!, `${about}, argument ${i}`, tolerance);
  });
}

test("every op has a gradient to test or is known to have none", () => {
  const tested = Object.keys(gradientCases);
  const known = new Set([...tested, ...withoutGradient]);
  expect(Object.keys(nn).filter((name) => !known.has(name) && name !== "default")).toEqual([]);
});

test.each(Object.entries(gradientCases))("the gradients of %s", async (name, one) => {
  const [x] = draws(one.arguments, 1) as [readonly NdArray[]];
  const fn = derivatives(one);
  const program = await compileAny(fn, { state: {}, inputs: x }, { name });
  const eager = await compileAny(fn, { state: {}, inputs: x }, { name, device: "eager:cpu" });
  const at = async (point: readonly NdArray[]) => (await program.run(point)) as Results;
  const here = await at(x);
  const reference = (await eager.run(x)) as Results;
  expectAllClose(here.gradient, reference.gradient, "gradient, eager", 1e-4);
  expectAllClose(here.curvature, reference.curvature, "second gradient, eager", 1e-3);

  const slopes = await differences(async (point) => weightedSum((await at(point)).y), x);
  expectAllClose(here.gradient, slopes, "gradient, differences", 2e-3);
  const second = await differences(async (point) => sumOfSquares((await at(point)).gradient), x);
  expectAllClose(here.curvature, second, "second gradient, differences", 5e-3);
  await program.dispose();
  await eager.dispose();
});

describe("gradients that stop", () => {
  const x = array([1, 2.5, -3]);

  test.each([
    ["stopGradient", (t: Tensor) => stopGradient(square(t))],
    ["floorDiv", (t: Tensor) => nn.cast(floorDiv(t, 2), "float32")],
  ])("%s passes none on", async (_name, fn) => {
    const program = await compileAny(
      (_state: object, { x: t }: { x: Tensor }) => [
        {},
        { gradient: grad((p: Tensor) => sum(mul(fn(p), p)))(t), value: fn(t) },
      ],
      { state: {}, inputs: { x } },
    );
    const { gradient, value } = (await program.run({ x })) as Record<string, NdArray>;
    expect([...gradient!.data]).toEqual([...value!.data]);
    await program.dispose();
  });
});
