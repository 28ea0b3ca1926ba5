// Datasets for the tests of formats: written, exported, imported.

import { join } from "node:path";
import type { Dataset } from "../../../finetune/dataset.ts";
import type { WrittenEpisode } from "../../../train/datasetWriter.ts";
import type { ImportHints } from "../../../train/formats/format.ts";
import { formats } from "../../../train/formats/index.ts";
import { datasetOf, randomEpisode } from "../datasets.ts";

/** A terminal episode of 3 steps, one of 4 at its time limit, a success of 5. */
export const threeEpisodes: readonly WrittenEpisode[] = [
  randomEpisode(3, 1),
  randomEpisode(4, 2, { terminated: false, truncated: true, policy: "q" }),
  randomEpisode(5, 3, { success: true }),
].map((episode, i) => {
  // What float32 has at its ends, and a zero with a sign.
  episode.observations.set([3.4028234663852886e38, 1.401298464324817e-45, -0]);
  episode.rewards[0] = i / 3;
  return episode;
});

/** Writes a dataset of these and exports it; the exported path. */
export async function exported(
  folder: string,
  format: string,
  episodes: readonly WrittenEpisode[] = threeEpisodes,
): Promise<string> {
  const name = `${format}-${episodes.length}-${Math.random().toString(36).slice(2)}`;
  const dataset = datasetOf(join(folder, name), episodes, {
    references: { random: -1, expert: 9, numEpisodes: 100 },
  });
  const out = join(folder, `${name}-out${formats[format]!.ending ?? ""}`);
  await formats[format]!.write(dataset, out, name);
  dataset.close();
  return out;
}

/** What an import makes of a path, in memory. */
export async function imported(
  format: string,
  path: string,
  hints: ImportHints = {},
): Promise<{ info: Dataset["info"]; remarks: readonly string[]; episodes: WrittenEpisode[] }> {
  const foreign = await formats[format]!.open(path, hints);
  try {
    const all = Array.from({ length: foreign.numEpisodes }, (_, i) => foreign.episode(i));
    const episodes = all.filter((episode) => episode !== null);
    const info = { ...foreign.info, format: 1, provenance: {} };
    return { info, remarks: foreign.remarks, episodes };
  } finally {
    foreign.close();
  }
}

/** The bits of numbers: 0 and −0 differ. */
export function bits(values: Float32Array): number[] {
  return Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length));
}
