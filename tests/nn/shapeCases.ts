// A random call of every kernel that moves, cuts, joins or makes data, and of the gathers and scatters.

import * as tf from "#tensorflow";
import type { Tensor } from "../../nn/ops.ts";
import { array, sizeOf } from "../../nn/tree.ts";
import type { CaseTable } from "./elementwiseCases.ts";
import type { Draw } from "./support.ts";

const dtypes = ["float32", "float32", "int32", "bool"] as const;

const any = (draw: Draw, minRank = 0, maxRank = 4) =>
  draw.number(draw.shape(minRank, maxRank), draw.pick(dtypes));

/** Arrays of one element type that differ along one axis at most. */
function parts(draw: Draw, axis: number, shape: readonly number[]) {
  const dtype = draw.pick(dtypes);
  return Array.from({ length: draw.integer(1, 4) }, () => {
    const own = shape.map((size, i) => (i === axis ? draw.integer(0, 3) : size));
    return draw.number(own, dtype);
  });
}

export const shapeCases: CaseTable = {
  Reshape: (draw) => {
    const x = any(draw, 1);
    const [first, ...rest] = x.shape;
    const shape = draw.pick([
      [sizeOf(x.shape)],
      [...rest, first!],
      [1, ...x.shape, 1],
      ...(sizeOf(rest) > 0 ? [[-1, ...rest]] : []),
    ]);
    return { inputs: [x], fn: (t) => tf.reshape(t, shape) };
  },
  ExpandDims: (draw) => {
    const x = any(draw, 0, 3);
    const axis = draw.integer(-x.shape.length - 1, x.shape.length);
    return { inputs: [x], fn: (t) => tf.expandDims(t, axis) };
  },
  Transpose: (draw) => {
    const x = any(draw);
    const first = draw.permutation(x.shape.length);
    const second = draw.permutation(x.shape.length);
    return {
      inputs: [x],
      fn: (t) => [tf.transpose(t, first), tf.transpose(tf.transpose(t, first), second)],
    };
  },
  Tile: (draw) => {
    const x = any(draw, 1);
    const reps = x.shape.map(() => draw.integer(0, 3));
    return { inputs: [x], fn: (t) => tf.tile(t, reps) };
  },
  Concat: (draw) => {
    const shape = draw.shape(1, 4);
    const axis = draw.integer(0, shape.length - 1);
    const named = draw.boolean() ? axis : axis - shape.length;
    return { inputs: parts(draw, axis, shape), fn: (...x) => tf.concat(x, named) };
  },
  Pack: (draw) => {
    const shape = draw.shape(0, 3);
    const axis = draw.integer(-shape.length - 1, shape.length);
    return { inputs: parts(draw, -1, shape), fn: (...x) => tf.stack(x, axis) };
  },
  SplitV: (draw) => {
    const rest = draw.shape(0, 2);
    const position = draw.integer(0, rest.length);
    const sizes = [draw.integer(0, 2), draw.integer(0, 2), draw.integer(1, 2)];
    const shape = rest.toSpliced(position, 0, sizes[0]! + sizes[1]! + sizes[2]!);
    const axis = draw.boolean() ? position : position - shape.length;
    const wanted = draw.pick([sizes, [sizes[0]!, -1, sizes[2]!], shape[position]!]);
    return {
      inputs: [draw.number(shape, draw.pick(dtypes))],
      fn: (t) => tf.split(t, wanted, axis),
    };
  },
  Unpack: (draw) => {
    const x = draw.number(draw.shape(1, 4, false), draw.pick(dtypes));
    const axis = draw.axis(x.shape.length);
    return { inputs: [x], fn: (t) => tf.unstack(t, axis) };
  },
  Slice: (draw) => {
    const x = any(draw, 1);
    const begin = x.shape.map((size) => draw.integer(0, size));
    const size = x.shape.map((n, axis) =>
      draw.boolean() ? -1 : draw.integer(0, n - begin[axis]!),
    );
    return { inputs: [x], fn: (t) => tf.slice(t, begin, size) };
  },
  StridedSlice: (draw) => {
    const x = draw.number(draw.shape(1, 4, false), draw.pick(dtypes));
    const strides = x.shape.map(() => draw.pick([-3, -2, -1, 1, 1, 2, 3]));
    const index = (size: number) => draw.integer(-size - 1, size + 1);
    const begin = x.shape.map(index);
    const end = x.shape.map(index);
    const mask = () => draw.integer(0, 2 ** x.shape.length - 1);
    const [beginMask, endMask] = [mask(), mask()];
    return {
      inputs: [x],
      fn: (t) => tf.stridedSlice(t, begin, end, strides, beginMask, endMask),
    };
  },
  Reverse: (draw) => {
    const x = any(draw, 1);
    const axes = draw.axes(x.shape.length);
    return { inputs: [x], fn: (t) => tf.reverse(t, axes) };
  },
  PadV2: (draw) => {
    const x = draw.number(draw.shape(1, 4), draw.pick(["float32", "int32"]));
    const amounts = x.shape.map(() => [draw.integer(0, 2), draw.integer(0, 2)] as [number, number]);
    const value = draw.pick([0, 0, 2]);
    return { inputs: [x], fn: (t) => tf.pad(t, amounts, value) };
  },
  Fill: (draw) => {
    const shape = draw.shape();
    const dtype = draw.pick(["float32", "int32"] as const);
    return { inputs: [], fn: () => tf.fill(shape, 3, dtype) };
  },
  ZerosLike: (draw) => ({ inputs: [any(draw)], fn: tf.zerosLike }),
  OnesLike: (draw) => ({ inputs: [any(draw)], fn: tf.onesLike }),
  Range: (draw) => {
    const [start, stop] = [draw.integer(-5, 5), draw.integer(-5, 5)];
    const step = draw.pick([1, 2, 0.5]) * (stop < start ? -1 : 1);
    const dtype = Number.isInteger(step) ? draw.pick(["float32", "int32"] as const) : "float32";
    return { inputs: [], fn: () => tf.range(start, stop, step, dtype) };
  },
  LinSpace: (draw) => {
    const [start, stop, num] = [draw.integer(-5, 5), draw.integer(-5, 5), draw.integer(1, 6)];
    return { inputs: [], fn: () => tf.linspace(start, stop, num) };
  },

  OneHot: (draw) => {
    const indices = draw.int(draw.shape(0, 3), -1, 4);
    const [on, off] = draw.pick([
      [1, 0],
      [5, -2],
    ] as const);
    const dtype = draw.pick(["float32", "int32", "bool"] as const);
    const values = dtype === "bool" ? [1, 0] : [on, off];
    return { inputs: [indices], fn: (t) => tf.oneHot(t, 4, values[0], values[1], dtype) };
  },
  GatherV2: (draw) => {
    const x = draw.number(draw.shape(1, 4, false), draw.pick(dtypes));
    const axis = draw.integer(0, x.shape.length - 1);
    const batchDims = draw.integer(0, axis);
    const own = draw.shape(0, 2);
    const indices = draw.int([...x.shape.slice(0, batchDims), ...own], 0, x.shape[axis]! - 1);
    const named = draw.boolean() ? axis : axis - x.shape.length;
    return { inputs: [x, indices], fn: (t, i) => tf.gather(t, i!, named, batchDims) };
  },
  GatherNd: (draw) => {
    const x = draw.number(draw.shape(1, 4, false), draw.pick(dtypes));
    const depth = draw.integer(1, x.shape.length);
    const rows = draw.shape(0, 2);
    return { inputs: [x, positions(draw, rows, x.shape.slice(0, depth))], fn: tf.gatherND };
  },
  ScatterNd: (draw) => {
    const shape = draw.shape(1, 3, false);
    const depth = draw.integer(1, shape.length);
    const rows = draw.shape(1, 2);
    const dtype = draw.pick(["float32", "int32"] as const);
    const updates = draw.number([...rows, ...shape.slice(depth)], dtype);
    return {
      inputs: [positions(draw, rows, shape.slice(0, depth)), updates],
      fn: (i, u) => tf.scatterND(i, u!, shape),
    };
  },
  UnsortedSegmentSum: (draw) => {
    const x = draw.real(draw.shape(1, 3)); // of int32 TensorFlow.js makes float32, we int32
    const ids = draw.int([x.shape[0]!], -1, 3);
    return {
      inputs: [x, ids],
      fn: (t: Tensor, i: Tensor) => tf.unsortedSegmentSum(t, i as tf.Tensor1D, 4),
    };
  },
};

/** Index rows [...rows, depth] into the leading axes of a shape. */
function positions(draw: Draw, rows: readonly number[], sizes: readonly number[]) {
  const shape = [...rows, sizes.length];
  const values = Array.from({ length: sizeOf(shape) }, (_, i) =>
    draw.integer(0, sizes[i % sizes.length]! - 1),
  );
  return array(values, shape, "int32");
}
