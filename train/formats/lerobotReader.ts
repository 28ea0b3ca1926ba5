// Reading LeRobot datasets of layout v3.0: rows of numbers; pictures and videos are left out.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { WrittenEpisode } from "../datasetWriter.ts";
import { type ActionScale, scaleActions } from "./box.ts";
import { closeRows, type ForeignDataset, type ImportHints, infoOf, joinColumns } from "./format.ts";
import { type ParquetRow, readParquet } from "./parquet.ts";

interface Feature {
  readonly dtype: string;
  readonly shape: readonly number[];
}

interface Info {
  readonly codebase_version: string;
  readonly fps: number;
  readonly robot_type?: string | null;
  readonly data_path: string;
  readonly features: Readonly<Record<string, Feature>>;
  readonly salle?: unknown;
}

/** Opens a folder; all its frames are read now, file after file. */
export async function openLerobot(path: string, hints: ImportHints): Promise<ForeignDataset> {
  const about = readInfo(join(path, "meta/info.json"));
  const states = stateKeys(path, about.features);
  const size = (key: string) => about.features[key]!.shape.reduce((a, b) => a * b, 1);
  const sizes = {
    observationSize: states.map(size).reduce((a, b) => a + b, 0),
    actionSize: size("action"),
  };
  const task = typeof about.robot_type === "string" ? { task: about.robot_type } : {};
  const found = { ...task, ...sizes, controlDt: 1 / about.fps };
  const { extras: _, ...info } = infoOf(path, about.salle, hints, found);
  const episodes = await readEpisodes(path, about, states);
  const scale = scaleOf(path, info.actionSize);
  const left = Object.keys(about.features).filter((key) =>
    /image|video/.test(about.features[key]!.dtype),
  );
  return {
    info: { ...info, extras: {} },
    numEpisodes: episodes.length,
    remarks: [
      "it has no state after an episode's last step: such steps were dropped where they are not terminal",
      ...(left.length > 0 ? [`left out: ${left.join(", ")}`] : []),
      ...(scale ? ["actions were scaled from their least and most to [−1, 1]"] : []),
    ],
    episode: (index) => asEpisode(episodes[index]!, scale),
    close: () => {},
  };
}

function readInfo(path: string): Info {
  if (!existsSync(path)) throw new Error(`there is no ${path}: a LeRobot dataset has one`);
  const info = JSON.parse(readFileSync(path, "utf8")) as Info;
  if (info.codebase_version !== "v3.0")
    throw new Error(
      `${path} wants "codebase_version" v3.0, got ${info.codebase_version}: LeRobot has a converter`,
    );
  if (!(info.fps > 0)) throw new Error(`${path} wants a number above 0 as "fps", got ${info.fps}`);
  if (!info.features?.["action"]) throw new Error(`${path} wants a feature "action", it has none`);
  return info;
}

function stateKeys(path: string, features: Info["features"]): string[] {
  const keys = ["observation.state", "observation.environment_state"].filter(
    (key) => features[key],
  );
  if (keys.length > 0) return keys;
  throw new Error(
    `${path} wants a feature "observation.state", it has ${Object.keys(features).join(", ")}`,
  );
}

/** Frames of an episode, as they are read. */
interface Frames {
  readonly states: Float32Array[]; // by key, [T, W]
  readonly actions: Float32Array; // [T, A]
  readonly rewards: Float32Array; // [T]
  readonly terminated: boolean;
  readonly success: boolean;
}

async function readEpisodes(
  path: string,
  info: Info,
  states: readonly string[],
): Promise<Frames[]> {
  const columns = ["episode_index", "data/chunk_index", "data/file_index", "length"];
  const index: ParquetRow[] = [];
  for (const file of episodeFiles(path))
    await readParquet(file, columns, (rows) => void index.push(...rows));
  index.sort((a, b) => Number(a["episode_index"]) - Number(b["episode_index"]));
  const builders = index.map((row) => new FrameBuilder(path, row, info.features, states));
  const files = new Set(index.map((row) => dataFile(info.data_path, row)));
  const wanted = ["episode_index", ...states, "action"];
  const optional = ["next.reward", "next.done", "next.truncated", "next.success"].filter(
    (key) => info.features[key],
  );
  for (const file of files)
    await readParquet(join(path, file), [...wanted, ...optional], (rows) => {
      for (const row of rows) builders[Number(row["episode_index"])]?.add(row);
    });
  return builders.map((builder) => builder.finish());
}

function* episodeFiles(path: string): Generator<string> {
  const name = (chunk: number, file: number) =>
    join(path, `meta/episodes/chunk-${padded(chunk)}/file-${padded(file)}.parquet`);
  if (!existsSync(name(0, 0)))
    throw new Error(`there is no ${name(0, 0)}: a LeRobot dataset has one`);
  for (let chunk = 0; existsSync(name(chunk, 0)); chunk++)
    for (let file = 0; existsSync(name(chunk, file)); file++) yield name(chunk, file);
}

function dataFile(pattern: string, row: ParquetRow): string {
  return pattern
    .replace(/\{chunk_index(:03d)?\}/, padded(Number(row["data/chunk_index"])))
    .replace(/\{file_index(:03d)?\}/, padded(Number(row["data/file_index"])));
}

function padded(number: number): string {
  return `${number}`.padStart(3, "0");
}

class FrameBuilder {
  private readonly where: string;
  private readonly keys: readonly string[];
  private readonly columns: Readonly<Record<string, Float32Array>>;
  private readonly length: number;
  private numRows = 0;
  private last: ParquetRow = {};

  constructor(path: string, row: ParquetRow, features: Info["features"], keys: readonly string[]) {
    this.where = `${path}, episode ${row["episode_index"]}`;
    this.length = Number(row["length"]);
    this.keys = keys;
    const width = (key: string) => features[key]!.shape.reduce((a, b) => a * b, 1);
    const columns = [...keys, "action"].map((key) => [
      key,
      new Float32Array(this.length * width(key)),
    ]);
    this.columns = {
      ...(Object.fromEntries(columns) as Record<string, Float32Array>),
      "next.reward": new Float32Array(this.length),
    };
  }

  add(row: ParquetRow): void {
    if (this.numRows >= this.length)
      throw new Error(`${this.where} wants ${this.length} frames, it has more`);
    for (const [key, column] of Object.entries(this.columns)) {
      const value = row[key] ?? 0;
      const values = typeof value === "number" ? [value] : Array.from(value as ArrayLike<number>);
      const width = column.length / this.length;
      if (values.length !== width)
        throw new Error(`${this.where} wants ${width} numbers in "${key}", got ${values.length}`);
      if (!values.every(Number.isFinite))
        throw new Error(
          `${this.where} wants finite numbers in "${key}", got ${values.find((v) => !Number.isFinite(v))} in frame ${this.numRows}`,
        );
      column.set(values, this.numRows * width);
    }
    this.numRows++;
    this.last = row;
  }

  finish(): Frames {
    if (this.numRows !== this.length)
      throw new Error(`${this.where} wants ${this.length} frames, it has ${this.numRows}`);
    const { columns, last } = this;
    return {
      states: this.keys.map((key) => columns[key]!),
      actions: columns["action"]!,
      rewards: columns["next.reward"]!,
      terminated: flagOf(last["next.done"]) && !flagOf(last["next.truncated"]),
      success: flagOf(last["next.success"]),
    };
  }
}

/** Flags are booleans, or lists of one. */
function flagOf(value: unknown): boolean {
  return Array.isArray(value) ? Boolean(value[0]) : Boolean(value);
}

function asEpisode(frames: Frames, scale: ActionScale | null): WrittenEpisode | null {
  const { states, actions, rewards, terminated, success } = frames;
  const observations = joinColumns(states, rewards.length);
  const rows = { observations, actions: scaleActions(actions, scale), rewards };
  const closed = closeRows(rows, terminated);
  const info = { success, terminated, truncated: !terminated, seed: 0, policy: "imported" };
  return closed && { ...closed, info };
}

/** Where actions leave [−1, 1]: from their ends in stats.json; null where they are within. */
function scaleOf(path: string, size: number): ActionScale | null {
  const file = join(path, "meta/stats.json");
  if (!existsSync(file)) return null;
  const { action } = JSON.parse(readFileSync(file, "utf8")) as {
    action?: { min?: number[]; max?: number[] };
  };
  const { min, max } = action ?? {};
  if (min?.length !== size || max?.length !== size) return null;
  if ([...min, ...max].every((value) => Math.abs(value) <= 1)) return null;
  return {
    centre: min.map((least, i) => (least + max[i]!) / 2),
    halfRange: min.map((least, i) => Math.max((max[i]! - least) / 2, 1e-6)),
  };
}
