// What TensorFlow.js' gradients lack or have wrong, put right when this module is loaded.
//
// Without it, second derivatives of exp, tanh, sigmoid, softmax and every other op that keeps its
// result are silently wrong; maximum, minimum, prelu and squaredDifference fail when they broadcast;
// where(greater(x, 0), …), gatherND, scatterND, topk and prod have no gradient, convolutions no second
// one; casting to whole numbers, floorDiv and cumsum along an inner axis have a wrong one.

import * as tf from "#tensorflow";
import { cumprod, cumsum } from "./scan.ts";

type Tensor = tf.Tensor;
type Gradients = Record<string, () => Tensor>;

interface TapeNode {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly Tensor[];
}

interface TapeEngine {
  readonly state: { readonly activeTape: TapeNode[] };
  addTapeNode(...args: unknown[]): void;
}

/**
 * A result that a gradient keeps is copied before the op that made it is written on the tape, and
 * TensorFlow.js, which reads the tape in order, then misses the path through the copy. So the op is
 * moved in front of the copies of its results.
 */
function writeTapeInOrder(engine: TapeEngine): void {
  const addTapeNode = engine.addTapeNode.bind(engine);
  engine.addTapeNode = (...args) => {
    addTapeNode(...args);
    const tape = engine.state.activeTape;
    const node = tape.pop()!;
    const made = new Set(node.outputs.map(({ id }) => id));
    let position = tape.length;
    while (position > 0 && copies(tape[position - 1]!, made)) position--;
    tape.splice(position, 0, node);
  };
}

function copies({ inputs }: TapeNode, made: ReadonlySet<number>): boolean {
  return Object.values(inputs).some(({ id }) => made.has(id));
}

/** Kernels whose results do not change with small changes of their inputs. */
const constantKernels: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    [
      ...["Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual"],
      ...["LogicalAnd", "LogicalOr", "LogicalXor", "FloorDiv"],
    ].map((name) => [name, ["a", "b"]]),
  ),
  ...Object.fromEntries(["LogicalNot", "All", "Any"].map((name) => [name, ["x"]])),
};

interface Rule {
  readonly inputs?: readonly string[];
  /** Which results the gradient wants. */
  readonly outputs?: readonly boolean[];
  gradient(
    dy: Tensor,
    saved: readonly Tensor[],
    attributes: Readonly<Record<string, unknown>>,
  ): Gradients;
}

function broadcastRule(
  slopes: (a: Tensor, b: Tensor, dy: Tensor) => readonly [() => Tensor, () => Tensor],
  names: readonly [string, string] = ["a", "b"],
): Rule {
  return {
    inputs: names,
    gradient(dy, saved) {
      const [a, b] = saved as [Tensor, Tensor];
      const [left, right] = slopes(a, b, dy);
      return {
        [names[0]]: () => sumTo(left(), a.shape),
        [names[1]]: () => sumTo(right(), b.shape),
      };
    },
  };
}

const masked = (dy: Tensor, mask: Tensor) => tf.mul(dy, tf.cast(mask, "float32"));

const rules: Readonly<Record<string, Rule>> = {
  Maximum: broadcastRule((a, b, dy) => [
    () => masked(dy, tf.greaterEqual(a, b)),
    () => masked(dy, tf.less(a, b)),
  ]),
  Minimum: broadcastRule((a, b, dy) => [
    () => masked(dy, tf.lessEqual(a, b)),
    () => masked(dy, tf.greater(a, b)),
  ]),
  SquaredDifference: broadcastRule((a, b, dy) => [
    () => tf.mul(dy, tf.mul(tf.sub(a, b), 2)),
    () => tf.mul(dy, tf.mul(tf.sub(a, b), -2)),
  ]),
  Prelu: broadcastRule(
    (x, alpha, dy) => [
      () =>
        tf.mul(dy, tf.where(tf.greater(x, 0), tf.onesLike(dy), tf.add(alpha, tf.zerosLike(dy)))),
      () => tf.mul(dy, tf.minimum(x, 0)),
    ],
    ["x", "alpha"],
  ),
  Cast: {
    gradient: (dy, _, { dtype }) => ({
      x: () => (dtype === "float32" ? tf.cast(dy, "float32") : tf.zeros(dy.shape)),
    }),
  },
  Cumsum: {
    gradient: (dy, _, { axis, exclusive, reverse }) => ({
      x: () => cumsum(dy, axis as number, exclusive === true, reverse !== true),
    }),
  },
  Prod: {
    inputs: ["x"],
    gradient: (dy, [x], { axis }) => ({ x: () => prodGradient(dy, x!, axis as number[]) }),
  },
  TopK: {
    inputs: ["x"],
    outputs: [false, true],
    gradient: (dy, [x, indices]) => ({
      x() {
        const [values] = dy as unknown as Tensor[];
        const hot = tf.oneHot(indices!, x!.shape.at(-1)!, 1, 0, "float32"); // [..., K, N]
        return tf.sum(tf.mul(hot, tf.expandDims(values!, -1)), -2);
      },
    }),
  },
  GatherV2: {
    inputs: ["x", "indices"],
    gradient: (dy, [x, indices], { axis, batchDims }) => ({
      x: () => gatherGradient(dy, x!, indices!, Number(axis ?? 0), Number(batchDims ?? 0)),
      indices: () => tf.zeros(indices!.shape),
    }),
  },
  Conv2DBackpropFilter: {
    inputs: ["x", "dy"],
    gradient: (dw, [x, dy], { strides, pad, dataFormat, dimRoundingMode }) => ({
      x() {
        const inputs = { dy: dy!, filter: dw };
        const attributes = { strides, pad, dataFormat, dimRoundingMode, inputShape: x!.shape };
        return tf.engine().runKernel("Conv2DBackpropInput", inputs, attributes as never) as Tensor;
      },
      dy: () =>
        tf.conv2d(
          x as tf.Tensor4D,
          dw as tf.Tensor4D,
          strides as [number, number],
          pad as "same" | "valid" | number,
          dataFormat as "NHWC",
          1,
          dimRoundingMode as "floor",
        ),
    }),
  },
  GatherNd: {
    inputs: ["params", "indices"],
    gradient: (dy, [params, indices]) => ({
      params: () => tf.scatterND(indices!, dy, params!.shape),
      indices: () => tf.zeros(indices!.shape),
    }),
  },
  ScatterNd: {
    inputs: ["indices"],
    gradient: (dy, [indices]) => ({
      updates: () => tf.gatherND(dy, indices!),
      indices: () => tf.zeros(indices!.shape),
    }),
  },
};

/** The sum of dy over the axes along which a tensor of this shape was repeated. */
export function sumTo(dy: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape);
  return tf.reshape(axes.length === 0 ? dy : tf.sum(dy, axes), shape);
}

/** dy times the product of all other elements, which is also right where one is zero. */
function prodGradient(dy: Tensor, x: Tensor, axis: number | number[]): Tensor {
  const axes = tf.util.parseAxisParam(axis, x.shape);
  const order = [...others(x, axes), ...axes];
  const moved = tf.transpose(x, order);
  const rows = tf.reshape(moved, [tf.util.sizeFromShape(dy.shape), -1]);
  const rest = tf.mul(cumprod(rows, 1, true), cumprod(rows, 1, true, true));
  const gradient = tf.mul(rest, tf.reshape(dy, [-1, 1]));
  return tf.transpose(tf.reshape(gradient, moved.shape), inverse(order));
}

/** Rows added up where they came from, as a product with one-hot rows. */
function gatherGradient(
  dy: Tensor,
  x: Tensor,
  indices: Tensor,
  axis: number,
  batchDims: number,
): Tensor {
  const along = axis < 0 ? axis + x.shape.length : axis;
  const numOwn = indices.shape.length - batchDims;
  const leading = range(0, batchDims);
  const own = range(along, along + numOwn);
  const order = [...leading, ...own, ...others(dy, [...leading, ...own])];
  const target = [...leading, along, ...others(x, [...leading, along])];
  const size = tf.util.sizeFromShape;
  const batch = batchDims === 0 ? [] : [size(x.shape.slice(0, batchDims))];
  const numRows = size(indices.shape.slice(batchDims));
  const width = size(x.shape.slice(batchDims)) / Math.max(1, x.shape[along]!);
  const ids = tf.cast(tf.reshape(indices, [...batch, numRows]), "int32");
  const hot = tf.oneHot(ids, x.shape[along]!, 1, 0, "float32");
  const rows = tf.reshape(tf.transpose(dy, order), [...batch, numRows, width]);
  const sums = tf.matMul(hot as Tensor, rows, true);
  const shape = target.map((from) => x.shape[from]!);
  return tf.transpose(tf.reshape(sums, shape), inverse(target));
}

function others(x: Tensor, axes: readonly number[]): number[] {
  return range(0, x.shape.length).filter((axis) => !axes.includes(axis));
}

function inverse(order: readonly number[]): number[] {
  return order.map((_, axis) => order.indexOf(axis));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function register(kernelName: string, { inputs = [], outputs = [], gradient }: Rule): void {
  tf.registerGradient({
    kernelName,
    inputsToSave: [...inputs],
    outputsToSave: [...outputs],
    gradFunc: (dy, saved, attributes) => gradient(dy as Tensor, saved, attributes),
  });
}

writeTapeInOrder(tf.engine() as unknown as TapeEngine);
for (const [name, rule] of Object.entries(rules)) register(name, rule);
for (const [name, inputs] of Object.entries(constantKernels)) {
  register(name, {
    inputs,
    gradient: (_, saved) =>
      Object.fromEntries(inputs.map((input, i) => [input, () => tf.zeros(saved[i]!.shape)])),
  });
}
