// Comparing what a program computes in Node and in a page.

import type { Page } from "playwright-core";
import { sacBatch } from "../../bench/nn/sac.ts";
import type { CompileOptions } from "../../nn/compile.ts";
import { fillNoise, isNoise, type NoiseSpec, type RandomSource } from "../../nn/noise.ts";
import {
  type ArraySpec,
  allocate,
  array,
  isNdArray,
  isSpec,
  leaves,
  type NdArray,
  sizeOf,
  type Tree,
  type TypedArray,
} from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { type Inputs, type Kind, type Lab, type Outputs, programs, type State } from "./lab.ts";

/** The page's lab as if it were here. */
export function labOf(page: Page): Lab {
  const call = (name: keyof Lab, ...given: unknown[]) =>
    page.evaluate(
      ([name, given]) => (lab[name] as (...given: unknown[]) => Promise<unknown>)(...given),
      [name, given] as const,
    );
  return {
    compile: (...given) => call("compile", ...given) as Promise<void>,
    run: (calls) => call("run", calls) as Promise<Outputs[]>,
    state: () => call("state") as Promise<State>,
    load: (state) => call("load", state) as Promise<void>,
  };
}

/** Made-up batches and the noise that goes with each. */
export function callsOf(kind: Kind, rows: number, numCalls: number, firstSeed = 0): Inputs[] {
  const specs = leaves<ArraySpec>(programs[kind].inputs(rows), isSpec);
  return Array.from({ length: numCalls }, (_, call) => {
    const seed = firstSeed + call;
    const batch: Inputs = sacBatch(rows, seed);
    const rng = createRng(seed).split("noise");
    return Object.fromEntries(
      specs.map(([name, spec]) => [name, isNoise(spec) ? drawn(spec, rng) : batch[name]!]),
    );
  });
}

function drawn({ noise, dtype, shape }: NoiseSpec, random: RandomSource): TypedArray {
  const values = allocate(dtype, sizeOf(shape));
  fillNoise(noise, values, random);
  return values;
}

/** A lab in Node and one in a page. */
export interface Labs {
  readonly inNode: Lab;
  readonly inPage: Lab;
}

/** Makes the same program in Node's lab and, with the options, in the page's. */
export async function compileBoth(
  { inNode, inPage }: Labs,
  kind: Kind,
  rows: number,
  options: CompileOptions = {},
): Promise<void> {
  const state = programs[kind].state();
  await inNode.compile(kind, rows, state, {});
  await inPage.compile(kind, rows, state, options);
}

/** What the same calls of the same program leave in Node and in the page. */
export async function both({ inNode, inPage }: Labs, calls: readonly Inputs[]) {
  return { wanted: await resultsOf(inNode, calls), got: await resultsOf(inPage, calls) };
}

/** What the calls of a lab's program give, and the state they leave. */
export async function resultsOf(lab: Lab, calls: readonly Inputs[]) {
  return { outputs: series(await lab.run(calls)), state: await lab.state() };
}

/** The outputs of many calls, each output as one array over the calls. */
function series(calls: readonly Outputs[]): Record<string, NdArray> {
  const names = Object.keys(calls[0]!);
  return Object.fromEntries(
    names.map((name) => [name, array(calls.flatMap((outputs) => [...outputs[name]!.data]))]),
  );
}

/**
 * The arrays that are farther from the wanted ones than `tolerance`, and how far. Distances are relative
 * to the wanted array: Adam's second moments are as small as 1e-9, where an absolute tolerance would see
 * nothing.
 */
export function beyond(
  tolerance: number,
  got: Tree<NdArray>,
  wanted: Tree<NdArray>,
  distance = largest,
): string[] {
  const others = new Map(leaves<NdArray>(got, isNdArray));
  const distances = leaves<NdArray>(wanted, isNdArray).map(
    ([path, { data }]) => [path, distance(others.get(path)!.data, data)] as const,
  );
  const far = distances.filter(([, distance]) => !(distance <= tolerance));
  return far.map(([path, distance]) => `${path}: ${distance}`);
}

/** The largest difference over the largest magnitude. */
function largest(got: TypedArray, wanted: TypedArray): number {
  let magnitude = 0;
  let difference = 0;
  for (let i = 0; i < wanted.length; i++) {
    magnitude = Math.max(magnitude, Math.abs(wanted[i]!));
    difference = Math.max(difference, Math.abs(got[i]! - wanted[i]!));
  }
  return difference === 0 ? 0 : difference / magnitude;
}

/** The difference's length over the array's, which single elements do not decide. */
export function euclidean(got: TypedArray, wanted: TypedArray): number {
  let square = 0;
  let difference = 0;
  for (let i = 0; i < wanted.length; i++) {
    square += wanted[i]! ** 2;
    difference += (got[i]! - wanted[i]!) ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / square);
}
