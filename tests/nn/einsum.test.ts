import { expect, test } from "vitest";
import { einsum } from "../../nn/einsum.ts";
import { array, type NdArray, sizeOf } from "../../nn/tree.ts";
import {
  type Case,
  compileAny,
  type Draw,
  draws,
  expectClose,
  expectEqualToEager,
} from "./support.ts";

interface Equation {
  readonly text: string;
  readonly inputs: readonly NdArray[];
}

/** A random equation over one or two operands with random sizes, 0 and 1 among them. */
function equation(draw: Draw): Equation {
  const letters = [..."abcde"];
  const sizes = new Map(letters.map((letter) => [letter, draw.pick([0, 1, 2, 2, 3, 3])]));
  const some = () => {
    const chosen = letters.filter(() => draw.integer(0, 4) < 3);
    return draw.permutation(chosen.length).map((i) => chosen[i]!);
  };
  const operands = Array.from({ length: draw.integer(1, 2) }, some);
  const known = [...new Set(operands.flat())];
  const order = draw.permutation(known.length).map((i) => known[i]!);
  const output = order.filter(() => draw.boolean());
  return {
    text: `${operands.map((own) => own.join("")).join(", ")} -> ${output.join("")}`,
    inputs: operands.map((own) => draw.real(own.map((letter) => sizes.get(letter)!))),
  };
}

/** The definition: a loop over all indices. */
function sumOfProducts({ text, inputs }: Equation): NdArray {
  const [left, output] = text.replaceAll(" ", "").split("->") as [string, string];
  const operands = left.split(",");
  const sizes = new Map<string, number>();
  operands.forEach((letters, i) => {
    [...letters].forEach((letter, axis) => {
      sizes.set(letter, inputs[i]!.shape[axis]!);
    });
  });
  const letters = [...sizes.keys()];
  const shape = [...output].map((letter) => sizes.get(letter)!);
  const sums = new Float64Array(sizeOf(shape));
  const at = new Map<string, number>();
  const offset = (own: string) =>
    [...own].reduce((flat, letter) => flat * sizes.get(letter)! + at.get(letter)!, 0);
  for (let n = 0; n < sizeOf([...sizes.values()]); n++) {
    let rest = n;
    for (const letter of letters) {
      at.set(letter, rest % sizes.get(letter)!);
      rest = Math.floor(rest / sizes.get(letter)!);
    }
    sums[offset(output)]! += operands.reduce((p, own, i) => p * inputs[i]!.data[offset(own)]!, 1);
  }
  return array(sums, shape);
}

test("sums products of random equations as the definition says", async () => {
  const equations = draws(equation, 60);
  const inputs = equations.map((one) => one.inputs);
  const program = await compileAny(
    (_state: object, x: never[][]) => [{}, equations.map(({ text }, i) => einsum(text, ...x[i]!))],
    { state: {}, inputs },
    { name: "einsum" },
  );
  const results = (await program.run(inputs)) as NdArray[];
  equations.forEach((one, i) => {
    expectClose(results[i]!, sumOfProducts(one), one.text, 1e-4);
  });
  await program.dispose();
});

test("computes the same eagerly", async () => {
  const cases = draws(equation, 20, 1).map(
    ({ text, inputs }): Case => ({ inputs, fn: (...x) => einsum(text, ...x) }),
  );
  await expectEqualToEager("einsum", cases);
});

test.each([
  [
    "ij,jk",
    [
      [2, 3],
      [3, 2],
    ],
    'einsum "ij,jk": wanted letters like "bi,io->bo"',
  ],
  ["i...->i", [[2, 3]], "wanted letters like"],
  [
    "ij->i",
    [
      [2, 3],
      [3, 2],
    ],
    "names 1 operands (1 or 2 allowed), got 2",
  ],
  ["i,j,k->ijk", [[2], [2], [2]], "names 3 operands"],
  ["ii->i", [[2, 2]], '"ii" repeats an index'],
  ["i->ii", [[2]], '"ii" repeats an index'],
  ["ij->k", [[2, 3]], 'output index "k" is in no operand'],
  ["ijk->i", [[2, 3]], '"ijk" wants 3 axes, got shape [2,3]'],
  [
    "ij,jk->ik",
    [
      [2, 3],
      [2, 3],
    ],
    'index "j" is both 3 and 2',
  ],
])("refuses %s of shapes %j", async (text, shapes, message) => {
  const inputs = shapes.map((shape) => ({ shape, dtype: "float32" }));
  const compiled = compileAny((_state: object, x: never[]) => [{}, einsum(text, ...x)], {
    state: {},
    inputs,
  });
  await expect(compiled).rejects.toThrow(message);
});
