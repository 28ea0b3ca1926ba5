// A dataset's folder as the viewer lists it: an episode a line of episodes.jsonl, with its recording.

import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

/** What is used of a line; finetune/dataset.ts says what it holds. */
interface Line {
  readonly length: number;
  readonly episodeReturn: number;
  readonly success: boolean;
  readonly policy: string;
  readonly recording?: { readonly at: number; readonly bytes: number };
}

/** An episode that has a recording. */
export interface DatasetEpisode {
  /** Begins with the episode's number, so that no two are equal. */
  readonly name: string;
  readonly at: number;
  readonly bytes: number;
}

export function isDatasetFolder(path: string): boolean {
  return existsSync(join(path, "dataset.json"));
}

/** What was read last of a file that only grows: pages ask every other second. */
const read = new Map<string, { readonly size: number; readonly episodes: DatasetEpisode[] }>();

/** Those with recordings, in order. */
export function datasetEpisodes(path: string): readonly DatasetEpisode[] {
  const file = join(path, "episodes.jsonl");
  if (!existsSync(file)) return [];
  const { size } = statSync(file);
  const known = read.get(file);
  if (known?.size === size) return known.episodes;
  const episodes = readEpisodes(file);
  read.set(file, { size, episodes });
  return episodes;
}

function readEpisodes(file: string): DatasetEpisode[] {
  const text = readFileSync(file, "utf8");
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.slice(0, -1).flatMap((line, index) => {
    const episode = JSON.parse(line) as Line;
    return episode.recording ? [{ name: nameOf(episode, index), ...episode.recording }] : [];
  });
}

/** The bytes of a listed episode's recording; null where there is none. */
export function datasetRecording(path: string, name: string): Buffer | null {
  const found = datasetEpisodes(path).find((episode) => episode.name === name);
  const file = join(path, "recordings.rec");
  if (!found || statSync(file).size < found.at + found.bytes) return null;
  const bytes = Buffer.alloc(found.bytes);
  const handle = openSync(file, "r");
  try {
    readSync(handle, bytes, 0, bytes.length, found.at);
  } finally {
    closeSync(handle);
  }
  return bytes;
}

function nameOf({ length, episodeReturn, success, policy }: Line, index: number): string {
  const mark = success ? " ✓" : "";
  return `${index}${mark}: ${policy}, ${length} steps, return ${Number(episodeReturn.toFixed(2))}`;
}
