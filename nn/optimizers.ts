// Optimizers: pure functions over trees of parameters. `init` makes the state on the host, `update`
// maps (gradients, state, parameters) to [parameters, state] on tensors.

import { isTensor, type TensorTree } from "./gradient.ts";
import { add, addN, div, maximum, mul, sqrt, square, sub, sum, type Tensor } from "./ops.ts";
import { isNdArray, leaves, mapTree, type NdArray, type Tree, treeLike, zeros } from "./tree.ts";

export interface AdamConfig {
  /** A scalar tensor where a schedule runs inside the program. */
  readonly learningRate: number | Tensor;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

export interface AdamWConfig extends AdamConfig {
  readonly weightDecay?: number;
}

/** Moving averages of the gradient and its square, and their bias corrections 1 − βᵗ. */
export type AdamState<P, T> = { readonly m: P; readonly v: P; readonly c1: T; readonly c2: T };

export interface Adam {
  init<P extends Tree<NdArray>>(params: P): AdamState<P, NdArray>;
  /** `learningRate` overrides the configured one. */
  update<P extends TensorTree>(
    grads: P,
    state: AdamState<P, Tensor>,
    params: P,
    learningRate?: number | Tensor,
  ): [params: P, state: AdamState<P, Tensor>];
}

/** Adam, Kingma and Ba 2015 (arXiv:1412.6980); PyTorch's up to rounding. */
export function adam(config: AdamConfig): Adam {
  return adamW({ ...config, weightDecay: 0 });
}

/** Adam with decoupled weight decay 0.01, Loshchilov and Hutter 2019 (arXiv:1711.05101): p ← (1 − lr λ) p first. */
export function adamW(config: AdamWConfig): Adam {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = config;
  return {
    init: <P extends Tree<NdArray>>(params: P) => ({
      m: zerosOf(params),
      v: zerosOf(params),
      c1: zeros([]),
      c2: zeros([]),
    }),
    update(grads, state, params, learningRate = config.learningRate) {
      // This recurrence is 1 − βᵗ without the cancellation, and without a step count.
      const c1 = add(mul(state.c1, beta1), 1 - beta1);
      const c2 = add(mul(state.c2, beta2), 1 - beta2);
      const root = sqrt(c2);
      const stepSize = mul(div(root, c1), learningRate);
      const floor = mul(root, epsilon); // (m/c1) / (√(v/c2) + ε) = (m √c2/c1) / (√v + ε √c2)
      const kept = weightDecay === 0 ? 1 : sub(1, mul(learningRate, weightDecay));
      const [nextParams, m, v] = mapLeaves([params, grads, state.m, state.v], (p, g, m, v) => {
        const nextM = add(mul(m, beta1), mul(g, 1 - beta1));
        const nextV = add(mul(v, beta2), mul(square(g), 1 - beta2));
        const step = mul(div(nextM, add(sqrt(nextV), floor)), stepSize);
        return [sub(kept === 1 ? p : mul(p, kept), step), nextM, nextV] as const;
      });
      return [nextParams, { m, v, c1, c2 }];
    },
  };
}

export interface SgdConfig {
  readonly learningRate: number | Tensor;
  /** 0 (default) is plain gradient descent. */
  readonly momentum?: number;
}

export type SgdState<P> = { readonly velocity: P };

export interface Sgd {
  init<P extends Tree<NdArray>>(params: P): SgdState<P>;
  /** `learningRate` overrides the configured one. */
  update<P extends TensorTree>(
    grads: P,
    state: SgdState<P>,
    params: P,
    learningRate?: number | Tensor,
  ): [params: P, state: SgdState<P>];
}

/** Gradient descent with momentum as in PyTorch: v ← μ v + g, p ← p − lr v. */
export function sgd(config: SgdConfig): Sgd {
  const { momentum = 0 } = config;
  return {
    init: <P extends Tree<NdArray>>(params: P) => ({ velocity: zerosOf(params) }),
    update(grads, state, params, learningRate = config.learningRate) {
      const [nextParams, velocity] = mapLeaves([params, grads, state.velocity], (p, g, v) => {
        const next = momentum === 0 ? g : add(mul(v, momentum), g);
        return [sub(p, mul(next, learningRate)), momentum === 0 ? v : next] as const;
      });
      return [nextParams, { velocity }];
    },
  };
}

/** Gradients scaled down to a joint norm of at most `maxNorm`, and the norm they had. */
export function clipByGlobalNorm<P extends TensorTree>(
  grads: P,
  maxNorm: number,
): [grads: P, norm: Tensor] {
  const squares = leaves<Tensor>(grads, isTensor).map(([, g]) => sum(square(g)));
  const norm = sqrt(addN(squares));
  const factor = div(maxNorm, maximum(norm, maxNorm));
  const [clipped] = mapLeaves([grads], (g) => [mul(g, factor)] as const);
  return [clipped, norm];
}

/** The target moved towards the source: tau · source + (1 − tau) · target. */
export function polyak<P extends TensorTree>(source: P, target: P, tau: number): P {
  const [moved] = mapLeaves(
    [source, target],
    (x, y) => [add(mul(x, tau), mul(y, 1 - tau))] as const,
  );
  return moved;
}

/** Exponential moving average: decay · average + (1 − decay) · value. */
export function ema<P extends TensorTree>(average: P, value: P, decay: number): P {
  return polyak(value, average, 1 - decay);
}

/**
 * Maps trees of equal structure leaf by leaf to several trees. All results of a leaf are computed
 * before the next leaf's, while its numbers are in the cache.
 */
function mapLeaves<T extends readonly TensorTree[], R extends readonly Tensor[]>(
  trees: readonly [...T],
  f: (...values: { readonly [K in keyof T]: Tensor }) => R,
): { readonly [K in keyof R]: T[0] } {
  const columns = trees.map((tree) => new Map(leaves<Tensor>(tree, isTensor)));
  const results = [...columns[0]!.keys()].map((path): [string, R] => {
    const values = columns.map((column) => column.get(path)!);
    return [path, f(...(values as never))];
  });
  const tree = (values: Map<string, Tensor>) =>
    treeLike(trees[0]!, isTensor, (path) => values.get(path)!);
  const numTrees = results[0]?.[1].length ?? 0;
  return Array.from({ length: numTrees }, (_, i) =>
    tree(new Map(results.map(([path, values]) => [path, values[i]!]))),
  ) as never;
}

function zerosOf<P extends Tree<NdArray>>(params: P): P {
  return mapTree<NdArray, NdArray>(params, isNdArray, ({ shape }) => zeros(shape)) as P;
}
