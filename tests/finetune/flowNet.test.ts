import { describe, expect, test } from "vitest";
import {
  eulerStep,
  initVelocity,
  integratePath,
  timeGrid,
  velocity,
} from "../../finetune/flowNet.ts";
import {
  add,
  div,
  expandDims,
  mul,
  square,
  sub,
  type Tensor,
  tensor,
  tile,
  unstack,
} from "../../nn/ops.ts";
import { array } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { evaluate, expectClose, normals } from "../nn/evaluate.ts";

const [m, s] = [2, 0.5];

/** The optimal velocity from N(0, 1) to data N(m, s²). */
function optimal(x: Tensor, t: Tensor): Tensor {
  const rest = sub(1, t);
  const gain = div(sub(mul(t, s * s), rest), add(mul(square(t), s * s), square(rest)));
  return add(mul(gain, sub(x, mul(t, m))), m);
}

const slope = (x: number, t: number) =>
  m + ((t * s * s - (1 - t)) / (t * t * s * s + (1 - t) ** 2)) * (x - t * m);

const from = (x: number, numSteps: number) =>
  evaluate(({ x }) => [integratePath(optimal, x, numSteps, null).at(-1)!], {
    x: array([x], [1, 1]),
  });

describe("the flow from a normal to data N(2, 0.5²)", () => {
  test.each([
    [1, 2.0],
    [2, 2.2],
    [4, 2.3405],
    [16, 2.4557],
    [64, 2.4886],
    [256, 2.4971],
  ])("in %i steps on the grid k / K leads 1 to %f", async (numSteps, wanted) => {
    const [point] = await from(1, numSteps);
    expect(point![0]).toBeCloseTo(wanted, 4);
  });

  test.each([2, 4])(
    "is asked on the grid k / K, not on k / (K − 1), in %i steps",
    async (numSteps) => {
      const [sum, grid] = await evaluate(
        ({ x }) => [
          integratePath((at, times) => add(mul(at, 0), times), x, numSteps, null).at(-1)!,
          add(timeGrid(numSteps), x),
        ],
        { x: array([0], [1, 1]) },
      );
      const times = Array.from({ length: numSteps }, (_, k) => k / numSteps);
      expectClose(grid!, times);
      expectClose(sum!, [(numSteps - 1) / (2 * numSteps)]); // the other grid's sum is 1 / 2
      // Where that other grid would lead: beyond the optimum 2.5, or to another point than the table's.
      const other = times.reduce((at, _, k) => at + slope(at, k / (numSteps - 1)) / numSteps, 1);
      expect(other).toBeCloseTo(numSteps === 2 ? 2.25 : 2.5319, 4);
    },
  );

  test("stays within its bound at every step", async () => {
    const [point] = await evaluate(
      ({ x }) => [
        integratePath((at) => add(mul(at, 0), 9), x, 4, 1).at(-1)!,
        eulerStep(x, mul(x, 8), 4, 1),
      ],
      { x: array([-3, 0.2, 0.9], [3, 1]) },
    );
    expect(point).toEqual([1, 1, 1]);
  });
});

describe.each([false, true])("a velocity net that knows the step's size: %s", (stepSizes) => {
  const options = { observationSize: 3, chunkSize: 2, width: 16, numBlocks: 1, stepSizes };
  const params = initVelocity(createRng(1), options);
  const rng = createRng(2);
  const given = { params, points: normals(rng, [5, 4, 2]), observations: normals(rng, [5, 3]) };

  test("gives all steps of a chain at once what it gives one by one", async () => {
    const all = await evaluate(({ params, points, observations }) => {
      const steps = stepSizes ? tensor([0.25], [1, 1]) : undefined;
      const repeated = tile(expandDims(observations, 1), [1, 4, 1]);
      const together = velocity(params, points, { times: timeGrid(4), steps }, repeated, "relu");
      const single = unstack(points, 1).map((at, k) => {
        const when = { times: tensor([k / 4]), steps: stepSizes ? tensor([0.25]) : undefined };
        return velocity(params, at, when, observations, "relu");
      });
      return [together, ...single];
    }, given);
    const rows = (values: readonly number[], row: number) => values.slice(2 * row, 2 * row + 2);
    const wanted = [0, 1, 2, 3, 4].flatMap((b) => all.slice(1).flatMap((each) => rows(each, b)));
    expectClose(all[0]!, wanted, 1e-5);
  });

  test("follows the time, and the step where it is told", async () => {
    const at = async (t: number, d: number) =>
      (
        await evaluate(({ params, points, observations }) => {
          const when = { times: tensor([t]), steps: stepSizes ? tensor([d]) : undefined };
          return [velocity(params, unstack(points, 1)[0]!, when, observations, "relu")];
        }, given)
      )[0]!;
    const [start, later, longer] = [await at(0, 0), await at(0.5, 0), await at(0, 0.5)];
    expect(later).not.toEqual(start);
    if (stepSizes) expect(longer).not.toEqual(start);
    else expect(longer).toEqual(start);
  });
});
