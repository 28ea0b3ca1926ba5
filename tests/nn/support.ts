// What the tests of nn/ share: random arrays, and compiled programs held against eager ones.

import fc from "fast-check";
import { expect } from "vitest";
import * as tf from "#tensorflow";
import { type CompileOptions, compile, type RunOptions } from "../../nn/compile.ts";
import type { Tensor } from "../../nn/ops.ts";
import { array, type DType, type NdArray, sizeOf } from "../../nn/tree.ts";

export const seed = 20_240_517;

export type Shape = readonly number[];

/** One call of one function. */
export interface Case {
  readonly inputs: readonly NdArray[];
  readonly fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Allowed difference, absolute and relative; default 1e-5. */
  readonly tolerance?: number;
}

/** Draws of random arrays and choices; the same for the same seed. */
export class Draw {
  private readonly g: fc.GeneratorValue;

  constructor(g: fc.GeneratorValue) {
    this.g = g;
  }

  integer(min: number, max: number): number {
    return this.g(fc.integer, { min, max });
  }

  boolean(): boolean {
    return this.integer(0, 1) === 1;
  }

  pick<T>(options: readonly T[]): T {
    return options[this.integer(0, options.length - 1)]!;
  }

  /** Sizes of 1 to 4, and seldom 0 where allowed. */
  shape(minRank = 0, maxRank = 4, empty = true): number[] {
    const sizes = empty ? [0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4] : [1, 2, 2, 3, 3, 4];
    return Array.from({ length: this.integer(minRank, maxRank) }, () => this.pick(sizes));
  }

  /** A shape that broadcasts with another. */
  broadcastable(shape: Shape): number[] {
    const kept = shape.slice(this.integer(0, shape.length));
    return kept.map((size) => (this.integer(0, 2) === 0 ? 1 : size));
  }

  /** An axis, counted from either end. */
  axis(rank: number): number {
    return this.integer(-rank, rank - 1);
  }

  /** Some axes, each once. */
  axes(rank: number): number[] {
    const chosen = Array.from({ length: rank }, (_, axis) => axis).filter(() => this.boolean());
    return chosen.map((axis) => (this.boolean() ? axis - rank : axis));
  }

  permutation(rank: number): number[] {
    const left = Array.from({ length: rank }, (_, axis) => axis);
    return Array.from({ length: rank }, () => left.splice(this.integer(0, left.length - 1), 1)[0]!);
  }

  /** Numbers in [low, high], both ends and whole numbers among them. */
  real(shape: Shape, low = -3, high = 3): NdArray {
    const value = () => low + (high - low) * (this.integer(0, 240) / 240);
    return array(this.fill(shape, value), shape);
  }

  /** Numbers at least `gap` apart from each other and from zero, so that no kink is near. */
  distinct(shape: Shape, gap = 0.1): NdArray {
    const size = sizeOf(shape);
    const steps = this.permutation(size).map((i) => i - Math.floor(size / 2) + 0.5);
    return array(
      steps.map((i) => i * gap),
      shape,
    );
  }

  int(shape: Shape, low = -5, high = 5): NdArray {
    return array(
      this.fill(shape, () => this.integer(low, high)),
      shape,
      "int32",
    );
  }

  bool(shape: Shape): NdArray {
    return array(
      this.fill(shape, () => this.integer(0, 1)),
      shape,
      "bool",
    );
  }

  number(shape: Shape, dtype: DType): NdArray {
    if (dtype === "float32") return this.real(shape);
    return dtype === "int32" ? this.int(shape) : this.bool(shape);
  }

  /** NaN, infinities, zeros and numbers near the ends of the range among plain ones. */
  special(shape: Shape): NdArray {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const values = [...odd, 0, -0, 1, -1, 0.5, -2.5, 3e38, -3e38, 2e-38, 100, -100];
    return array(
      this.fill(shape, () => this.pick(values)),
      shape,
    );
  }

  private fill(shape: Shape, value: () => number): number[] {
    return Array.from({ length: sizeOf(shape) }, value);
  }
}

/** `count` draws of `build`, the same in every run; `salt` tells apart draws of one shape. */
export function draws<T>(build: (draw: Draw) => T, count: number, salt = 0): T[] {
  const drawn = fc.gen().map((g) => build(new Draw(g)));
  return fc.sample(drawn, { seed: seed + salt, numRuns: count });
}

/** Runs all cases in one compiled program and in one eager one; throws where they differ. */
export async function expectEqualToEager(name: string, cases: readonly Case[]): Promise<void> {
  const dtypes: string[][] = [];
  const fn = (_state: unknown, inputs: Tensor[][]) => {
    const outputs = cases.map((one, i) => listOf(one.fn(...inputs[i]!)));
    dtypes.push(outputs.flat().map(({ dtype }) => dtype));
    return [{}, outputs] as const;
  };
  const inputs = cases.map((one) => one.inputs);
  const [compiled, eager] = await Promise.all(
    (["cpu", "eager:cpu"] as const).map(async (device) => {
      const program = await compileAny(fn, { state: {}, inputs }, { device, name });
      const results = (await program.run(inputs)) as NdArray[][];
      await program.dispose();
      return results;
    }),
  );
  expect(dtypes[0], `${name}: element types, recorded and eager`).toEqual(dtypes.at(-1));
  cases.forEach(({ tolerance }, i) => {
    compiled![i]!.forEach((result, k) => {
      const about = `${name}, case ${i}, output ${k}: ${describe(cases[i]!)}`;
      expectClose(result, eager![i]![k]!, about, tolerance);
    });
  });
}

/** compile() for trees whose structure is known only at run time. */
type LooseCompile = (
  fn: unknown,
  example: { readonly state: unknown; readonly inputs: unknown },
  options?: CompileOptions,
) => Promise<{
  run(inputs: unknown, options?: RunOptions): Promise<unknown>;
  dispose(): Promise<void>;
}>;

export const compileAny = compile as unknown as LooseCompile;

/** Throws unless two arrays have one shape and nearly the same elements; NaN equals NaN. */
export function expectClose(
  actual: NdArray,
  wanted: NdArray,
  about: string,
  tolerance = 1e-5,
): void {
  expect(actual.shape, `${about}: shape`).toEqual(wanted.shape);
  expect(actual.dtype, `${about}: element type`).toBe(wanted.dtype);
  wanted.data.forEach((y, i) => {
    const x = actual.data[i]!;
    if (Object.is(x, y) || x === y) return;
    if (Math.abs(x - y) <= tolerance * (1 + Math.abs(y))) return;
    throw new Error(
      `${about}: element ${i} is ${x}, wanted ${y}\n  got    ${[...actual.data]}\n  wanted ${[...wanted.data]}`,
    );
  });
}

/** Runs a TensorFlow.js kernel by its name. */
export function runKernel(
  name: string,
  inputs: Readonly<Record<string, Tensor>>,
  attributes: Readonly<Record<string, unknown>> = {},
): Tensor {
  return tf.engine().runKernel(name, inputs as never, attributes as never) as Tensor;
}

export function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

function describe({ inputs, fn }: Case): string {
  const arrays = inputs.map(({ dtype, shape, data }) => `${dtype}[${shape}] ${[...data]}`);
  return `${fn}\n  of ${arrays.join("\n  and ")}\n `;
}
