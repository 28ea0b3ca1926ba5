// New datasets made from others: whole, or not there at all.
//
// Each is written in a hidden folder beside its place, flushed, and renamed once all are done. What a crash
// leaves is such a hidden folder, which the next writer of that dataset removes.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Dataset, DatasetInfo } from "../finetune/dataset.ts";
import { DatasetWriter, type WrittenEpisode } from "./datasetWriter.ts";
import { flushFolder } from "./files.ts";
import { isLocked } from "./lock.ts";

/** A dataset to be. */
export interface NewDataset {
  readonly path: string;
  readonly info: Omit<DatasetInfo, "format">;
}

/** Where a dataset comes from that was made of others. */
export interface Derivation {
  readonly salle: string;
  readonly gitCommit: string | null;
  /** What was done, as one would type it. */
  readonly command: string;
}

/** Writes datasets by `write`, in their order; an error or a crash leaves none of them. */
export async function writeDatasets(
  datasets: readonly NewDataset[],
  write: (writers: readonly DatasetWriter[]) => void | Promise<void>,
): Promise<void> {
  const places = datasets.map(({ path }) => resolve(path));
  for (const [i, { path }] of datasets.entries()) checkPlace(path, places.slice(0, i));
  const drafts = places.map(draftOf);
  const writers: DatasetWriter[] = [];
  try {
    for (const [i, draft] of drafts.entries()) writers.push(createDraft(draft, datasets[i]!.info));
    await write(writers);
  } catch (error) {
    for (const writer of writers) writer.close();
    for (const { path } of writers) rmSync(path, { recursive: true });
    throw error;
  }
  for (const writer of writers) writer.close();
  for (const [i, draft] of drafts.entries()) {
    flushFolder(draft);
    renameSync(draft, places[i]!);
    flushFolder(dirname(places[i]!));
  }
}

function checkPlace(path: string, others: readonly string[]): void {
  if (existsSync(path) && readdirSync(path).length > 0)
    throw new Error(`${path} exists and is not empty: name another folder, or remove it`);
  if (others.includes(resolve(path))) throw new Error(`two datasets cannot both be ${path}`);
}

function draftOf(place: string): string {
  return join(dirname(place), `.${basename(place)}.draft`);
}

function createDraft(draft: string, info: NewDataset["info"]): DatasetWriter {
  if (existsSync(draft)) {
    if (isLocked(draft)) throw new Error(`another process writes ${draft}; wait for it, or end it`);
    rmSync(draft, { recursive: true });
  }
  mkdirSync(dirname(draft), { recursive: true });
  return DatasetWriter.create(draft, info);
}

/** An episode of a dataset as another one takes it: its rows, recording and snapshots. */
export function episodeOf(dataset: Dataset, index: number): WrittenEpisode {
  const { info, ...rows } = dataset.episode(index);
  const { length: _, episodeReturn: __, recording, snapshots, ...about } = info;
  return {
    ...rows,
    info: about,
    ...(recording && { recording: dataset.recording(index)! }),
    ...(snapshots && {
      snapshots: snapshots.map(({ step }, which) => ({
        step,
        bytes: dataset.snapshot(index, which)!,
      })),
    }),
  };
}

/** What is said of a dataset that is made of these: they, with what is said of them in turn. */
export function provenanceOf(
  derivation: Derivation,
  sources: readonly Dataset[],
): DatasetInfo["provenance"] {
  const from = sources.map(({ path, info, episodes, numSteps }) => ({
    path,
    task: info.task,
    numEpisodes: episodes.length,
    numSteps,
    episodesSha256: sha256(join(path, "episodes.jsonl")),
    provenance: info.provenance,
  }));
  return { ...derivation, from };
}

function sha256(path: string): string {
  const bytes = existsSync(path) ? readFileSync(path) : "";
  return createHash("sha256").update(bytes).digest("hex");
}

/** What all of them say of themselves; throws where they differ in what rows mean. */
export function commonInfo(
  datasets: readonly Dataset[],
): Omit<DatasetInfo, "format" | "provenance"> {
  const [first, ...others] = datasets.map(({ info }) => info);
  for (const [i, other] of others.entries()) {
    for (const key of comparedKeys) {
      const [wanted, got] = [JSON.stringify(first![key]), JSON.stringify(other[key])];
      if (wanted !== got)
        throw new Error(
          `${datasets[i + 1]!.path} has ${key} ${got}, and ${datasets[0]!.path} ${wanted}: they do not go together`,
        );
    }
  }
  const { format: _, provenance: __, references, ...common } = first!;
  const agreed = others.every(
    (other) => JSON.stringify(other.references) === JSON.stringify(references),
  );
  return { ...common, ...(references && agreed && { references }) };
}

const comparedKeys = [
  "task",
  "parameters",
  "observationSize",
  "actionSize",
  "controlDt",
  "extras",
] as const;
