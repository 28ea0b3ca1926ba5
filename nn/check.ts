// What enters a program is checked here: names, shapes, element types, finite parameters.

import { isNoise, type NoiseSpec } from "./noise.ts";
import { type ArraySpec, holds, isNdArray, type NdArray, sizeOf, type TypedArray } from "./tree.ts";

/** A leaf as callers may give it: an array with its shape, or its elements alone. */
export type HostLeaf = NdArray | TypedArray;

export interface InputPlan {
  readonly path: string;
  readonly spec: ArraySpec | NoiseSpec;
}

/** The elements of every given input; throws on what is missing, unknown or of another form. */
export function checkInputs(
  program: string,
  plan: readonly InputPlan[],
  inputs: ReadonlyMap<string, HostLeaf>,
  hasRandom: boolean,
): Map<string, TypedArray> {
  const given = new Map<string, TypedArray>();
  for (const { path, spec } of plan) {
    const leaf = inputs.get(path);
    if (leaf !== undefined) {
      given.set(path, elements(`program "${program}": input "${path}"`, leaf, spec));
    } else if (!isNoise(spec)) {
      throw new Error(
        `program "${program}": input "${path}" of shape [${spec.shape}] is missing; given: ${list(inputs.keys())}`,
      );
    } else if (!hasRandom) {
      throw new Error(
        `program "${program}": noise "${path}" has no generator to fill it; pass options.random to compile, or the values to run`,
      );
    }
  }
  if (given.size < inputs.size) {
    const extra = [...inputs.keys()].filter((path) => !given.has(path));
    throw new Error(
      `program "${program}": unknown input ${list(extra)}; known: ${list(plan.map(({ path }) => path))}`,
    );
  }
  return given;
}

/** Throws unless the state has exactly the wanted leaves, of the wanted form and finite. */
export function checkState(
  program: string,
  plan: readonly { readonly path: string; readonly spec: ArraySpec }[],
  state: ReadonlyMap<string, NdArray>,
): void {
  for (const { path, spec } of plan) {
    const leaf = state.get(path);
    if (leaf === undefined) {
      throw new Error(
        `program "${program}": state "${path}" is missing; given: ${list(state.keys())}`,
      );
    }
    const data = elements(`program "${program}": state "${path}"`, leaf, spec);
    const bad = spec.dtype === "float32" ? firstNotFinite(data) : -1;
    if (bad >= 0) {
      throw new Error(
        `program "${program}": state "${path}" holds ${data[bad]} at element ${bad}; wanted finite numbers`,
      );
    }
  }
  if (state.size > plan.length) {
    const known = new Set(plan.map(({ path }) => path));
    const extra = [...state.keys()].filter((path) => !known.has(path));
    throw new Error(`program "${program}": unknown state ${list(extra)}`);
  }
}

/** Its index, or -1. A policy is checked after each update, so this is a plain loop. */
function firstNotFinite(data: TypedArray): number {
  for (let i = 0; i < data.length; i++) if (data[i]! - data[i]! !== 0) return i;
  return -1;
}

function elements(what: string, leaf: HostLeaf, spec: ArraySpec): TypedArray {
  const data = isNdArray(leaf) ? leaf.data : leaf;
  if (isNdArray(leaf) && !equalShapes(leaf.shape, spec.shape)) {
    throw new Error(`${what} wants shape [${spec.shape}], got [${leaf.shape}]`);
  }
  if (!holds(spec.dtype, data)) {
    throw new Error(`${what} wants ${spec.dtype}, got a ${(data as object)?.constructor?.name}`);
  }
  if (data.length !== sizeOf(spec.shape)) {
    throw new Error(
      `${what} wants shape [${spec.shape}], that is ${sizeOf(spec.shape)} elements, got ${data.length}`,
    );
  }
  return data;
}

function equalShapes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function list(names: Iterable<string>): string {
  const known = [...names];
  return known.length === 0 ? "nothing" : known.map((name) => `"${name}"`).join(", ");
}
