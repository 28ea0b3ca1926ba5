// Optimizers: pure functions over trees of parameters. `init` makes the state on the host, `update`
// maps (gradients, state, parameters) to [parameters, state] on tensors.

import { isTensor, type TensorTree } from "./gradient.ts";
import {
  add,
  addN,
  concat,
  div,
  maximum,
  mul,
  reshape,
  split,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from "./ops.ts";
import {
  isNdArray,
  leaves,
  mapTree,
  type NdArray,
  sizeOf,
  type Tree,
  treeLike,
  zeros,
} from "./tree.ts";

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

/**
 * Discounted sums of the gradient, Σ β1ᵏ g, and of its square, Σ β2ᵏ g², by the parameter's path, and
 * the bias corrections 1 − βᵗ. The sums are Adam's moments before the factor 1 − β, which is folded
 * into the step size: two passes over the memory less. Small parameters share one vector, `rest`.
 */
export type AdamState<T> = {
  readonly m: { readonly [path: string]: T };
  readonly v: { readonly [path: string]: T };
  readonly c1: T;
  readonly c2: T;
};

export interface Adam {
  init(params: Tree<NdArray>): AdamState<NdArray>;
  /** `learningRate` overrides the configured one. */
  update<P extends TensorTree>(
    grads: P,
    state: AdamState<Tensor>,
    params: P,
    learningRate?: number | Tensor,
  ): [params: P, state: AdamState<Tensor>];
}

/** Adam, Kingma and Ba 2015 (arXiv:1412.6980); PyTorch's up to rounding. */
export function adam(config: AdamConfig): Adam {
  return adamW({ ...config, weightDecay: 0 });
}

/** Adam with decoupled weight decay 0.01, Loshchilov and Hutter 2019 (arXiv:1711.05101): p ← (1 − lr λ) p first. */
export function adamW(config: AdamWConfig): Adam {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = config;
  return {
    init: (params) => ({
      m: momentsOf(params),
      v: momentsOf(params),
      c1: zeros([]),
      c2: zeros([]),
    }),
    update(grads, state, params, learningRate = config.learningRate) {
      // This recurrence is 1 − βᵗ without the cancellation, and without a step count.
      const c1 = add(mul(state.c1, beta1), 1 - beta1);
      const c2 = add(mul(state.c2, beta2), 1 - beta2);
      // (1 − β1) m / c1 over √((1 − β2) v / c2) + ε, both multiplied by √(c2 / (1 − β2))
      const root = sqrt(mul(c2, 1 / (1 - beta2)));
      const stepSize = mul(mul(div(root, c1), 1 - beta1), learningRate);
      const floor = mul(root, epsilon);
      const kept = weightDecay === 0 ? 1 : sub(1, mul(learningRate, weightDecay));
      const m: Record<string, Tensor> = {};
      const v: Record<string, Tensor> = {};
      const gradients = grouped(grads);
      const next = mapGroups(params, (p, name) => {
        const g = gradients[name]!;
        m[name] = add(mul(state.m[name]!, beta1), g);
        v[name] = add(mul(state.v[name]!, beta2), square(g));
        const step = mul(div(m[name], add(sqrt(v[name]), floor)), stepSize);
        return sub(kept === 1 ? p : mul(p, kept), step);
      });
      return [next, { m, v, c1, c2 }];
    },
  };
}

/** Parameters up to this size share a vector: an op costs more than its arithmetic on them. */
const smallSize = 1024; // elements
const rest = "rest";

interface Shaped {
  readonly shape: readonly number[];
}

/** The paths of the parameters that share a vector. */
function smallPaths(params: readonly (readonly [string, Shaped])[]): string[] {
  const small = params.filter(([, { shape }]) => sizeOf(shape) <= smallSize);
  return small.length > 1 ? small.map(([path]) => path) : [];
}

/** Zeros for each large parameter and for the vector of the small ones. */
function momentsOf(params: Tree<NdArray>): Record<string, NdArray> {
  const named = leaves<NdArray>(params, isNdArray);
  const small = smallPaths(named);
  const moments = Object.fromEntries(
    named
      .filter(([path]) => !small.includes(path))
      .map(([path, { shape }]) => [path, zeros(shape)]),
  );
  if (small.length === 0) return moments;
  const size = named.reduce((n, [path, x]) => n + (small.includes(path) ? x.data.length : 0), 0);
  return { ...moments, [rest]: zeros([size]) };
}

/** The leaves of a tree by path, the small ones joined. */
function grouped(tree: TensorTree): Record<string, Tensor> {
  const named = leaves<Tensor>(tree, isTensor);
  const small = smallPaths(named);
  const large = Object.fromEntries(named.filter(([path]) => !small.includes(path)));
  if (small.length === 0) return large;
  const flat = named.filter(([path]) => small.includes(path)).map(([, x]) => reshape(x, [-1]));
  return { ...large, [rest]: concat(flat) };
}

/**
 * Maps parameters group by group. All of a group's results are computed before the next group's,
 * while its numbers are in the cache.
 */
function mapGroups<P extends TensorTree>(params: P, f: (p: Tensor, name: string) => Tensor): P {
  const named = leaves<Tensor>(params, isTensor);
  const small = smallPaths(named);
  const mapped = new Map(Object.entries(grouped(params)).map(([name, p]) => [name, f(p, name)]));
  if (small.length > 0) {
    const members = named.filter(([path]) => small.includes(path));
    const parts = split(
      mapped.get(rest)!,
      members.map(([, { size }]) => size),
    );
    members.forEach(([path, { shape }], i) => {
      mapped.set(path, reshape(parts[i]!, shape));
    });
  }
  return treeLike<Tensor, Tensor>(params, isTensor, (path) => mapped.get(path)!) as P;
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
