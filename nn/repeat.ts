// Several updates in one call: the loop is unrolled in the graph, so that the call's fixed cost is
// paid once.

import { isTensor } from "./gradient.ts";
import { slice, squeeze, type Tensor } from "./ops.ts";
import { type ArraySpec, isSpec, mapTree, type Tree } from "./tree.ts";

/**
 * The update that does `numSteps` updates: each input leaf, noise too, has a leading axis of that size
 * whose slices serve one step each. The function is also told which step it is. The outputs are those
 * of the last step.
 */
export function repeated<
  F extends (state: never, inputs: never, index: number) => readonly [unknown, unknown],
>(fn: F, numSteps: number): F {
  checkCount(numSteps);
  const single = fn as unknown as Step;
  const update = (state: unknown, inputs: unknown) => {
    let result = single(state, step(inputs, 0, numSteps), 0);
    for (let i = 1; i < numSteps; i++) result = single(result[0], step(inputs, i, numSteps), i);
    return result;
  };
  const name = `${fn.name || "program"} x${numSteps}`;
  return Object.defineProperty(update, "name", { value: name }) as unknown as F;
}

type Step = (state: unknown, inputs: unknown, index: number) => readonly [unknown, unknown];

/** The example inputs of a repeated update: every shape with a leading axis; noise stays noise. */
export function repeatInputs<X>(inputs: X, numSteps: number): X {
  checkCount(numSteps);
  return mapTree<ArraySpec, ArraySpec>(inputs as Tree<ArraySpec>, isSpec, (spec) => {
    const { data: _, ...rest } = spec as ArraySpec & { data?: unknown }; // an example array is only a spec
    return { ...rest, shape: [numSteps, ...spec.shape] };
  }) as X;
}

/** The inputs of one step. */
function step(inputs: unknown, index: number, numSteps: number): Tree<Tensor> {
  return mapTree<Tensor, Tensor>(inputs as Tree<Tensor>, isTensor, (x, path) => {
    if (x.shape[0] !== numSteps) {
      throw new Error(`input "${path}" wants a leading axis of ${numSteps}, got [${x.shape}]`);
    }
    const rest = x.shape.slice(1);
    const begin = [index, ...rest.map(() => 0)];
    return squeeze(slice(x, begin, [1, ...rest]), [0]);
  });
}

function checkCount(numSteps: number): void {
  if (Number.isInteger(numSteps) && numSteps > 0) return;
  throw new Error(`numSteps is a positive whole number, got ${numSteps}`);
}
