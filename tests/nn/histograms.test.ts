// Histograms over a fixed support: C51, two-hot and HL-Gauss.

import { describe, expect, test } from "vitest";
import { compile } from "../../nn/compile.ts";
import {
  atoms,
  crossEntropy,
  expectedValue,
  hlGauss,
  projectCategorical,
  type Support,
  twoHot,
} from "../../nn/distributions.ts";
import { grad } from "../../nn/gradient.ts";
import { add, mul, sum, type Tensor } from "../../nn/ops.ts";
import { array } from "../../nn/tree.ts";
import { createRng, type Rng } from "../../sim/rng.ts";
import { evaluate, expectClose } from "./evaluate.ts";

const coarse: Support = { low: -1, high: 1, numAtoms: 3 };
const fine: Support = { low: -10, high: 10, numAtoms: 41 }; // spacing 0.5, exact in float32

test("atoms are evenly spaced, both ends included", async () => {
  const [values] = await evaluate(() => [atoms({ low: -1, high: 2, numAtoms: 4 })], {});
  expect(values).toEqual([-1, 0, 1, 2]);
  expect(() => atoms({ low: 1, high: 1, numAtoms: 4 })).toThrow("a support wants low < high");
  expect(() => atoms({ low: 0, high: 1, numAtoms: 1 })).toThrow("2 atoms or more, got 0, 1, 1");
});

test("the expected value weighs the atoms, also with an ensemble axis", async () => {
  const probs = array([0.2, 0.3, 0.5, 1, 0, 0], [2, 1, 3]);
  const [values] = await evaluate(({ probs }) => [expectedValue(probs, coarse)], { probs });
  expectClose(values!, [0.3, -1], 1e-6);
});

test("the cross-entropy is −Σ target · log softmax, its slope softmax − target", async () => {
  const given = {
    logits: array([0, Math.log(2), Math.log(5)], [1, 3]),
    targets: array([0.5, 0, 0.5], [1, 3]),
  };
  const [loss, slope] = await evaluate(
    ({ logits, targets }) => [
      crossEntropy(logits, targets),
      grad((x: Tensor) => sum(crossEntropy(x, targets)))(logits),
    ],
    given,
  );
  expectClose(loss!, [Math.log(8) - 0.5 * Math.log(5)], 1e-6);
  expectClose(slope!, [1 / 8 - 0.5, 2 / 8, 5 / 8 - 0.5], 1e-6);
});

describe("twoHot", () => {
  test("splits linearly, hits atoms exactly and holds the ends", async () => {
    const values = { values: array([0.25, -1, 1, 0, 9, -9]) };
    const [rows] = await evaluate(({ values }) => [twoHot(values, coarse)], values);
    const wanted = [
      [0, 0.75, 0.25],
      [1, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
    ];
    expect(rows).toEqual(wanted.flat());
  });

  test("keeps mass and mean of any value within the support", async () => {
    const rng = createRng(1);
    const values = array(Array.from({ length: 200 }, () => 20 * rng.uniform() - 10));
    const support = { low: -10, high: 10, numAtoms: 101 };
    const [rows, means] = await evaluate(
      ({ values }) => {
        const rows = twoHot(values, support);
        return [rows, expectedValue(rows, support)];
      },
      { values },
    );
    expectClose(sums(rows!, 101), Array(200).fill(1), 1e-5);
    expectClose(means!, Array.from(values.data), 1e-5);
  });
});

describe("projectCategorical", () => {
  /** r + discount · z for the masses on the coarse support. */
  const backup = async (reward: number, discount: number, probs: readonly number[]) => {
    const given = { probs: array(probs, [1, 3]), reward: array([reward], [1, 1]) };
    const [mass] = await evaluate(({ probs, reward }) => {
      const values = add(reward, mul(atoms(coarse), discount));
      return [projectCategorical(probs, values, coarse)];
    }, given);
    return mass!;
  };

  test.each([
    // Card sac.md, section 8, test 13.
    ["bootstrapping", 0.25, 0.5, [0, 0, 1], [0, 0.25, 0.75]],
    ["at a termination", 0.25, 0, [0, 0, 1], [0, 0.75, 0.25]],
    ["on atoms exactly", 0, 1, [0.25, 0.25, 0.5], [0.25, 0.25, 0.5]],
    ["on the middle atom", 0, 0, [0.25, 0.25, 0.5], [0, 1, 0]],
    ["beyond the upper end", 2, 0.5, [0.25, 0.25, 0.5], [0, 0, 1]],
    ["beyond the lower end", -5, 1, [0.25, 0.25, 0.5], [1, 0, 0]],
    ["over the upper end in part", 0.5, 1, [0.5, 0.25, 0.25], [0.25, 0.375, 0.375]],
  ] as const)("%s", async (_, reward, discount, probs, wanted) => {
    expectClose(await backup(reward, discount, probs), wanted, 1e-6);
  });

  test("keeps the mass of every row and equals the sum of its two-hot atoms", async () => {
    const rng = createRng(2);
    const [numRows, numAtoms] = [2 * 3, fine.numAtoms];
    const probs = Array.from({ length: numRows }, () => simplex(rng.uniform.bind(rng), numAtoms));
    const values = probs.flatMap(() => {
      const [shift, slope] = [8 * rng.normal(), rng.uniform()];
      return Array.from({ length: numAtoms }, (_, k) => shift + slope * (-10 + 0.5 * k));
    });
    const shape = [2, 3, numAtoms];
    const [mass] = await evaluate(
      ({ probs, values }) => [projectCategorical(probs, values, fine)],
      { probs: array(probs.flat(), shape), values: array(values, shape) },
    );
    const wanted = probs.flatMap((row, i) =>
      plainProjection(row, values.slice(i * numAtoms, (i + 1) * numAtoms)),
    );
    expectClose(mass!, wanted, 2e-6);
    expectClose(sums(mass!, numAtoms), Array(numRows).fill(1), 1e-5);
  });

  test("gives the same bits with several threads, though many masses fall on one atom", async () => {
    const rng = createRng(3);
    const shape = [2000, fine.numAtoms];
    const probs = array(uniforms(rng, 2000 * fine.numAtoms), shape);
    const values = array(uniforms(rng, 2000 * fine.numAtoms), shape); // all between two atoms or three
    const project = async (threads: number) => {
      const program = await compile(
        (state: { readonly probs: Tensor }, inputs: { readonly values: Tensor }) =>
          [state, { mass: projectCategorical(state.probs, inputs.values, fine) }] as const,
        { state: { probs }, inputs: { values } },
        { threads },
      );
      const runs = [await program.run({ values }), await program.run({ values })];
      await program.dispose();
      return runs.map(({ mass }) => mass.data);
    };
    const [first, second] = await project(1);
    expect(second).toEqual(first);
    for (const mass of await project(2)) expect(mass).toEqual(first);
  });
});

describe("hlGauss", () => {
  const sigma = 0.75 * 0.5;

  test("gives each atom the normal's mass over its cell", async () => {
    const [rows] = await evaluate(({ values }) => [hlGauss(values, fine, sigma)], {
      values: array([0]),
    });
    // P(|z| < 2/3) = 0.4950149, P(|z| < 2) = 0.9544997, P(|z| < 10/3) = 0.9991419
    const near = (0.9544997 - 0.4950149) / 2;
    const far = (0.9991419 - 0.9544997) / 2;
    expectClose(rows!.slice(18, 23), [far, near, 0.4950149, near, far], 2e-6);
  });

  test("sums to 1 everywhere, and has the value for its mean inside the support", async () => {
    const inside = Array.from({ length: 50 }, (_, i) => -8 + 0.32 * i);
    const values = [...inside, -10, 10, -9.9, 9.7, 300, -300];
    const [rows, means] = await evaluate(
      ({ values }) => {
        const rows = hlGauss(values, fine, sigma);
        return [rows, expectedValue(rows, fine)];
      },
      { values: array(values) },
    );
    expectClose(sums(rows!, fine.numAtoms), Array(values.length).fill(1), 1e-5);
    expectClose(means!.slice(0, 50), inside, 1e-4);
    expect(Math.min(...rows!)).toBeGreaterThanOrEqual(0);
    expectClose(means!.slice(-2), [means![51]!, means![50]!], 1e-5);
  });
});

function uniforms(rng: Rng, count: number): number[] {
  return Array.from({ length: count }, () => rng.uniform());
}

function sums(rows: readonly number[], width: number): number[] {
  return Array.from({ length: rows.length / width }, (_, i) =>
    rows.slice(i * width, (i + 1) * width).reduce((a, b) => a + b),
  );
}

function simplex(draw: () => number, size: number): number[] {
  const weights = Array.from({ length: size }, draw);
  const total = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / total);
}

/** C51's projection on the fine support as a loop in float64. */
function plainProjection(probs: readonly number[], values: readonly number[]): number[] {
  const mass = new Array<number>(fine.numAtoms).fill(0);
  probs.forEach((p, k) => {
    const position = (Math.min(Math.max(values[k]!, fine.low), fine.high) - fine.low) / 0.5;
    const [lower, upper] = [Math.floor(position), Math.ceil(position)];
    mass[lower]! += p * (lower === upper ? 1 : upper - position);
    mass[upper]! += p * (position - lower);
  });
  return mass;
}
