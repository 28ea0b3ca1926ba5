// Differentiable functions with arguments at which they are smooth.

import { einsum } from "../../nn/einsum.ts";
import type { Tensor } from "../../nn/ops.ts";
import * as nn from "../../nn/ops.ts";
import type { NdArray } from "../../nn/tree.ts";
import type { Draw, Shape } from "./support.ts";

export interface GradientCase {
  readonly arguments: (draw: Draw) => readonly NdArray[];
  readonly fn: (...x: Tensor[]) => Tensor | readonly Tensor[];
}

type GradientCases = Readonly<Record<string, GradientCase>>;

const unary = (fn: (x: Tensor) => Tensor, low = -1.5, high = 1.5): GradientCase => ({
  arguments: (draw) => [draw.real([2, 3], low, high)],
  fn,
});

/** For functions with kinks at zero or where two elements are equal. */
const kinked = (fn: (x: Tensor) => Tensor, shape: Shape = [2, 3]): GradientCase => ({
  arguments: (draw) => [draw.distinct(shape, 0.3)],
  fn,
});

const reals =
  (...shapes: Shape[]) =>
  (draw: Draw) =>
    shapes.map((shape) => draw.real(shape, 0.6, 1.8));

const of = (shapes: readonly Shape[], fn: (...x: Tensor[]) => Tensor | readonly Tensor[]) => ({
  arguments: reals(...shapes),
  fn,
});

/** A function of two broadcast tensors whose elements are nowhere equal. */
const binary = (fn: (a: Tensor, b: Tensor) => Tensor): GradientCase => ({
  arguments: (draw) => [draw.real([2, 1, 3], 0.6, 1.1), draw.real([2, 3], 1.3, 1.9)],
  fn: (a, b) => fn(a!, b!),
});

const ids = (values: number[], shape: readonly number[] = [values.length]) =>
  nn.tensor(values, [...shape], "int32");

const activation = (fn: (x: Tensor) => Tensor): GradientCase => ({
  arguments: (draw) => [draw.distinct([2, 3], 0.3), draw.real([3, 2], 0.5, 1)],
  fn: (x, w) => nn.matMul(fn(nn.matMul(x, w!)), nn.matMul(w!, w!, true), false, true),
});

const elementwise: GradientCases = {
  abs: kinked(nn.abs),
  acos: unary(nn.acos, -0.8, 0.8),
  acosh: unary(nn.acosh, 1.5, 3),
  asin: unary(nn.asin, -0.8, 0.8),
  asinh: unary(nn.asinh),
  atan: unary(nn.atan),
  atanh: unary(nn.atanh, -0.7, 0.7),
  ceil: kinked(nn.ceil),
  clipByValue: kinked((x) => nn.clipByValue(x, -0.3, 0.6)),
  cos: unary(nn.cos),
  cosh: unary(nn.cosh),
  elu: kinked(nn.elu),
  erf: unary(nn.erf),
  exp: unary(nn.exp),
  expm1: unary(nn.expm1),
  floor: kinked(nn.floor),
  gelu: unary(nn.gelu),
  leakyRelu: kinked((x) => nn.leakyRelu(x, 0.1)),
  log: unary(nn.log, 0.5, 3),
  log1p: unary(nn.log1p, -0.5, 3),
  mish: unary(nn.mish),
  neg: unary(nn.neg),
  reciprocal: unary(nn.reciprocal, 0.6, 2),
  relu: kinked(nn.relu),
  relu6: kinked(nn.relu6),
  round: kinked(nn.round),
  rsqrt: unary(nn.rsqrt, 0.6, 2),
  selu: kinked(nn.selu),
  sigmoid: unary(nn.sigmoid),
  sign: kinked(nn.sign),
  silu: unary(nn.silu),
  sin: unary(nn.sin),
  sinh: unary(nn.sinh),
  softplus: unary(nn.softplus),
  sqrt: unary(nn.sqrt, 0.6, 2),
  square: unary(nn.square),
  step: kinked(nn.step),
  tan: unary(nn.tan, -0.7, 0.7),
  tanh: unary(nn.tanh),

  add: binary(nn.add),
  addN: of(
    [
      [2, 3],
      [2, 3],
    ],
    (...terms) => nn.addN(terms),
  ),
  atan2: binary(nn.atan2),
  div: binary(nn.div),
  divNoNan: binary(nn.divNoNan),
  maximum: binary(nn.maximum),
  minimum: binary(nn.minimum),
  mod: binary(nn.mod),
  mul: binary(nn.mul),
  pow: binary(nn.pow),
  prelu: binary((a, b) => nn.prelu(nn.sub(a, 1.7), b)),
  squaredDifference: binary(nn.squaredDifference),
  sub: binary(nn.sub),
  "where of a cast": binary((a, b) =>
    nn.add(nn.mul(a, nn.cast(nn.less(b, 1.6), "float32")), nn.cast(nn.cast(b, "int32"), "float32")),
  ),
  where: binary((a, b) => nn.where(nn.greater(a, 0.8), a, b)),
  cast: unary((x) => nn.cast(nn.square(x), "float32")),
};

const reductions: GradientCases = {
  cumprod: of([[2, 5, 2]], (x) => nn.cumprod(x, 1)),
  "cumprod exclusive": of([[2, 3]], (x) => nn.cumprod(x, -1, true, true)),
  cumsum: of([[2, 3, 2]], (x) => nn.cumsum(nn.square(x), 1)),
  "cumsum exclusive": of([[2, 3]], (x) => nn.cumsum(nn.square(x), -1, true, true)),
  rmsNorm: of([[2, 4], [4], [4]], (x, scale, shift) => nn.rmsNorm(x!, scale, shift)),
  layerNorm: of([[2, 4], [4], [4]], (x, scale, shift) => nn.layerNorm(x!, scale, shift)),
  "layerNorm of an ensemble": of(
    [
      [2, 3, 4],
      [2, 1, 4],
      [2, 1, 4],
    ],
    (x, scale, shift) => nn.layerNorm(x!, scale, shift),
  ),
  "rmsNorm of a vector": of([[4], [4]], (x, scale) => nn.rmsNorm(x!, scale)),
  logSoftmax: of([[2, 3]], (x) => nn.logSoftmax(x)),
  logSumExp: of([[2, 3]], (x) => nn.logSumExp(x, -1)),
  max: kinked((x) => nn.max(nn.exp(x), 0)),
  "max of all": kinked((x) => nn.max(nn.square(nn.exp(x)))),
  mean: of([[2, 3]], (x) => nn.mean(nn.square(x), -1, true)),
  min: kinked((x) => nn.min(nn.exp(x), [-1])),
  norm: of([[2, 3]], (x) => nn.norm(x, "euclidean", -1)),
  prod: of([[2, 3, 2]], (x) => nn.prod(x, [0, 2])),
  topk: kinked((x) => nn.square(nn.topk(x, 2).values)),
  softmax: of([[2, 3]], (x) => nn.softmax(x)),
  sort: kinked((x) => nn.square(nn.sort(x))),
  sum: of([[2, 3, 2]], (x) => nn.sum(nn.square(x), [0, -1])),
  unsortedSegmentSum: of([[4, 2]], (x) =>
    nn.unsortedSegmentSum(nn.square(x), ids([2, 0, 2, -1]) as never, 3),
  ),
};

const shapes: GradientCases = {
  broadcastTo: of([[2, 1]], (x) => nn.broadcastTo(nn.square(x), [3, 2, 2])),
  concat: of(
    [
      [2, 1],
      [2, 2],
    ],
    (a, b) => nn.concat([nn.square(a!), nn.square(b!)], -1),
  ),
  expandDims: of([[2, 3]], (x) => nn.expandDims(nn.square(x), 1)),
  gather: of([[3, 2]], (x) => nn.gather(nn.square(x), ids([2, 0, 2, 2]))),
  "gather axis 1": of([[2, 3, 2]], (x) => nn.gather(nn.square(x), ids([2, 0, 2, 2], [2, 2]), 1)),
  "gather batched": of([[2, 3, 2]], (x) =>
    nn.gather(nn.square(x), ids([2, 0, 1, 1], [2, 2]), 1, 1),
  ),
  gatherND: of([[2, 3]], (x) => nn.gatherND(nn.square(x), ids([1, 2, 0, 1, 1, 2], [3, 2]))),
  mirrorPad: of([[3, 2]], (x) =>
    nn.mirrorPad(
      nn.square(x),
      [
        [2, 1],
        [1, 0],
      ],
      "reflect",
    ),
  ),
  "mirrorPad symmetric": of([[3, 2]], (x) =>
    nn.mirrorPad(
      nn.square(x),
      [
        [2, 1],
        [1, 2],
      ],
      "symmetric",
    ),
  ),
  pad: of([[2, 2]], (x) =>
    nn.pad(nn.square(x), [
      [1, 0],
      [0, 2],
    ]),
  ),
  reshape: of([[2, 3]], (x) => nn.reshape(nn.square(x), [3, 2])),
  reverse: of([[2, 3]], (x) => nn.reverse(nn.square(x), -1)),
  scatterND: of([[3, 2]], (x) => nn.scatterND(ids([1, 3, 1], [3, 1]), nn.square(x), [4, 2])),
  slice: of([[3, 3]], (x) => nn.slice(nn.square(x), [1, 0], [2, 2])),
  split: of([[2, 5]], (x) => nn.split(nn.square(x), [2, 0, 3], 1)),
  squeeze: of([[2, 1, 3]], (x) => nn.squeeze(nn.square(x), [1])),
  stack: of(
    [
      [2, 2],
      [2, 2],
    ],
    (a, b) => nn.stack([nn.square(a!), nn.square(b!)], -1),
  ),
  takeAlongLast: of([[2, 3]], (x) => nn.takeAlongLast(nn.square(x), ids([2, 0, 1, 1], [2, 2]))),
  tile: of([[2, 2]], (x) => nn.tile(nn.square(x), [2, 3])),
  transpose: of([[2, 3, 2]], (x) => nn.transpose(nn.square(x), [2, 0, 1])),
  unstack: of([[2, 3]], (x) => nn.unstack(nn.square(x), 1)),
};

const products: GradientCases = {
  matMul: of(
    [
      [2, 3],
      [3, 2],
    ],
    (a, b) => nn.matMul(a!, b!),
  ),
  "matMul transposed": of(
    [
      [3, 2],
      [4, 3],
    ],
    (a, b) => nn.matMul(a!, b!, true, true),
  ),
  "matMul of one batch with many weights": of(
    [
      [2, 3],
      [4, 3, 2],
    ],
    (a, b) => nn.matMul(a!, b!),
  ),
  "matMul of many with one": of(
    [
      [2, 2, 3],
      [2, 3],
    ],
    (a, b) => nn.matMul(a!, b!, false, true),
  ),
  "matMul with two broadcast axes": of(
    [
      [2, 1, 2, 2],
      [3, 2, 2],
    ],
    (a, b) => nn.matMul(a!, b!, true),
  ),
  "relu network": activation(nn.relu),
  "tanh network": activation(nn.tanh),
  "silu network": activation(nn.silu),
  "elu network": activation(nn.elu),
  "gelu network": activation(nn.gelu),
  "mish network": activation(nn.mish),
  "softplus network": activation(nn.softplus),
  "layerNorm network": activation((x) => nn.layerNorm(x)),
  "einsum ebi,eio->ebo": of(
    [
      [2, 2, 3],
      [2, 3, 2],
    ],
    (a, b) => einsum("ebi,eio->ebo", a!, b!),
  ),
  "einsum bi,eio->ebo": of(
    [
      [2, 3],
      [2, 3, 2],
    ],
    (a, b) => einsum("bi,eio->ebo", a!, b!),
  ),
  "einsum outer": of([[2], [3]], (a, b) => einsum("i,j->ji", a!, b!)),
  "einsum elementwise": of(
    [
      [2, 3],
      [3, 2],
    ],
    (a, b) => einsum("ij,ji->j", a!, b!),
  ),
  "einsum transpose": of([[2, 3, 2]], (x) => einsum("ijk->ki", nn.square(x))),
  conv1d: {
    arguments: reals([2, 7, 2], [3, 2, 2]),
    fn: (x, w) => nn.conv1d(x as never, w as never, 2, "same"),
  },
  "conv1d valid": {
    arguments: reals([1, 6, 1], [2, 1, 2]),
    fn: (x, w) => nn.conv1d(x as never, w as never, 3, "valid"),
  },
  conv2d: {
    arguments: reals([1, 4, 5, 2], [3, 2, 2, 2]),
    fn: (x, w) => nn.conv2d(x as never, w as never, [2, 1], "same"),
  },
  "conv2d valid": {
    arguments: reals([2, 4, 4, 1], [2, 2, 1, 2]),
    fn: (x, w) => nn.conv2d(x as never, w as never, [1, 2], "valid"),
  },
};

export const gradientCases: GradientCases = {
  ...elementwise,
  ...reductions,
  ...shapes,
  ...products,
};

/** Exports of nn/ops.ts whose results do not depend smoothly on a tensor. */
export const withoutGradient = [
  ...["all", "any", "argMax", "argMin", "equal", "notEqual", "greater", "greaterEqual", "less"],
  ...["lessEqual", "logicalAnd", "logicalNot", "logicalOr", "logicalXor", "isFinite", "isInf"],
  ...["isNaN", "floorDiv", "stopGradient", "onesLike", "zerosLike", "oneHot", "stridedSlice"],
  ...["eye", "fill", "linspace", "ones", "range", "scalar", "tensor", "zeros"],
];
