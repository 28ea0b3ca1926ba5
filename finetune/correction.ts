// What corrections of a frozen base policy share: observations that end with the base's action, [s, a_b], and
// a normalised space of actions in which a correction has room beyond what the demonstrations did.

import type { EnvSpec } from "../agents/agent.ts";
import { add, clipByValue, concat, div, mul, slice, sub, type Tensor } from "../nn/ops.ts";
import { array, type NdArray } from "../nn/tree.ts";

/** Actions of the task are centre + halfRange · n with n in [−1, 1]. */
export type ActionNormalizer<T> = { readonly centre: T; readonly halfRange: T }; // [A]

const leastHalfRange = 0.05; // an element that the demonstrations hardly moved

/** Least and greatest of each element of an action, as demonstrations have it. */
export type ActionRange = NonNullable<EnvSpec["actionRange"]>;

/**
 * The middle and half of the demonstrations' range, the half widened by `margin`: their extremes lie at
 * ±1 / (1 + margin), so that a correction of margin / (1 + margin) reaches the bound. Without demonstrations
 * normalised actions are the task's.
 */
export function actionNormalizer(
  actionSize: number,
  range: ActionRange | undefined,
  margin: number,
): ActionNormalizer<NdArray> {
  const { low, high } = range ?? {
    low: new Array<number>(actionSize).fill(-1 / (1 + margin)),
    high: new Array<number>(actionSize).fill(1 / (1 + margin)),
  };
  const half = (i: number) => Math.max((high[i]! - low[i]!) / 2, leastHalfRange);
  return {
    centre: array(
      Float32Array.from(low, (x, i) => (x + high[i]!) / 2),
      [actionSize],
    ),
    halfRange: array(
      Float32Array.from(low, (_, i) => half(i) * (1 + margin)),
      [actionSize],
    ),
  };
}

/** (a − centre) / halfRange. */
export function normalized(
  actions: Tensor,
  { centre, halfRange }: ActionNormalizer<Tensor>,
): Tensor {
  return div(sub(actions, centre), halfRange);
}

/** centre + halfRange · n, within what the task takes. */
export function asExecuted(
  actions: Tensor,
  { centre, halfRange }: ActionNormalizer<Tensor>,
): Tensor {
  return clipByValue(add(mul(actions, halfRange), centre), -1, 1);
}

/** Base and correction, both normalised, as the task executes their sum; no gradient where it is at a bound. */
export function corrected(
  baseActions: Tensor,
  corrections: Tensor,
  normalizer: ActionNormalizer<Tensor>,
): Tensor {
  return asExecuted(clipByValue(add(baseActions, corrections), -1, 1), normalizer);
}

/** [s, a_b] taken apart; the base's actions are normalised. */
export function partsOf(
  observations: Tensor, // [B, O + A]
  normalizer: ActionNormalizer<Tensor>,
): { readonly states: Tensor; readonly baseActions: Tensor } {
  const [numRows = 0, width = 0] = observations.shape;
  const actionSize = normalizer.centre.shape[0]!;
  const size = width - actionSize;
  const states = slice(observations, [0, 0], [numRows, size]); // [B, O]
  const raw = slice(observations, [0, size], [numRows, actionSize]);
  return { states, baseActions: normalized(raw, normalizer) }; // [B, A]
}

/** The corrections in [−1, 1] that `scale` of made executed actions of the base's; cut where those were. */
export function correctionsIn(
  actions: Tensor, // [B, A], as the task took them
  { baseActions }: Pick<ReturnType<typeof partsOf>, "baseActions">,
  normalizer: ActionNormalizer<Tensor>,
  scale: number,
): Tensor {
  const corrections = div(sub(normalized(actions, normalizer), baseActions), scale);
  return clipByValue(corrections, -1, 1); // [B, A]
}

/** What an actor sees: the state and the base's normalised action side by side. */
export function seenWith({ states, baseActions }: ReturnType<typeof partsOf>): Tensor {
  return concat([states, baseActions], -1);
}

/** The base's actions in rows of [s, a_b] plus draws in [−1, 1] times `width`, within [−1, 1]; fresh. */
export function aroundBase(
  observations: Float32Array, // [N, O + A]
  draws: Float32Array, // [N, A]
  { observationSize, actionSize }: EnvSpec,
  width: number,
): Float32Array {
  const first = observationSize - actionSize;
  return draws.map((draw, i) => {
    const [row, k] = [Math.floor(i / actionSize), i % actionSize];
    const sum = observations[row * observationSize + first + k]! + width * draw;
    return Math.min(1, Math.max(-1, sum));
  });
}
