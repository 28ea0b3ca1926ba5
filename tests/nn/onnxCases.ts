// Functions whose exported programs are held beside other tools: agents' usual parts and all kinds of ops.

import { valueAndGrad } from "../../nn/gradient.ts";
import type { Tensor } from "../../nn/ops.ts";
import * as op from "../../nn/ops.ts";
import { array, isNdArray, mapTree, type NdArray, type Tree, zeros } from "../../nn/tree.ts";

export type Arrays = Readonly<Record<string, NdArray>>;
export type Tensors = Readonly<Record<string, Tensor>>;

/** One function, its first state and the inputs of one call. */
export interface Case {
  readonly state?: Tree<NdArray>;
  readonly inputs: Arrays;
  // biome-ignore lint/suspicious/noExplicitAny: each case knows the tree of its own state
  fn(inputs: Tensors, state: any): readonly [next: unknown, outputs: Tree<Tensor>];
}

/** Smooth numbers without repeats, from −2 to 2. */
function wave(shape: readonly number[], phase = 0): NdArray {
  const size = shape.reduce((product, n) => product * n, 1);
  return array(
    Float32Array.from({ length: size }, (_, i) => 2 * Math.sin(1.7 * i + phase)),
    shape,
  );
}

function mlp({ w1, b1, w2, b2 }: Tensors, x: Tensor): Tensor {
  const hidden = op.relu(op.add(op.matMul(x, w1!), b1!)); // [B, 8]
  return op.tanh(op.add(op.matMul(hidden, w2!), b2!)); // [B, 3]
}

const mlpParams = {
  w1: wave([5, 8], 1),
  b1: wave([8], 2),
  w2: wave([8, 3], 3),
  b2: wave([3], 4),
};

/** Between them they use each kind of operator that programs record. */
export const cases: Readonly<Record<string, Case>> = {
  "an MLP": {
    state: mlpParams,
    inputs: { observations: wave([4, 5]) },
    fn: ({ observations }, params) => [params, { actions: mlp(params, observations!) }],
  },

  "a step of Adam": {
    state: {
      params: mlpParams,
      mean: mapTree<NdArray, NdArray>(mlpParams, isNdArray, ({ shape }) => zeros(shape)),
      square: mapTree<NdArray, NdArray>(mlpParams, isNdArray, ({ shape }) => zeros(shape)),
      step: array([0], [], "int32"),
    },
    inputs: { x: wave([4, 5]), y: wave([4, 3], 9) },
    fn: ({ x, y }, { params, mean, square, step }) => {
      const [loss, gradient] = valueAndGrad((p: Tensors) =>
        op.mean(op.square(op.sub(mlp(p, x!), y!))),
      )(params);
      const next = op.add(step, op.scalar(1, "int32"));
      const [m, v, p] = [{}, {}, {}] as Record<string, Tensor>[];
      const correction = (decay: number) =>
        op.sub(1, op.pow(op.scalar(decay), op.cast(next, "float32")));
      for (const [name, g] of Object.entries(gradient)) {
        m![name] = op.add(op.mul(mean[name], 0.9), op.mul(g, 0.1));
        v![name] = op.add(op.mul(square[name], 0.999), op.mul(op.square(g), 0.001));
        const scale = op.add(op.sqrt(op.div(v![name]!, correction(0.999))), 1e-4);
        const change = op.div(op.div(m![name]!, correction(0.9)), scale);
        p![name] = op.sub(params[name], op.mul(change, 0.01));
      }
      return [
        { params: p, mean: m, square: v, step: next },
        { loss, gradient },
      ];
    },
  },

  reductions: {
    inputs: { x: wave([2, 3, 4]), n: array([3, -1, 4, -1, 5, -9], [2, 3], "int32") },
    fn: ({ x, n }) => [
      {},
      {
        sums: [op.sum(x!), op.sum(x!, [0, 2]), op.sum(x!, -1, true), op.sum(n!, 1)],
        means: [op.mean(x!), op.mean(x!, 1)],
        products: [op.prod(x!, 2), op.prod(n!, 0)],
        extremes: [op.max(x!, 1), op.min(x!, [0, 1]), op.max(n!), op.min(n!, 1, true)],
        positions: [op.argMax(x!, 2), op.argMin(x!, 0), op.argMax(n!, 1)],
        logSumExp: op.logSumExp(x!, -1),
        softmax: [op.softmax(x!), op.logSoftmax(x!)],
        norm: op.norm(x!, 2, 1),
      },
    ],
  },

  "cutting, joining and picking": {
    inputs: {
      x: wave([3, 4]),
      y: wave([3, 2], 5),
      rows: array([2, 0, 2], [3], "int32"),
      pairs: array([2, 3, 0, 1], [2, 2], "int32"),
      tests: array([1, 0, 0, 1], [4], "bool"),
    },
    fn: ({ x, y, rows, pairs, tests }) => {
      const { values, indices } = op.topk(x!, 2);
      const around: [number, number][] = [
        [1, 0],
        [0, 2],
      ];
      return [
        {},
        {
          concat: [op.concat([x!, y!], 1), op.stack([x!, x!], 1)],
          split: op.split(x!, [1, 3], 1),
          gather: [op.gather(x!, rows!), op.gather(x!, rows!, 1), op.gatherND(x!, pairs!)],
          scatter: op.scatterND(pairs!, op.gatherND(x!, pairs!), [3, 4]),
          slice: [op.slice(x!, [1, 1], [2, 2]), op.stridedSlice(x!, [0, 3], [3, 0], [2, -1])],
          reverse: op.reverse(x!, 1),
          pad: [op.pad(x!, around, 7), op.mirrorPad(x!, around, "reflect")],
          topk: [values, indices],
          sort: op.sort(x!),
          where: op.where(tests!, x!, op.zerosLike(x!)),
          cumulative: [op.cumsum(x!, 1), op.cumsum(x!, 0, true, true), op.cumprod(x!, 1)],
          tile: op.tile(x!, [2, 1]),
          oneHot: op.oneHot(rows!, 3),
          segments: op.unsortedSegmentSum(x!, rows as never, 3),
          transpose: op.transpose(x!),
        },
      ];
    },
  },

  "a convolution and its gradients": {
    state: { filter: wave([3, 3, 2, 4], 1) },
    inputs: { images: wave([2, 7, 6, 2]) },
    fn: ({ images }, state) => {
      const convolve = (x: Tensor, filter: Tensor) =>
        op.conv2d(x as never, filter as never, [2, 1], "same") as Tensor;
      const [loss, gradient] = valueAndGrad(({ x, filter }: Tensors) =>
        op.sum(op.square(convolve(x!, filter!))),
      )({ x: images!, filter: state.filter });
      const dilated = op.conv2d(images as never, state.filter, 1, "valid", "NHWC", 2) as Tensor;
      const filter = op.sub(state.filter, op.mul(gradient["filter"]!, 1e-4));
      return [{ filter }, { loss: op.mul(loss, 1e-3), y: convolve(images!, filter), dilated }];
    },
  },

  "whole numbers and truths": {
    state: { count: array([5], [], "int32"), seen: array([1, 0], [2], "bool") },
    inputs: {
      n: array([7, -7, 3], [3], "int32"),
      m: array([2, 2, -2], [3], "int32"),
      a: array([1, 1, 0], [3], "bool"),
      b: array([1, 0, 0], [3], "bool"),
      x: wave([3]),
    },
    fn: ({ n, m, a, b, x }, { count, seen }) => [
      { count: op.add(count, op.sum(op.cast(a!, "int32"))), seen: op.logicalNot(seen) },
      {
        arithmetic: [op.add(n!, m!), op.sub(n!, m!), op.mul(n!, m!), op.maximum(n!, m!)],
        division: [op.floorDiv(n!, m!), op.mod(n!, m!)],
        logic: [op.logicalAnd(a!, b!), op.logicalOr(a!, b!), op.logicalXor(a!, b!)],
        comparisons: [op.less(n!, m!), op.equal(n!, m!), op.greaterEqual(x!, 0)],
        anyAll: [op.any(a!), op.all(a!), op.any(b!, 0, true)],
        casts: [op.cast(x!, "int32"), op.cast(n!, "float32"), op.cast(x!, "bool")],
        signs: [op.sign(x!), op.abs(n!), op.neg(n!), op.step(x!)],
      },
    ],
  },

  "layer norm and activations": {
    state: { scale: wave([6], 1), shift: wave([6], 2) },
    inputs: { x: wave([2, 3, 6]) },
    fn: ({ x }, { scale, shift }) => {
      const y = op.layerNorm(x!, scale, shift);
      const gradient = valueAndGrad((p: Tensors) =>
        op.sum(op.mul(op.gelu(op.layerNorm(x!, p["scale"], p["shift"])), x!)),
      )({ scale, shift })[1];
      const activations = [op.elu, op.silu, op.mish, op.gelu, op.softplus, op.sigmoid, op.erf];
      return [
        { scale, shift },
        { y, gradient, activations: activations.map((f) => f(y)) },
      ];
    },
  },

  "batched and transposed products": {
    state: { weights: wave([2, 5, 3], 1) }, // [E, in, out]
    inputs: { x: wave([4, 5]), q: wave([2, 2, 3, 4]), k: wave([2, 2, 6, 4], 2) },
    fn: ({ x, q, k }, { weights }) => {
      const [, gradient] = valueAndGrad((w: Tensor) => op.mean(op.square(op.matMul(x!, w))))(
        weights,
      );
      return [
        { weights: op.sub(weights, gradient) },
        {
          ensemble: op.matMul(x!, weights), // [E, B, out]
          attention: op.softmax(op.matMul(q!, k!, false, true)),
          transposed: [op.matMul(q!, q!, true, false), op.matMul(x!, x!, true)],
        },
      ];
    },
  },

  "outputs that nothing computes": {
    state: { kept: wave([2]), replaced: wave([3], 1), swapped: wave([3], 2) },
    inputs: { x: wave([3]), unused: wave([2]) },
    fn: ({ x }, { kept, replaced, swapped }) => [
      { kept, replaced: swapped, swapped: replaced },
      { input: x!, twice: [x!, x!], kept, ones: op.ones([2, 2]), negative: op.neg(x!) },
    ],
  },
};
