// Which state buffers may be overwritten in place: those that nobody reads after the write.
//
// Every reader of the old value must come before the node that makes the new one, in any order the
// engine may choose: the new value must depend on it. Touching half the memory makes an update about
// 7 % faster than two buffers that take turns.

import { liveNodes, type Node, type Value } from "./graph.ts";
import { sameShape } from "./record.ts";

/** Nodes whose output may be the very memory of their input. */
const aliasing = new Set(["Reshape", "Identity"]);

/** Nodes that read element i of a same-shaped operand before they write element i. */
const elementwise = new Set(["Add", "Sub", "Mul", "Div"]);

/**
 * The engine fuses neighbours into one node, which then would read what it overwrites. No fusion of
 * ONNX Runtime spans as many nodes as this.
 */
const fusionReach = 12;

/** A state leaf's value before and after a call. */
export interface Successor {
  readonly before: Value;
  readonly after: Value;
}

/** The old values whose buffers the new ones may be written to. `outputs` are all that leaves the graph. */
export function findDonated(
  nodes: readonly Node[],
  pairs: readonly Successor[],
  outputs: readonly Value[],
): ReadonlySet<Value> {
  const readers = readersOf(liveNodes(nodes, outputs, new Map()));
  const safe = ({ before, after }: Successor) =>
    after.node !== null && !outputs.includes(before) && isDonated(before, after.node, readers);
  return new Set(pairs.filter(safe).map(({ before }) => before));
}

function isDonated(before: Value, writer: Node, readers: ReadonlyMap<Value, Node[]>): boolean {
  const ancestors = ancestorsOf(writer, Number.POSITIVE_INFINITY);
  const near = ancestorsOf(writer, fusionReach);
  return memoryReaders(before, readers).every((reader) => {
    const matched = elementwise.has(reader.op) && sameShape(before.shape, reader.outputs[0]!.shape);
    if (reader === writer) return matched;
    return ancestors.has(reader) && (matched || !near.has(reader));
  });
}

function readersOf(nodes: readonly Node[]): Map<Value, Node[]> {
  const readers = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known === undefined) readers.set(input, [node]);
      else known.push(node);
    }
  }
  return readers;
}

/** The nodes that read the value's memory, also through a reshape. */
function memoryReaders(value: Value, readers: ReadonlyMap<Value, Node[]>): Node[] {
  return (readers.get(value) ?? []).flatMap((node) =>
    aliasing.has(node.op) ? [node, ...memoryReaders(node.outputs[0]!, readers)] : [node],
  );
}

/** The nodes at most `reach` steps before this one, without itself. */
function ancestorsOf(node: Node, reach: number): Set<Node> {
  const ancestors = new Set<Node>();
  let front: Node[] = [node];
  for (let step = 0; step < reach && front.length > 0; step++) {
    const next = new Set<Node>();
    for (const { inputs } of front) {
      for (const { node: maker } of inputs) {
        if (maker !== null && !ancestors.has(maker)) next.add(maker);
      }
    }
    for (const maker of next) ancestors.add(maker);
    front = [...next];
  }
  return ancestors;
}
