// einsum over one or two operands, built from transposes and one matrix product, so that it has
// gradients of every order (TensorFlow.js' own kernel has none).

import { matMul, mul, reshape, sum, type Tensor, transpose } from "./ops.ts";

/** Sum of products by subscripts: `einsum("ebi,eio->ebo", x, w)`. Letters once per operand, no "...". */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const { inputs, output } = parse(equation, operands);
  const sizes = sizesOf(equation, inputs, operands);
  for (const letter of output) {
    if (!sizes.has(letter)) throw problem(equation, `output index "${letter}" is in no operand`);
  }
  if (operands.length === 1) {
    const kept = reduceTo(
      operands[0]!,
      inputs[0]!,
      [...inputs[0]!].filter((l) => output.includes(l)).join(""),
    );
    return arrange(kept.tensor, kept.letters, output);
  }
  return contract(inputs as [string, string], operands as [Tensor, Tensor], output, sizes);
}

function contract(
  [left, right]: readonly [string, string],
  [a, b]: readonly [Tensor, Tensor],
  output: string,
  sizes: ReadonlyMap<string, number>,
): Tensor {
  const only = (own: string, other: string) =>
    [...own].filter((l) => !other.includes(l) && output.includes(l)).join("");
  const shared = [...left].filter((l) => right.includes(l));
  const batch = shared.filter((l) => output.includes(l)).join("");
  const inner = shared.filter((l) => !output.includes(l)).join("");
  const rows = only(left, right);
  const columns = only(right, left);
  const x = reduceTo(a, left, [...left].filter((l) => (batch + inner + rows).includes(l)).join(""));
  const y = reduceTo(
    b,
    right,
    [...right].filter((l) => (batch + inner + columns).includes(l)).join(""),
  );
  const size = (letters: string) => [...letters].reduce((n, l) => n * sizes.get(l)!, 1);
  const shape = (letters: string) => [...letters].map((l) => sizes.get(l)!);
  const leftMatrix = reshape(arrange(x.tensor, x.letters, batch + rows + inner), [
    ...shape(batch),
    size(rows),
    size(inner),
  ]);
  const rightMatrix = reshape(arrange(y.tensor, y.letters, batch + inner + columns), [
    ...shape(batch),
    size(inner),
    size(columns),
  ]);
  const product =
    inner === "" && rows === "" && columns === ""
      ? mul(leftMatrix, rightMatrix)
      : matMul(leftMatrix, rightMatrix);
  const letters = batch + rows + columns;
  return arrange(reshape(product, shape(letters)), letters, output);
}

/** Sums over the letters that are not kept. */
function reduceTo(
  tensor: Tensor,
  letters: string,
  kept: string,
): { tensor: Tensor; letters: string } {
  const axes = [...letters].flatMap((letter, axis) => (kept.includes(letter) ? [] : [axis]));
  const remaining = [...letters].filter((letter) => kept.includes(letter)).join("");
  return { tensor: axes.length === 0 ? tensor : sum(tensor, axes), letters: remaining };
}

function arrange(tensor: Tensor, from: string, to: string): Tensor {
  return from === to
    ? tensor
    : transpose(
        tensor,
        [...to].map((letter) => from.indexOf(letter)),
      );
}

function parse(
  equation: string,
  operands: readonly Tensor[],
): { inputs: string[]; output: string } {
  const match = /^([a-zA-Z]*(?:,[a-zA-Z]*)*)->([a-zA-Z]*)$/.exec(equation.replaceAll(" ", ""));
  if (match === null) throw problem(equation, 'wanted letters like "bi,io->bo"');
  const inputs = match[1]!.split(",");
  const output = match[2]!;
  if (inputs.length !== operands.length || inputs.length > 2) {
    throw problem(
      equation,
      `names ${inputs.length} operands (1 or 2 allowed), got ${operands.length}`,
    );
  }
  for (const letters of [...inputs, output]) {
    if (new Set(letters).size !== letters.length) {
      throw problem(equation, `"${letters}" repeats an index`);
    }
  }
  return { inputs, output };
}

function sizesOf(
  equation: string,
  inputs: readonly string[],
  operands: readonly Tensor[],
): Map<string, number> {
  const sizes = new Map<string, number>();
  inputs.forEach((letters, index) => {
    const { shape } = operands[index]!;
    if (shape.length !== letters.length) {
      throw problem(equation, `"${letters}" wants ${letters.length} axes, got shape [${shape}]`);
    }
    [...letters].forEach((letter, axis) => {
      const known = sizes.get(letter) ?? shape[axis]!;
      if (known !== shape[axis]) {
        throw problem(equation, `index "${letter}" is both ${known} and ${shape[axis]}`);
      }
      sizes.set(letter, known);
    });
  });
  return sizes;
}

function problem(equation: string, text: string): Error {
  return new Error(`einsum "${equation}": ${text}`);
}
