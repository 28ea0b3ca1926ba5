// DatasetWriter: appends whole episodes to a dataset's folder (finetune/dataset.ts).
//
// Rows go to the columns first and the episode's line last, so a crash at any instant costs at most the
// episode that was being written; the next writer cuts what it left. One writer a folder.

import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import {
  columnPath,
  type DatasetInfo,
  datasetFormat,
  type Episode,
  type EpisodeInfo,
  type Extent,
  placesOf,
  readEpisodes,
  readInfo,
} from "../finetune/dataset.ts";
import type { Task } from "../sim/task.ts";
import { AppendFile, makeFolder, replaceFile } from "./files.ts";
import { lockRun, unlockRun } from "./lock.ts";

/** An episode and what is kept of it beside its rows. */
export interface WrittenEpisode extends Omit<Episode, "info"> {
  readonly info: Omit<EpisodeInfo, "length" | "episodeReturn" | "recording" | "snapshots">;
  /** As sim/recording.ts writes it. */
  readonly recording?: Uint8Array;
  /** Simulator states by the step they were taken before, ascending. */
  readonly snapshots?: readonly { readonly step: number; readonly bytes: Uint8Array }[];
}

/** What a new dataset says of episodes of a task as it stands. */
export function infoOfTask(
  task: Task,
  provenance: DatasetInfo["provenance"],
): Omit<DatasetInfo, "format"> {
  return {
    task: task.id,
    parameters: {},
    observationSize: task.observation.size,
    actionSize: task.action.size,
    controlDt: task.controlDt,
    extras: {},
    provenance,
  };
}

export class DatasetWriter {
  readonly path: string;
  readonly info: DatasetInfo;
  private readonly files: Readonly<Record<string, AppendFile>>;

  private constructor(path: string, info: DatasetInfo) {
    this.path = path;
    this.info = info;
    const names = ["episodes.jsonl", "recordings.rec", "snapshots.bin", ...columnsOf(info)];
    this.files = Object.fromEntries(
      names.map((name) => [name, new AppendFile(fileOf(path, name))]),
    );
  }

  /** A new dataset; refuses a folder that has something in it. */
  static create(path: string, info: Omit<DatasetInfo, "format">): DatasetWriter {
    if (existsSync(path) && readdirSync(path).length > 0)
      throw new Error(`${path} exists and is not empty: name another folder, or remove it`);
    makeFolder(path);
    lockRun(path);
    const whole = { format: datasetFormat, ...info };
    replaceFile(join(path, "dataset.json"), `${JSON.stringify(whole, null, 2)}\n`);
    return new DatasetWriter(path, whole);
  }

  /** Goes on with a dataset; cuts what a crash left behind its last whole episode. */
  static open(path: string): DatasetWriter {
    const info = readInfo(path);
    lockRun(path);
    cutRest(path, info, readEpisodes(path));
    return new DatasetWriter(path, info);
  }

  /** Refuses wrong sizes and non-finite numbers, and names them; then nothing is written. */
  add(episode: WrittenEpisode): void {
    const length = checkEpisode(this.info, episode);
    const recording = episode.recording && this.append("recordings.rec", episode.recording);
    const snapshots = episode.snapshots?.map(({ step, bytes }) => ({
      step,
      ...this.append("snapshots.bin", bytes),
    }));
    const { observations, actions, rewards, extras } = episode;
    for (const [name, data] of Object.entries({ observations, actions, rewards, ...extras }))
      this.append(name, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    const info: EpisodeInfo = {
      length,
      episodeReturn: rewards.reduce((sum, reward) => sum + reward, 0),
      ...episode.info,
      ...(recording && { recording }),
      ...(snapshots && { snapshots }),
    };
    this.files["episodes.jsonl"]!.append(`${JSON.stringify(info)}\n`);
  }

  /** Flushes to the disk, and lets another writer in. */
  close(): void {
    for (const file of Object.values(this.files)) {
      file.flush();
      file.close();
    }
    unlockRun(this.path);
  }

  private append(name: string, bytes: Uint8Array): Extent {
    const file = this.files[name]!;
    const at = file.size;
    file.append(bytes);
    return { at, bytes: bytes.length };
  }
}

/** Steps of an episode. */
function checkEpisode(info: DatasetInfo, episode: WrittenEpisode): number {
  const { observations, actions, rewards, extras } = episode;
  const length = rewards.length;
  if (length === 0) throw new Error("an episode to write has at least one step, got none");
  if (episode.info.terminated && episode.info.truncated)
    throw new Error("an episode is terminated or truncated, never both");
  checkColumn("observations", observations, (length + 1) * info.observationSize);
  checkColumn("actions", actions, length * info.actionSize);
  checkColumn("rewards", rewards, length);
  const [wanted, given] = [Object.keys(info.extras), Object.keys(extras)];
  if (wanted.toSorted().join() !== given.toSorted().join())
    throw new Error(
      `extra columns wanted: ${wanted.join(", ") || "none"}; got ${given.join(", ") || "none"}`,
    );
  for (const name of wanted) checkColumn(name, extras[name]!, length * info.extras[name]!);
  return length;
}

function checkColumn(name: string, data: Float32Array, wanted: number): void {
  if (data.length !== wanted)
    throw new Error(`${name} of the episode want ${wanted} numbers, got ${data.length}`);
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0)
    throw new Error(`${name} of the episode are finite, got ${data[at]} at number ${at}`);
}

function columnsOf({ extras }: DatasetInfo): string[] {
  return ["observations", "actions", "rewards", ...Object.keys(extras)];
}

function fileOf(path: string, name: string): string {
  return name.includes(".") ? join(path, name) : columnPath(path, name);
}

function cutRest(path: string, info: DatasetInfo, episodes: readonly EpisodeInfo[]): void {
  const { step, observation } = placesOf(episodes).at(-1)!;
  const endOf = (extents: readonly Extent[]) =>
    extents.reduce((end, { at, bytes }) => Math.max(end, at + bytes), 0);
  const sizes: Record<string, number> = {
    observations: 4 * info.observationSize * observation,
    actions: 4 * info.actionSize * step,
    rewards: 4 * step,
    "recordings.rec": endOf(episodes.flatMap(({ recording }) => recording ?? [])),
    "snapshots.bin": endOf(episodes.flatMap(({ snapshots }) => snapshots ?? [])),
    "episodes.jsonl": wholeLines(join(path, "episodes.jsonl")),
  };
  for (const [name, width] of Object.entries(info.extras)) sizes[name] = 4 * width * step;
  for (const [name, size] of Object.entries(sizes)) cutTo(fileOf(path, name), size);
}

function cutTo(file: string, size: number): void {
  const now = existsSync(file) ? statSync(file).size : 0;
  if (now < size)
    throw new Error(
      `${file} has ${now} bytes and its episodes want ${size}: the dataset is damaged`,
    );
  if (now > size) truncateSync(file, size);
}

/** Bytes of a file up to its last line's end. */
function wholeLines(file: string): number {
  return existsSync(file) ? readFileSync(file).lastIndexOf(0x0a) + 1 : 0;
}
