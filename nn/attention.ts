// Attention: layers of a transformer in which tokens look at each other.
//
// Vaswani et al. 2017, arXiv:1706.03762, with the norms before the layers (arXiv:2002.04745).
// Shapes: B rows, T tokens, W width, D = W / heads.

import type { Rng } from "../sim/rng.ts";
import {
  type Activation,
  activate,
  type DenseParams,
  dense,
  initDense,
  initNorm,
  type NormParams,
  normalize,
} from "./layers.ts";
import {
  add,
  expandDims,
  matMul,
  mul,
  reshape,
  softmax,
  split,
  sub,
  type Tensor,
  transpose,
} from "./ops.ts";
import type { NdArray } from "./tree.ts";

/** Attention among tokens, then two dense layers, each with a norm before it and a way around it. */
export type AttentionBlockParams<T> = {
  readonly attentionNorm: NormParams<T>;
  /** To queries, keys and values of all heads, [W, 3 W]; a bias of the keys would have no effect. */
  readonly project: T;
  readonly join: DenseParams<T>;
  readonly norm: NormParams<T>;
  readonly expand: DenseParams<T>;
  readonly contract: DenseParams<T>;
};

/** Blocks named block0, block1, …, and the norm after the last. */
export type TransformerParams<T> = {
  readonly norm: NormParams<T>;
  readonly [block: `block${number}`]: AttentionBlockParams<T>;
};

export interface TransformerOptions {
  readonly width: number;
  readonly numBlocks: number;
  /** Width between the two dense layers. */
  readonly feedForward: number;
}

export function initTransformer(rng: Rng, options: TransformerOptions): TransformerParams<NdArray> {
  const { numBlocks, width } = options;
  const block = (_: unknown, i: number): [`block${number}`, AttentionBlockParams<NdArray>] => [
    `block${i}`,
    initBlock(rng.split(`block${i}`), options),
  ];
  return {
    norm: initNorm(width),
    ...Object.fromEntries(Array.from({ length: numBlocks }, block)),
  };
}

function initBlock(
  rng: Rng,
  { width, feedForward }: TransformerOptions,
): AttentionBlockParams<NdArray> {
  const layer = (name: string, inputs: number, outputs: number) =>
    initDense(rng.split(name), { inputs, outputs });
  return {
    attentionNorm: initNorm(width),
    project: layer("project", width, 3 * width).kernel,
    join: layer("join", width, width),
    norm: initNorm(width),
    expand: layer("expand", width, feedForward),
    contract: layer("contract", feedForward, width),
  };
}

/** Tokens [B, T, W] → [B, T, W]; where `seen` [B, T] is 0 nobody looks. */
export function transformer(
  params: TransformerParams<Tensor>,
  tokens: Tensor,
  { numHeads, activation, seen }: TransformerApply,
): Tensor {
  let x = tokens;
  for (let i = 0; params[`block${i}`] !== undefined; i++) {
    const { attentionNorm, project, join, norm, expand, contract } = params[`block${i}`]!;
    const looked = attend(product(normalize(attentionNorm, x), project), numHeads, seen);
    x = add(x, dense(join, looked));
    x = add(x, dense(contract, activate(activation, dense(expand, normalize(norm, x)))));
  }
  return normalize(params.norm, x);
}

/** [B, T, W] · [W, out] as one tall product. */
function product(x: Tensor, kernel: Tensor): Tensor {
  const flat = reshape(x, [-1, kernel.shape[0]!]);
  return reshape(matMul(flat, kernel), [...x.shape.slice(0, -1), kernel.shape[1]!]);
}

export interface TransformerApply {
  readonly numHeads: number;
  readonly activation: Activation;
  readonly seen?: Tensor | undefined;
}

const unseen = -1e9; // a score that no softmax counts

/** softmax(q kᵀ / √D) v of every head, from [q, k, v] side by side, [B, T, 3 W] → [B, T, W]. */
export function attend(projected: Tensor, numHeads: number, seen?: Tensor): Tensor {
  const [size, length, triple] = projected.shape as [number, number, number];
  const headWidth = triple / 3 / numHeads;
  const [queries, keys, values] = split(projected, 3, -1).map((x) =>
    transpose(reshape(x, [size, length, numHeads, headWidth]), [0, 2, 1, 3]),
  ) as [Tensor, Tensor, Tensor]; // [B, heads, T, D]
  const products = mul(matMul(queries, keys, false, true), 1 / Math.sqrt(headWidth));
  const scores = seen === undefined ? products : add(products, hidden(seen)); // [B, heads, T, T]
  const mixed = matMul(softmax(scores, -1), values);
  return reshape(transpose(mixed, [0, 2, 1, 3]), [size, length, numHeads * headWidth]);
}

/** 0 for tokens that are seen, [B, 1, 1, T]. */
function hidden(seen: Tensor): Tensor {
  return mul(sub(1, expandDims(expandDims(seen, 1), 1)), unseen);
}
