// A random call of every reduction, scan, order statistic, product and convolution.

import * as tf from "#tensorflow";
import type { Tensor } from "../../nn/ops.ts";
import type { DType } from "../../nn/tree.ts";
import type { CaseTable } from "./elementwiseCases.ts";
import type { Case, Draw } from "./support.ts";

type Reduce = (x: Tensor, axis?: number | number[], keepDims?: boolean) => Tensor;

const reduction =
  (fn: Reduce, dtypes: readonly DType[], high = 3, empty = true) =>
  (draw: Draw): Case => {
    const shape = draw.shape(0, 4, empty);
    const dtype = draw.pick(dtypes);
    const x = dtype === "float32" ? draw.real(shape, -3, high) : draw.number(shape, dtype);
    const axes = draw.pick([
      undefined,
      draw.axes(shape.length),
      ...(shape.length > 0 ? [draw.axis(shape.length)] : []),
    ]);
    const keepDims = draw.boolean();
    return { inputs: [x], fn: (t) => fn(t, axes, keepDims) };
  };

const all: DType[] = ["float32", "int32", "bool"];

const position =
  (fn: (x: Tensor, axis?: number) => Tensor) =>
  (draw: Draw): Case => {
    const shape = draw.shape(1, 4);
    const axis = draw.axis(shape.length);
    return { inputs: [draw.number(shape, draw.pick(all))], fn: (x) => fn(x, axis) };
  };

const scan =
  (fn: (x: Tensor, axis: number, exclusive: boolean, reverse: boolean) => Tensor) =>
  (draw: Draw): Case => {
    const shape = draw.shape(1, 4);
    const axis = draw.integer(0, shape.length - 1);
    const [exclusive, reverse] = [draw.boolean(), draw.boolean()];
    return {
      inputs: [draw.number(shape, draw.pick(all))],
      fn: (x) => fn(x, axis, exclusive, reverse),
    };
  };

type Padding = "same" | "valid" | number;

/** Sizes, strides and padding of a convolution whose filter fits. */
function convolution(draw: Draw) {
  const filter = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
  const dilation = draw.pick([1, 1, 1, 2]);
  const extent = (size: number) => (size - 1) * dilation + 1;
  const size = (axis: number) => extent(filter[axis]!) + draw.integer(0, 5);
  const strides = dilation > 1 ? [1, 1] : [draw.integer(1, 3), draw.integer(1, 3)];
  const square = strides[0] === strides[1] && filter[0] === filter[1];
  return {
    x: draw.real([draw.integer(1, 2), size(0), size(1), filter[2]!]),
    filter: draw.real(filter),
    strides: strides as [number, number],
    padding: draw.pick<"same" | "valid" | number>(square ? [0, 1] : ["same", "valid"]),
    dilation,
  };
}

export const reduceCases: CaseTable = {
  Sum: reduction(tf.sum, all),
  Mean: reduction(tf.mean, all, 3, false),
  Prod: reduction(tf.prod, all),
  // Over no elements at all TensorFlow.js' max and min are NaN and all is false; ours −∞, ∞ and true.
  Max: reduction(tf.max, all, 3, false),
  Min: reduction(tf.min, all, 3, false),
  All: reduction(tf.all, ["bool"], 3, false),
  Any: reduction(tf.any, ["bool"]),
  ArgMax: position(tf.argMax),
  ArgMin: position(tf.argMin),
  Softmax: (draw) => ({ inputs: [draw.real(draw.shape(1, 4), -30, 30)], fn: (x) => tf.softmax(x) }),
  Cumsum: scan(tf.cumsum),
  TopK: (draw) => {
    const shape = draw.shape(1, 3, false);
    const k = draw.integer(0, shape.at(-1)!);
    const x = draw.number(shape, draw.pick(["float32", "int32"]));
    return {
      inputs: [x],
      fn: (t) => {
        const { values, indices } = tf.topk(t, k);
        return [values, indices];
      },
    };
  },

  BatchMatMul: (draw) => {
    const [m, k, n] = [draw.integer(0, 4), draw.integer(0, 4), draw.integer(0, 4)];
    const [transA, transB] = [draw.boolean(), draw.boolean()];
    const batch = draw.shape(0, 2);
    const other = draw.broadcastable(batch);
    const [left, right] = draw.boolean() ? [batch, other] : [other, batch];
    const dtype = draw.pick(["float32", "float32", "int32"] as const);
    return {
      inputs: [
        draw.number([...left, ...(transA ? [k, m] : [m, k])], dtype),
        draw.number([...right, ...(transB ? [n, k] : [k, n])], dtype),
      ],
      fn: (a, b) => tf.matMul(a, b!, transA, transB),
    };
  },
  Conv2D: (draw) => {
    const { x, filter, strides, padding, dilation } = convolution(draw);
    return {
      inputs: [x, filter],
      fn: (t, w) =>
        tf.conv2d(t as tf.Tensor4D, w as tf.Tensor4D, strides, padding, "NHWC", dilation),
    };
  },
  Conv2DBackpropInput: (draw) => {
    const { x, filter, strides, padding } = convolution(draw);
    return {
      inputs: [x, filter],
      fn: (t, w) => gradientOf(t, w!, strides, padding)[0]!,
      tolerance: 1e-4,
    };
  },
  Conv2DBackpropFilter: (draw) => {
    const { x, filter, strides, padding } = convolution(draw);
    return {
      inputs: [x, filter],
      fn: (t, w) => gradientOf(t, w!, strides, padding)[1]!,
      tolerance: 1e-4,
    };
  },
};

function gradientOf(
  x: Tensor,
  filter: Tensor,
  strides: [number, number],
  padding: Padding,
): Tensor[] {
  return tf.grads((t: tf.Tensor, w: tf.Tensor) =>
    tf.square(tf.conv2d(t as tf.Tensor4D, w as tf.Tensor4D, strides, padding)),
  )([x, filter]);
}
