import { describe, test } from "vitest";
import { grad } from "../../nn/gradient.ts";
import { type Activation, activate } from "../../nn/layers.ts";
import { sum, type Tensor } from "../../nn/ops.ts";
import { array } from "../../nn/tree.ts";
import { evaluate, expectClose } from "./evaluate.ts";
import { curves } from "./plainLayers.ts";

const names = Object.keys(curves) as Activation[];

describe.each(names)("activation %s", (name) => {
  const xs = [-4, -1.3, -0.2, 0.4, 1, 3.7];

  test("has its curve", async () => {
    const [values] = await evaluate(({ x }) => [activate(name, x)], { x: array(xs) });
    expectClose(values!, xs.map(curves[name]), 2e-6);
  });

  test("has its slope", async () => {
    const slope = (x: Tensor) => grad((y: Tensor) => sum(activate(name, y)))(x);
    const [slopes] = await evaluate(({ x }) => [slope(x)], { x: array(xs) });
    const h = 1e-3;
    const f = curves[name];
    expectClose(
      slopes!,
      xs.map((x) => (f(x + h) - f(x - h)) / (2 * h)),
      1e-5,
    );
  });
});

test.each(names)("%s has its second derivative", async (name) => {
  const xs = [-4, -1.3, -0.2, 0.4, 1, 3.7];
  const slope = (x: Tensor) => grad((y: Tensor) => sum(activate(name, y)))(x);
  const bend = (x: Tensor) => grad((y: Tensor) => sum(slope(y)))(x);
  const [bends] = await evaluate(({ x }) => [bend(x)], { x: array(xs) });
  const h = 1e-3;
  const f = curves[name];
  expectClose(
    bends!,
    xs.map((x) => (f(x + h) - 2 * f(x) + f(x - h)) / (h * h)),
    1e-4,
  );
});
