// What many runs come to: interquartile means, and how sure of them one can be.
//
// Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice", arXiv:2108.13264.

import type { Rng } from "../../sim/rng.ts";

const numResamples = 2000;

/** Mean of the middle half of the values, a value at a quarter's edge by its part. */
export function interquartileMean(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const cut = sorted.length / 4;
  const weightOf = (i: number) =>
    Math.max(0, Math.min(i + 1, sorted.length - cut) - Math.max(i, cut));
  return sorted.reduce((sum, value, i) => sum + weightOf(i) * value, 0) / (sorted.length / 2);
}

/**
 * The interval that holds 95 % of the interquartile means of runs drawn anew, with replacement and within each
 * stratum: a task's or a dataset's runs, which are seeds. With one run a stratum it has no width.
 */
export function interquartileInterval(
  strata: readonly (readonly number[])[],
  rng: Rng,
): readonly [low: number, high: number] {
  const drawn = Array.from({ length: numResamples }, () =>
    interquartileMean(
      strata.flatMap((runs) => runs.map(() => runs[Math.floor(rng.uniform() * runs.length)]!)),
    ),
  ).sort((a, b) => a - b);
  const at = (share: number) => drawn[Math.round(share * (numResamples - 1))]!;
  return [at(0.025), at(0.975)];
}
