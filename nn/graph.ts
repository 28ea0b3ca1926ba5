// The recorded program: values and the nodes that make them, simplified while they are recorded.
//
// Nodes carry ONNX operator names, plus "Step" and "MatMul" with transpose flags, which `lower.ts`
// spells out for the engine that will run them. Equal nodes are recorded once.

import { allocate, type DType, sizeOf, type TypedArray } from "./tree.ts";

export type Attribute = number | string | readonly number[];
export type Attributes = { readonly [name: string]: Attribute };

/** One tensor of the graph. */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly node: Node | null; // null for inputs and constants
  readonly name?: string; // inputs
  readonly data?: TypedArray; // constants: all elements, or one that fills the shape
}

export interface Node {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: Value[];
}

/** The graph under construction. `emit` is how kernels add to it. */
export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  private numValues = 0;
  private readonly known = new Map<string, Node>();
  private readonly knownConstants = new Map<string, Value>();

  input(name: string, shape: readonly number[], dtype: DType): Value {
    const value: Value = { id: this.numValues++, shape, dtype, node: null, name };
    this.inputs.push(value);
    return value;
  }

  /** A constant; data of one element fills any shape. */
  constant(data: TypedArray, shape: readonly number[], dtype: DType): Value {
    const uniform = data.length > 1 && data.every((x) => Object.is(x, data[0]));
    const kept = uniform ? data.slice(0, 1) : data;
    const key = kept.length <= 16 ? `${dtype}[${shape}]${keyOf(kept)}` : undefined;
    const found = key === undefined ? undefined : this.knownConstants.get(key);
    if (found !== undefined) return found;
    const value: Value = { id: this.numValues++, shape, dtype, node: null, data: kept };
    if (key !== undefined) this.knownConstants.set(key, value);
    return value;
  }

  scalar(x: number, dtype: DType = "float32"): Value {
    return this.constant(allocate(dtype, [x]), [], dtype);
  }

  /** One-output node; a tensor without elements needs none. */
  emit(
    op: string,
    inputs: readonly Value[],
    shape: readonly number[],
    dtype: DType,
    attributes: Attributes = {},
  ): Value {
    if (sizeOf(shape) === 0) return this.constant(allocate(dtype, 0), shape, dtype);
    return this.emitMany(op, inputs, [{ shape, dtype }], attributes)[0]!;
  }

  emitMany(
    op: string,
    inputs: readonly Value[],
    outputs: readonly { shape: readonly number[]; dtype: DType }[],
    attributes: Attributes = {},
  ): Value[] {
    const key = `${op}(${inputs.map((v) => v.id)})${JSON.stringify(attributes)}${outputs.map((o) => `${o.dtype}[${o.shape}]`)}`;
    const found = this.known.get(key);
    if (found !== undefined) return found.outputs;
    const node: Node = { op, inputs, attributes, outputs: [] };
    for (const { shape, dtype } of outputs) {
      node.outputs.push({ id: this.numValues++, shape, dtype, node });
    }
    this.nodes.push(node);
    this.known.set(key, node);
    return node.outputs;
  }
}

/** The value that fills a constant, or undefined when it is not a constant or not uniform. */
export function fillOf(value: Value): number | undefined {
  return value.data !== undefined && value.data.length === 1 ? value.data[0] : undefined;
}

/** All elements of a constant, or undefined when the value is computed. */
export function constantData(value: Value): TypedArray | undefined {
  if (value.data === undefined) return undefined;
  const size = sizeOf(value.shape);
  return value.data.length === size ? value.data : allocate(value.dtype, size).fill(value.data[0]!);
}

/** The nodes that the outputs need, in the order they were recorded. */
export function liveNodes(
  nodes: readonly Node[],
  outputs: readonly Value[],
  replaced: ReadonlyMap<Value, Value>,
): Node[] {
  const live = new Set<Node>();
  const pending = [...outputs];
  while (pending.length > 0) {
    const value = pending.pop()!;
    const { node } = replaced.get(value) ?? value;
    if (node === null || live.has(node)) continue;
    live.add(node);
    pending.push(...node.inputs);
  }
  return nodes.filter((node) => live.has(node));
}

function keyOf(data: TypedArray): string {
  return Array.from(data, (x) => (Object.is(x, -0) ? "-0" : String(x))).join();
}
