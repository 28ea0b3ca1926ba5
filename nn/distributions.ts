// Distributions of actions and of returns: diagonal Gaussians, plain and squashed by tanh, and
// histograms over a fixed support.

import {
  abs,
  add,
  atanh,
  cast,
  clipByValue,
  concat,
  div,
  erf,
  exp,
  expandDims,
  floor,
  logSoftmax,
  minimum,
  mul,
  neg,
  relu,
  reshape,
  scatterND,
  slice,
  softplus,
  split,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "./ops.ts";

const logTwoPi = Math.log(2 * Math.PI);

/** Independent normals along the last axis; a logStd [A] is shared by the batch. */
export type Gaussian = { readonly mean: Tensor; readonly logStd: Tensor };

/** How raw network outputs become log standard deviations within [low, high]. */
export interface LogStdBound {
  /** "clip" cuts, with no gradient beyond; "tanh" maps all numbers smoothly, 0 to the middle. */
  readonly kind: "clip" | "tanh";
  readonly low: number;
  readonly high: number;
}

export function boundLogStd(raw: Tensor, { kind, low, high }: LogStdBound): Tensor {
  if (kind === "clip") return clipByValue(raw, low, high);
  return add(mul(tanh(raw), (high - low) / 2), (high + low) / 2);
}

/** Network outputs [..., 2A] as a Gaussian: means first, then raw log standard deviations. */
export function gaussianOf(outputs: Tensor, bound: LogStdBound): Gaussian {
  const [mean, raw] = split(outputs, 2, -1) as [Tensor, Tensor];
  return { mean, logStd: boundLogStd(raw, bound) };
}

/** mean + std · noise; zero noise gives the mode. */
export function sampleGaussian({ mean, logStd }: Gaussian, noise: Tensor): Tensor {
  return add(mean, mul(exp(logStd), noise));
}

/** Log-density, summed over the last axis. */
export function gaussianLogProb(gaussian: Gaussian, x: Tensor): Tensor {
  const logDensity = sub(mul(square(standardized(gaussian, x)), -0.5), gaussian.logStd);
  return sub(sum(logDensity, -1), 0.5 * logTwoPi * x.shape.at(-1)!);
}

/** Differential entropy in nats, summed over the last axis. */
export function gaussianEntropy({ logStd }: Gaussian): Tensor {
  return add(sum(logStd, -1), 0.5 * (1 + logTwoPi) * logStd.shape.at(-1)!);
}

/** KL(p ‖ q) in nats, summed over the last axis. */
export function gaussianKl(p: Gaussian, q: Gaussian): Tensor {
  const logRatio = sub(p.logStd, q.logStd);
  const spread = sub(mul(exp(mul(logRatio, 2)), 0.5), logRatio);
  const shift = mul(square(standardized(q, p.mean)), 0.5);
  return sum(sub(add(spread, shift), 0.5), -1);
}

/** Actions scale · tanh(u), u = mean + std · noise, and their log-densities. */
export function sampleTanhGaussian(
  gaussian: Gaussian,
  noise: Tensor,
  scale = 1,
): [actions: Tensor, logProbs: Tensor] {
  const u = sampleGaussian(gaussian, noise);
  return [scaledTanh(u, scale), squashedLogProb(noise, gaussian.logStd, u, scale)];
}

/** scale · tanh(mean), the deterministic action. */
export function tanhGaussianMode({ mean }: Gaussian, scale = 1): Tensor {
  return scaledTanh(mean, scale);
}

/** Log-density of the action scale · tanh(u), from u: exact also where tanh rounds to 1. */
export function tanhGaussianLogProb(gaussian: Gaussian, u: Tensor, scale = 1): Tensor {
  return squashedLogProb(standardized(gaussian, u), gaussian.logStd, u, scale);
}

/** Log-density of given actions, which are first clipped to ±(1 − 10⁻⁶) · scale. */
export function tanhGaussianLogProbOf(gaussian: Gaussian, actions: Tensor, scale = 1): Tensor {
  const inside = clipByValue(div(actions, scale), -1 + 1e-6, 1 - 1e-6);
  return tanhGaussianLogProb(gaussian, atanh(inside), scale);
}

function standardized({ mean, logStd }: Gaussian, x: Tensor): Tensor {
  return mul(sub(x, mean), exp(neg(logStd)));
}

function scaledTanh(u: Tensor, scale: number): Tensor {
  return mul(tanh(u), scale);
}

/** Σ −z²/2 − log std − log(1 − tanh²u) − constants, with log(1 − tanh²u) = 2 (log 2 − u − softplus(−2u)). */
function squashedLogProb(z: Tensor, logStd: Tensor, u: Tensor, scale: number): Tensor {
  const volume = mul(add(u, softplus(mul(u, -2))), 2);
  const cost = add(mul(square(z), 0.5), logStd);
  const constant = 0.5 * logTwoPi + 2 * Math.LN2 + Math.log(scale);
  return sub(sum(sub(volume, cost), -1), constant * u.shape.at(-1)!);
}

/** Evenly spaced atoms from `low` to `high`, both included. */
export interface Support {
  readonly low: number;
  readonly high: number;
  readonly numAtoms: number;
}

/** The atoms' values, [K]. */
export function atoms(support: Support): Tensor {
  const { low, numAtoms } = support;
  const spacing = spacingOf(support);
  return tensor(
    Array.from({ length: numAtoms }, (_, k) => low + k * spacing),
    [numAtoms],
    "float32",
  );
}

/** Mean of histograms [..., K]. */
export function expectedValue(probs: Tensor, support: Support): Tensor {
  return sum(mul(probs, atoms(support)), -1);
}

/** −Σ targets · log softmax(logits) over the last axis. */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return neg(sum(mul(targets, logSoftmax(logits)), -1));
}

/** Values [...] as histograms [..., K]: weight on the two nearest atoms, so that the mean is the value. */
export function twoHot(values: Tensor, support: Support): Tensor {
  const { numAtoms } = support;
  const indices = tensor(
    Array.from({ length: numAtoms }, (_, k) => k),
    [numAtoms],
    "float32",
  );
  const distance = abs(sub(expandDims(positions(values, support), -1), indices));
  return relu(sub(1, distance));
}

/**
 * Moves the mass `probs` that lies at `values` (both [..., K]) onto the atoms, each bit split linearly
 * between its two neighbours; values beyond the support fall on its ends. With values r + γ z this is
 * the projection of C51, eq. 7 of arXiv:1707.06887. For targets: the values get no gradient.
 */
export function projectCategorical(probs: Tensor, values: Tensor, support: Support): Tensor {
  const { numAtoms } = support;
  const numRows = probs.size / numAtoms;
  const position = reshape(positions(values, support), [numRows, numAtoms]);
  const lower = minimum(floor(position), numAtoms - 2);
  const upperMass = mul(reshape(probs, [numRows, numAtoms]), sub(position, lower));
  const lowerMass = sub(reshape(probs, [numRows, numAtoms]), upperMass);
  const rowStarts = tensor(
    Int32Array.from({ length: numRows }, (_, row) => row * numAtoms),
    [numRows, 1],
    "int32",
  );
  // Clipped again as integers, so that a NaN never becomes an index outside.
  const column = clipByValue(cast(lower, "int32"), 0, numAtoms - 2);
  const index = add(column, rowStarts);
  const indices = reshape(concat([index, add(index, tensor(1, [], "int32"))], 0), [-1, 1]);
  const masses = reshape(concat([lowerMass, upperMass], 0), [-1]);
  return reshape(scatterND(indices, masses, [numRows * numAtoms]), probs.shape);
}

/**
 * Values [...] as histograms [..., K]: a normal of standard deviation `sigma` around the value,
 * integrated over each atom's cell and normalized (HL-Gauss, arXiv:2403.03950). Values are clipped to
 * the support; the mean is the value where its normal lies within the support. Three quarters of the
 * spacing is a usual sigma.
 */
export function hlGauss(values: Tensor, support: Support, sigma: number): Tensor {
  const { low, high, numAtoms } = support;
  const spacing = spacingOf(support);
  const unit = sigma * Math.SQRT2;
  const edges = Array.from({ length: numAtoms + 1 }, (_, k) => (low + (k - 0.5) * spacing) / unit);
  const centre = expandDims(mul(clipByValue(values, low, high), 1 / unit), -1);
  const cdf = erf(sub(tensor(edges, [numAtoms + 1], "float32"), centre)); // [..., K + 1]
  const stretch = (from: number, count: number) =>
    slice(
      cdf,
      cdf.shape.map((_, axis) => (axis === cdf.shape.length - 1 ? from : 0)),
      cdf.shape.map((size, axis) => (axis === cdf.shape.length - 1 ? count : size)),
    );
  const mass = sub(stretch(1, numAtoms), stretch(0, numAtoms));
  return div(mass, sub(stretch(numAtoms, 1), stretch(0, 1)));
}

/** Where values lie among the atoms, in spacings from the first, within [0, K − 1]. */
function positions(values: Tensor, support: Support): Tensor {
  const scaled = mul(sub(values, support.low), 1 / spacingOf(support));
  return clipByValue(scaled, 0, support.numAtoms - 1);
}

function spacingOf({ low, high, numAtoms }: Support): number {
  if (low < high && Number.isInteger(numAtoms) && numAtoms >= 2) {
    return (high - low) / (numAtoms - 1);
  }
  throw new Error(
    `a support wants low < high and 2 atoms or more, got ${low}, ${high}, ${numAtoms}`,
  );
}
