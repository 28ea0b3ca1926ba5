// Which episodes of a dataset: by what is said of them, or by lot.

import type { EpisodeInfo } from "../finetune/dataset.ts";
import { createRng } from "../sim/rng.ts";

/** What an episode must have to be kept; what is missing is not asked. */
export interface Selection {
  /** Its last step was successful. */
  readonly success?: boolean;
  readonly minReturn?: number;
  /** Who acted: one of these. */
  readonly policies?: readonly string[];
  /** Control steps, both included. */
  readonly lengths?: { readonly least: number; readonly most: number };
  /** This share, in (0, 1], of those that fit the rest, with the highest returns; one at least. */
  readonly top?: number;
}

/** Indices of the episodes that fit, ascending. */
export function selectEpisodes(episodes: readonly EpisodeInfo[], selection: Selection): number[] {
  const fitting = [...episodes.keys()].filter((index) => fits(episodes[index]!, selection));
  const { top } = selection;
  if (top === undefined) return fitting;
  const returnOf = (index: number) => episodes[index]!.episodeReturn;
  const best = fitting.toSorted((a, b) => returnOf(b) - returnOf(a) || a - b);
  return best.slice(0, Math.max(1, Math.round(top * fitting.length))).sort((a, b) => a - b);
}

function fits(
  episode: EpisodeInfo,
  { success, minReturn = Number.NEGATIVE_INFINITY, policies, lengths }: Selection,
): boolean {
  const { length } = episode;
  return (
    (success === undefined || episode.success === success) &&
    episode.episodeReturn >= minReturn &&
    (policies === undefined || policies.includes(episode.policy)) &&
    (lengths === undefined || (length >= lengths.least && length <= lengths.most))
  );
}

/**
 * Deals whole episodes out by lot: part i gets `shares[i]` of them, shares together being 1. Indices of each
 * part, ascending; every episode is in one part, and each part has one at least.
 */
export function splitEpisodes(
  numEpisodes: number,
  shares: readonly number[],
  seed: number,
): number[][] {
  if (numEpisodes < shares.length)
    throw new Error(`${numEpisodes} episodes do not go into ${shares.length} parts`);
  const order = shuffled(numEpisodes, seed);
  const ends = endsOf(numEpisodes, shares);
  return ends.map((end, part) => order.slice(ends[part - 1] ?? 0, end).sort((a, b) => a - b));
}

/** Where each part ends in the order; the parts after one keep an episode each. */
function endsOf(numEpisodes: number, shares: readonly number[]): number[] {
  const ends: number[] = [];
  let sum = 0;
  for (const [part, share] of shares.entries()) {
    sum += share;
    const least = (ends.at(-1) ?? 0) + 1;
    const most = numEpisodes - (shares.length - 1 - part);
    ends.push(Math.min(most, Math.max(least, Math.round(sum * numEpisodes))));
  }
  return ends;
}

function shuffled(count: number, seed: number): number[] {
  const rng = createRng(seed).split("split");
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
