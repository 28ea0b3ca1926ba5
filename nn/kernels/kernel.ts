// What a recording kernel is: TensorFlow.js' inputs and attributes in, graph values out.

import { util } from "#tensorflow";
import type { Graph, Value } from "../graph.ts";

export interface KernelCall {
  readonly g: Graph;
  /** The named inputs; a variadic kernel's are "0", "1", … */
  readonly inputs: Readonly<Record<string, Value>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export type Kernel = (call: KernelCall) => Value | Value[];

export type Kernels = Readonly<Record<string, Kernel>>;

/** The axes an attribute names, non-negative and ascending; null or undefined means all. */
export function axesOf(axis: unknown, shape: readonly number[]): number[] {
  const axes = util.parseAxisParam((axis ?? null) as number | number[], [...shape]);
  return axes.sort((a, b) => a - b);
}

export function axisOf(axis: unknown, rank: number): number {
  const value = Number(axis);
  return value < 0 ? value + rank : value;
}

/** The inputs of a variadic kernel in order. */
export function operands(inputs: Readonly<Record<string, Value>>): Value[] {
  return Object.keys(inputs).map((_, index) => inputs[String(index)]!);
}
