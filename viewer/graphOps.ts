// The operators that exported policies are made of, on small arrays with shapes, in plain TypeScript.
//
// Sums are in float64 and rounded to float32 at each node, functions are those of sim/math.ts: equal bits in Node and
// in every page. Files may come from a stranger: shapes are checked, and no array may become large.

import { cos, exp, log, sin, tanh } from "../sim/math.ts";
import {
  axisOf,
  type Block,
  broadcast,
  broadcastStrides,
  joined,
  reshaped,
  sizeOf,
  sliced,
  spread,
  tiled,
  transposed,
  zeros,
} from "./blocks.ts";
import type { GraphNode } from "./onnxReader.ts";

/** A node's outputs from its inputs; undefined where an optional input is left out. */
export type Op = (inputs: readonly (Block | undefined)[], node: GraphNode) => readonly Block[];

const functions: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Cos: cos,
  Erf: erf,
  Exp: exp,
  Log: log,
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(0, x),
  Sigmoid: (x) => 1 / (1 + exp(-x)),
  Sin: sin,
  Sqrt: Math.sqrt,
  Tanh: tanh,
};

const pairs: Readonly<Record<string, (x: number, y: number) => number>> = {
  Add: (x, y) => x + y,
  Div: (x, y) => x / y,
  Max: Math.max,
  Min: Math.min,
  Mul: (x, y) => x * y,
  Sub: (x, y) => x - y,
};

const others: Readonly<Record<string, Op>> = {
  Clip: ([x, low, high]) => {
    const least = low?.data[0] ?? Number.NEGATIVE_INFINITY;
    const most = high?.data[0] ?? Number.POSITIVE_INFINITY;
    return [mapped(given(x), (v) => Math.min(most, Math.max(least, v)))];
  },
  Concat: (inputs, { attributes }) => [joined(inputs.map(given), attributes["axis"] ?? 0)],
  Expand: ([x, shape]) => [spread(given(x), broadcast(given(x).shape, numbersOf(shape)))],
  MatMul: ([a, b]) => [product(given(a), given(b))],
  ReduceMean: ([x, axes], { attributes }) => [
    meanOver(given(x), axes && numbersOf(axes), attributes["keepdims"] !== 0),
  ],
  Reshape: ([x, shape]) => [reshaped(given(x), numbersOf(shape))],
  Slice: ([x, begins, ends, axes, steps]) => {
    const block = given(x);
    const all = axes ? numbersOf(axes) : [...numbersOf(begins).keys()];
    return [
      all.reduce(
        (cut, axis, i) =>
          sliced(cut, axis, [
            numbersOf(begins)[i]!,
            numbersOf(ends)[i]!,
            steps ? numbersOf(steps)[i]! : 1,
          ]),
        block,
      ),
    ];
  },
  Softmax: ([x], { attributes }) => [softmax(given(x), attributes["axis"] ?? -1)],
  Split: ([x, lengths], { attributes, outputs }) => {
    const block = given(x);
    const axis = axisOf(block, attributes["axis"] ?? 0);
    const equal = block.shape[axis]! / outputs.length;
    const sizes = lengths ? numbersOf(lengths) : outputs.map(() => equal);
    let at = 0;
    return sizes.map((size) => {
      const begin = at;
      at += size;
      return sliced(block, axis, [begin, at, 1]);
    });
  },
  Tile: ([x, repeats]) => [tiled(given(x), numbersOf(repeats))],
  Transpose: ([x], { lists }) => [transposed(given(x), lists["perm"])],
};

/** The operator of a name; throws where it is not known here. */
export function opOf(name: string): Op {
  const one = functions[name];
  if (one) return ([x]) => [mapped(given(x), one)];
  const two = pairs[name];
  if (two) return ([x, y]) => [combined(given(x), given(y), two)];
  const other = others[name];
  if (other) return other;
  throw new Error(`a policy with the operator ${name} can't run here`);
}

function given(block: Block | undefined): Block {
  if (!block) throw new Error("the policy's graph lacks an input");
  return block;
}

function numbersOf(block: Block | undefined): number[] {
  return [...given(block).data];
}

function mapped({ shape, data }: Block, of: (x: number) => number): Block {
  return { shape, data: data.map((x) => of(x)) };
}

function combined(a: Block, b: Block, of: (x: number, y: number) => number): Block {
  const shape = broadcast(a.shape, b.shape);
  const [x, y] = [spread(a, shape).data, spread(b, shape).data];
  return { shape, data: x.map((value, i) => of(value, y[i]!)) };
}

/** [..., M, K] times [..., K, N]. */
function product(a: Block, b: Block): Block {
  const [rows = 1, inner = 0] = a.shape.slice(-2);
  const [depth = 0, columns = 0] = b.shape.slice(-2);
  if (a.shape.length < 2 || b.shape.length < 2 || inner !== depth)
    throw new Error(`the policy multiplies [${a.shape}] with [${b.shape}]`);
  const outer = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const left = spread(a, [...outer, rows, inner]).data;
  const right = spread(b, [...outer, inner, columns]).data;
  const out = zeros([...outer, rows, columns]);
  const sums = new Float64Array(columns);
  for (let block = 0; block < sizeOf(outer); block++) {
    for (let row = 0; row < rows; row++) {
      sums.fill(0);
      for (let i = 0; i < inner; i++) {
        const x = left[(block * rows + row) * inner + i]!;
        const from = (block * inner + i) * columns;
        for (let j = 0; j < columns; j++) sums[j]! += x * right[from + j]!;
      }
      out.data.set(sums, (block * rows + row) * columns);
    }
  }
  return out;
}

function meanOver(block: Block, axes: readonly number[] | undefined, keeps: boolean): Block {
  const { shape, data } = block;
  const over = new Set((axes ?? [...shape.keys()]).map((axis) => axisOf(block, axis)));
  const kept = shape.map((length, axis) => (over.has(axis) ? 1 : length));
  const sums = new Float64Array(sizeOf(kept));
  const strides = broadcastStrides(kept, shape);
  const index = new Array<number>(shape.length).fill(0);
  let to = 0;
  for (const x of data) {
    sums[to]! += x;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      to += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      to -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  const count = data.length / sums.length;
  const out = Float32Array.from(sums, (sum) => sum / count);
  return { shape: keeps ? kept : shape.filter((_, axis) => !over.has(axis)), data: out };
}

function softmax(block: Block, at: number): Block {
  const { shape, data } = block;
  if (axisOf(block, at) !== shape.length - 1)
    throw new Error("a policy whose softmax is not over its last axis can't run here");
  const width = shape.at(-1)!;
  const out = zeros(shape);
  for (let row = 0; row < data.length; row += width) {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < width; i++) most = Math.max(most, data[row + i]!);
    let sum = 0;
    for (let i = 0; i < width; i++) sum += exp(data[row + i]! - most);
    for (let i = 0; i < width; i++) out.data[row + i] = exp(data[row + i]! - most) / sum;
  }
  return out;
}

/** The error function within 1.5e-7; Abramowitz and Stegun 7.1.26. */
function erf(x: number): number {
  const size = Math.abs(x);
  const t = 1 / (1 + 0.3275911 * size);
  const terms = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const sum = terms.reduce((total, term) => (total + term) * t, 0);
  const value = 1 - sum * exp(-size * size);
  return x < 0 ? -value : value;
}
