import { describe, expect, test } from "vitest";
import { compile } from "../../nn/compile.ts";
import type { Tensor } from "../../nn/ops.ts";
import {
  type AdamConfig,
  type AdamState,
  adam,
  adamW,
  clipByGlobalNorm,
  ema,
  polyak,
  sgd,
} from "../../nn/optimizers.ts";
import { array, type NdArray, zeros } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { evaluate, expectClose, normals } from "./evaluate.ts";

type Params<T> = { readonly w: T; readonly b: T };

const optimizers = {
  adam: adam({ learningRate: 0.1 }),
  adamWithLargeEpsilon: adam({ learningRate: 0.1, epsilon: 0.1 }),
  adamW: adamW({ learningRate: 0.1, weightDecay: 0.5 }),
  sgd: sgd({ learningRate: 0.1 }),
  momentum: sgd({ learningRate: 0.1, momentum: 0.9 }),
};

describe("two steps from 1 with gradients 0.5 and −0.25, worked out by hand", () => {
  test.each([
    // m̂ = 0.5, √v̂ = 0.5; then m̂ = 0.02 / 0.19, √v̂ = √(0.00031225 / 0.001999)
    ["adam", [0.9, 0.873366292]],
    // 1 − 0.1 · 0.5 / 0.6; then ε stands beside √v̂, not beside √v
    ["adamWithLargeEpsilon", [0.916666667, 0.89541106]],
    // p is first multiplied by 1 − 0.1 · 0.5
    ["adamW", [0.85, 0.780866292]],
    ["sgd", [0.95, 0.975]],
    // v = 0.5, then 0.9 · 0.5 − 0.25 = 0.2
    ["momentum", [0.95, 0.93]],
  ] as const)("%s", async (name, wanted) => {
    const optimizer = optimizers[name];
    const params = array([1], [1]);
    const given = { params, state: optimizer.init(params), grads: [array([0.5]), array([-0.25])] };
    const [first, second] = await evaluate(
      ({ params, state, grads }) => {
        const update = optimizer.update as (g: Tensor, s: unknown, p: Tensor) => [Tensor, unknown];
        const [p1, s1] = update(grads[0]!, state, params);
        const [p2] = update(grads[1]!, s1, p1);
        return [p1, p2];
      },
      given as never as { params: NdArray; state: NdArray; grads: NdArray[] },
    );
    expectClose([...first!, ...second!], wanted, 1e-6);
  });
});

describe.each(["cpu", "eager:cpu"] as const)("100 steps on %s", (device) => {
  test.each([
    ["adam", 0],
    ["adamW", 0.1],
  ] as const)("%s follows PyTorch's formulas in float64", async (name, weightDecay) => {
    const config = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay };
    const optimizer = name === "adam" ? adam(config) : adamW(config);
    const rng = createRng(1);
    const params = { w: normals(rng, [3, 4]), b: normals(rng, [4]) };
    const train = (state: TrainState<Tensor>, grads: Params<Tensor>) => {
      const [params, adam] = optimizer.update(grads, state.adam, state.params);
      const next: TrainState<Tensor> = { params, adam };
      return [next, { correction: adam.c1 }] as const;
    };
    const start: TrainState<NdArray> = { params, adam: optimizer.init(params) };
    const program = await compile(train, { state: start, inputs: params }, { device });
    const reference = plainAdam([...params.w.data, ...params.b.data], config);
    for (let step = 0; step < 100; step++) {
      const grads = { w: normals(rng, [3, 4], 1e-3), b: normals(rng, [4], 10) };
      await program.run(grads);
      reference.step([...grads.w.data, ...grads.b.data]);
    }
    const state = await program.state();
    expectClose([...state.params.w.data, ...state.params.b.data], reference.params, 2e-6);
    expectClose([state.adam.c1.data[0]!], [1 - 0.9 ** 100], 1e-6);
    expect(state.adam.c2.data[0]! / (1 - 0.999 ** 100)).toBeCloseTo(1, 5);
    await program.dispose();
  });
});

type TrainState<T> = { readonly params: Params<T>; readonly adam: AdamState<T> };

test("a learning rate may be a tensor, and an argument overrides the configured one", async () => {
  const params = array([1, 2]);
  const plain = adamW({ learningRate: 0.3 });
  const other = adamW({ learningRate: 7 });
  const given = {
    params,
    state: plain.init(params),
    grads: array([1, -3]),
    rate: array([0.3], []),
  };
  const [configured, overriding, traced] = await evaluate(
    ({ params, state, grads, rate }) => [
      plain.update(grads, state, params)[0],
      other.update(grads, state, params, 0.3)[0],
      adamW({ learningRate: rate }).update(grads, state, params)[0],
    ],
    given,
  );
  expectClose(overriding!, configured!, 1e-7);
  expectClose(traced!, configured!, 1e-6);
  expect(configured![0]).toBeCloseTo(1 - 0.003 - 0.3, 5);
});

test("the state starts at zero; parameters of at most 1,024 elements share a vector", () => {
  const params = { big: zeros([1025]), w: array([1, 2]), b: array([3], []) };
  const state = adam({ learningRate: 1 }).init(params);
  expect(state.m).toEqual({ big: zeros([1025]), rest: zeros([3]) });
  expect(state.v["big"]?.data).not.toBe(state.m["big"]?.data);
  expect(state.c1).toEqual(array([0], []));
});

test("large parameters and small ones take the same steps", async () => {
  const rng = createRng(3);
  const params = { large: normals(rng, [1025]), a: normals(rng, [2, 3]), b: normals(rng, [4]) };
  const grads = { large: normals(rng, [1025]), a: normals(rng, [2, 3]), b: normals(rng, [4]) };
  const optimizer = adamW({ learningRate: 0.1 });
  const state = { params, adam: optimizer.init(params) };
  const results = await evaluate(
    ({ state, grads }) => {
      const [params] = optimizer.update(grads, state.adam, state.params);
      return [params.large, params.a, params.b];
    },
    { state, grads },
  );
  const given = [params.large, params.a, params.b];
  const slopes = [grads.large, grads.a, grads.b];
  results.forEach((result, i) => {
    const reference = plainAdam([...given[i]!.data], { ...adamDefaults, learningRate: 0.1 });
    reference.step([...slopes[i]!.data]);
    expectClose(result, reference.params, 1e-5);
  });
});

const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

describe("clipByGlobalNorm", () => {
  const grads = { a: array([3, 0]), b: array([4], [1, 1]) };

  test("scales all gradients by one factor and returns the norm before", async () => {
    const [a, b, norm] = await evaluate(
      ({ grads }) => {
        const [clipped, norm] = clipByGlobalNorm(grads, 1);
        return [clipped.a, clipped.b, norm];
      },
      { grads },
    );
    expectClose([...a!, ...b!, ...norm!], [0.6, 0, 0.8, 5], 1e-6);
  });

  test("leaves small gradients as they are, zero ones too", async () => {
    const zero = { a: array([0, 0]), b: array([0], [1, 1]) };
    const outputs = await evaluate(
      ({ grads, zero }) => {
        const [clipped] = clipByGlobalNorm(grads, 5.001);
        const [still, norm] = clipByGlobalNorm(zero, 1);
        return [clipped.a, clipped.b, still.a, norm];
      },
      { grads, zero },
    );
    expect(outputs).toEqual([[3, 0], [4], [0, 0], [0]]);
  });
});

test("polyak moves the target by tau, ema keeps its decay", async () => {
  const given = { source: { w: array([1, 2]) }, target: { w: array([3, 6]) } };
  const [moved, averaged] = await evaluate(
    ({ source, target }) => [polyak(source, target, 0.25).w, ema(source, target, 0.9).w],
    given,
  );
  expectClose(moved!, [2.5, 5], 1e-6);
  expectClose(averaged!, [1.2, 2.4], 1e-6);
});

/** PyTorch's AdamW, word for word, in float64. */
function plainAdam(start: readonly number[], config: AdamConfig & { weightDecay: number }) {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay } = config;
  const rate = learningRate as number;
  const params = [...start];
  const m = params.map(() => 0);
  const v = params.map(() => 0);
  let t = 0;
  const step = (grads: readonly number[]) => {
    t++;
    grads.forEach((g, i) => {
      m[i] = beta1 * m[i]! + (1 - beta1) * g;
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
      const mean = m[i]! / (1 - beta1 ** t);
      const root = Math.sqrt(v[i]! / (1 - beta2 ** t));
      params[i] = params[i]! * (1 - rate * weightDecay) - (rate * mean) / (root + epsilon);
    });
  };
  return { params, step };
}
