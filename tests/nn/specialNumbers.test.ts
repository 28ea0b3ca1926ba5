// NaN, infinities, ties and element types: what docs/programs.md promises under "Where NaN goes".

import { describe, expect, test } from "vitest";
import type * as tf from "#tensorflow";
import type { Tensor } from "../../nn/ops.ts";
import * as nn from "../../nn/ops.ts";
import { array, type NdArray } from "../../nn/tree.ts";
import { type Case, compileAny, draws, expectEqualToEager } from "./support.ts";

const unary: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  ...{ abs: nn.abs, neg: nn.neg, ceil: nn.ceil, floor: nn.floor, round: nn.round, exp: nn.exp },
  ...{ log: nn.log, log1p: nn.log1p, expm1: nn.expm1, sqrt: nn.sqrt, rsqrt: nn.rsqrt },
  ...{ reciprocal: nn.reciprocal, relu: nn.relu, relu6: nn.relu6, elu: nn.elu, selu: nn.selu },
  ...{ softplus: nn.softplus, sigmoid: nn.sigmoid, tanh: nn.tanh, step: nn.step, erf: nn.erf },
  ...{ square: nn.square, atan: nn.atan, isNaN: nn.isNaN, isInf: nn.isInf },
  leakyRelu: (x: Tensor) => nn.leakyRelu(x, 0.1),
  clipByValue: (x: Tensor) => nn.clipByValue(x, -1, 1),
  sum: (x: Tensor) => nn.sum(x, -1),
  mean: (x: Tensor) => nn.mean(x, -1),
  prod: (x: Tensor) => nn.prod(nn.clipByValue(x, -1, 1), -1),
  cumsum: (x: Tensor) => nn.cumsum(x, -1),
  softmax: (x: Tensor) => nn.softmax(x),
};

const binary: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
  ...{ add: nn.add, sub: nn.sub, mul: nn.mul, div: nn.div, maximum: nn.maximum },
  ...{ minimum: nn.minimum, equal: nn.equal, notEqual: nn.notEqual, less: nn.less },
  ...{ greaterEqual: nn.greaterEqual, squaredDifference: nn.squaredDifference },
  where: (a: Tensor, b: Tensor) => nn.where(nn.greater(a, 0), a, b),
  divNoNan: nn.divNoNan,
};

describe("NaN and infinities go where TensorFlow.js lets them go", () => {
  test.each(Object.entries(unary))("%s", async (name, fn) => {
    const inputs = draws((draw) => draw.special([3, draw.integer(1, 19)]), 6);
    await expectEqualToEager(
      name,
      inputs.map((x): Case => ({ inputs: [x], fn })),
    );
  });

  test.each(Object.entries(binary))("%s", async (name, fn) => {
    const inputs = draws((draw) => [draw.special([4, 17]), draw.special([17])], 6);
    await expectEqualToEager(
      name,
      inputs.map((pair): Case => ({ inputs: pair, fn: (a, b) => fn(a, b!) })),
    );
  });
});

/** The compiled result's elements. */
async function values(fn: (...x: Tensor[]) => Tensor, ...inputs: NdArray[]): Promise<number[]> {
  const program = await compileAny((_state: object, x: Tensor[]) => [{}, fn(...x)], {
    state: {},
    inputs,
  });
  const { data } = (await program.run(inputs)) as NdArray;
  await program.dispose();
  return [...data];
}

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

describe("where a program differs from TensorFlow.js op by op", () => {
  test("sign of NaN is NaN", async () => {
    expect(await values(nn.sign, array([nan, -2, 0, 3]))).toEqual([nan, -1, 0, 1]);
  });

  test("max and min along an axis may step over NaN, but make up no number", async () => {
    const rows = draws((draw) => draw.real([40]), 8).map(({ data }) => [...data]);
    rows.forEach((row, i) => {
      row[5 * i] = nan;
    });
    const x = array(rows.flat(), [8, 40]);
    const [greatest, least] = [
      await values((t) => nn.max(t, 1), x),
      await values((t) => nn.min(t, 1), x),
    ];
    rows.forEach((row, i) => {
      const numbers = row.filter((value) => !Number.isNaN(value));
      expect(Number.isNaN(greatest[i]) || greatest[i] === Math.max(...numbers)).toBe(true);
      expect(Number.isNaN(least[i]) || least[i] === Math.min(...numbers)).toBe(true);
    });
  });

  test("what does not fit int32 becomes the least int32", async () => {
    const x = array([nan, infinity, -infinity, 3e38, 2.9, -2.9]);
    const least = -(2 ** 31);
    expect(await values((t) => nn.cast(t, "int32"), x)).toEqual([
      least,
      least,
      least,
      least,
      2,
      -2,
    ]);
  });

  test("1 to the power of anything is 1", async () => {
    expect(await values((t) => nn.pow(1, t), array([nan, infinity, 2]))).toEqual([1, 1, 1]);
  });

  test("numbers below 2^-126 count as zero", async () => {
    const x = array([1e-40, -1e-40, 2e-38]);
    expect(await values((t) => nn.mul(t, 1e3), x)).toEqual([0, -0, Math.fround(2e-35)]);
    expect(await values((t) => nn.step(t), x)).toEqual([0, 0, 1]);
  });

  test("atan2 ignores the sign of zeros and is NaN of two infinities", async () => {
    const y = array([0, -0, -0, 2, -2, infinity]);
    const x = array([-0, -0, -1, -0, -0, infinity]);
    const expected = [0, 0, Math.PI, Math.PI / 2, -Math.PI / 2, nan];
    expect(await values((a, b) => nn.atan2(a!, b!), y, x)).toEqual(expected.map(Math.fround));
  });

  test("NaN in one row of a segment sum or a gather's gradient reaches every row", async () => {
    const ids = nn.tensor;
    const sums = await values(
      (t) => nn.unsortedSegmentSum(t, ids([0, 1, 1], [3], "int32") as tf.Tensor1D, 3),
      array([1, nan, 2]),
    );
    expect(sums).toEqual([nan, nan, nan]);
  });

  test("over no elements max is −∞, min ∞ and all true", async () => {
    const none = array([], [1, 0]);
    expect(await values((t) => nn.max(t, 1), none)).toEqual([-infinity]);
    expect(await values((t) => nn.min(t, 1), none)).toEqual([infinity]);
    expect(await values((t) => nn.all(nn.greater(t, 0), 1), none)).toEqual([1]);
  });

  test("whole division by zero is no crash", async () => {
    const [a, b] = [array([7, -7], [2], "int32"), array([0, 2], [2], "int32")];
    expect((await values((p, q) => nn.floorDiv(p!, q!), a, b))[1]).toBe(-4);
    expect((await values((p, q) => nn.mod(p!, q!), a, b))[1]).toBe(1);
  });

  test("gather counts negative indices from the end and refuses those beyond", async () => {
    const take = (i: number) =>
      values((x, at) => nn.gather(x!, at!), array([5, 6, 7]), array([i], [1], "int32"));
    expect(await take(-1)).toEqual([7]);
    await expect(take(3)).rejects.toThrow(/[Gg]ather/);
  });
});

describe("element types and ties", () => {
  test("sums of bools are int32", async () => {
    const mask = (t: Tensor) => nn.greater(t, 0);
    const program = await compileAny(
      (_state: object, t: Tensor) => [
        {},
        [nn.sum(mask(t)), nn.mean(mask(t)), nn.prod(mask(t)), nn.max(mask(t)), nn.cumsum(mask(t))],
      ],
      { state: {}, inputs: array([1, -1, 2, 3]) },
    );
    const results = (await program.run(array([1, -1, 2, 3]))) as NdArray[];
    expect(results.map(({ dtype, data }) => [dtype, ...data])).toEqual([
      ["int32", 3],
      ["float32", 0.75],
      ["int32", 0],
      ["bool", 1],
      ["int32", 1, 1, 2, 3],
    ]);
    await program.dispose();
  });

  test("argMax, argMin and topk name the first of equal elements", async () => {
    const x = array([2, 5, 1, 5, 1, 5], [1, 6]);
    expect(await values((t) => nn.argMax(t, 1), x)).toEqual([1]);
    expect(await values((t) => nn.argMin(t, 1), x)).toEqual([2]);
    expect(await values((t) => nn.topk(t, 4).indices, x)).toEqual([1, 3, 5, 0]);
    expect(await values((t) => nn.topk(t, 4).values, x)).toEqual([5, 5, 5, 2]);
    expect(await values(nn.sort, x)).toEqual([1, 1, 2, 5, 5, 5]);
  });

  test("scans run either way and may leave out the element itself", async () => {
    const x = array([1, 2, 3, 4]);
    expect(await values((t) => nn.cumsum(t, 0, true), x)).toEqual([0, 1, 3, 6]);
    expect(await values((t) => nn.cumsum(t, -1, false, true), x)).toEqual([10, 9, 7, 4]);
    expect(await values((t) => nn.cumprod(t), x)).toEqual([1, 2, 6, 24]);
    expect(await values((t) => nn.cumprod(t, -1, true, true), x)).toEqual([24, 12, 4, 1]);
  });

  test("mirrored borders leave out or repeat the outermost element", async () => {
    const x = array([1, 2, 3]);
    expect(await values((t) => nn.mirrorPad(t, [[2, 1]], "reflect"), x)).toEqual([
      3, 2, 1, 2, 3, 2,
    ]);
    expect(await values((t) => nn.mirrorPad(t, [[2, 1]], "symmetric"), x)).toEqual([
      2, 1, 1, 2, 3, 3,
    ]);
  });
});
