// Kernels that move, cut, join or make data, and the gathers and scatters.

import { slice_util } from "#tensorflow";
import { fillOf, type Graph, type Value } from "../graph.ts";
import { narrowed } from "../narrow.ts";
import { binary, broadcastTo, cast, matMul, reshape, shapeConstant, transpose } from "../record.ts";
import { allocate, type DType, sizeOf } from "../tree.ts";
import { axesOf, axisOf, type Kernels, operands } from "./kernel.ts";

export const shapeKernels: Kernels = {
  Reshape: ({ g, inputs, attributes }) => {
    const x = inputs["x"]!;
    return reshape(g, x, inferShape(attributes["shape"] as number[], sizeOf(x.shape)));
  },
  ExpandDims: ({ g, inputs, attributes }) => {
    const x = inputs["input"]!;
    const dim = Number(attributes["dim"]);
    const shape = [...x.shape];
    shape.splice(dim < 0 ? x.shape.length + dim + 1 : dim, 0, 1);
    return reshape(g, x, shape);
  },
  Transpose: ({ g, inputs, attributes }) =>
    transpose(g, inputs["x"]!, attributes["perm"] as number[]),
  Tile: ({ g, inputs, attributes }) => tile(g, inputs["x"]!, attributes["reps"] as number[]),
  Concat: ({ g, inputs, attributes }) => {
    const parts = operands(inputs);
    return concat(g, parts, axisOf(attributes["axis"], parts[0]!.shape.length));
  },
  Pack: ({ g, inputs, attributes }) => {
    const parts = operands(inputs);
    const axis = axisOf(attributes["axis"], parts[0]!.shape.length + 1);
    const expanded = parts.map((part) =>
      reshape(g, part, [...part.shape.slice(0, axis), 1, ...part.shape.slice(axis)]),
    );
    return concat(g, expanded, axis);
  },
  SplitV: ({ g, inputs, attributes }) => {
    const x = inputs["x"]!;
    const axis = axisOf(attributes["axis"], x.shape.length);
    return split(g, x, axis, splitSizes(attributes["numOrSizeSplits"], x.shape[axis]!));
  },
  Unpack: ({ g, inputs, attributes }) => {
    const x = inputs["value"]!;
    const axis = axisOf(attributes["axis"], x.shape.length);
    const shape = x.shape.filter((_, i) => i !== axis);
    const sizes = new Array<number>(x.shape[axis]!).fill(1);
    return split(g, x, axis, sizes).map((part) => reshape(g, part, shape));
  },
  Slice: ({ g, inputs, attributes }) => {
    const x = inputs["x"]!;
    const [begin, size] = slice_util.parseSliceParams(
      { shape: [...x.shape] } as never,
      attributes["begin"] as number[],
      attributes["size"] as number[],
    ) as [number[], number[]];
    return slice(g, x, begin, size);
  },
  StridedSlice: ({ g, inputs, attributes }) => {
    const x = inputs["x"]!;
    const info = slice_util.sliceInfo(
      [...x.shape],
      attributes["begin"] as number[],
      attributes["end"] as number[],
      attributes["strides"] as number[],
      attributes["beginMask"] as number,
      attributes["endMask"] as number,
      attributes["ellipsisMask"] as number,
      attributes["newAxisMask"] as number,
      attributes["shrinkAxisMask"] as number,
    );
    if (info.isIdentity) return reshape(g, x, info.finalShape);
    const cut = slice(g, x, info.begin, info.finalShapeSparse, info.strides);
    return reshape(g, cut, info.finalShape);
  },
  Reverse: ({ g, inputs, attributes }) => {
    const x = inputs["x"]!;
    const axes = axesOf(attributes["dims"], x.shape);
    const reversed = (axis: number) => axes.includes(axis) && x.shape[axis]! > 1;
    const begin = x.shape.map((size, axis) => (reversed(axis) ? size - 1 : 0));
    const strides = x.shape.map((_, axis) => (reversed(axis) ? -1 : 1));
    return slice(g, x, begin, x.shape, strides);
  },
  PadV2: ({ g, inputs, attributes }) => {
    const paddings = attributes["paddings"] as [number, number][];
    return pad(g, inputs["x"]!, paddings, Number(attributes["constantValue"] ?? 0));
  },
  Fill: ({ g, attributes }) => {
    const value = Number(attributes["value"]);
    const dtype = (attributes["dtype"] ?? "float32") as DType;
    return g.constant(allocate(dtype, [value]), attributes["shape"] as number[], dtype);
  },
  ZerosLike: ({ g, inputs }) => {
    const x = inputs["x"]!;
    return g.constant(allocate(x.dtype, [0]), x.shape, x.dtype);
  },
  OnesLike: ({ g, inputs }) => {
    const x = inputs["x"]!;
    return g.constant(allocate(x.dtype, [1]), x.shape, x.dtype);
  },
  Range: ({ g, attributes }) => {
    const [start, stop, step] = ["start", "stop", "step"].map((name) => Number(attributes[name]));
    const dtype = (attributes["dtype"] ?? "float32") as DType;
    const length = Math.max(0, Math.ceil((stop! - start!) / step!));
    const values = Array.from({ length }, (_, i) => start! + i * step!);
    return g.constant(allocate(dtype, values), [length], dtype);
  },
  LinSpace: ({ g, attributes }) => {
    const [start, stop, num] = ["start", "stop", "num"].map((name) => Number(attributes[name]));
    const step = num === 1 ? 0 : (stop! - start!) / (num! - 1);
    const values = Array.from({ length: num! }, (_, i) => start! + i * step);
    return g.constant(allocate("float32", values), [num!], "float32");
  },

  OneHot: ({ g, inputs, attributes }) => {
    const on = Number(attributes["onValue"] ?? 1);
    const off = Number(attributes["offValue"] ?? 0);
    const hot = cast(g, oneHot(g, inputs["indices"]!, Number(attributes["depth"])), "float32");
    const scaled = binary(g, "Mul", hot, g.scalar(on - off));
    return cast(g, binary(g, "Add", scaled, g.scalar(off)), attributes["dtype"] as DType);
  },
  GatherV2: ({ g, inputs, attributes }) => {
    const x = inputs["x"]!;
    const batchDims = Number(attributes["batchDims"] ?? 0);
    return gather(g, x, inputs["indices"]!, axisOf(attributes["axis"], x.shape.length), batchDims);
  },
  GatherNd: ({ g, inputs }) => {
    const x = inputs["params"]!;
    const indices = inputs["indices"]!;
    const depth = indices.shape.at(-1)!;
    const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
    return g.emit("GatherND", [x, indices], shape, x.dtype);
  },
  ScatterNd: ({ g, inputs, attributes }) => {
    const updates = inputs["updates"]!;
    const shape = attributes["shape"] as number[];
    const base = g.constant(allocate(updates.dtype, [0]), shape, updates.dtype);
    if (sizeOf(updates.shape) === 0) return base;
    return g.emit("ScatterND", [base, inputs["indices"]!, updates], shape, updates.dtype, {
      reduction: "add",
    });
  },
  UnsortedSegmentSum: ({ g, inputs, attributes }) =>
    segmentSum(g, inputs["x"]!, inputs["segmentIds"]!, Number(attributes["numSegments"])),
};

function inferShape(shape: readonly number[], size: number): number[] {
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  return shape.map((n) => (n === -1 ? size / known : n));
}

function tile(g: Graph, x: Value, reps: readonly number[]): Value {
  if (reps.every((count) => count === 1)) return x;
  const shape = x.shape.map((size, axis) => size * reps[axis]!);
  if (x.shape.every((size, axis) => size === 1 || reps[axis] === 1))
    return broadcastTo(g, x, shape);
  return g.emit("Tile", [x, shapeConstant(g, reps)], shape, x.dtype);
}

function concat(g: Graph, parts: readonly Value[], axis: number): Value {
  const total = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  const shape = parts[0]!.shape.map((size, i) => (i === axis ? total : size));
  const filled = parts.filter((part) => sizeOf(part.shape) > 0);
  if (filled.length === 1) return filled[0]!;
  const early = concatBeforeBroadcast(g, filled, axis);
  if (early !== undefined) return broadcastTo(g, early, shape);
  return g.emit("Concat", filled, shape, parts[0]!.dtype, { axis });
}

/** Where all parts repeat in the same way along other axes: what they repeat, side by side. */
function concatBeforeBroadcast(g: Graph, parts: readonly Value[], axis: number): Value | undefined {
  if (parts.length < 2 || parts.some(({ node }) => node?.op !== "Expand")) return undefined;
  const sources = parts.map(({ node }) => node!.inputs[0]!);
  const [{ shape: first }] = sources as [Value];
  const own = axis - parts[0]!.shape.length + first.length;
  const alike = sources.every(
    ({ shape }, i) =>
      shape[own] === parts[i]!.shape[axis] &&
      shape.length === first.length &&
      shape.every((size, j) => j === own || size === first[j]),
  );
  return alike ? concat(g, sources, own) : undefined;
}

function splitSizes(numOrSizes: unknown, total: number): number[] {
  if (typeof numOrSizes === "number") {
    return new Array<number>(numOrSizes).fill(total / numOrSizes);
  }
  const sizes = numOrSizes as number[];
  const known = sizes.reduce((sum, size) => sum + Math.max(0, size), 0);
  return sizes.map((size) => (size === -1 ? total - known : size));
}

function split(g: Graph, x: Value, axis: number, sizes: readonly number[]): Value[] {
  if (sizes.length === 1) return [x];
  const shapes = sizes.map((size) => x.shape.map((n, i) => (i === axis ? size : n)));
  if (sizeOf(x.shape) === 0 || sizes.includes(0)) {
    let start = 0;
    return shapes.map((shape) => {
      const begin = x.shape.map((_, i) => (i === axis ? start : 0));
      start += shape[axis]!;
      return slice(g, x, begin, shape);
    });
  }
  if (axis === x.shape.length - 1) {
    let start = 0;
    const parts = sizes.map((size) => {
      start += size;
      return narrowed(g, x, start - size, size);
    });
    if (parts.every((part) => part !== undefined)) return parts;
  }
  const outputs = shapes.map((shape) => ({ shape, dtype: x.dtype }));
  return g.emitMany("Split", [x, shapeConstant(g, sizes)], outputs, { axis });
}

/** `shape[i]` elements along axis i: the one at `begin[i]` and then every `strides[i]`-th. */
export function slice(
  g: Graph,
  x: Value,
  begin: readonly number[],
  shape: readonly number[],
  strides: readonly number[] = begin.map(() => 1),
): Value {
  const cut = begin.flatMap((_, axis) =>
    strides[axis] === 1 && shape[axis] === x.shape[axis] ? [] : [axis],
  );
  if (cut.length === 0) return x;
  if (fillOf(x) !== undefined) return g.constant(x.data!, shape, x.dtype);
  const end = begin.map((start, axis) => {
    const stop = start + shape[axis]! * strides[axis]!;
    return stop < 0 ? -x.shape[axis]! - 1 : stop; // ONNX counts −1 from the far end
  });
  const operand = (values: readonly number[]) => shapeConstant(g, pick(values, cut));
  const inputs = [x, operand(begin), operand(end), shapeConstant(g, cut)];
  if (cut.some((axis) => strides[axis] !== 1)) inputs.push(operand(strides));
  return g.emit("Slice", inputs, shape, x.dtype);
}

function pick(values: readonly number[], axes: readonly number[]): number[] {
  return axes.map((axis) => values[axis]!);
}

function pad(
  g: Graph,
  x: Value,
  paddings: readonly (readonly [number, number])[],
  value: number,
): Value {
  const shape = x.shape.map((size, axis) => size + paddings[axis]![0] + paddings[axis]![1]);
  if (sizeOf(x.shape) === 0) return g.constant(allocate(x.dtype, [value]), shape, x.dtype);
  if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
  const amounts = [...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)];
  return g.emit("Pad", [x, shapeConstant(g, amounts), g.scalar(value, x.dtype)], shape, x.dtype);
}

/** [..., depth] of bools, true where the index equals the position. */
function oneHot(g: Graph, indices: Value, depth: number): Value {
  const positions = Int32Array.from({ length: depth }, (_, i) => i);
  const column = reshape(g, cast(g, indices, "int32"), [...indices.shape, 1]);
  return binary(g, "Equal", column, g.constant(positions, [depth], "int32"), "bool");
}

/** Rows of x along an axis; the leading `batchDims` axes of x and indices go together. */
function gather(g: Graph, x: Value, indices: Value, axis: number, batchDims: number): Value {
  const whole = cast(g, indices, "int32");
  const shape = [
    ...x.shape.slice(0, axis),
    ...indices.shape.slice(batchDims),
    ...x.shape.slice(axis + 1),
  ];
  if (batchDims === 0) return g.emit("Gather", [x, whole], shape, x.dtype, { axis });
  const rows = reshape(g, whole, [...indices.shape, 1]);
  const order = range(0, x.shape.length).toSpliced(axis, 1).toSpliced(batchDims, 0, axis);
  const taken = [...indices.shape, ...pick(x.shape, order).slice(batchDims + 1)];
  const y = g.emit("GatherND", [transpose(g, x, order), rows], taken, x.dtype, {
    batch_dims: batchDims,
  });
  const outer = range(indices.shape.length, indices.shape.length + axis - batchDims);
  const inner = range(indices.shape.length + axis - batchDims, taken.length);
  const own = range(batchDims, indices.shape.length);
  return transpose(g, y, [...range(0, batchDims), ...outer, ...own, ...inner]);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Rows summed by their id, as a product with one-hot rows: deterministic on every engine. */
function segmentSum(g: Graph, x: Value, ids: Value, numSegments: number): Value {
  const rows = sizeOf(ids.shape);
  const rest = x.shape.slice(ids.shape.length);
  const shape = [numSegments, ...rest];
  if (sizeOf(x.shape) === 0) return g.constant(allocate(x.dtype, [0]), shape, x.dtype);
  const hot = cast(g, oneHot(g, reshape(g, ids, [rows]), numSegments), "float32");
  const values = reshape(g, cast(g, x, "float32"), [rows, sizeOf(rest)]);
  return cast(g, reshape(g, matMul(g, hot, values, true, false), shape), x.dtype);
}
