// Running sums and products along an axis.

import * as tf from "#tensorflow";

type Tensor = tf.Tensor;

/** Running sum along an axis; `exclusive` leaves out the element itself. */
export function cumsum(x: Tensor, axis = 0, exclusive = false, reverse = false): Tensor {
  return tf.cumsum(x, axisOf(axis, x), exclusive, reverse);
}

/**
 * Running product along an axis, by doubling: after step s each element has its last 2^s factors.
 * Composed, so that it has every derivative, at zeros too.
 */
export function cumprod(x: Tensor, axis = 0, exclusive = false, reverse = false): Tensor {
  const along = axisOf(axis, x);
  let product = exclusive ? shifted(x, along, 1, reverse) : x;
  for (let distance = 1; distance < x.shape[along]!; distance *= 2) {
    product = tf.mul(product, shifted(product, along, distance, reverse));
  }
  return product;
}

/** The tensor moved along an axis, ones coming in. */
function shifted(x: Tensor, axis: number, distance: number, reverse: boolean): Tensor {
  const kept = Math.max(0, x.shape[axis]! - distance);
  const entered = x.shape[axis]! - kept;
  const begin = x.shape.map((_, i) => (i === axis && reverse ? entered : 0));
  const size = x.shape.map((n, i) => (i === axis ? kept : n));
  const paddings = x.shape.map((_, i): [number, number] => {
    if (i !== axis) return [0, 0];
    return reverse ? [0, entered] : [entered, 0];
  });
  return tf.pad(tf.slice(x, begin, size), paddings, 1);
}

function axisOf(axis: number, x: Tensor): number {
  return axis < 0 ? axis + x.shape.length : axis;
}
