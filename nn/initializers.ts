// How weights begin: functions of a generator, a shape and fans that return a fresh array.
//
// A kernel is [inputs, outputs]; axes before these are ensemble members, each drawn on its own.
// Normal draws are not truncated, as in PyTorch and unlike Flax.

import type { Rng } from "../sim/rng.ts";
import { array, full, type NdArray, sizeOf, zeros as zeroArray } from "./tree.ts";

/** Widths of the layer that an array belongs to; a bias can't tell them from its shape. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** A fresh array of a shape; the fans default to the shape's last two axes. */
export type Initializer = (rng: Rng, shape: readonly number[], fans?: Fans) => NdArray;

/** U(±1/√fanIn): PyTorch's default for the kernel and the bias of a Linear layer. */
export const uniformFanIn: Initializer = (rng, shape, fans = fansOf(shape)) =>
  uniform(1 / Math.sqrt(fans.fanIn))(rng, shape);

/** U(±√(6 / (fanIn + fanOut))), after Glorot and Bengio 2010. */
export const xavierUniform: Initializer = (rng, shape, { fanIn, fanOut } = fansOf(shape)) =>
  uniform(Math.sqrt(6 / (fanIn + fanOut)))(rng, shape);

/** U(±√(6 / fanIn)), after He et al. 2015; variance 2 / fanIn. */
export const heUniform: Initializer = (rng, shape, { fanIn } = fansOf(shape)) =>
  uniform(Math.sqrt(6 / fanIn))(rng, shape);

/** N(0, 2 / fanIn), after He et al. 2015; also called Kaiming. */
export const heNormal: Initializer = (rng, shape, { fanIn } = fansOf(shape)) =>
  normal(Math.sqrt(2 / fanIn))(rng, shape);

/** N(0, 1 / fanIn). */
export const lecunNormal: Initializer = (rng, shape, { fanIn } = fansOf(shape)) =>
  normal(Math.sqrt(1 / fanIn))(rng, shape);

/** U(±bound). */
export function uniform(bound: number): Initializer {
  return (rng, shape) => filled(shape, () => bound * (2 * rng.uniform() - 1));
}

/** N(0, std²). */
export function normal(std: number): Initializer {
  return (rng, shape) => filled(shape, () => std * rng.normal());
}

export function constant(value: number): Initializer {
  return (_, shape) => full(shape, value);
}

export const zeros: Initializer = (_, shape) => zeroArray(shape);

/** Another initializer's draws times a factor. */
export function scaled(initializer: Initializer, factor: number): Initializer {
  return (rng, shape, fans) => {
    const { data } = initializer(rng, shape, fans);
    return array(data.map((x) => factor * x) as Float32Array, shape);
  };
}

/**
 * Matrices whose shorter side is orthonormal, times `gain`, uniformly distributed (Saxe et al. 2013);
 * √2 is usual before ReLU. One-axis shapes can't be orthogonal and throw.
 */
export function orthogonal(gain = 1): Initializer {
  return (rng, shape) => {
    if (shape.length < 2) throw new Error(`orthogonal wants a matrix, got shape [${shape}]`);
    const [rows, columns] = shape.slice(-2) as [number, number];
    const result = zeroArray(shape);
    const size = rows * columns;
    for (let start = 0; start < result.data.length; start += size) {
      result.data.set(orthogonalMatrix(rng, rows, columns, gain), start);
    }
    return result;
  };
}

function orthogonalMatrix(rng: Rng, rows: number, columns: number, gain: number): Float64Array {
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const basis = orthonormalRows(rng, count, length);
  const matrix = new Float64Array(rows * columns);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < length; j++) {
      const at = rows <= columns ? i * columns + j : j * columns + i;
      matrix[at] = gain * basis[i * length + j]!;
    }
  }
  return matrix;
}

/**
 * Orthonormal rows by modified Gram-Schmidt on normal draws. That is QR with a positive diagonal, so
 * the rows are uniformly distributed; Gaussian matrices are well enough conditioned that one pass in
 * float64 is far more precise than float32 can hold.
 */
function orthonormalRows(rng: Rng, count: number, length: number): Float64Array {
  const basis = Float64Array.from({ length: count * length }, () => rng.normal());
  for (let i = 0; i < count; i++) {
    const row = basis.subarray(i * length, (i + 1) * length);
    for (let j = 0; j < i; j++) {
      const other = basis.subarray(j * length, (j + 1) * length);
      const overlap = dot(row, other);
      for (let k = 0; k < length; k++) row[k]! -= overlap * other[k]!;
    }
    const norm = Math.sqrt(dot(row, row));
    for (let k = 0; k < length; k++) row[k]! /= norm;
  }
  return basis;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function filled(shape: readonly number[], draw: () => number): NdArray {
  return array(Float32Array.from({ length: sizeOf(shape) }, draw), shape);
}

function fansOf(shape: readonly number[]): Fans {
  const [fanIn, fanOut] = shape.slice(-2);
  if (fanIn !== undefined && fanOut !== undefined) return { fanIn, fanOut };
  throw new Error(`fans of shape [${shape}] are unknown; pass them or use an initializer without`);
}
