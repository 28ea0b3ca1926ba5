// The tensor ops that agents are written with: the door to TensorFlow.js.
//
// Re-exported ops trace and have gradients. The rest of this file is what TensorFlow.js lacks or does
// in a form that has no second derivative.

import * as tf from "#tensorflow";
import { sumTo } from "./derivatives.ts";

export type { Tensor } from "#tensorflow";
export {
  abs,
  acos,
  acosh,
  add,
  addN,
  all,
  any,
  argMax,
  argMin,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cast,
  ceil,
  clipByValue,
  concat,
  conv1d,
  conv2d,
  cos,
  cosh,
  div,
  divNoNan,
  equal,
  erf,
  exp,
  expandDims,
  expm1,
  eye,
  fill,
  floor,
  floorDiv,
  gather,
  gatherND,
  greater,
  greaterEqual,
  isFinite,
  isInf,
  isNaN,
  leakyRelu,
  less,
  lessEqual,
  linspace,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  logSoftmax,
  logSumExp,
  max,
  maximum,
  mean,
  min,
  minimum,
  mod,
  mul,
  neg,
  norm,
  notEqual,
  oneHot,
  ones,
  onesLike,
  pad,
  pow,
  prelu,
  prod,
  range,
  reciprocal,
  relu,
  relu6,
  reshape,
  reverse,
  round,
  rsqrt,
  scalar,
  scatterND,
  selu,
  sigmoid,
  sign,
  sin,
  sinh,
  slice,
  softmax,
  softplus,
  split,
  sqrt,
  square,
  squaredDifference,
  squeeze,
  stack,
  step,
  stridedSlice,
  sub,
  sum,
  tan,
  tanh,
  tensor,
  tile,
  topk,
  transpose,
  unsortedSegmentSum,
  unstack,
  where,
  zeros,
  zerosLike,
} from "#tensorflow";
export { cumprod, cumsum } from "./scan.ts";

type Tensor = tf.Tensor;

/** The tensor repeated to a shape; its gradient is one sum, where TensorFlow.js' own cuts and adds. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  if (x.shape.length === shape.length && x.shape.every((n, i) => n === shape[i])) return x;
  if (x.dtype !== "float32") return tf.broadcastTo(x, [...shape]);
  const repeated = tf.add(x, tf.zeros([...shape]));
  if (repeated.shape.length === shape.length && repeated.shape.every((n, i) => n === shape[i])) {
    return repeated;
  }
  throw new Error(`broadcastTo: shape [${x.shape}] does not broadcast to [${shape}]`);
}

/**
 * Matrix product of the last two axes; leading axes broadcast: [B, I] · [E, I, O] → [E, B, O].
 * Unlike TensorFlow.js' own, its gradient sums over broadcast axes.
 */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(
    a.shape.slice(0, -2),
    b.shape.slice(0, -2),
  );
  const left = broadcastTo(a, [...batch, ...a.shape.slice(-2)]);
  const right = broadcastTo(b, [...batch, ...b.shape.slice(-2)]);
  return tf.matMul(left, right, transposeA, transposeB);
}

/** The same value with no gradient. */
export function stopGradient(x: Tensor): Tensor {
  return tf.customGrad((value) => ({
    value: (value as Tensor).clone(),
    gradFunc: () => tf.zeros(x.shape),
  }))(x);
}

/**
 * x with borders that mirror it: "reflect" leaves out the outermost row, "symmetric" repeats it.
 * Composed, since the gradient of TensorFlow.js' own forgets the borders.
 */
export function mirrorPad(
  x: Tensor,
  paddings: readonly (readonly [number, number])[],
  mode: "reflect" | "symmetric",
): Tensor {
  const offset = mode === "reflect" ? 0 : 1;
  return paddings.reduce((padded, [before, after], axis) => {
    if (before === 0 && after === 0) return padded;
    const size = x.shape[axis]!;
    const indices = Array.from({ length: before + size + after }, (_, i) => {
      const position = i - before;
      if (position < 0) return -position - offset;
      return position < size ? position : 2 * size - 2 - position + offset;
    });
    return tf.gather(padded, tf.tensor1d(indices, "int32"), axis);
  }, x);
}

/** max(x, 0) + min(exp(x) − 1, 0); composed, so that it has every derivative. */
export function elu(x: Tensor): Tensor {
  return tf.add(tf.relu(x), tf.sub(tf.exp(tf.minimum(x, 0)), 1));
}

/** x · sigmoid(x), also called swish. */
export function silu(x: Tensor): Tensor {
  return tf.mul(x, tf.sigmoid(x));
}

/** x · tanh(softplus(x)). */
export function mish(x: Tensor): Tensor {
  return tf.mul(x, tf.tanh(tf.softplus(x)));
}

/** x Φ(x) with the exact normal distribution function, as PyTorch's default. */
export function gelu(x: Tensor): Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

/** (x − mean) / √(variance + epsilon) over the last axis, then scale and shift where given. */
export function layerNorm(x: Tensor, scale?: Tensor, shift?: Tensor, epsilon = 1e-5): Tensor {
  return rmsNorm(tf.sub(x, tf.mean(x, -1, true)), scale, shift, epsilon);
}

/** x / √(mean x² + epsilon) over the last axis, then scale and shift where given. */
export function rmsNorm(x: Tensor, scale?: Tensor, shift?: Tensor, epsilon = 1e-5): Tensor {
  const scaled = scaledRows(x, scale ?? tf.ones([x.shape.at(-1)!]), epsilon);
  return shift === undefined ? scaled : tf.add(scaled, shift);
}

/**
 * Rows of mean square 1, times the scale. Its gradient is written out, which takes fewer passes over the rows,
 * and begins from x anew, so that it has a derivative too; equal nodes are recorded once.
 */
function scaledRows(x: Tensor, scale: Tensor, epsilon: number): Tensor {
  const unitRows = (x: Tensor) => {
    const factor = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
    return { unit: tf.mul(x, factor), factor };
  };
  return tf.customGrad((...given) => {
    const [x, scale, save] = given as unknown as [Tensor, Tensor, (saved: Tensor[]) => void];
    save([x, scale]);
    return {
      value: tf.mul(unitRows(x).unit, scale),
      gradFunc(dy, saved) {
        const [x, scale] = saved as [Tensor, Tensor];
        const { unit, factor } = unitRows(x);
        const slopes = tf.mul(dy as Tensor, unit);
        const along = tf.mul(unit, weightedMean(slopes, scale));
        const across = tf.sub(tf.mul(dy as Tensor, scale), along);
        return [tf.mul(across, factor), sumTo(slopes, scale.shape)];
      },
    };
  })(x, scale);
}

/** mean (x · weights) over the last axis, kept with size 1; one product where weights are a row a matrix. */
function weightedMean(x: Tensor, weights: Tensor): Tensor {
  const width = x.shape.at(-1)!;
  const { shape } = weights;
  const isRow = shape.length === 1 || (shape.length === x.shape.length && shape.at(-2) === 1);
  if (!isRow || x.shape.length < 2) return tf.mean(tf.mul(x, weights), -1, true);
  return tf.matMul(x, tf.reshape(tf.div(weights, width), [...shape.slice(0, -2), width, 1]));
}

/** Values along the last axis at `indices` [..., K]; the gradient goes to the values. */
export function takeAlongLast(x: Tensor, indices: Tensor): Tensor {
  const hot = tf.oneHot(tf.cast(indices, "int32"), x.shape.at(-1)!) as Tensor; // [..., K, N]
  return tf.sum(tf.mul(tf.cast(hot, "float32"), tf.expandDims(x, -2)), -1);
}

/** The last axis in ascending order; the gradient goes to the sorted values. */
export function sort(x: Tensor): Tensor {
  return tf.neg(tf.topk(tf.neg(x), x.shape.at(-1)!).values);
}
