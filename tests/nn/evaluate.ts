// What the tests of layers, distributions and optimizers share: functions run both ways.

import { expect } from "vitest";
import { type CompileOptions, compile, type Traced } from "../../nn/compile.ts";
import type { Tensor } from "../../nn/ops.ts";
import type { Device } from "../../nn/runtime.ts";
import { array, type NdArray, type Tree } from "../../nn/tree.ts";
import type { Rng } from "../../sim/rng.ts";

/** compile() for trees of any form, whose types would otherwise be unfolded without end. */
const compileAny = compile as unknown as (
  fn: (state: unknown, inputs: unknown) => unknown,
  example: { readonly state: unknown; readonly inputs: unknown },
  options: CompileOptions,
) => Promise<{ run(inputs: unknown): Promise<NdArray[]>; dispose(): Promise<void> }>;

/** The outputs' numbers of the compiled function; throws where op by op gives others. */
export async function evaluate<X extends Tree<NdArray>>(
  fn: (given: Traced<X>) => readonly Tensor[],
  given: X,
  tolerance = 1e-5,
): Promise<number[][]> {
  const step = (_: unknown, inputs: unknown) => [{}, fn(inputs as Traced<X>)] as const;
  const run = async (device: Device) => {
    const program = await compileAny(step, { state: {}, inputs: given }, { device });
    const outputs = await program.run(given);
    await program.dispose();
    return outputs.map(({ data }) => Array.from<number>(data));
  };
  const [compiled, eager] = await Promise.all([run("cpu"), run("eager:cpu")]);
  compiled.forEach((values, i) => {
    expectClose(values, eager[i]!, tolerance);
  });
  return compiled;
}

/** Fails unless the numbers agree to within tolerance · (1 + |wanted|). */
export function expectClose(got: readonly number[], wanted: readonly number[], tolerance = 1e-5) {
  expect(got.length).toBe(wanted.length);
  got.forEach((x, i) => {
    const error = Math.abs(x - wanted[i]!);
    const close = Object.is(x, wanted[i]) || error <= tolerance * (1 + Math.abs(wanted[i]!));
    expect(close, `element ${i}: got ${x}, wanted ${wanted[i]}`).toBe(true);
  });
}

/** Standard normal draws. */
export function normals(rng: Rng, shape: readonly number[], std = 1): NdArray {
  const size = shape.reduce((product, n) => product * n, 1);
  return array(
    Array.from({ length: size }, () => std * rng.normal()),
    shape,
  );
}

/** Centres of `count` equal cells of [low, high], for quadrature by the midpoint rule. */
export function midpoints(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low + ((i + 0.5) / count) * (high - low));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
