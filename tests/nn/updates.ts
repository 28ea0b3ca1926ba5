// A small actor-critic-like update with noise of every kind: what the tests of programs run.

import { valueAndGrad } from "../../nn/gradient.ts";
import { bernoulli, indices, normal, subset, uniform } from "../../nn/noise.ts";
import {
  add,
  gather,
  logicalNot,
  matMul,
  mean,
  min,
  mul,
  relu,
  reshape,
  scalar,
  split,
  square,
  sub,
  type Tensor,
  tanh,
} from "../../nn/ops.ts";
import { array, isNdArray, leaves, type NdArray, type Tree, zeros } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";

/** The same fresh state on every call: two networks, a moment, a counter, a flag. */
export function initialState() {
  const rng = createRng(3);
  const weights = (...shape: number[]) =>
    array(
      Array.from({ length: shape.reduce((a, b) => a * b) }, () => 0.5 * rng.normal()),
      shape,
    );
  return {
    actor: { w1: weights(4, 16), w2: weights(16, 2) },
    critics: { w1: weights(3, 6, 16), w2: weights(3, 16, 1) }, // [E, O + A, H], [E, H, 1]
    momentum: zeros([16, 2]),
    numUpdates: zeros([], "int32"),
    odd: zeros([1], "bool"),
  };
}

export const exampleInputs = {
  observations: { shape: [8, 4], dtype: "float32" },
  rewards: { shape: [8], dtype: "float32" },
  noise: {
    actions: normal([8, 2]),
    scale: uniform([8, 1], 0.5, 1.5),
    keep: bernoulli([8, 16], 0.8),
    rows: indices([8], 8),
    heads: subset([2], 3),
  },
} as const;

type Of<T> = T extends { shape: unknown } ? Tensor : { [K in keyof T]: Of<T[K]> };
type State = Of<ReturnType<typeof initialState>>;
type Inputs = Of<typeof exampleInputs>;

export function actorCritic(state: State, { observations, rewards, noise }: Inputs) {
  const rows = gather(observations, noise.rows); // [B, O]
  const act = (actor: State["actor"]) => {
    const hidden = mul(relu(matMul(rows, actor.w1)), noise.keep);
    return tanh(add(matMul(hidden, actor.w2), mul(mul(noise.actions, noise.scale), 0.1)));
  };
  const judge = ({ w1, w2 }: State["critics"], actions: Tensor) => {
    const [states, moves] = split(w1, [4, 2], 1) as [Tensor, Tensor];
    return matMul(tanh(add(matMul(rows, states), matMul(actions, moves))), w2); // [E, B, 1]
  };
  const actions = act(state.actor);
  const [criticLoss, dCritics] = valueAndGrad((critics: State["critics"]) =>
    mean(square(sub(judge(critics, actions), reshape(rewards, [8, 1])))),
  )(state.critics);
  const [actorLoss, dActor] = valueAndGrad((actor: State["actor"]) =>
    mean(mul(min(gather(judge(state.critics, act(actor)), noise.heads), 0), -1)),
  )(state.actor);
  const step = (x: Tensor, dx: Tensor) => sub(x, mul(dx, 0.05));
  const momentum = add(mul(state.momentum, 0.9), mul(dActor.w2, 0.1));
  const next: State = {
    actor: { w1: step(state.actor.w1, dActor.w1), w2: step(state.actor.w2, momentum) },
    critics: {
      w1: step(state.critics.w1, dCritics.w1),
      w2: step(state.critics.w2, dCritics.w2),
    },
    momentum,
    numUpdates: add(state.numUpdates, scalar(1, "int32")),
    odd: logicalNot(state.odd),
  };
  return [next, { critic: { loss: criticLoss }, actorLoss, actions }] as const;
}

/** A batch that differs from one number to the next. */
export function batch(seed: number) {
  const draws = createRng(seed);
  return {
    observations: Float32Array.from({ length: 32 }, () => draws.normal()),
    rewards: Float32Array.from({ length: 8 }, () => draws.uniform()),
    noise: {},
  };
}

/** Path and elements of every leaf. */
export function flat(tree: unknown): [string, number[]][] {
  return leaves<NdArray>(tree as Tree<NdArray>, isNdArray).map(([path, { data }]) => [
    path,
    Array.from(data),
  ]);
}

/** The largest |a − b| / (1 + |a|) over all leaves of two trees of the same paths. */
export function difference(a: unknown, b: unknown): number {
  const other = new Map(flat(b));
  let worst = 0;
  for (const [path, data] of flat(a)) {
    const values = other.get(path)!;
    data.forEach((x, i) => {
      const error = Math.abs(x - values[i]!) / (1 + Math.abs(x));
      worst = Math.max(worst, error); // NaN stays
    });
  }
  return worst;
}
