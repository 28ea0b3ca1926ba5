// A policy's exported ONNX file in plain TypeScript: one row of observations to one of actions, or to a chunk.
//
// A policy is a few dense layers: loops do them in less time than a message to another engine takes, in 12 kB where
// ONNX Runtime's WebAssembly has 14 MB, and with equal bits everywhere (graphOps.ts). It differs from ONNX Runtime
// by rounding alone.

import type { Block } from "./blocks.ts";
import { opOf } from "./graphOps.ts";
import { type GraphNode, type PolicyFileGraph, readPolicyFile } from "./onnxReader.ts";

/** A graph from `obs` [1, O], and where it asks for them draws `noise` [1, D], to `action` [1, H · A]. */
export interface PolicyGraph {
  /** Numbers in its answers, for so many observations and draws; a view, valid until the next call. */
  act(observations: ArrayLike<number>, noise?: ArrayLike<number>): Float32Array;
  /** What the last answer was after each of its steps, [K · H · A]; null where it has none. */
  path(): Float32Array | null;
}

/** What a graph takes and gives. */
export interface GraphSizes {
  readonly observationSize: number;
  readonly outputSize: number;
  readonly noiseSize: number;
}

/** A file that gives one action for an observation. */
export function loadPolicyGraph(
  file: Uint8Array,
  observationSize: number,
  actionSize: number,
): PolicyGraph {
  const sizes = { observationSize, outputSize: actionSize, noiseSize: 0 };
  return makePolicyGraph(readPolicyFile(file), sizes);
}

/** Makes a graph run, and tries it once; throws where it does not take and give these numbers. */
export function makePolicyGraph(
  { nodes, constants }: PolicyFileGraph,
  { observationSize, outputSize, noiseSize }: GraphSizes,
): PolicyGraph {
  const values = new Map<string, Block>(constants);
  const obs = new Float32Array(observationSize);
  const draws = new Float32Array(noiseSize);
  values.set("obs", { shape: [1, observationSize], data: obs });
  values.set("noise", { shape: [1, noiseSize], data: draws });
  const steps = nodes.map((node) => stepOf(node, values));
  const run = (): Float32Array => {
    for (const step of steps) step();
    return blockOf(values, "action").data;
  };
  const { length } = run();
  if (length !== outputSize)
    throw new Error(`the policy gives ${length} numbers, the task takes ${outputSize}`);
  return {
    act(observations, noise = []) {
      obs.set(observations);
      draws.set(noise);
      return run();
    },
    path: () => values.get("path")?.data ?? null,
  };
}

function stepOf(node: GraphNode, values: Map<string, Block>): () => void {
  const op = opOf(node.op);
  const { inputs, outputs } = node;
  return () => {
    const results = op(
      inputs.map((name) => (name === "" ? undefined : blockOf(values, name))),
      node,
    );
    for (const [i, name] of outputs.entries()) {
      const result = results[i];
      if (!result) throw new Error(`the policy's ${node.op} gives ${results.length} arrays`);
      values.set(name, result);
    }
  };
}

function blockOf(values: ReadonlyMap<string, Block>, name: string): Block {
  const value = values.get(name);
  if (!value) throw new Error(`the policy's graph has no value "${name}"`);
  return value;
}
