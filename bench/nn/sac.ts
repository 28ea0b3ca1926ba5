// The update that is measured: soft actor-critic with automatic temperature, in ops alone.
//
// A yardstick, not the agent: written as agents are, with two (or ten) critics as one ensemble.

import { isTensor, valueAndGrad } from "../../nn/gradient.ts";
import { bernoulli, normal } from "../../nn/noise.ts";
import {
  add,
  cast,
  concat,
  exp,
  matMul,
  mean,
  min,
  mul,
  neg,
  relu,
  softplus,
  split,
  sqrt,
  square,
  squeeze,
  sub,
  sum,
  type Tensor,
  tanh,
} from "../../nn/ops.ts";
import { array, full, leaves, mapTree, type NdArray, zeros } from "../../nn/tree.ts";

void bernoulli;
void cast;
void neg;
export const sizes = { observation: 27, action: 8, hidden: 256 };

type P = Record<string, Tensor>;
function dense(w: Tensor, b: Tensor, x: Tensor) {
  return add(matMul(x, w), b);
}
function mlp(p: P, x: Tensor) {
  const h1 = relu(dense(p["w1"]!, p["b1"]!, x));
  const h2 = relu(dense(p["w2"]!, p["b2"]!, h1));
  return dense(p["w3"]!, p["b3"]!, h2);
}
function critics(p: P, o: Tensor, a: Tensor) {
  return squeeze(mlp(p, concat([o, a], 1)), [-1]);
}
function actor(p: P, o: Tensor, eps: Tensor): [Tensor, Tensor] {
  const [m, l] = split(mlp(p, o), 2, 1) as [Tensor, Tensor];
  const ls = add(mul(add(tanh(l), 1), 3.5), -5);
  const u = add(m, mul(exp(ls), eps));
  const lp = sub(
    sub(mul(square(eps), -0.5), ls),
    add(0.9189385332, mul(sub(sub(Math.log(2), u), softplus(mul(u, -2))), 2)),
  );
  return [tanh(u), sum(lp, 1)];
}
function adamStep(params: P, grads: P, st: any, lr: number): [P, any] {
  const c1 = add(mul(st.c1, 0.9), 0.1),
    c2 = add(mul(st.c2, 0.999), 0.001);
  // p - lr*(m/c1)/(sqrt(v/c2)+eps)
  const r = sqrt(c2);
  const stepSize = mul(lr, divT(r, c1));
  const eps = mul(1e-8, r);
  const m: P = {},
    v: P = {},
    p: P = {};
  for (const k of Object.keys(params)) {
    const g = grads[k]!;
    m[k] = add(mul(st.m[k], 0.9), mul(g, 0.1));
    v[k] = add(mul(st.v[k], 0.999), mul(square(g), 0.001));
    p[k] = sub(params[k]!, mul(divT(m[k]!, add(sqrt(v[k]!), eps)), stepSize));
  }
  return [p, { m, v, c1, c2 }];
}

import { div as divT } from "../../nn/ops.ts";

export function update(state: any, b: any): [any, any] {
  const [nextA, nextLp] = actor(state.actor, b.nextObservations, b.noise.next);
  const tq = min(critics(state.targetCritics, b.nextObservations, nextA), 0);
  const target = add(
    b.rewards,
    mul(mul(b.masks, 0.99), sub(tq, mul(exp(state.logAlpha.value), nextLp))),
  );
  const [closs, cg] = valueAndGrad((c: P) =>
    sum(mean(square(sub(critics(c, b.observations, b.actions), target)), 1)),
  )(state.critics);
  const [cr, co] = adamStep(state.critics, cg, state.criticOpt, 3e-4);
  const [aloss, ag, lp] = valueAndGrad<P, Tensor>((a: P) => {
    const [act, lp] = actor(a, b.observations, b.noise.current);
    return [
      mean(sub(mul(exp(state.logAlpha.value), lp), min(critics(cr, b.observations, act), 0))),
      lp,
    ] as const;
  })(state.actor);
  const [ac, ao] = adamStep(state.actor, ag, state.actorOpt, 3e-4);
  const [tloss, tg] = valueAndGrad((la: P) =>
    neg(mean(mul(exp(la["value"]!), sub(lp as Tensor, sizes.action)))),
  )(state.logAlpha);
  const [la, lo] = adamStep(state.logAlpha, tg, state.alphaOpt, 3e-4);
  const targetCritics = mapTree<Tensor, Tensor>(cr, isTensor, (x, path) =>
    add(mul(x, 0.005), mul(state.targetCritics[path], 0.995)),
  );
  return [
    {
      critics: cr,
      targetCritics,
      actor: ac,
      logAlpha: la,
      criticOpt: co,
      actorOpt: ao,
      alphaOpt: lo,
    },
    { criticLoss: closs, actorLoss: aloss, alphaLoss: tloss },
  ];
}

export function init(seed = 1, E = 2): any {
  let s = seed;
  const rnd = () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32 - 0.5;
  };
  const u = (shape: number[], fan: number) =>
    array(
      Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        () => (2 * rnd()) / Math.sqrt(fan),
      ),
      shape,
    );
  const { observation: O, action: A, hidden: H } = sizes;
  const critic = () => ({
    w1: u([E, O + A, H], O + A),
    b1: u([E, 1, H], O + A),
    w2: u([E, H, H], H),
    b2: u([E, 1, H], H),
    w3: u([E, H, 1], H),
    b3: u([E, 1, 1], H),
  });
  const actor = {
    w1: u([O, H], O),
    b1: u([H], O),
    w2: u([H, H], H),
    b2: u([H], H),
    w3: u([H, 2 * A], H),
    b3: u([2 * A], H),
  };
  const c = critic();
  const isNd = (x: unknown): x is NdArray => typeof x === "object" && x !== null && "data" in x;
  const z = (t: any) => mapTree<NdArray, NdArray>(t, isNd, (x) => zeros(x.shape));
  const opt = (t: any) => ({ m: z(t), v: z(t), c1: full([], 0), c2: full([], 0) });
  const logAlpha = { value: full([], 0) };
  return {
    critics: c,
    targetCritics: mapTree<NdArray, NdArray>(c as any, isNd, (x) => array(x.data, x.shape)),
    actor,
    logAlpha,
    criticOpt: opt(c),
    actorOpt: opt(actor),
    alphaOpt: opt(logAlpha),
  };
}
export function inputs(B: number): any {
  const { observation: O, action: A } = sizes;
  const f = (...shape: number[]) => ({ shape, dtype: "float32" as const });
  return {
    observations: f(B, O),
    actions: f(B, A),
    rewards: f(B),
    nextObservations: f(B, O),
    masks: f(B),
    noise: { next: normal([B, A]), current: normal([B, A]) },
  };
}
export function batch(B: number, seed = 5): any {
  let s = seed;
  const rnd = () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32 - 0.5;
  };
  const { observation: O, action: A } = sizes;
  const r = (n: number) => Float32Array.from({ length: n }, () => 3 * rnd());
  return {
    observations: r(B * O),
    actions: r(B * A).map(Math.tanh),
    rewards: r(B),
    nextObservations: r(B * O),
    masks: new Float32Array(B).fill(1),
  };
}
void leaves;
