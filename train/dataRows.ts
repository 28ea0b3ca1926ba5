// Logged data as rows of replay, without a copy: rows are read from the datasets' columns when they are drawn,
// from memory or, where they are too many, from the disk.

import type { EnvSpec, OfflineConfig } from "../agents/agent.ts";
import type { Columns } from "../agents/replay.ts";
import type { EpisodeEnd, ExtraColumn } from "../agents/rows.ts";
import type { Dataset } from "../finetune/dataset.ts";
import type { Rng } from "../sim/rng.ts";

/** How rewards become returns: the settings, with the scale as a number. */
export type RowOptions = Pick<
  OfflineConfig,
  "discount" | "numStepReturns" | "timeOuts" | "episodeShare"
> & {
  readonly rewardScale: number;
  readonly rewardShift: number;
};

/** The n-step returns of one episode, a row each of its T steps. */
export interface Returns {
  readonly rewards: Float32Array;
  readonly discounts: Float32Array;
  /** The step whose state a row's return bootstraps from, up to T. */
  readonly ends: Int32Array;
}

/** A step's reward as the learner sees it. */
export function seenReward(reward: number, { rewardScale, rewardShift }: RowOptions): number {
  return reward * rewardScale + rewardShift;
}

/** `rewards` are those that the learner sees, [T]. */
export function returnsOf(
  rewards: Float32Array,
  { terminated, truncated }: EpisodeEnd,
  { discount, numStepReturns, timeOuts }: RowOptions,
): Returns {
  const { length } = rewards;
  const closed = terminated || (truncated && timeOuts === "terminal");
  const sums = new Float32Array(length);
  const discounts = new Float32Array(length);
  const ends = new Int32Array(length);
  for (let t = 0; t < length; t++) {
    const end = Math.min(length, t + numStepReturns);
    let [sum, factor] = [0, 1];
    for (let k = t; k < end; k++) {
      sum += factor * rewards[k]!;
      factor *= discount;
    }
    sums[t] = sum;
    discounts[t] = closed && end === length ? 0 : factor;
    ends[t] = end;
  }
  return { rewards: sums, discounts, ends };
}

/** Σ γᵏ r from each step to the episode's end, and nothing beyond it, [T]. */
export function discountedSums(rewards: Float32Array, discount: number): Float32Array {
  const sums = new Float32Array(rewards.length);
  let sum = 0;
  for (let t = rewards.length - 1; t >= 0; t--) {
    sum = rewards[t]! + discount * sum;
    sums[t] = sum;
  }
  return sums;
}

/** A number for the setting; throws where the data's returns are all the same. */
export function rewardScaleOf(
  { rewardScale }: Pick<OfflineConfig, "rewardScale">,
  datasets: readonly Dataset[],
): number {
  if (rewardScale !== "returnRange") return rewardScale;
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { episodeReturn } of datasets.flatMap(({ episodes }) => episodes)) {
    least = Math.min(least, episodeReturn);
    greatest = Math.max(greatest, episodeReturn);
  }
  if (greatest > least) return 1000 / (greatest - least);
  throw new Error(
    `rewardScale returnRange wants episodes of different returns, and all of the data's are ${least}; set algo.rewardScale to a number`,
  );
}

/** What a step's rewards to the end are worth to an algorithm; the default is `discountedSums`. */
export type ReturnsToGo = (rewards: Float32Array, end: EpisodeEnd) => Float32Array;

/** All steps of some datasets. */
export class DataRows {
  readonly size: number;
  private readonly datasets: readonly Dataset[];
  private readonly extras: readonly ExtraColumn[];
  private readonly rows: RowIndex;

  constructor(
    datasets: readonly Dataset[],
    options: RowOptions,
    extras: readonly ExtraColumn[],
    returnsToGo: ReturnsToGo,
  ) {
    this.datasets = datasets;
    this.extras = extras;
    this.rows = indexRows(datasets, options, extras, returnsToGo);
    this.size = this.rows.size;
    if (this.size === 0)
      throw new Error(`the data have no rows to learn from: ${pathsOf(datasets)}`);
  }

  /** Fills rows [from, to) of a batch with rows drawn uniformly, with replacement. */
  sample(batch: Columns, from: number, to: number, rng: Rng): void {
    for (let row = from; row < to; row++) this.read(rng.integer(this.size), batch, row);
  }

  /** Copies row `index` to row `at` of a batch. */
  read(index: number, batch: Columns, at: number): void {
    const { rows, extras } = this;
    const { observations, actions } = this.datasets[rows.datasets[index]!]!;
    const [o, a] = [observations.width, actions.width];
    observations.read(rows.observations[index]!, 1, batch.observations, at * o);
    observations.read(rows.nextObservations[index]!, 1, batch.nextObservations, at * o);
    actions.read(rows.actions[index]!, 1, batch.actions, at * a);
    batch.rewards[at] = rows.rewards[index]!;
    batch.discounts[at] = rows.discounts[index]!;
    if (extras.includes("returnsToGo")) batch.returnsToGo![at] = rows.returnsToGo[index]!;
    if (!extras.includes("nextActions")) return;
    const next = rows.nextActions[index]!;
    if (next < 0) batch.nextActions!.fill(0, at * a, (at + 1) * a);
    else actions.read(next, 1, batch.nextActions!, at * a);
  }

  /** Every episode's observations in order, [T + 1, O]. */
  observe(look: (observations: Float32Array) => void): void {
    for (const { episodes, places, observations } of this.datasets)
      for (const [i, { length }] of episodes.entries())
        look(observations.rows(places[i]!.observation, length + 1));
  }
}

/** Where each row lies, and its numbers; columns of one length. */
interface RowIndex {
  size: number;
  readonly datasets: Uint16Array;
  readonly observations: Uint32Array;
  readonly nextObservations: Uint32Array;
  readonly actions: Uint32Array;
  /** −1 where there is none. */
  readonly nextActions: Float64Array;
  readonly rewards: Float32Array;
  readonly discounts: Float32Array;
  readonly returnsToGo: Float32Array;
}

function indexRows(
  datasets: readonly Dataset[],
  options: RowOptions,
  extras: readonly ExtraColumn[],
  returnsToGo: ReturnsToGo,
): RowIndex {
  const index = emptyIndex(datasets.reduce((sum, { numSteps }) => sum + numSteps, 0));
  const wantsNext = extras.includes("nextActions");
  const least = leastReturn(datasets, options.episodeShare);
  for (const [which, { path, episodes, places, rewards: column }] of datasets.entries()) {
    for (const [episode, info] of episodes.entries()) {
      if (info.episodeReturn < least) continue;
      const { step, observation } = places[episode]!;
      const rewards = column.rows(step, info.length).map((r) => seenReward(r, options));
      if (!rewards.every(Number.isFinite))
        throw new Error(`${path}: episode ${episode} has a reward that is no number`);
      const { discounts, ends, rewards: sums } = returnsOf(rewards, info, options);
      const toGo = returnsToGo(rewards, info);
      for (let t = 0; t < info.length; t++) {
        const known = ends[t]! < info.length;
        if (wantsNext && !known && discounts[t]! > 0) continue; // nobody knows what came next
        const at = index.size++;
        index.datasets[at] = which;
        index.observations[at] = observation + t;
        index.nextObservations[at] = observation + ends[t]!;
        index.actions[at] = step + t;
        index.nextActions[at] = known ? step + ends[t]! : -1;
        index.rewards[at] = sums[t]!;
        index.discounts[at] = discounts[t]!;
        index.returnsToGo[at] = toGo[t]!;
      }
    }
  }
  return index;
}

function emptyIndex(capacity: number): RowIndex {
  return {
    size: 0,
    datasets: new Uint16Array(capacity),
    observations: new Uint32Array(capacity),
    nextObservations: new Uint32Array(capacity),
    actions: new Uint32Array(capacity),
    nextActions: new Float64Array(capacity),
    rewards: new Float32Array(capacity),
    discounts: new Float32Array(capacity),
    returnsToGo: new Float32Array(capacity),
  };
}

/** The least return among the best share of all episodes. */
function leastReturn(datasets: readonly Dataset[], share: number): number {
  const all = datasets.flatMap(({ episodes }) => episodes.map((each) => each.episodeReturn));
  const sorted = all.sort((a, b) => b - a);
  return sorted[Math.max(1, Math.round(share * sorted.length)) - 1] ?? Number.NEGATIVE_INFINITY;
}

/** Throws where the data can't be what the environments of the spec give and take. */
export function checkWidths(
  datasets: readonly Dataset[],
  { observationSize, actionSize }: Pick<EnvSpec, "observationSize" | "actionSize">,
): void {
  for (const { path, info } of datasets) {
    if (info.observationSize !== observationSize || info.actionSize !== actionSize)
      throw new Error(
        `${path} has observations of ${info.observationSize} and actions of ${info.actionSize} numbers; this task has ${observationSize} and ${actionSize}`,
      );
  }
}

const pathsOf = (datasets: readonly Dataset[]) => datasets.map(({ path }) => path).join(", ");
