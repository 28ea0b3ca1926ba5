// Dataset: episodes on disk, in a folder of flat float32 columns, read where they are wanted.
//
// dataset.json says what it is, episodes.jsonl has a line an episode, and the columns follow each other's
// episodes: observations.f32 with T + 1 rows an episode (the last one is the true state at its end, as in
// Minari), the others with T. An episode counts once its line is whole: what lies behind is a crash's rest.
// recordings.rec and snapshots.bin hold, where they were kept, the episode as sim/recording.ts writes it and
// simulator states at intervals. train/datasetWriter.ts writes it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Column, memoryLimit, readBytes } from "./column.ts";

export const datasetFormat = 1;

/** Mean returns that a normalised score is measured with: 0 at `random`, 100 at `expert`. */
export interface ReferenceScores {
  readonly random: number;
  readonly expert: number;
  readonly numEpisodes: number;
}

/** What a dataset is, beside its episodes. */
export interface DatasetInfo {
  readonly format: number;
  readonly task: string;
  /** The task's settings, beside its id; JSON. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly observationSize: number;
  readonly actionSize: number;
  /** Seconds from one row to the next. */
  readonly controlDt: number;
  /** Names of the columns that other tools know no place for, with their numbers a step. */
  readonly extras: Readonly<Record<string, number>>;
  /** Where it comes from: command, commit, physics, or the file it was read from. */
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly references?: ReferenceScores;
}

/** A piece of a file. */
export interface Extent {
  readonly at: number; // bytes
  readonly bytes: number;
}

/** One line of episodes.jsonl. */
export interface EpisodeInfo {
  /** Control steps, T. */
  readonly length: number;
  readonly episodeReturn: number;
  readonly success: boolean;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly seed: number;
  /** Who acted: "expert", "random", a run's name. */
  readonly policy: string;
  readonly recording?: Extent;
  /** Simulator states, before these steps. */
  readonly snapshots?: readonly (Extent & { readonly step: number })[];
}

/** A whole episode; fresh arrays. */
export interface Episode {
  readonly info: EpisodeInfo;
  readonly observations: Float32Array; // [T + 1, O]
  readonly actions: Float32Array; // [T, A]
  readonly rewards: Float32Array; // [T]
  readonly extras: Readonly<Record<string, Float32Array>>;
}

/** Where an episode's rows begin. */
export interface Place {
  /** Of `actions` and all columns with T rows an episode. */
  readonly step: number;
  /** Of `observations`. */
  readonly observation: number;
}

export class Dataset {
  readonly path: string;
  readonly info: DatasetInfo;
  readonly episodes: readonly EpisodeInfo[];
  readonly places: readonly Place[];
  readonly numSteps: number;
  readonly observations: Column;
  readonly actions: Column;
  readonly rewards: Column;
  readonly extras: Readonly<Record<string, Column>>;

  /** Columns that together are within `limit` bytes are read into memory, others stay on disk. */
  constructor(path: string, limit = memoryLimit) {
    this.path = path;
    this.info = readInfo(path);
    this.episodes = readEpisodes(path);
    this.places = placesOf(this.episodes);
    this.numSteps = this.episodes.reduce((sum, { length }) => sum + length, 0);
    const { observationSize, actionSize, extras } = this.info;
    const numObservations = this.numSteps + this.episodes.length;
    const width = observationSize + actionSize + 1 + Object.values(extras).reduce(plus, 0);
    const inMemory = 4 * numObservations * width <= limit;
    const column = (name: string, size: number, rows: number) =>
      new Column(columnPath(path, name), size, rows, inMemory);
    this.observations = column("observations", observationSize, numObservations);
    this.actions = column("actions", actionSize, this.numSteps);
    this.rewards = column("rewards", 1, this.numSteps);
    this.extras = Object.fromEntries(
      Object.entries(extras).map(([name, size]) => [name, column(name, size, this.numSteps)]),
    );
  }

  episode(index: number): Episode {
    const info = this.episodes[index];
    if (!info)
      throw new Error(`${this.path} has episodes 0 to ${this.episodes.length - 1}, got ${index}`);
    const { step, observation } = this.places[index]!;
    const rows = (column: Column) => column.rows(step, info.length);
    return {
      info,
      observations: this.observations.rows(observation, info.length + 1),
      actions: rows(this.actions),
      rewards: rows(this.rewards),
      extras: Object.fromEntries(
        Object.entries(this.extras).map(([name, column]) => [name, rows(column)]),
      ),
    };
  }

  /** Bytes of an episode's recording; undefined where none was kept. */
  recording(index: number): Uint8Array | undefined {
    return this.piece("recordings.rec", this.episodes[index]?.recording);
  }

  /** Bytes of snapshot `which` of an episode. */
  snapshot(index: number, which: number): Uint8Array | undefined {
    return this.piece("snapshots.bin", this.episodes[index]?.snapshots?.[which]);
  }

  close(): void {
    const columns = [this.observations, this.actions, this.rewards, ...Object.values(this.extras)];
    for (const column of columns) column.close();
  }

  private piece(name: string, extent: Extent | undefined): Uint8Array | undefined {
    return extent && readBytes(join(this.path, name), extent.at, extent.bytes);
  }
}

/** Whether a folder is a dataset. */
export function isDataset(path: string): boolean {
  return existsSync(join(path, "dataset.json"));
}

export function columnPath(path: string, name: string): string {
  return join(path, `${name}.f32`);
}

/** 100 (R − random) / (expert − random): the normalised score of D4RL (arXiv:2004.07219), with our references. */
export function normalizedScore(
  episodeReturn: number,
  { random, expert }: ReferenceScores,
): number {
  return (100 * (episodeReturn - random)) / (expert - random);
}

/** Where each episode's rows begin, and where the next one's would. */
export function placesOf(episodes: readonly EpisodeInfo[]): Place[] {
  const places: Place[] = [{ step: 0, observation: 0 }];
  for (const { length } of episodes) {
    const { step, observation } = places.at(-1)!;
    places.push({ step: step + length, observation: observation + length + 1 });
  }
  return places;
}

export function readInfo(path: string): DatasetInfo {
  const file = join(path, "dataset.json");
  if (!existsSync(file))
    throw new Error(
      `${path} is no dataset: it has no dataset.json; \`salle data list\` names those there are`,
    );
  const info = parsed<Partial<DatasetInfo>>(file, readFileSync(file, "utf8"));
  if (info.format !== datasetFormat)
    throw new Error(
      `${file}: format ${info.format} is unknown; this version reads ${datasetFormat}`,
    );
  const { task, observationSize, actionSize, controlDt } = info;
  if (typeof task !== "string") throw new Error(`${file}: "task" is a task's id, got ${task}`);
  for (const [key, value] of Object.entries({ observationSize, actionSize })) {
    if (!Number.isInteger(value) || value! < 1)
      throw new Error(`${file}: "${key}" is a whole number from 1, got ${value}`);
  }
  if (!(typeof controlDt === "number" && controlDt > 0))
    throw new Error(`${file}: "controlDt" is in seconds and above 0, got ${controlDt}`);
  return { parameters: {}, extras: {}, provenance: {}, ...info } as DatasetInfo;
}

/** All whole lines; a last one that a crash cut is left out. */
export function readEpisodes(path: string): EpisodeInfo[] {
  const file = join(path, "episodes.jsonl");
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1)
    .map((line, index) => checkedEpisode(`${file}, line ${index + 1}`, line));
}

function checkedEpisode(where: string, line: string): EpisodeInfo {
  const info = parsed<EpisodeInfo>(where, line);
  if (!Number.isInteger(info.length) || info.length < 1)
    throw new Error(`${where}: "length" is a whole number from 1, got ${info.length}`);
  if (info.terminated && info.truncated)
    throw new Error(`${where}: an episode is terminated or truncated, never both`);
  return info;
}

function parsed<T>(where: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`${where} is no JSON: ${(error as Error).message}`);
  }
}

const plus = (a: number, b: number) => a + b;
