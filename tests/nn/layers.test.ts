import { describe, expect, test } from "vitest";
import { compile } from "../../nn/compile.ts";
import { grad, valueAndGrad } from "../../nn/gradient.ts";
import { constant, uniform } from "../../nn/initializers.ts";
import {
  type Activation,
  type DenseParams,
  dense,
  dropout,
  dropoutMasks,
  initDense,
  initMlp,
  initNorm,
  type MlpParams,
  mlp,
  normalize,
} from "../../nn/layers.ts";
import { add, concat, mean, mul, square, sum, type Tensor } from "../../nn/ops.ts";
import { array, full, isNdArray, leaves, mapTree, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { evaluate, expectClose, mean as meanOf, normals } from "./evaluate.ts";
import {
  curves,
  member,
  memberOf,
  plainDense,
  plainNorm,
  type Row,
  shaken,
} from "./plainLayers.ts";

describe("dense", () => {
  test("multiplies rows by the kernel and adds the bias", async () => {
    const params = { kernel: array([1, 2, 3, 4, 5, 6], [2, 3]), bias: array([10, 20, 30]) };
    const x = array([1, 0, 0, 1, 2, -1], [3, 2]);
    const [y] = await evaluate(({ params, x }) => [dense(params, x)], { params, x });
    expect(y).toEqual([11, 22, 33, 14, 25, 36, 8, 19, 30]);
  });

  test("maps the last axis of any number of axes, and so does its gradient", async () => {
    const rng = createRng(1);
    const params = initDense(rng, { inputs: 4, outputs: 3 });
    const x = normals(rng, [2, 5, 4]);
    const rows = array(x.data, [10, 4]);
    const loss = (x: Tensor) => (p: DenseParams<Tensor>) => sum(square(dense(p, x)));
    const [tall, flat, tallGrad, flatGrad] = await evaluate(
      ({ params, x, rows }) => [
        dense(params, x),
        dense(params, rows),
        grad(loss(x))(params).kernel,
        grad(loss(rows))(params).kernel,
      ],
      { params, x, rows },
    );
    expectClose(tall!, flat!, 1e-6);
    expectClose(tallGrad!, flatGrad!, 1e-5);
  });
});

test("layer norm has zero mean and unit variance per row, then scale and shift", async () => {
  const norm = { scale: array([1, 1, 2, 2]), shift: array([0, 0, 0, 1]) };
  const x = array([1, 2, 3, 4, -5, -5, -5, -5], [2, 4]);
  const [y] = await evaluate(({ norm, x }) => [normalize(norm, x)], { norm, x });
  const unit = 1 / Math.sqrt(1.25 + 1e-5); // the first row's mean is 2.5, its variance 1.25
  expectClose(y!, [-1.5 * unit, -0.5 * unit, unit, 3 * unit + 1, 0, 0, 0, 1], 1e-6);
  expect(Array.from(initNorm(3).scale.data)).toEqual([1, 1, 1]);
  expect(initNorm(3, 5).shift.shape).toEqual([5, 1, 3]);
});

test("dropout zeroes where the mask is 0 and scales the rest by 1/keep, in the gradient too", async () => {
  const [y, g] = await evaluate(
    ({ x, mask }) => [dropout(x, mask, 0.8), grad((x: Tensor) => sum(dropout(x, mask, 0.8)))(x)],
    { x: array([1, 2, 3, 4]), mask: array([1, 0, 1, 0]) },
  );
  expectClose(y!, [1.25, 0, 3.75, 0], 1e-6);
  expectClose(g!, [1.25, 0, 1.25, 0], 1e-6);
});

describe("mlp", () => {
  const options = { inputs: 5, hidden: [8, 6], outputs: 2, layerNorm: true };

  test("names its leaves shortly, and only hidden layers have norms", () => {
    const paths = leaves<NdArray>(initMlp(createRng(1), options), isNdArray).map(([path]) => path);
    expect(paths).toEqual([
      "layer0/kernel",
      "layer0/bias",
      "layer0/norm/scale",
      "layer0/norm/shift",
      "layer1/kernel",
      "layer1/bias",
      "layer1/norm/scale",
      "layer1/norm/shift",
      "layer2/kernel",
      "layer2/bias",
    ]);
  });

  test("starts as PyTorch does, or as it is told, the last layer by itself", () => {
    const { layer0 } = initMlp(createRng(1), { inputs: 4, hidden: [500], outputs: 1 });
    expect(Math.max(...layer0!.bias.data)).toBeLessThanOrEqual(0.5);
    expect(Math.max(...layer0!.bias.data)).toBeGreaterThan(0.49);
    const params = initMlp(createRng(1), {
      ...options,
      init: { bias: constant(0.1) },
      finalInit: { kernel: uniform(3e-3), bias: uniform(3e-3) },
    });
    expect(params.layer1!.bias.data[3]).toBeCloseTo(0.1, 6);
    expect(Math.max(...params.layer2!.kernel.data)).toBeLessThanOrEqual(3e-3);
    expect(Math.max(...params.layer1!.kernel.data)).toBeGreaterThan(0.1);
  });

  test("hidden layers are dense, dropout, layer norm, activation", async () => {
    const rng = createRng(2);
    const params = shaken(initMlp(rng, options), 3);
    const x = normals(rng, [4, 5]);
    const layer0 = array(
      Array.from({ length: 32 }, (_, i) => Number(i % 3 > 0)),
      [4, 8],
    );
    const layer1 = array(
      Array.from({ length: 24 }, (_, i) => Number(i % 4 > 0)),
      [4, 6],
    );
    const given = { params, x, masks: { layer0, layer1 } };
    const [y] = await evaluate(
      ({ params, x, masks }) => [
        mlp(params, x, {
          activation: "silu",
          finalActivation: "tanh",
          dropout: { masks, keep: 0.7 },
        }),
      ],
      given,
    );
    const masks = [layer0, layer1].map(({ data }) => Array.from(data, (m) => m / 0.7));
    expectClose(y!, plainMlp(params, x, masks, curves.silu).map(Math.tanh), 1e-5);
  });

  test("an ensemble equals its members one by one, for shared and for separate inputs", async () => {
    const rng = createRng(4);
    const numMembers = 3;
    const ensemble = shaken(initMlp(rng, { ...options, ensemble: numMembers }), 5);
    const x = normals(rng, [numMembers, 7, 5]);
    const own = Array.from({ length: numMembers }, (_, e) => member(x, e, [7, 5]));
    const members = own.map((_, e) => memberOf(ensemble, e));
    const [shared, separate, ...alone] = await evaluate(
      ({ ensemble, members, x, own }) => [
        mlp(ensemble, own[0]!, { activation: "mish" }),
        mlp(ensemble, x, { activation: "mish" }),
        ...members.map((params) => mlp(params, own[0]!, { activation: "mish" })),
        ...members.map((params, e) => mlp(params, own[e]!, { activation: "mish" })),
      ],
      { ensemble, members, x, own },
    );
    expectClose(shared!, alone.slice(0, numMembers).flat(), 1e-5);
    expectClose(separate!, alone.slice(numMembers).flat(), 1e-5);
    expect(alone[0]).not.toEqual(alone[1]);
  });

  test("layer norm of many rows, on centred weights, is that of a few, in the gradient too", async () => {
    const rng = createRng(8);
    const params = shaken(initMlp(rng, { ...options, ensemble: 2 }), 3);
    const x = normals(rng, [12, 5]);
    const parts = [0, 4, 8].map((row) => array(x.data.slice(5 * row, 5 * row + 20), [4, 5]));
    const gradient = (params: MlpParams<Tensor>, rows: readonly Tensor[]) =>
      grad((p: MlpParams<Tensor>) =>
        rows.map((row) => sum(square(mlp(p, row)))).reduce((total, loss) => add(total, loss)),
      )(params);
    const leavesOf = ({ layer0, layer1 }: MlpParams<Tensor>) => [
      layer0!.kernel,
      layer0!.bias,
      layer1!.kernel,
      layer1!.norm!.scale,
    ];
    const results = await evaluate(
      ({ params, x, parts }) => [
        ...leavesOf(gradient(params, [x])),
        ...leavesOf(gradient(params, parts)),
        mlp(params, x),
        concat(
          parts.map((part) => mlp(params, part)),
          1,
        ),
      ],
      { params, x, parts },
    );
    for (let i = 0; i < 4; i++) expectClose(results[i]!, results[i + 4]!, 2e-5);
    expectClose(results[8]!, results[9]!, 1e-5);
  });

  test("an ensemble's gradients are its members'", async () => {
    const rng = createRng(6);
    const ensemble = initMlp(rng, { ...options, ensemble: 2 });
    const members = [memberOf(ensemble, 0), memberOf(ensemble, 1)];
    const x = normals(rng, [7, 5]);
    const gradient = (params: MlpParams<Tensor>, x: Tensor) =>
      grad((p: MlpParams<Tensor>) => sum(square(mlp(p, x))))(params);
    const [joint, first, second] = await evaluate(
      ({ ensemble, members, x }) => [
        gradient(ensemble, x).layer1!.kernel,
        ...members.map((params) => gradient(params, x).layer1!.kernel),
      ],
      { ensemble, members, x },
    );
    expectClose(joint!, [...first!, ...second!], 1e-5);
  });

  // Finite differences of relu stumble over its kinks.
  const smooth = Object.keys(curves).filter((name) => name !== "relu") as Activation[];
  test.each(smooth)("with %s, its gradient is the slope of its loss", async (activation) => {
    const rng = createRng(8);
    const params = shaken(initMlp(rng, options), 9);
    const along = shaken(params, 10, 1, 0);
    const x = normals(rng, [6, 5]);
    const h = 1e-3;
    const [low, high, slope] = await evaluate(
      ({ params, along, x }) => {
        const loss = (p: MlpParams<Tensor>) => mean(square(mlp(p, x, { activation })));
        const moved = (step: number) => combine(params, along, (p, d) => add(p, mul(d, step)));
        const [, gradient] = valueAndGrad(loss)(params);
        const products = leaves<Tensor>(combine(gradient, along, mul), isAnyTensor);
        const total = products.map(([, t]) => sum(t)).reduce((a, b) => add(a, b));
        return [loss(moved(-h)), loss(moved(h)), total];
      },
      { params, along, x },
    );
    const measured = (high![0]! - low![0]!) / (2 * h);
    expect(Math.abs(slope![0]! - measured)).toBeLessThan(5e-3 * (1 + Math.abs(measured)));
  });

  test("masks as declared noise keep their share, and the mean of the output", async () => {
    const keep = 0.75;
    const hidden = [200];
    const masks = dropoutMasks({ hidden, ensemble: 2 }, 50, keep);
    const program = await compile(
      (state: { readonly x: Tensor }, noise: { readonly layer0: Tensor }) =>
        [state, { y: dropout(state.x, noise.layer0, keep) }] as const,
      { state: { x: full([2, 50, 200], 1) }, inputs: { layer0: masks.layer0! } },
      { random: createRng(11) },
    );
    const { y } = await program.run({});
    const values = Array.from(y.data);
    expect(meanOf(values)).toBeCloseTo(1, 1);
    expect(values.filter((v) => v === 0).length / values.length).toBeCloseTo(0.25, 1);
    expect(new Set(values).size).toBe(2);
    await program.dispose();
  });
});

function isAnyTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "dataId" in value;
}

function combine<P>(a: P, b: P, f: (x: Tensor, y: Tensor) => Tensor): P {
  const others = new Map(leaves<Tensor>(b as never, isAnyTensor));
  return mapTree<Tensor, Tensor>(a as never, isAnyTensor, (x, path) =>
    f(x, others.get(path)!),
  ) as P;
}

/** The network in float64, row by row; masks are already divided by keep. */
function plainMlp(
  params: MlpParams<NdArray>,
  x: NdArray,
  masks: readonly Row[],
  curve: (x: number) => number,
): number[] {
  const [numRows, width] = x.shape as [number, number];
  return Array.from({ length: numRows }, (_, row) => {
    let h: number[] = Array.from(x.data.slice(row * width, (row + 1) * width));
    masks.forEach((mask, i) => {
      const { norm, ...layer } = params[`layer${i}`]!;
      const outputs = plainDense(layer, h);
      const kept = outputs.map((v, j) => v * mask[row * outputs.length + j]!);
      h = plainNorm(norm!, kept).map(curve);
    });
    return plainDense(params[`layer${masks.length}`]!, h);
  }).flat();
}
