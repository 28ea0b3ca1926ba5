// Small datasets for tests.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { Dataset, type DatasetInfo } from "../../finetune/dataset.ts";
import { createRng } from "../../sim/rng.ts";
import { DatasetWriter, type WrittenEpisode } from "../../train/datasetWriter.ts";

export const smallInfo: Omit<DatasetInfo, "format"> = {
  task: "reacher-easy-v0",
  parameters: {},
  observationSize: 3,
  actionSize: 2,
  controlDt: 0.02,
  extras: {},
  provenance: { command: "test" },
};

/** A folder that is removed after the file's tests. */
export function workFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `salle-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An episode of random numbers of `smallInfo`'s sizes. */
export function randomEpisode(
  length: number,
  seed: number,
  about: Partial<WrittenEpisode["info"]> = {},
): WrittenEpisode {
  const rng = createRng(seed);
  const floats = (count: number) =>
    Float32Array.from({ length: count }, () => 2 * rng.uniform() - 1);
  return {
    info: { success: false, terminated: true, truncated: false, seed, policy: "p", ...about },
    observations: floats((length + 1) * 3),
    actions: floats(length * 2),
    rewards: floats(length),
    extras: {},
    recording: Uint8Array.of(seed, length),
    snapshots: [{ step: 1, bytes: Uint8Array.of(7, 7, seed) }],
  };
}

/** Writes a dataset and opens it. */
export function datasetOf(
  path: string,
  episodes: readonly WrittenEpisode[],
  change: Partial<Omit<DatasetInfo, "format">> = {},
): Dataset {
  const writer = DatasetWriter.create(path, { ...smallInfo, ...change });
  for (const episode of episodes) writer.add(episode);
  writer.close();
  return new Dataset(path);
}
