// Cuts a matrix product before it is made: a slice of its last axis becomes a slice of its operand.
//
// The gradient of concat([observations, actions]) is wanted for the actions alone; the product that
// makes it then has 8 columns instead of 35.

import type { Graph, Value } from "./graph.ts";
import { constantOperand, reshape, shapeConstant } from "./record.ts";

/** Columns [start, start + size) of `x` made without the others, or undefined when x is no product. */
export function narrowed(g: Graph, x: Value, start: number, size: number): Value | undefined {
  const { node } = x;
  if (node === null) return undefined;
  const source = node.inputs[0]!;
  const shape = [...x.shape.slice(0, -1), size];
  switch (node.op) {
    case "Reshape": {
      if (source.shape.at(-1) !== x.shape.at(-1)) return undefined;
      const cut = narrowed(g, source, start, size);
      return cut === undefined ? undefined : reshape(g, cut, shape);
    }
    case "ReduceSum": {
      if (constantOperand(node, 1).includes(source.shape.length - 1)) return undefined;
      const cut = narrowed(g, source, start, size);
      if (cut === undefined) return undefined;
      return g.emit("ReduceSum", [cut, node.inputs[1]!], shape, x.dtype, node.attributes);
    }
    case "MatMul": {
      const right = node.inputs[1]!;
      const axis = right.shape.length - (node.attributes["transB"] === 1 ? 2 : 1);
      const columns = g.emit(
        "Slice",
        [right, ...[start, start + size, axis].map((n) => shapeConstant(g, [n]))],
        right.shape.map((n, i) => (i === axis ? size : n)),
        right.dtype,
      );
      return g.emit("MatMul", [source, columns], shape, x.dtype, node.attributes);
    }
    default:
      return undefined;
  }
}
