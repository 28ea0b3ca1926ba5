// Reductions along axes, cumulative sums and products, softmax, and the order statistics.

import type { Graph, Value } from "../graph.ts";
import { cast, reshape, shapeConstant } from "../record.ts";
import { allocate, type DType, sizeOf } from "../tree.ts";
import { axesOf, axisOf, type Kernel, type Kernels } from "./kernel.ts";

const reduction =
  (op: string, empty: number, axisName = "axis"): Kernel =>
  ({ g, inputs, attributes }) =>
    reduce(g, op, inputs["x"]!, axesOf(attributes[axisName], inputs["x"]!.shape), {
      keepDims: attributes["keepDims"] === true,
      empty,
    });

/** Truth of all or any: the least or greatest of 0s and 1s. */
const truth =
  (op: string, empty: number): Kernel =>
  ({ g, inputs, attributes }) => {
    const x = cast(g, inputs["x"]!, "int32");
    const keepDims = attributes["keepDims"] === true;
    const axes = axesOf(attributes["axis"], x.shape);
    return cast(g, reduce(g, op, x, axes, { keepDims, empty }), "bool");
  };

/** Greatest or least element, of the input's type. */
const extreme =
  (op: string, empty: number, axisName: string): Kernel =>
  (call) => {
    const { dtype } = call.inputs["x"]!;
    return cast(call.g, reduction(op, empty, axisName)(call) as Value, dtype);
  };

const position =
  (op: string): Kernel =>
  ({ g, inputs, attributes }) => {
    const x = numeric(g, inputs["x"]!);
    const axis = axesOf(attributes["axis"], x.shape)[0]!;
    const shape = x.shape.filter((_, i) => i !== axis);
    if (x.shape[axis] === 0) return g.constant(allocate("int32", [0]), shape, "int32");
    return g.emit(op, [x], shape, "int32", { axis, keepdims: 0 });
  };

export const reductions: Kernels = {
  Sum: reduction("ReduceSum", 0),
  Mean: ({ g, inputs, attributes }) =>
    reduction(
      "ReduceMean",
      Number.NaN,
    )({
      g,
      inputs: { x: cast(g, inputs["x"]!, "float32") },
      attributes,
    }),
  Prod: reduction("ReduceProd", 1),
  Max: extreme("ReduceMax", Number.NEGATIVE_INFINITY, "reductionIndices"),
  Min: extreme("ReduceMin", Number.POSITIVE_INFINITY, "axis"),
  All: truth("ReduceMin", 1),
  Any: truth("ReduceMax", 0),
  ArgMax: position("ArgMax"),
  ArgMin: position("ArgMin"),
  Softmax: ({ g, inputs, attributes }) => {
    const x = inputs["logits"]!;
    return g.emit("Softmax", [x], x.shape, x.dtype, {
      axis: axisOf(attributes["dim"], x.shape.length),
    });
  },
  Cumsum: ({ g, inputs, attributes }) => {
    const x = numeric(g, inputs["x"]!);
    const axis = g.scalar(axisOf(attributes["axis"], x.shape.length), "int32");
    return g.emit("CumSum", [x, axis], x.shape, x.dtype, {
      exclusive: Number(attributes["exclusive"] === true),
      reverse: Number(attributes["reverse"] === true),
    });
  },
  TopK: ({ g, inputs, attributes }) => {
    const x = inputs["x"]!;
    const k = Number(attributes["k"]);
    const shape = [...x.shape.slice(0, -1), k];
    return g.emitMany(
      "TopK",
      [x, shapeConstant(g, [k])],
      [
        { shape, dtype: x.dtype },
        { shape, dtype: "int32" },
      ],
      { axis: x.shape.length - 1, sorted: 1 },
    );
  },
};

/** Truths as the numbers 0 and 1. */
function numeric(g: Graph, x: Value): Value {
  return x.dtype === "bool" ? cast(g, x, "int32") : x;
}

interface ReduceOptions {
  readonly keepDims: boolean;
  /** The result over no elements. */
  readonly empty: number;
}

/** Reduction over `axes`; over axes of size 1 or none at all it is a reshape. */
export function reduce(
  g: Graph,
  op: string,
  x: Value,
  axes: readonly number[],
  { keepDims, empty }: ReduceOptions,
): Value {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const shape = keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
  const dtype: DType = x.dtype === "bool" ? "int32" : x.dtype;
  if (sizeOf(x.shape) === 0) {
    return g.constant(allocate(dtype, [empty]), shape, dtype);
  }
  if (axes.every((axis) => x.shape[axis] === 1)) return reshape(g, cast(g, x, dtype), shape);
  const fill = x.data?.length === 1 ? x.data[0] : undefined;
  if (fill !== undefined && (op === "ReduceMax" || op === "ReduceMin" || op === "ReduceMean")) {
    return g.constant(x.data!, shape, dtype);
  }
  if (fill !== undefined && op === "ReduceSum" && dtype === "float32") {
    const count = sizeOf(x.shape) / sizeOf(kept);
    return g.constant(allocate(dtype, [fill * count]), shape, dtype);
  }
  return g.emit(op, [cast(g, x, dtype), shapeConstant(g, axes)], shape, dtype, {
    keepdims: Number(keepDims),
  });
}
