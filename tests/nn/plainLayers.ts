// What the tests of layers share: the layers as loops in float64, and members of ensembles.

import type { Activation } from "../../nn/layers.ts";
import { array, isNdArray, mapTree, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { mean } from "./evaluate.ts";

export const curves: Record<Activation, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  silu: (x) => x / (1 + Math.exp(-x)),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  gelu: (x) => x * normalCdf(x),
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  identity: (x) => x,
};
/** Parameters with noise on every leaf, so that biases, scales and shifts matter. */
export function shaken<P>(params: P, seed: number, amount = 0.3, kept = 1): P {
  const rng = createRng(seed);
  return mapTree<NdArray, NdArray>(params as never, isNdArray, ({ data, shape }) =>
    array(
      Array.from(data, (x) => kept * x + amount * rng.normal()),
      shape,
    ),
  ) as P;
}

export function member({ data }: NdArray, index: number, shape: readonly number[]): NdArray {
  const size = shape.reduce((product, n) => product * n, 1);
  return array(data.slice(index * size, (index + 1) * size), shape);
}

/** One member's parameters of an ensemble's. */
export function memberOf<P>(params: P, index: number): P {
  return mapTree<NdArray, NdArray>(params as never, isNdArray, (leaf, path) =>
    member(leaf, index, path.endsWith("kernel") ? leaf.shape.slice(1) : leaf.shape.slice(2)),
  ) as P;
}

export type Row = readonly number[];

export function plainDense({ kernel, bias }: { kernel: NdArray; bias: NdArray }, x: Row): number[] {
  const width = bias.data.length;
  return Array.from(bias.data, (b, j) =>
    x.reduce((sum, v, i) => sum + v * kernel.data[i * width + j]!, b),
  );
}

export function plainNorm({ scale, shift }: { scale: NdArray; shift: NdArray }, x: Row): number[] {
  const centre = mean(x);
  const unit = 1 / Math.sqrt(mean(x.map((v) => (v - centre) ** 2)) + 1e-5);
  return x.map((v, i) => (v - centre) * unit * scale.data[i]! + shift.data[i]!);
}

/** Φ(x) by the midpoint rule, precise to 1e-8. */
function normalCdf(x: number): number {
  const cells = 20_000;
  const width = (x + 9) / cells;
  let sum = 0;
  for (let i = 0; i < cells; i++) sum += Math.exp(-0.5 * (-9 + (i + 0.5) * width) ** 2);
  return (sum * width) / Math.sqrt(2 * Math.PI);
}
