// A function written down: called once on tensors that record, it leaves its graph and what goes in and out.

import type { Tensor } from "#tensorflow";
import type { InputPlan } from "./check.ts";
import { isTensor } from "./gradient.ts";
import { Graph, type Value } from "./graph.ts";
import { lower, type NamedValue } from "./lower.ts";
import { encodeOnnx, type OnnxModel } from "./onnx.ts";
import { graphValue, tensorOf, trace } from "./trace.ts";
import {
  type ArraySpec,
  isNdArray,
  isSpec,
  leaves,
  mapTree,
  type NdArray,
  type Tree,
} from "./tree.ts";

export type StateTree = Tree<NdArray>;
export type InputTree = Tree<ArraySpec>;

/** A function written down: its graph and what goes in and out. */
export interface Recording {
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: readonly InputPlan[];
  readonly states: readonly { path: string; spec: ArraySpec; before: Value; after: Value }[];
  readonly outputs: readonly { path: string; spec: ArraySpec; value: Value }[];
  outputTree(read: (path: string) => NdArray | undefined): Tree<NdArray>;
}

/** Calls the function once on recording tensors. */
export function record(
  fn: (state: never, inputs: never) => readonly [unknown, unknown],
  example: { readonly state: StateTree; readonly inputs: InputTree },
  name: string,
): Recording {
  const graph = new Graph();
  return trace(graph, name, () => {
    const stateValues = new Map<string, Value>();
    const state = mapTree<NdArray, Tensor>(example.state, isNdArray, ({ shape, dtype }, path) => {
      stateValues.set(path, graph.input(`state/${path}`, shape, dtype));
      return tensorOf(stateValues.get(path)!);
    });
    const inputs = mapTree<ArraySpec, Tensor>(example.inputs, isSpec, ({ shape, dtype }, path) =>
      tensorOf(graph.input(`inputs/${path}`, shape, dtype)),
    );
    const result = fn(state as never, inputs as never);
    checkResult(name, result);
    const outputTensors = result[1] as Tree<Tensor>;
    const outputs = leaves<Tensor>(outputTensors, isTensor).map(([path, tensor]) => {
      const value = graphValue(tensor);
      return { path, spec: { shape: tensor.shape, dtype: value.dtype }, value };
    });
    return {
      name,
      graph,
      inputs: leaves<ArraySpec>(example.inputs, isSpec).map(([path, spec]) => ({ path, spec })),
      states: nextStates(name, example.state, result[0] as Tree<Tensor>, stateValues),
      outputs,
      outputTree: outputTreeOf(outputTensors),
    };
  });
}

/** Throws unless a function returned [state, outputs], at once. */
function checkResult(name: string, result: unknown): void {
  const parts = Array.isArray(result) ? result : [result];
  const promise = parts.find((part): part is Promise<unknown> => part instanceof Promise);
  promise?.catch(() => {}); // it can only fail for the reason stated here
  if (promise !== undefined) {
    throw new Error(`"${name}" must not be async: it is traced in one go; read results from run()`);
  }
  if (parts.length !== 2) throw new Error(`"${name}" wants to return [state, outputs]`);
}

function nextStates(
  name: string,
  before: StateTree,
  after: Tree<Tensor>,
  values: ReadonlyMap<string, Value>,
): Recording["states"] {
  const next = new Map(leaves<Tensor>(after, isTensor));
  const states = leaves<NdArray>(before, isNdArray).map(([path, spec]) => {
    const tensor = next.get(path);
    if (tensor === undefined) throw new Error(`"${name}" returns no state "${path}"`);
    const value = graphValue(tensor);
    if (String(tensor.shape) !== String(spec.shape) || value.dtype !== spec.dtype) {
      throw new Error(
        `"${name}" returns state "${path}" as ${value.dtype} [${tensor.shape}], wanted ${spec.dtype} [${spec.shape}]`,
      );
    }
    return {
      path,
      spec: { shape: spec.shape, dtype: spec.dtype },
      before: values.get(path)!,
      after: value,
    };
  });
  const extra = [...next.keys()].filter((path) => !values.has(path));
  if (extra.length > 0) throw new Error(`"${name}" returns unknown state ${extra.join(", ")}`);
  return states;
}

/** Builds trees of the outputs' structure; leaves that were not read are left out. */
function outputTreeOf(template: Tree<Tensor>): Recording["outputTree"] {
  const skeleton = mapTree<Tensor, string>(template, isTensor, (_, path) => path);
  const isPath = (value: unknown): value is string => typeof value === "string";
  return (read) => {
    const tree = mapTree<string, NdArray | undefined>(skeleton, isPath, read);
    return tree as Tree<NdArray>;
  };
}

/** How a file is written; `OnnxOptions` in compile.ts explains. */
interface FileOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly plainNames?: boolean;
  readonly freeAxis?: string | undefined;
}

/** The recording in standard operators, with the state as inputs or baked in. */
export function exportOnnx(
  { graph, name, states, outputs }: Recording,
  baked: ReadonlyMap<string, NdArray> | undefined,
  { metadata = {}, plainNames = false, freeAxis }: FileOptions,
): Uint8Array {
  const plain = plainNames && baked !== undefined;
  const wanted = outputs.map(({ path, value }) => named(plain ? path : `outputs/${path}`, value));
  if (baked === undefined) {
    wanted.push(...states.map(({ path, after }) => named(`next/${path}`, after)));
  }
  const model = lower(name, graph.nodes, wanted, "standard");
  const constants = [...(baked ?? [])]
    .filter(([path]) => model.usedInputs.has(`state/${path}`))
    .map(([path, { dtype, shape, data }]) => ({
      name: `state/${path}`,
      type: dtype,
      shape,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    }));
  const inputs = model.inputs.filter(
    (input) => baked === undefined || !input.name.startsWith("state/"),
  );
  const file = {
    ...model,
    inputs,
    constants: [...model.constants, ...constants],
    metadata,
    freeAxis,
  };
  return encodeOnnx(plain ? withPlainInputs(file) : file);
}

function withPlainInputs(model: OnnxModel): OnnxModel {
  const plain = (name: string) => name.replace(/^inputs\//, "");
  return {
    ...model,
    inputs: model.inputs.map((input) => ({ ...input, name: plain(input.name) })),
    nodes: model.nodes.map((node) => ({ ...node, inputs: node.inputs.map(plain) })),
  };
}

function named(name: string, value: Value): NamedValue {
  return { name, value };
}
