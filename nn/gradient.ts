// Gradients with respect to trees of tensors.

import * as tf from "#tensorflow";
import "./derivatives.ts";
import { leaves, mapTree, type Tree } from "./tree.ts";

export type TensorTree = Tree<tf.Tensor>;

export function isTensor(value: unknown): value is tf.Tensor {
  return value instanceof tf.Tensor;
}

/**
 * The function that returns f's value and its gradient with respect to the argument, which has the
 * argument's structure. f returns a scalar loss, or [loss, a tree of tensors worth keeping]. All else
 * that f uses is a constant. A leaf that the loss does not depend on gets zeros.
 */
export function valueAndGrad<P extends TensorTree>(
  f: (params: P) => tf.Tensor,
): (params: P) => [value: tf.Tensor, gradient: P];
export function valueAndGrad<P extends TensorTree, A extends TensorTree>(
  f: (params: P) => readonly [tf.Tensor, A],
): (params: P) => [value: tf.Tensor, gradient: P, aux: A];
export function valueAndGrad<P extends TensorTree, A extends TensorTree>(
  f: (params: P) => tf.Tensor | readonly [tf.Tensor, A],
): (params: P) => [value: tf.Tensor, gradient: P, aux?: A] {
  return (params) => {
    const named = leaves<tf.Tensor>(params, isTensor);
    let aux: A | undefined;
    const { value, grads } = tf.engine().gradients(
      () => {
        const result = f(params);
        if (isTensor(result)) return scalarLoss(result);
        aux = mapTree<tf.Tensor, tf.Tensor>(result[1], isTensor, (x) => tf.keep(x.clone())) as A;
        return scalarLoss(result[0]);
      },
      named.map(([, tensor]) => tensor),
      undefined,
      true,
    );
    const gradients = new Map(
      named.map(([path, tensor], i) => [path, grads[i] ?? tf.zerosLike(tensor)]),
    );
    const gradient = mapTree<tf.Tensor, tf.Tensor>(
      params,
      isTensor,
      (_, path) => gradients.get(path)!,
    );
    if (aux === undefined) return [value, gradient as P];
    return [value, gradient as P, adopt(aux)];
  };
}

/** The gradient alone. */
export function grad<P extends TensorTree>(f: (params: P) => tf.Tensor): (params: P) => P {
  return (params) => valueAndGrad(f)(params)[1];
}

function scalarLoss(loss: tf.Tensor): tf.Tensor {
  if (loss.shape.length === 0) return loss;
  throw new Error(`a loss is a scalar, got shape [${loss.shape}]; take its mean or sum`);
}

/** Gives kept tensors back to the enclosing tidy, which disposes of them when it ends. */
function adopt<A extends TensorTree>(tree: A): A {
  const engine = tf.engine() as unknown as { track(tensor: tf.Tensor): void };
  for (const [, tensor] of leaves<tf.Tensor>(tree, isTensor)) {
    tensor.kept = false;
    engine.track(tensor);
  }
  return tree;
}
