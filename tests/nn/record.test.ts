// What is recorded for operands that only repeat others: the arithmetic before the repetition, which is less.

import { expect, test } from "vitest";
import { grad } from "../../nn/gradient.ts";
import type { Value } from "../../nn/graph.ts";
import { broadcastTo, concat, div, mean, mul, square, sum, type Tensor } from "../../nn/ops.ts";
import { record } from "../../nn/recording.ts";

const x = { shape: [6, 4], dtype: "float32" } as const;

/** The shapes that an op's nodes put out, of those that the outputs depend on. */
function shapesOf(op: string, body: (x: Tensor) => unknown): (readonly number[])[] {
  const f = (state: never, inputs: { x: Tensor }) => [state, body(inputs.x)] as const;
  const { outputs } = record(f as never, { state: {}, inputs: { x } }, "test");
  const seen = new Set<Value>();
  const visit = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    for (const input of value.node?.inputs ?? []) visit(input);
  };
  for (const { value } of outputs) visit(value);
  return [...seen].filter(({ node }) => node?.op === op).map(({ shape }) => shape);
}

test("a scalar factor of repeated rows is applied to one of them", () => {
  const body = (x: Tensor) => mul(div(broadcastTo(mean(x, 0), [6, 4]), 7), x);
  expect(shapesOf("Div", body)).toEqual([[4]]);
  expect(shapesOf("Expand", body)).toEqual([]); // products repeat by themselves
});

test("the gradient of a mean of squares doubles its smaller factor", () => {
  const body = (x: Tensor) => grad((x: Tensor) => sum(square(mean(square(x), 1))))(x);
  const large = shapesOf("Mul", body).filter((shape) => shape.length === 2 && shape[1] === 4);
  expect(large).toHaveLength(2); // the square, and its slope times what comes back
});

test("rows that are repeated alike are put side by side first", () => {
  const wide = (y: Tensor) => broadcastTo(y, [5, 6, 4]);
  const body = (x: Tensor) => concat([wide(x), wide(mul(x, x))], -1);
  expect(shapesOf("Concat", body)).toEqual([[6, 8]]);
});

test("rows of which one is repeated along the joined axis are not", () => {
  const body = (x: Tensor) =>
    concat([broadcastTo(mean(x, 1, true), [6, 4]), broadcastTo(x, [6, 4])], -1);
  expect(shapesOf("Concat", body)).toEqual([[6, 8]]);
});
