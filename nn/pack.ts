// Which state leaves share a buffer: the small ones, so that few tensors cross from JavaScript.

import { findDonated } from "./donate.ts";
import type { Graph, Value } from "./graph.ts";
import type { NamedValue } from "./lower.ts";
import type { StateBuffer, StateSlot } from "./program.ts";
import { reshape, shapeConstant } from "./record.ts";
import { type ArraySpec, sizeOf } from "./tree.ts";

interface StateLeaf {
  readonly path: string;
  readonly spec: ArraySpec;
  readonly before: Value;
  readonly after: Value;
}

interface PackedState {
  readonly slots: readonly StateSlot[];
  readonly buffers: readonly StateBuffer[];
  /** The state's graph outputs. */
  readonly results: readonly NamedValue[];
  /** What stands for the inputs of packed leaves. */
  readonly pieces: ReadonlyMap<Value, Value>;
}

/** Larger leaves get a buffer of their own: splitting and joining them would cost more than it saves. */
const packLimit = 4096; // elements
const packName = "packed";

/**
 * Lays the state out in buffers and adds the nodes that take the shared one apart and join it. Leaves
 * of more than `limit` elements are not packed.
 */
export function packState(
  graph: Graph,
  states: readonly StateLeaf[],
  outputs: readonly Value[],
  limit = packLimit,
): PackedState {
  const all = [...outputs, ...states.map(({ after }) => after)];
  const donated = findDonated(graph.nodes, states, all);
  const changes = ({ before, after }: StateLeaf) => before !== after;
  const small = states.filter(
    (leaf) => changes(leaf) && leaf.spec.dtype === "float32" && sizeOf(leaf.spec.shape) <= limit,
  );
  const packed = small.length > 1 ? small.filter(({ spec }) => sizeOf(spec.shape) > 0) : [];
  const single = states.filter((leaf) => !packed.includes(leaf));

  const slots: StateSlot[] = single.map(({ path, spec }) => ({
    path,
    spec,
    buffer: path,
    offset: 0,
  }));
  const buffers: StateBuffer[] = single.map((leaf) => ({
    name: leaf.path,
    spec: leaf.spec,
    input: `state/${leaf.path}`,
    output: changes(leaf) ? `next/${leaf.path}` : undefined,
    donated: donated.has(leaf.before),
  }));
  const results = single
    .filter(changes)
    .map(({ path, after }) => ({ name: `next/${path}`, value: after }));
  if (packed.length === 0) return { slots, buffers, results, pieces: new Map() };

  let offset = 0;
  for (const { path, spec } of packed) {
    slots.push({ path, spec, buffer: packName, offset });
    offset += sizeOf(spec.shape);
  }
  const spec: ArraySpec = { shape: [offset], dtype: "float32" };
  const output = `next_${packName}`;
  // Split copies every leaf out of the shared buffer before any of them is updated.
  buffers.push({ name: packName, spec, input: packName, output, donated: true });
  const { joined, pieces } = packLeaves(graph, packed, offset);
  results.push({ name: output, value: joined });
  return { slots, buffers, results, pieces };
}

/** Makes every packed leaf a piece of one input, and one output of their successors joined again. */
function packLeaves(
  graph: Graph,
  packed: readonly StateLeaf[],
  total: number,
): { joined: Value; pieces: Map<Value, Value> } {
  const sizes = packed.map(({ spec }) => sizeOf(spec.shape));
  const numNodes = graph.nodes.length;
  const parts = graph.emitMany(
    "Split",
    [graph.input(packName, [total], "float32"), shapeConstant(graph, sizes)],
    sizes.map((size) => ({ shape: [size], dtype: "float32" as const })),
    { axis: 0 },
  );
  const pieces = new Map(
    packed.map(({ before }, i) => [before, reshape(graph, parts[i]!, before.shape)]),
  );
  graph.nodes.unshift(...graph.nodes.splice(numNodes)); // they come before whatever reads them
  const flat = packed.map(({ after, spec }) => reshape(graph, after, [sizeOf(spec.shape)]));
  return { joined: graph.emit("Concat", flat, [total], "float32", { axis: 0 }), pieces };
}
