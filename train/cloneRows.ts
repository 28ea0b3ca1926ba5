// Which episodes of its data a cloning run learns from, and which ones it keeps apart.

import { ChunkRows } from "../finetune/chunkRows.ts";
import type { Dataset, EpisodeInfo } from "../finetune/dataset.ts";
import type { Rng } from "../sim/rng.ts";

export interface CloneRows {
  readonly trained: ChunkRows;
  /** Null where no episode is kept apart. */
  readonly kept: ChunkRows | null;
}

export interface RowsConfig {
  /** Which episodes count. */
  readonly filter: "all" | "success";
  /** Share of those, the ones with the greatest returns, that is learned from. */
  readonly bestShare: number;
  /** Share of those that is kept apart, rounded down. */
  readonly validationShare: number;
}

interface Place {
  readonly dataset: number;
  readonly episode: number;
  readonly info: EpisodeInfo;
}

/** The episodes that count, a share of them kept apart by lot, whichever dataset they are of. */
export function cloneRows(datasets: readonly Dataset[], config: RowsConfig, rng: Rng): CloneRows {
  const chosen = chooseEpisodes(datasets, config);
  for (let i = chosen.length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [chosen[i], chosen[j]] = [chosen[j]!, chosen[i]!];
  }
  const numKept = Math.floor(config.validationShare * chosen.length);
  return {
    trained: rowsOf(datasets, chosen.slice(numKept)),
    kept: numKept === 0 ? null : rowsOf(datasets, chosen.slice(0, numKept)),
  };
}

function chooseEpisodes(
  datasets: readonly Dataset[],
  { filter, bestShare }: Pick<RowsConfig, "filter" | "bestShare">,
): Place[] {
  const all = datasets.flatMap(({ episodes }, dataset) =>
    episodes.map((info, episode): Place => ({ dataset, episode, info })),
  );
  const fitting = filter === "all" ? all : all.filter(({ info }) => info.success);
  if (fitting.length === 0)
    throw new Error(
      all.length === 0
        ? "the data has no episodes to clone"
        : `none of the data's ${all.length} episodes is successful: leave filter=success out`,
    );
  if (bestShare === 1) return fitting;
  const byReturn = fitting.toSorted((a, b) => b.info.episodeReturn - a.info.episodeReturn);
  return byReturn.slice(0, Math.max(1, Math.round(bestShare * fitting.length)));
}

function rowsOf(datasets: readonly Dataset[], places: readonly Place[]): ChunkRows {
  const names = new Set(places.map(({ dataset, episode }) => `${dataset}/${episode}`));
  return new ChunkRows(datasets, (dataset, episode) => names.has(`${dataset}/${episode}`));
}
