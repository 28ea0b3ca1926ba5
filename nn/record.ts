// Recording with peepholes: what a kernel asks for is written down in its cheapest equal form.
//
// The gradients of TensorFlow.js multiply by ones to broadcast, reshape to the same shape and cast to
// the same type; these disappear here, before they become nodes.

import {
  type Attributes,
  constantData,
  fillOf,
  type Graph,
  type Node,
  type Value,
} from "./graph.ts";
import { allocate, type DType, sizeOf } from "./tree.ts";

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Shape of an elementwise result; NumPy's rule. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

const fold: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

/** `a op b` elementwise with broadcasting; comparisons pass dtype "bool". */
export function binary(g: Graph, op: string, a: Value, b: Value, dtype: DType = a.dtype): Value {
  const shape = broadcastShape(a.shape, b.shape);
  const x = fillOf(a);
  const y = fillOf(b);
  const folded = fold[op];
  if (x !== undefined && y !== undefined && folded !== undefined && dtype === "float32") {
    return g.constant(allocate(dtype, [folded(x, y)]), shape, dtype);
  }
  if (dtype === a.dtype) {
    if ((op === "Add" && y === 0) || (op === "Sub" && y === 0)) return broadcastTo(g, a, shape);
    if ((op === "Mul" || op === "Div") && y === 1) return broadcastTo(g, a, shape);
    if ((op === "Add" && x === 0) || (op === "Mul" && x === 1)) return broadcastTo(g, b, shape);
    if (op === "Mul" && dtype === "float32" && y === -1) {
      return broadcastTo(g, unary(g, "Neg", a), shape);
    }
  }
  const early = beforeBroadcast(g, op, a, b, dtype, shape) ?? doublesSmaller(g, op, a, b, shape);
  if (early !== undefined) return early;
  const left = unbroadcast(g, a, b.shape, shape);
  return g.emit(op, [left, unbroadcast(g, b, left.shape, shape)], shape, dtype);
}

/** Of operands that only repeat: the result of what they repeat, repeated. */
function beforeBroadcast(
  g: Graph,
  op: string,
  a: Value,
  b: Value,
  dtype: DType,
  shape: readonly number[],
): Value | undefined {
  const [x, y] = [behindBroadcast(g, a), behindBroadcast(g, b)];
  const small = broadcastShape(x.shape, y.shape);
  if (sizeOf(small) >= sizeOf(shape)) return undefined;
  return broadcastTo(g, binary(g, op, x, y, dtype), shape);
}

function behindBroadcast(g: Graph, value: Value): Value {
  const fill = fillOf(value);
  if (fill !== undefined) return g.constant(allocate(value.dtype, [fill]), [], value.dtype);
  return value.node?.op === "Expand" ? value.node.inputs[0]! : value;
}

/** (2 x) y as x (2 y) where y is smaller: a factor of 2 rounds nothing. Gradients of squares have it. */
function doublesSmaller(
  g: Graph,
  op: string,
  a: Value,
  b: Value,
  shape: readonly number[],
): Value | undefined {
  if (op !== "Mul" || a.dtype !== "float32") return undefined;
  for (const [doubled, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const [x, factor] = doubled.node?.op === "Mul" ? doubled.node.inputs : [];
    const small = behindBroadcast(g, other);
    if (x === undefined || fillOf(factor!) !== 2 || !sameShape(x.shape, shape)) continue;
    if (2 * sizeOf(small.shape) <= sizeOf(shape))
      return binary(g, op, x, binary(g, op, small, factor!));
  }
  return undefined;
}

/** The smaller value behind a broadcast one, when the other operand already has the result's shape. */
function unbroadcast(
  g: Graph,
  value: Value,
  other: readonly number[],
  shape: readonly number[],
): Value {
  const fill = fillOf(value);
  if (fill !== undefined && value.shape.length > 0 && sameShape(other, shape)) {
    return g.constant(value.data!, [], value.dtype);
  }
  if (value.node?.op === "Expand") {
    const source = value.node.inputs[0]!;
    if (sameShape(broadcastShape(source.shape, other), shape)) return source;
  }
  return value;
}

/** Elementwise function of one tensor. */
export function unary(
  g: Graph,
  op: string,
  x: Value,
  dtype: DType = x.dtype,
  attributes: Attributes = {},
): Value {
  const source = x.node?.op === "Expand" ? x.node.inputs[0]! : undefined;
  if (source !== undefined) {
    return broadcastTo(g, unary(g, op, source, dtype, attributes), x.shape);
  }
  if (op === "Neg" && x.node?.op === "Neg") return x.node.inputs[0]!;
  return g.emit(op, [x], x.shape, dtype, attributes);
}

export function cast(g: Graph, x: Value, dtype: DType): Value {
  if (x.dtype === dtype) return x;
  const fill = fillOf(x);
  if (fill !== undefined) {
    const value =
      dtype === "bool" ? Number(fill !== 0) : dtype === "int32" ? Math.trunc(fill) : fill;
    return g.constant(allocate(dtype, [value]), x.shape, dtype);
  }
  return g.emit("Cast", [x], x.shape, dtype, { to: dtype });
}

export function reshape(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  if (x.data !== undefined) return g.constant(x.data, shape, x.dtype);
  const source = x.node?.op === "Reshape" ? x.node.inputs[0]! : x;
  if (source !== x) return reshape(g, source, shape);
  if (x.node?.op === "Expand" && sizeOf(x.node.inputs[0]!.shape) === 1) {
    return broadcastTo(g, reshape(g, x.node.inputs[0]!, []), shape);
  }
  return g.emit("Reshape", [x, shapeConstant(g, shape)], shape, x.dtype);
}

export function broadcastTo(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  if (fillOf(x) !== undefined) return g.constant(x.data!, shape, x.dtype);
  const source = x.node?.op === "Expand" ? x.node.inputs[0]! : x;
  return g.emit("Expand", [source, shapeConstant(g, shape)], shape, x.dtype);
}

export function transpose(g: Graph, x: Value, perm: readonly number[]): Value {
  if (perm.every((axis, position) => axis === position)) return x;
  if (x.node?.op === "Transpose") {
    const first = x.node.attributes["perm"] as readonly number[];
    return transpose(
      g,
      x.node.inputs[0]!,
      perm.map((axis) => first[axis]!),
    );
  }
  const shape = perm.map((axis) => x.shape[axis]!);
  if (fillOf(x) !== undefined) return g.constant(x.data!, shape, x.dtype);
  const moved = perm.filter((axis) => x.shape[axis] !== 1);
  if (moved.every((axis, i) => i === 0 || moved[i - 1]! < axis)) return reshape(g, x, shape);
  return g.emit("Transpose", [x], shape, x.dtype, { perm });
}

/** Matrix product of the last two axes; leading axes broadcast. */
export function matMul(g: Graph, a: Value, b: Value, transA: boolean, transB: boolean): Value {
  const left = matrixOperand(g, a, transA);
  const right = matrixOperand(g, b, transB);
  const [m, k] = matrixSize(left.value, left.transposed);
  const [inner, n] = matrixSize(right.value, right.transposed);
  if (k !== inner) throw new Error(`matMul of [${a.shape}] and [${b.shape}]: ${k} is not ${inner}`);
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const x = dropBatch(left.value, right.value, batch);
  const y = dropBatch(right.value, x, batch);
  return g.emit("MatMul", [x, y], [...batch, m, n], a.dtype, {
    transA: Number(left.transposed),
    transB: Number(right.transposed),
  });
}

interface MatrixOperand {
  readonly value: Value;
  readonly transposed: boolean;
}

/** A transposition of the last two axes becomes a flag of the product, which only floats have. */
function matrixOperand(g: Graph, value: Value, transposed: boolean): MatrixOperand {
  const swapped = value.shape.map((_, axis, { length }) =>
    axis < length - 2 ? axis : 2 * length - 3 - axis,
  );
  if (value.dtype !== "float32") {
    return { value: transposed ? transpose(g, value, swapped) : value, transposed: false };
  }
  const { node } = value;
  return node?.op === "Transpose" && sameShape(node.attributes["perm"] as number[], swapped)
    ? { value: node.inputs[0]!, transposed: !transposed }
    : { value, transposed };
}

function matrixSize(value: Value, transposed: boolean): [number, number] {
  const [rows, columns] = value.shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

/** A batch axis that only repeats a matrix need not be spelt out: the product broadcasts. */
function dropBatch(value: Value, other: Value, batch: readonly number[]): Value {
  if (value.node?.op !== "Expand") return value;
  const source = value.node.inputs[0]!;
  const keepsMatrix =
    source.shape.length >= 2 && sameShape(source.shape.slice(-2), value.shape.slice(-2));
  const otherBatch = other.shape.slice(0, -2);
  if (!keepsMatrix) return value;
  return sameShape(broadcastShape(source.shape.slice(0, -2), otherBatch), batch) ? source : value;
}

/** A constant int64 vector, as ONNX wants its shapes and axes. */
export function shapeConstant(g: Graph, values: readonly number[]): Value {
  return g.constant(Int32Array.from(values), [values.length], "int32");
}

/** The numbers of a constant operand such as a shape. */
export function constantOperand(node: Node, index: number): number[] {
  return Array.from(constantData(node.inputs[index]!)!);
}
