// Importance sampling: what a policy would have returned, of episodes that another one played.
//
// After Kiyohara et al. 2024 (SCOPE-RL): IS, per-decision IS, their self-normalised forms, and doubly robust
// estimates. Everything is in logarithms: over hundreds of steps products leave what a float holds. Behaviour
// densities must be those that the actions were drawn with; for squashed actions use the densities before the tanh
// for both policies. Plain arithmetic on the host, no tensors.

/** One episode as the estimators see it, T steps each. */
export interface LoggedEpisode {
  readonly rewards: ArrayLike<number>;
  /** log π_e(a|s) − log π_b(a|s) of each step. */
  readonly logRatios: ArrayLike<number>;
  /** Q(s, a) and V(s) of the policy that is judged, where an estimate is to lean on them. */
  readonly q?: ArrayLike<number>;
  readonly v?: ArrayLike<number>;
}

export interface Estimate {
  readonly value: number;
  /** (Σ w)² / Σ w² of whole episodes' weights: how many episodes it rests on. */
  readonly effectiveSize: number;
}

export const estimators = { is, wis, pdis, snPdis, dr, snDr } as const;

/** Mean of w G, w the product of all ratios of an episode. */
export function is(episodes: readonly LoggedEpisode[], discount: number): Estimate {
  const weights = episodes.map((each) => Math.exp(total(each)));
  const sum = episodes.reduce((s, each, i) => s + weights[i]! * returnOf(each, discount), 0);
  return { value: sum / episodes.length, effectiveSize: effectiveSize(episodes) };
}

/** The same with weights that sum to 1: within the returns that were seen. */
export function wis(episodes: readonly LoggedEpisode[], discount: number): Estimate {
  const weights = normalized(episodes.map(total));
  const value = episodes.reduce((s, each, i) => s + weights[i]! * returnOf(each, discount), 0);
  return { value, effectiveSize: effectiveSize(episodes) };
}

/** Mean of Σ γᵗ w₀ₜ rₜ: a step's weight has no part of what came after it. */
export function pdis(episodes: readonly LoggedEpisode[], discount: number): Estimate {
  return doublyRobust(episodes.map(withoutModel), discount, plainWeights);
}

/** The same with each step's weights summing to 1 over the episodes. */
export function snPdis(episodes: readonly LoggedEpisode[], discount: number): Estimate {
  return doublyRobust(episodes.map(withoutModel), discount, selfNormalized);
}

/** Mean of Σ γᵗ (w₀ₜ (rₜ − Q) + w₀ₜ₋₁ V): unbiased where the ratios or Q and V are right. */
export function dr(episodes: readonly LoggedEpisode[], discount: number): Estimate {
  return doublyRobust(episodes, discount, plainWeights);
}

/** The same with each step's weights summing to 1. */
export function snDr(episodes: readonly LoggedEpisode[], discount: number): Estimate {
  return doublyRobust(episodes, discount, selfNormalized);
}

/** (Σ w)² / Σ w², from 1 to the number of episodes. */
export function effectiveSize(episodes: readonly LoggedEpisode[]): number {
  const weights = normalized(episodes.map(total));
  return 1 / weights.reduce((sum, w) => sum + w * w, 0);
}

/** Log weights of all episodes at one step → their weights, which sum to about the number of episodes. */
type Weighing = (logWeights: readonly number[]) => number[];

const plainWeights: Weighing = (logWeights) => logWeights.map(Math.exp);
const selfNormalized: Weighing = (logWeights) =>
  normalized(logWeights).map((w) => w * logWeights.length);

function doublyRobust(
  episodes: readonly LoggedEpisode[],
  discount: number,
  weigh: Weighing,
): Estimate {
  const longest = Math.max(...episodes.map(({ rewards }) => rewards.length));
  const sums = episodes.map(() => 0); // Σ log ratios up to the step
  let before = episodes.map(() => 1); // weights up to the step before
  let [value, factor] = [0, 1];
  for (let t = 0; t < longest; t++) {
    for (const [i, { logRatios }] of episodes.entries()) sums[i]! += logRatios[t] ?? 0;
    const weights = weigh(sums);
    for (const [i, { rewards, q, v }] of episodes.entries()) {
      if (t >= rewards.length) continue;
      value += factor * (weights[i]! * (rewards[t]! - (q?.[t] ?? 0)) + before[i]! * (v?.[t] ?? 0));
    }
    before = weights;
    factor *= discount;
  }
  return { value: value / episodes.length, effectiveSize: effectiveSize(episodes) };
}

function withoutModel({ rewards, logRatios }: LoggedEpisode): LoggedEpisode {
  return { rewards, logRatios };
}

/** exp of log weights, scaled so that they sum to 1; the greatest may be any number. */
function normalized(logWeights: readonly number[]): number[] {
  const greatest = Math.max(...logWeights);
  const weights = logWeights.map((w) => Math.exp(w - greatest));
  const sum = weights.reduce((s, w) => s + w, 0);
  return weights.map((w) => w / sum);
}

function total({ logRatios }: LoggedEpisode): number {
  let sum = 0;
  for (let t = 0; t < logRatios.length; t++) sum += logRatios[t]!;
  return sum;
}

function returnOf({ rewards }: LoggedEpisode, discount: number): number {
  let [sum, factor] = [0, 1];
  for (let t = 0; t < rewards.length; t++) {
    sum += factor * rewards[t]!;
    factor *= discount;
  }
  return sum;
}

/**
 * log of a Gaussian kernel of that bandwidth around a deterministic policy's action, normalised for all A
 * dimensions: what stands in for π_e(a|s) where the policy has no density.
 */
export function logKernel(
  action: ArrayLike<number>,
  chosen: ArrayLike<number>,
  bandwidth: number,
): number {
  let square = 0;
  for (let i = 0; i < action.length; i++) square += (action[i]! - chosen[i]!) ** 2;
  const variance = bandwidth * bandwidth;
  return -square / (2 * variance) - (action.length / 2) * Math.log(2 * Math.PI * variance);
}
