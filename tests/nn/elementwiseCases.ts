// A random call of every elementwise kernel.

import * as tf from "#tensorflow";
import type { Tensor } from "../../nn/ops.ts";
import type { NdArray } from "../../nn/tree.ts";
import { type Case, type Draw, runKernel } from "./support.ts";

export type CaseTable = Readonly<Record<string, (draw: Draw) => Case>>;

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;

const real =
  (fn: Unary, low = -3, high = 3) =>
  (draw: Draw): Case => ({ inputs: [draw.real(draw.shape(), low, high)], fn });

const realOrInt =
  (fn: Unary) =>
  (draw: Draw): Case => ({
    inputs: [draw.number(draw.shape(), draw.pick(["float32", "int32"]))],
    fn,
  });

const special =
  (fn: Unary) =>
  (draw: Draw): Case => ({ inputs: [draw.special(draw.shape())], fn });

type Filler = (draw: Draw, shape: readonly number[]) => NdArray;

/** Two operands that broadcast, in either order. */
function pair(fn: Binary, left: Filler, right: Filler = left) {
  return (draw: Draw): Case => {
    const shape = draw.shape();
    const other = draw.broadcastable(shape);
    const [a, b] = draw.boolean() ? [shape, other] : [other, shape];
    return { inputs: [left(draw, a), right(draw, b)], fn };
  };
}

const reals: Filler = (draw, shape) => draw.real(shape);
const ints: Filler = (draw, shape) => draw.int(shape);
const bools: Filler = (draw, shape) => draw.bool(shape);
const nonZero: Filler = (draw, shape) => draw.real(shape, 0.5, 3);
const counts: Filler = (draw, shape) => draw.int(shape, 1, 7);

const realPair = (fn: Binary) => pair(fn, reals);

/** Operands of two element types, of which TensorFlow.js takes the wider. */
const anyPair = (fn: Binary) => (draw: Draw) => {
  const [left, right] = [draw.pick([reals, ints]), draw.pick([reals, ints, bools])];
  return pair(fn, left, right)(draw);
};

const comparison = (fn: Binary) => (draw: Draw) => {
  const filler = draw.pick([reals, ints, bools, (d: Draw, s: readonly number[]) => d.special(s)]);
  return pair(fn, filler)(draw);
};

export const elementwiseCases: CaseTable = {
  Abs: realOrInt(tf.abs),
  Acos: real(tf.acos, -1, 1),
  Acosh: real(tf.acosh, 1, 9),
  Asin: real(tf.asin, -1, 1),
  Asinh: real(tf.asinh),
  Atan: real(tf.atan),
  Atanh: real(tf.atanh, -0.99, 0.99),
  Ceil: real(tf.ceil),
  Cos: real(tf.cos),
  Cosh: real(tf.cosh),
  Elu: real(tf.elu),
  Erf: real(tf.erf),
  Exp: realOrInt(tf.exp),
  Floor: real(tf.floor),
  Log: real(tf.log, 0, 3),
  Neg: realOrInt(tf.neg),
  Reciprocal: real(tf.reciprocal),
  Relu: realOrInt(tf.relu),
  Round: real(tf.round),
  Selu: real(tf.selu),
  Sigmoid: real(tf.sigmoid, -20, 20),
  Sign: realOrInt(tf.sign),
  Sin: real(tf.sin),
  Sinh: real(tf.sinh),
  Sqrt: real(tf.sqrt, 0, 3),
  Tan: real(tf.tan, -1.5, 1.5),
  Tanh: real(tf.tanh),
  Identity: realOrInt((x) => runKernel("Identity", { x })),

  Add: anyPair(tf.add),
  Sub: anyPair(tf.sub),
  Multiply: anyPair(tf.mul),
  RealDiv: pair(tf.div, reals, nonZero),
  Maximum: anyPair(tf.maximum),
  Minimum: anyPair(tf.minimum),
  Pow: (draw) =>
    draw.pick([
      pair(tf.pow, nonZero, reals),
      pair(tf.pow, ints, counts),
      real((x) => tf.pow(x, 2)),
      real((x) => tf.pow(x, 3)),
      real((x) => tf.pow(x, -1)),
      real((x) => tf.pow(x, 1)),
      real((x) => tf.pow(x, 0)),
    ])(draw),
  SquaredDifference: anyPair(tf.squaredDifference),
  FloorDiv: (draw) =>
    draw.pick([
      pair(tf.floorDiv, ints, counts),
      pair(tf.floorDiv, ints, (d, shape) => d.int(shape, -7, -1)),
      pair(tf.floorDiv, (d, shape) => d.int(shape, 2 ** 30, 2 ** 30 + 99), counts),
      pair(tf.floorDiv, reals, (d, shape) => d.real(shape, 0.7, 2.3)),
      (d: Draw) => ({
        inputs: [d.int(d.shape())],
        fn: (x: Tensor) => tf.floorDiv(x, tf.scalar(3, "int32")),
      }),
    ])(draw),
  Mod: (draw) =>
    draw.pick([
      pair(tf.mod, ints, counts),
      pair(tf.mod, ints, (d, shape) => d.int(shape, -7, -1)),
      pair(tf.mod, reals, nonZero),
      pair(
        tf.mod,
        (d, shape) => d.real(shape, -50, 50),
        (d, shape) => d.real(shape, -3, -0.1),
      ),
      real((x) => tf.mod(x, 2 * Math.PI), -20, 20),
    ])(draw),
  Atan2: realPair(tf.atan2),
  AddN: (draw) => {
    const shape = draw.shape();
    const inputs = Array.from({ length: draw.integer(1, 12) }, () => draw.real(shape));
    return { inputs, fn: (...terms) => tf.addN(terms) };
  },

  Equal: comparison(tf.equal),
  Greater: comparison(tf.greater),
  GreaterEqual: comparison(tf.greaterEqual),
  Less: comparison(tf.less),
  LessEqual: comparison(tf.lessEqual),
  NotEqual: comparison(tf.notEqual),
  LogicalAnd: pair(tf.logicalAnd, bools),
  LogicalOr: pair(tf.logicalOr, bools),
  LogicalXor: pair(tf.logicalXor, bools),
  LogicalNot: (draw) => ({ inputs: [draw.bool(draw.shape())], fn: tf.logicalNot }),
  IsNan: (draw) => draw.pick([special(tf.isNaN), realOrInt(tf.isNaN)])(draw),
  IsInf: (draw) => draw.pick([special(tf.isInf), realOrInt(tf.isInf)])(draw),
  IsFinite: (draw) => draw.pick([special(tf.isFinite), realOrInt(tf.isFinite)])(draw),
  Select: (draw) => {
    const shape = draw.shape();
    const operand = () => draw.number(draw.broadcastable(shape), draw.pick(["float32", "int32"]));
    return { inputs: [draw.bool(shape), operand(), operand()], fn: (c, t, e) => tf.where(c, t, e) };
  },
  Cast: (draw) => {
    const to = draw.pick(["float32", "int32", "bool"] as const);
    const from = draw.pick(["float32", "int32", "bool"] as const);
    return { inputs: [draw.number(draw.shape(), from)], fn: (x) => tf.cast(x, to) };
  },

  Square: realOrInt(tf.square),
  Rsqrt: real(tf.rsqrt, 0.1, 3),
  Expm1: (draw) =>
    draw.pick([
      real(tf.expm1),
      real(tf.expm1, -100, 80),
      real((x) => tf.mul(tf.expm1(tf.mul(x, 1e-6)), 1e6)),
    ])(draw),
  Log1p: (draw) =>
    draw.pick([
      real(tf.log1p, -1, 9),
      real(tf.log1p, 0, 1e9),
      real((x) => tf.mul(tf.log1p(tf.mul(x, 1e-6)), 1e6)),
    ])(draw),
  Softplus: real(tf.softplus, -100, 100),
  Step: (draw) => {
    const alpha = draw.pick([0, 0, 0.25, -1]);
    return { inputs: [draw.real(draw.shape())], fn: (x) => tf.step(x, alpha) };
  },
  Relu6: real(tf.relu6, -3, 9),
  ClipByValue: (draw) => {
    const { inputs } = realOrInt(tf.abs)(draw);
    const [low, high] = draw.pick([
      [-1, 2],
      [0, Number.POSITIVE_INFINITY],
      [Number.NEGATIVE_INFINITY, 0.5],
    ] as const);
    return { inputs, fn: (x) => tf.clipByValue(x, low, high) };
  },
  LeakyRelu: real((x) => tf.leakyRelu(x, 0.3)),
  Prelu: realPair(tf.prelu),
  EluGrad: (draw) => {
    const shape = draw.shape();
    const inputs = [draw.real(shape), draw.real(shape, -0.99, 2)];
    return { inputs, fn: (dy, y) => runKernel("EluGrad", { dy: dy!, y: y! }) };
  },
};
