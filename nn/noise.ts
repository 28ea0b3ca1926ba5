// Noise as a declared input: what kind of numbers a program wants before each call.
//
// Randomness inside a traced function would be frozen into the graph. So a program states shape and
// kind, and whoever runs it fills the arrays from the run's own generator.

import type { ArraySpec, DType, TypedArray } from "./tree.ts";

/** The draws that noise is filled from; `sim/rng.ts` has one. */
export interface RandomSource {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
}

export type NoiseKind =
  | { readonly kind: "normal" }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "bernoulli"; readonly probability: number }
  | { readonly kind: "indices"; readonly bound: number }
  | { readonly kind: "subset"; readonly bound: number; readonly size: number };

/** An input that is filled anew before each call. */
export interface NoiseSpec extends ArraySpec {
  readonly noise: NoiseKind;
}

/** Standard normal draws. */
export function normal(shape: readonly number[]): NoiseSpec {
  return spec(shape, "float32", { kind: "normal" });
}

/** Draws from [low, high). */
export function uniform(shape: readonly number[], low = 0, high = 1): NoiseSpec {
  if (!(low < high)) throw new Error(`uniform noise wants low < high, got ${low} and ${high}`);
  return spec(shape, "float32", { kind: "uniform", low, high });
}

/** Ones with the given probability, else zeros: a dropout mask keeps with 1 − rate. */
export function bernoulli(shape: readonly number[], probability: number): NoiseSpec {
  if (!(probability >= 0 && probability <= 1)) {
    throw new Error(`bernoulli noise wants a probability in [0, 1], got ${probability}`);
  }
  return spec(shape, "float32", { kind: "bernoulli", probability });
}

/** Integers in [0, bound), independent of each other. */
export function indices(shape: readonly number[], bound: number): NoiseSpec {
  if (!(Number.isInteger(bound) && bound > 0)) {
    throw new Error(`index noise wants a positive whole bound, got ${bound}`);
  }
  return spec(shape, "int32", { kind: "indices", bound });
}

/** Distinct integers in [0, bound) along the last axis, in random order; rows are independent. */
export function subset(shape: readonly number[], bound: number): NoiseSpec {
  const size = shape.at(-1);
  if (size === undefined || !(Number.isInteger(bound) && bound >= size)) {
    throw new Error(`subset noise wants an axis of at most ${bound} elements, got [${shape}]`);
  }
  return spec(shape, "int32", { kind: "subset", bound, size });
}

export function isNoise(spec: ArraySpec): spec is NoiseSpec {
  return "noise" in spec;
}

/** Overwrites `out` with fresh draws. */
export function fillNoise(noise: NoiseKind, out: TypedArray, random: RandomSource): void {
  switch (noise.kind) {
    case "normal":
      for (let i = 0; i < out.length; i++) out[i] = random.normal();
      return;
    case "uniform": {
      const width = noise.high - noise.low;
      for (let i = 0; i < out.length; i++) out[i] = noise.low + width * random.uniform();
      return;
    }
    case "bernoulli":
      for (let i = 0; i < out.length; i++) out[i] = random.uniform() < noise.probability ? 1 : 0;
      return;
    case "indices":
      for (let i = 0; i < out.length; i++) out[i] = random.integer(noise.bound);
      return;
    case "subset":
      for (let i = 0; i < out.length; i += noise.size) fillSubset(noise, out, i, random);
  }
}

/** Floyd's sampling without replacement, each element put at a random place of the row so far. */
function fillSubset(
  { bound, size }: { readonly bound: number; readonly size: number },
  out: TypedArray,
  start: number,
  random: RandomSource,
): void {
  for (let i = 0; i < size; i++) {
    const largest = bound - size + i;
    const drawn = random.integer(largest + 1);
    const place = start + random.integer(i + 1);
    const taken = out.subarray(start, start + i).includes(drawn);
    out[start + i] = out[place]!;
    out[place] = taken ? largest : drawn;
  }
}

function spec(shape: readonly number[], dtype: DType, noise: NoiseKind): NoiseSpec {
  return { shape: [...shape], dtype, noise };
}
