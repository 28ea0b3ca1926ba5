// Schedules: values as pure functions of a step, which is a number on the host or a scalar tensor.

import { add, clipByValue, cos, mul, type Tensor } from "./ops.ts";

/** A value at a step; a tensor gives a tensor, so that a schedule can live inside a program. */
export type Schedule = <T extends number | Tensor>(step: T) => T;

/** The same value at every step. */
export function constantSchedule(value: number): Schedule {
  return schedule((step, { affine }) => affine(step, 0, value));
}

/** From `from` at step 0 to `to` at step `numSteps`, constant after it. */
export function linearSchedule(from: number, to: number, numSteps: number): Schedule {
  checkSteps(numSteps, "numSteps");
  return schedule((step, { affine, unit }) =>
    affine(unit(affine(step, 1 / numSteps, 0)), to - from, from),
  );
}

export interface CosineOptions {
  /** The value after the warm-up. */
  readonly peak: number;
  /** The value at step `numSteps` and after it; default 0. */
  readonly end?: number;
  /** Steps of the linear rise from `start` to `peak`; default 0. */
  readonly numWarmUpSteps?: number;
  readonly start?: number;
  /** All steps, the warm-up among them. */
  readonly numSteps: number;
}

/** A linear rise, then half a cosine down: end + (peak − end) (1 + cos(π progress)) / 2. */
export function cosineSchedule(options: CosineOptions): Schedule {
  const { peak, end = 0, numWarmUpSteps = 0, start = 0, numSteps } = options;
  checkSteps(numSteps - numWarmUpSteps, "numSteps − numWarmUpSteps");
  return schedule((step, { affine, unit, cosine, sum }) => {
    const numDecaySteps = numSteps - numWarmUpSteps;
    const progress = unit(affine(step, 1 / numDecaySteps, -numWarmUpSteps / numDecaySteps));
    const decayed = affine(
      cosine(affine(progress, Math.PI, 0)),
      (peak - end) / 2,
      (peak + end) / 2,
    );
    if (numWarmUpSteps === 0) return decayed;
    // What the warm-up still lacks; decayed is the peak as long as it lacks anything.
    const lacking = affine(unit(affine(step, 1 / numWarmUpSteps, 0)), peak - start, start - peak);
    return sum(decayed, lacking);
  });
}

/** The arithmetic that schedules are written in, once for numbers and once for tensors. */
interface Arithmetic<T> {
  /** scale · x + offset. */
  affine(x: T, scale: number, offset: number): T;
  /** x clipped to [0, 1]. */
  unit(x: T): T;
  cosine(x: T): T;
  sum(x: T, y: T): T;
}

const numbers: Arithmetic<number> = {
  affine: (x, scale, offset) => scale * x + offset,
  unit: (x) => Math.min(Math.max(x, 0), 1),
  cosine: Math.cos,
  sum: (x, y) => x + y,
};

const tensors: Arithmetic<Tensor> = {
  affine: (x, scale, offset) => add(mul(x, scale), offset),
  unit: (x) => clipByValue(x, 0, 1),
  cosine: cos,
  sum: add,
};

function schedule(formula: <T>(step: T, arithmetic: Arithmetic<T>) => T): Schedule {
  return <T extends number | Tensor>(step: T) =>
    (typeof step === "number"
      ? formula<number>(step, numbers)
      : formula<Tensor>(step, tensors)) as T;
}

function checkSteps(count: number, name: string): void {
  if (!(count > 0)) throw new Error(`a schedule wants ${name} > 0, got ${count}`);
}
