// Episodes that updates never see.

import { join } from "node:path";
import { expect, test } from "vitest";
import { type ChunkRows, createChunkColumns } from "../../finetune/chunkRows.ts";
import { createRng } from "../../sim/rng.ts";
import { splitRows } from "../../train/validation.ts";
import { datasetOf, randomEpisode, workFolder } from "./datasets.ts";

const folder = workFolder("validation");
const datasets = [12, 8].map((numEpisodes, i) =>
  datasetOf(
    join(folder, String(i)),
    Array.from({ length: numEpisodes }, (_, k) => randomEpisode(5, 100 * i + k)),
  ),
);

/** First observations of all rows that are drawn. */
function seen(rows: ChunkRows): Set<number> {
  const batch = createChunkColumns(2000, { observationSize: 3, actionSize: 2 }, 2);
  rows.fill(batch, [0, 2000], createRng(3));
  return new Set(batch.observations.filter((_, i) => i % 3 === 0));
}

test("whole episodes are kept apart, of any dataset, the same ones for the same seed", () => {
  const { trained, kept } = splitRows(datasets, 0.25, createRng(1));
  expect(kept!.numSteps).toBe(25);
  expect(trained.numSteps).toBe(75);
  const [updates, validation] = [seen(trained), seen(kept!)];
  expect([updates.size, validation.size]).toEqual([75, 25]);
  expect([...validation].some((x) => updates.has(x))).toBe(false);
  expect(seen(splitRows(datasets, 0.25, createRng(1)).kept!)).toEqual(validation);
  expect(seen(splitRows(datasets, 0.25, createRng(2)).kept!)).not.toEqual(validation);
});

test("a share of less than an episode keeps none", () => {
  const { trained, kept } = splitRows(datasets, 0.04, createRng(1));
  expect(kept).toBeNull();
  expect(trained.numSteps).toBe(100);
});
