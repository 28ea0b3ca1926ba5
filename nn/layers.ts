// Layers: plain trees of parameters, made on the host by `init…` and applied to tensors by the
// function of the same name.
//
// A kernel is [in, out]. An ensemble of E networks has kernels [E, in, out] and biases [E, 1, out] and
// is one batched product, never E modules; its outputs are [E, B, out].

import type { Rng } from "../sim/rng.ts";
import { type Initializer, uniformFanIn } from "./initializers.ts";
import { bernoulli, type NoiseSpec } from "./noise.ts";
import {
  add,
  concat,
  cos,
  elu,
  expandDims,
  gelu,
  layerNorm,
  matMul,
  mean,
  mish,
  mul,
  relu,
  reshape,
  rmsNorm,
  silu,
  sin,
  sub,
  type Tensor,
  tanh,
  tensor,
} from "./ops.ts";
import { full, type NdArray, zeros } from "./tree.ts";

export type DenseParams<T> = { readonly kernel: T; readonly bias: T };
export type NormParams<T> = { readonly scale: T; readonly shift: T };

/** A dense layer and, where it is normalised, the norm after it. */
export type LayerParams<T> = DenseParams<T> & { readonly norm?: NormParams<T> };

/** Layers named layer0, layer1, …; the last is the output. */
export type MlpParams<T> = { readonly [layer: `layer${number}`]: LayerParams<T> };

const activations = {
  relu,
  tanh,
  silu,
  elu: (x: Tensor): Tensor => elu(x),
  gelu,
  mish,
  identity: (x: Tensor): Tensor => x,
};

export type Activation = keyof typeof activations;

/** The activation of a name; gelu is the exact one. */
export function activate(name: Activation, x: Tensor): Tensor {
  return activations[name](x);
}

/** How a dense layer begins; PyTorch's default where nothing is said. */
export interface DenseInit {
  readonly kernel?: Initializer;
  readonly bias?: Initializer;
}

export interface DenseOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Number of networks; leave it out for one without the ensemble axis. */
  readonly ensemble?: number | undefined;
  readonly init?: DenseInit | undefined;
}

export function initDense(
  rng: Rng,
  { inputs, outputs, ensemble, init = {} }: DenseOptions,
): DenseParams<NdArray> {
  const { kernel = uniformFanIn, bias = uniformFanIn } = init;
  const fans = { fanIn: inputs, fanOut: outputs };
  return {
    kernel: kernel(rng.split("kernel"), [...members(ensemble), inputs, outputs], fans),
    bias: bias(rng.split("bias"), rowShape(outputs, ensemble), fans),
  };
}

/** x · kernel + bias on the last axis. An ensemble takes [B, in], shared by all, or [E, B, in]. */
export function dense({ kernel, bias }: DenseParams<Tensor>, x: Tensor): Tensor {
  if (x.shape.length <= 2 || kernel.shape.length > 2) return add(matMul(x, kernel), bias);
  // One tall product: a batched one would sum the kernel's gradient over the batch axes afterwards.
  const flat = reshape(x, [-1, kernel.shape[0]!]);
  return reshape(add(matMul(flat, kernel), bias), [...x.shape.slice(0, -1), kernel.shape[1]!]);
}

/** Layer-norm parameters: scale 1 and shift 0. */
export function initNorm(width: number, ensemble?: number): NormParams<NdArray> {
  const shape = rowShape(width, ensemble);
  return { scale: full(shape, 1), shift: zeros(shape) };
}

/** Layer normalisation over the last axis with learned scale and shift. */
export function normalize(norm: NormParams<Tensor>, x: Tensor): Tensor {
  return layerNorm(x, norm.scale, norm.shift);
}

/** x where the mask is 1, scaled by 1/keep so that the mean stays, and 0 where it is 0. */
export function dropout(x: Tensor, mask: Tensor, keep: number): Tensor {
  return mul(x, mul(mask, 1 / keep));
}

export interface MlpOptions {
  readonly inputs: number;
  readonly hidden: readonly number[];
  readonly outputs: number;
  readonly ensemble?: number | undefined;
  /** Normalises every hidden layer before its activation. */
  readonly layerNorm?: boolean;
  readonly init?: DenseInit;
  /** For the output layer alone; default `init`. */
  readonly finalInit?: DenseInit;
}

export function initMlp(rng: Rng, options: MlpOptions): MlpParams<NdArray> {
  const { hidden, ensemble, layerNorm = false, init, finalInit = init } = options;
  const widths = [options.inputs, ...hidden, options.outputs];
  const layers = widths.slice(1).map((outputs, i): [string, LayerParams<NdArray>] => {
    const final = i === hidden.length;
    const layer = initDense(rng.split(`layer${i}`), {
      inputs: widths[i]!,
      outputs,
      ensemble,
      init: final ? finalInit : init,
    });
    return [
      `layer${i}`,
      final || !layerNorm ? layer : { ...layer, norm: initNorm(outputs, ensemble) },
    ];
  });
  return Object.fromEntries(layers);
}

/** Masks of 0 and 1 for the hidden layers, drawn with probability `keep` of 1, and that probability. */
export interface Dropout {
  readonly masks: { readonly [layer: `layer${number}`]: Tensor };
  readonly keep: number;
}

export interface MlpApply {
  readonly activation?: Activation;
  readonly finalActivation?: Activation;
  /** Left out where the network is evaluated without dropout. */
  readonly dropout?: Dropout | undefined;
}

/** Hidden layers are dense, dropout, layer norm, activation, in this order; see `initMlp`. */
export function mlp(params: MlpParams<Tensor>, x: Tensor, apply: MlpApply = {}): Tensor {
  const { activation = "relu", finalActivation = "identity", dropout: drop } = apply;
  const numHidden = Object.keys(params).length - 1;
  let h = x;
  for (let i = 0; i < numHidden; i++) {
    const layer = params[`layer${i}`]!;
    h = hiddenLayer(layer, h, drop && { mask: drop.masks[`layer${i}`]!, keep: drop.keep });
    h = activate(activation, h);
  }
  return activate(finalActivation, dense(params[`layer${numHidden}`]!, h));
}

function hiddenLayer(
  layer: LayerParams<Tensor>,
  x: Tensor,
  drop: { readonly mask: Tensor; readonly keep: number } | undefined,
): Tensor {
  const { norm, kernel, bias } = layer;
  if (norm !== undefined && drop === undefined && x.shape.at(-2)! > kernel.shape.at(-2)!) {
    // Centred weights give centred rows, and are fewer.
    const centred = { kernel: lessItsMean(kernel), bias: lessItsMean(bias) };
    return rmsNorm(dense(centred, x), norm.scale, norm.shift);
  }
  const h = dense(layer, x);
  const kept = drop === undefined ? h : dropout(h, drop.mask, drop.keep);
  return norm === undefined ? kept : normalize(norm, kept);
}

function lessItsMean(x: Tensor): Tensor {
  return sub(x, mean(x, -1, true));
}

/** The noise inputs that `Dropout.masks` wants: one mask per hidden layer, [B, H] or [E, B, H]. */
export function dropoutMasks(
  { hidden, ensemble }: Pick<MlpOptions, "hidden" | "ensemble">,
  batchSize: number,
  keep: number,
): { readonly [layer: `layer${number}`]: NoiseSpec } {
  return Object.fromEntries(
    hidden.map((width, i) => [
      `layer${i}`,
      bernoulli([...members(ensemble), batchSize, width], keep),
    ]),
  );
}

/** Two dense layers with a way around them. */
export type BlockParams<T> = {
  readonly norm?: NormParams<T>;
  readonly expand: DenseParams<T>;
  readonly contract: DenseParams<T>;
};

/** A dense layer in, blocks named block0, block1, …, a norm if there are norms, a dense layer out. */
export type ResidualParams<T> = {
  readonly input: DenseParams<T>;
  readonly output: DenseParams<T>;
  readonly norm?: NormParams<T>;
  readonly [block: `block${number}`]: BlockParams<T>;
};

export interface ResidualOptions {
  readonly inputs: number;
  readonly width: number;
  readonly outputs: number;
  readonly numBlocks: number;
  /** Width inside a block as a multiple of `width`: 4 in SimBa, 1 in BRO and DPPO; default 1. */
  readonly expansion?: number;
  readonly ensemble?: number | undefined;
  /** With norms the blocks are SimBa's, without them the pre-activation blocks of DPPO and ReinFlow. */
  readonly layerNorm?: boolean;
  readonly init?: DenseInit;
  readonly finalInit?: DenseInit;
}

export function initResidualMlp(rng: Rng, options: ResidualOptions): ResidualParams<NdArray> {
  const { inputs, width, outputs, numBlocks, expansion = 1, ensemble, init } = options;
  const norm = options.layerNorm ? { norm: initNorm(width, ensemble) } : {};
  const layer = (name: string, from: number, to: number, start = init) =>
    initDense(rng.split(name), { inputs: from, outputs: to, ensemble, init: start });
  const block = (_: unknown, i: number): [`block${number}`, BlockParams<NdArray>] => [
    `block${i}`,
    {
      ...norm,
      expand: layer(`block${i}/expand`, width, expansion * width),
      contract: layer(`block${i}/contract`, expansion * width, width),
    },
  ];
  return {
    input: layer("input", inputs, width),
    ...Object.fromEntries(Array.from({ length: numBlocks }, block)),
    ...norm,
    output: layer("output", width, outputs, options.finalInit ?? init),
  };
}

/** x + contract(act(expand(norm(x)))); without a norm the activation stands in its place. */
export function residualBlock(
  params: BlockParams<Tensor>,
  x: Tensor,
  activation: Activation,
): Tensor {
  const before = params.norm === undefined ? activate(activation, x) : normalize(params.norm, x);
  return add(x, dense(params.contract, activate(activation, dense(params.expand, before))));
}

/** A residual network: SimBa (arXiv:2410.09754) with norms, DPPO's ResidualMLP without. */
export function residualMlp(
  params: ResidualParams<Tensor>,
  x: Tensor,
  activation: Activation = "relu",
): Tensor {
  let h = dense(params.input, x);
  for (let i = 0; params[`block${i}`] !== undefined; i++) {
    h = residualBlock(params[`block${i}`]!, h, activation);
  }
  if (params.norm !== undefined) h = normalize(params.norm, h);
  return dense(params.output, h);
}

/**
 * [B] times → [B, size]: sines then cosines of t · ωₖ, ωₖ = maxPeriod^(−k / (size/2 − 1)), k = 0 … size/2 − 1.
 * DPPO's convention: ω runs from 1 to 1/maxPeriod, and t is taken as it comes; scale times in [0, 1]
 * beforehand if the slow frequencies are to matter.
 */
export function sinusoidalEmbedding(times: Tensor, size: number, maxPeriod = 10_000): Tensor {
  if (size < 4 || size % 2 !== 0) {
    throw new Error(`a sinusoidal embedding wants an even size of at least 4, got ${size}`);
  }
  const half = size / 2;
  const frequencies = Array.from({ length: half }, (_, k) => maxPeriod ** (-k / (half - 1)));
  const angles = mul(expandDims(times, -1), tensor(frequencies, [half], "float32"));
  return concat([sin(angles), cos(angles)], -1);
}

function members(ensemble: number | undefined): number[] {
  return ensemble === undefined ? [] : [ensemble];
}

/** Shape of a row that broadcasts over the batch. */
function rowShape(width: number, ensemble: number | undefined): number[] {
  return ensemble === undefined ? [width] : [ensemble, 1, width];
}
