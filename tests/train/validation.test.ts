// Which episodes a cloning run learns from, which ones it keeps apart, and which data it refuses.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ChunkRows, createChunkColumns } from "../../finetune/chunkRows.ts";
import { checkFinite, checkLengths, checkSizes } from "../../finetune/dataChecks.ts";
import { Dataset } from "../../finetune/dataset.ts";
import { createRng } from "../../sim/rng.ts";
import { cloneRows } from "../../train/cloneRows.ts";
import { datasetOf, randomEpisode, workFolder } from "./datasets.ts";

const folder = workFolder("validation");
const datasets = [12, 8].map((numEpisodes, i) =>
  datasetOf(
    join(folder, String(i)),
    Array.from({ length: numEpisodes }, (_, k) =>
      randomEpisode(5, 100 * i + k, { success: k % 4 === 0, seed: k }),
    ),
  ),
);

const all = { filter: "all", bestShare: 1 } as const;

/** First observations of all rows that are drawn. */
function seen(rows: ChunkRows): Set<number> {
  const batch = createChunkColumns(2000, { observationSize: 3, actionSize: 2 }, 2);
  rows.fill(batch, [0, 2000], createRng(3));
  return new Set(batch.observations.filter((_, i) => i % 3 === 0));
}

test("whole episodes are kept apart, of any dataset, the same ones for the same seed", () => {
  const { trained, kept } = cloneRows(datasets, { ...all, validationShare: 0.25 }, createRng(1));
  expect(kept!.numSteps).toBe(25);
  expect(trained.numSteps).toBe(75);
  const [updates, validation] = [seen(trained), seen(kept!)];
  expect([updates.size, validation.size]).toEqual([75, 25]);
  expect([...validation].some((x) => updates.has(x))).toBe(false);
  expect(seen(cloneRows(datasets, { ...all, validationShare: 0.25 }, createRng(1)).kept!)).toEqual(
    validation,
  );
  expect(
    seen(cloneRows(datasets, { ...all, validationShare: 0.25 }, createRng(2)).kept!),
  ).not.toEqual(validation);
});

test("a share of less than an episode keeps none", () => {
  const { trained, kept } = cloneRows(datasets, { ...all, validationShare: 0.04 }, createRng(1));
  expect(kept).toBeNull();
  expect(trained.numSteps).toBe(100);
});

test("only successes count where they are asked for, and of those the best", () => {
  const wanted = { validationShare: 0, bestShare: 1, filter: "success" } as const;
  const firsts = (dataset: number, episode: number) => {
    const { observation } = datasets[dataset]!.places[episode]!;
    return [0, 1, 2, 3, 4].map((t) => datasets[dataset]!.observations.rows(observation + t, 1)[0]!);
  };
  const successes = [0, 4, 8]
    .flatMap((k) => firsts(0, k))
    .concat([0, 4].flatMap((k) => firsts(1, k)));
  expect(seen(cloneRows(datasets, wanted, createRng(1)).trained)).toEqual(new Set(successes));
  const all = datasets.flatMap(({ episodes }, i) =>
    episodes.map(({ episodeReturn }, k) => ({ episodeReturn, rows: firsts(i, k) })),
  );
  const best = all.toSorted((a, b) => b.episodeReturn - a.episodeReturn).slice(0, 5);
  const top = { validationShare: 0, bestShare: 0.25, filter: "all" } as const;
  expect(seen(cloneRows(datasets, top, createRng(1)).trained)).toEqual(
    new Set(best.flatMap(({ rows }) => rows)),
  );
});

test("data without a success are refused where successes are asked for", () => {
  const failures = datasetOf(join(folder, "failures"), [randomEpisode(5, 1), randomEpisode(4, 2)]);
  const wanted = { validationShare: 0, bestShare: 1, filter: "success" } as const;
  expect(() => cloneRows([failures], wanted, createRng(1))).toThrow(
    /none of the data's 2 episodes/,
  );
});

test("a number that is none is named with its file, its episode and its row", () => {
  const path = join(folder, "broken");
  datasetOf(path, [randomEpisode(5, 1), randomEpisode(4, 2)]);
  const file = join(path, "actions.f32");
  const bytes = readFileSync(file);
  bytes.writeFloatLE(Number.NaN, 4 * 15);
  writeFileSync(file, bytes);
  const dataset = new Dataset(path);
  expect(() => checkFinite(dataset)).toThrow(/actions.f32: row 7, row 2 of episode 1/);
  expect(() => checkFinite(datasets[0]!)).not.toThrow();
});

test("chunks longer than every episode are refused, and the longest one is named", () => {
  expect(() => checkLengths(datasets, 6)).toThrow(/chunkLength 6 is longer.*5 steps/);
  expect(() => checkLengths(datasets, 5)).not.toThrow();
});

test("rows of another size than the task's are refused", () => {
  const sizes = { observationSize: 3, actionSize: 2 };
  expect(() => checkSizes(datasets[0]!, sizes)).not.toThrow();
  expect(() => checkSizes(datasets[0]!, { ...sizes, observationSize: 4 })).toThrow(
    /observationSize 3, the task 4/,
  );
});
