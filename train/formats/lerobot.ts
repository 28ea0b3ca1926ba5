// LeRobot datasets (Hugging Face, layout v3.0): meta/ says what there is, data/ has many episodes a file.
//
// Frame i has observation i, action i and what it led to: reward, done, truncated, success. The state at an
// episode's end has no frame and is lost. lerobotReader.ts is the way in.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Dataset, Episode } from "../../finetune/dataset.ts";
import { quantilesOf, StatsTally } from "./columnStats.ts";
import { type Format, noteOf } from "./format.ts";
import { openLerobot } from "./lerobotReader.ts";
import { type ParquetColumn, ParquetFile } from "./parquet.ts";

const filesOfChunk = 1000;
const bytesOfFile = 100 * 2 ** 20; // of float32 rows, before compression
const statsRows = 100_000; // rows that quantiles are taken of, at most

export const lerobot: Format = {
  loses: "recordings, snapshots, seeds, who acted, and the last state of each episode",

  async write(dataset, path) {
    const frames = new FrameFiles(path, dataset);
    const index = new ParquetFile(madePath(path, episodesPath), episodeColumns);
    for (const episode of dataset.episodes.keys()) index.write(frames.add(episode));
    index.close();
    frames.close();
    writeTask(madePath(path, "meta/tasks.parquet"), dataset.info.task);
    const json = (name: string, value: unknown) =>
      writeFileSync(madePath(path, name), `${JSON.stringify(value, null, 4)}\n`);
    json("meta/info.json", infoOf(dataset));
    json("meta/stats.json", frames.stats());
  },

  open: openLerobot,
};

const episodesPath = "meta/episodes/chunk-000/file-000.parquet";

/** A feature of one number is that number, as LeRobot has it; others are lists. */
const frameColumns = ({ info }: Dataset): readonly ParquetColumn[] => [
  { name: "observation.state", type: "FLOAT", isList: info.observationSize > 1 },
  { name: "action", type: "FLOAT", isList: info.actionSize > 1 },
  { name: "next.reward", type: "FLOAT" },
  { name: "next.done", type: "BOOLEAN" },
  { name: "next.truncated", type: "BOOLEAN" },
  { name: "next.success", type: "BOOLEAN" },
  { name: "timestamp", type: "FLOAT" },
  ...["frame_index", "episode_index", "index", "task_index"].map(
    (name): ParquetColumn => ({ name, type: "INT64" }),
  ),
];

const numbers = ["min", "max", "mean", "std"] as const;
const statsColumns = ["observation.state", "action", "next.reward"].flatMap((column) => [
  ...numbers.map(
    (name): ParquetColumn => ({
      name: `stats/${column}/${name}`,
      type: "DOUBLE",
      isList: true,
    }),
  ),
  { name: `stats/${column}/count`, type: "INT64", isList: true } as const,
]);

const episodeColumns: readonly ParquetColumn[] = [
  { name: "episode_index", type: "INT64" },
  { name: "tasks", type: "STRING", isList: true },
  { name: "length", type: "INT64" },
  { name: "data/chunk_index", type: "INT64" },
  { name: "data/file_index", type: "INT64" },
  { name: "dataset_from_index", type: "INT64" },
  { name: "dataset_to_index", type: "INT64" },
  { name: "meta/episodes/chunk_index", type: "INT64" },
  { name: "meta/episodes/file_index", type: "INT64" },
  ...statsColumns,
];

/** data/chunk-…/file-….parquet, one after another, and what is known of their columns. */
class FrameFiles {
  private readonly path: string;
  private readonly dataset: Dataset;
  private readonly tallies: Readonly<Record<string, StatsTally>>;
  private readonly samples: Readonly<Record<string, number[]>>;
  private readonly sampledEvery: number;
  private file: ParquetFile | null = null;
  private numFiles = 0;
  private bytes = 0;

  constructor(path: string, dataset: Dataset) {
    this.path = path;
    this.dataset = dataset;
    this.tallies = talliesOf(dataset);
    this.samples = { "observation.state": [], action: [], "next.reward": [] };
    this.sampledEvery = Math.ceil(dataset.numSteps / statsRows);
  }

  /** Writes an episode's frames; its row of meta/episodes. */
  add(index: number): Record<string, unknown[]> {
    const episode = this.dataset.episode(index);
    const { length } = episode.info;
    const { step } = this.dataset.places[index]!;
    const rows = columnsOf(episode);
    this.open(4 * (rows["observation.state"]!.length + rows["action"]!.length)).write(
      framesOf(episode, index, step, this.dataset.info.controlDt),
    );
    const place = this.numFiles - 1;
    const of = (value: number) => [BigInt(value)];
    return {
      episode_index: of(index),
      tasks: [[this.dataset.info.task]],
      length: of(length),
      "data/chunk_index": of(Math.floor(place / filesOfChunk)),
      "data/file_index": of(place % filesOfChunk),
      dataset_from_index: of(step),
      dataset_to_index: of(step + length),
      "meta/episodes/chunk_index": of(0),
      "meta/episodes/file_index": of(0),
      ...this.tally(rows, step, length),
    };
  }

  close(): void {
    this.file?.close();
  }

  /** stats.json: of all frames, quantiles of evenly taken ones. */
  stats(): Record<string, unknown> {
    const columns = Object.entries(this.tallies).map(([name, tally]) => {
      const rows = Float32Array.from(this.samples[name]!);
      return [name, { ...tally.stats(), ...quantilesOf(rows, tally.width) }] as const;
    });
    return Object.fromEntries(columns);
  }

  private open(bytes: number): ParquetFile {
    if (this.file !== null && this.bytes + bytes <= bytesOfFile) {
      this.bytes += bytes;
      return this.file;
    }
    this.file?.close();
    const [chunk, file] = [Math.floor(this.numFiles / filesOfChunk), this.numFiles % filesOfChunk];
    const name = `data/chunk-${padded(chunk)}/file-${padded(file)}.parquet`;
    this.file = new ParquetFile(madePath(this.path, name), frameColumns(this.dataset));
    this.numFiles++;
    this.bytes = bytes;
    return this.file;
  }

  private tally(
    rows: Readonly<Record<string, Float32Array>>,
    first: number,
    length: number,
  ): Record<string, unknown[]> {
    const row: Record<string, unknown[]> = {};
    for (const [name, values] of Object.entries(rows)) {
      const { width } = this.tallies[name]!;
      this.tallies[name]!.add(values);
      for (let i = 0; i < length; i++)
        if ((first + i) % this.sampledEvery === 0)
          this.samples[name]!.push(...values.subarray(i * width, (i + 1) * width));
      const tally = new StatsTally(width);
      tally.add(values);
      const stats = tally.stats();
      for (const number of numbers) row[`stats/${name}/${number}`] = [stats[number]];
      row[`stats/${name}/count`] = [stats.count.map(BigInt)];
    }
    return row;
  }
}

function talliesOf({ info }: Dataset): Record<string, StatsTally> {
  return {
    "observation.state": new StatsTally(info.observationSize),
    action: new StatsTally(info.actionSize),
    "next.reward": new StatsTally(1),
  };
}

/** The columns that statistics are of; T rows each. */
function columnsOf({ info, observations, actions, rewards }: Episode) {
  const width = observations.length / (info.length + 1);
  const states = observations.subarray(0, info.length * width);
  return { "observation.state": states, action: actions, "next.reward": rewards };
}

function framesOf(
  { info, observations, actions, rewards }: Episode,
  index: number,
  first: number,
  controlDt: number,
): Record<string, unknown[]> {
  const { length, terminated, success } = info;
  const [o, a] = [observations.length / (length + 1), actions.length / length];
  const frames = Array.from({ length }, (_, i) => i);
  const isLast = (i: number) => i === length - 1;
  return {
    "observation.state": frames.map((i) => cellOf(observations.subarray(i * o, (i + 1) * o))),
    action: frames.map((i) => cellOf(actions.subarray(i * a, (i + 1) * a))),
    "next.reward": Array.from(rewards),
    "next.done": frames.map(isLast),
    "next.truncated": frames.map((i) => isLast(i) && !terminated),
    "next.success": frames.map((i) => isLast(i) && success),
    timestamp: frames.map((i) => Math.fround(i / framesPerSecond(controlDt))),
    frame_index: frames.map(BigInt),
    episode_index: frames.map(() => BigInt(index)),
    index: frames.map((i) => BigInt(first + i)),
    task_index: frames.map(() => 0n),
  };
}

function cellOf(row: Float32Array): number | number[] {
  return row.length === 1 ? row[0]! : Array.from(row);
}

/** A whole number wherever the control period is a fraction of a second. */
function framesPerSecond(controlDt: number): number {
  const rounded = Math.round(1 / controlDt);
  return Math.abs(rounded * controlDt - 1) < 1e-9 ? rounded : 1 / controlDt;
}

function infoOf(dataset: Dataset) {
  const { info, episodes, numSteps } = dataset;
  const names = (letter: string, size: number) =>
    Array.from({ length: size }, (_, i) => `${letter}_${i}`);
  const feature = (dtype: string, size: number, of: string[] | null = null) => ({
    dtype,
    shape: [size],
    names: of,
  });
  const flags = ["next.done", "next.truncated", "next.success"];
  const indices = ["frame_index", "episode_index", "index", "task_index"];
  const { observationSize: o, actionSize: a } = info;
  return {
    codebase_version: "v3.0",
    robot_type: info.task,
    total_episodes: episodes.length,
    total_frames: numSteps,
    total_tasks: 1,
    chunks_size: filesOfChunk,
    data_files_size_in_mb: 100,
    video_files_size_in_mb: 200,
    fps: framesPerSecond(info.controlDt),
    splits: { train: `0:${episodes.length}` },
    data_path: "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
    video_path: null,
    features: {
      "observation.state": feature("float32", o, names("observation", o)),
      action: feature("float32", a, names("action", a)),
      "next.reward": feature("float32", 1),
      ...Object.fromEntries(flags.map((name) => [name, feature("bool", 1)])),
      timestamp: feature("float32", 1),
      ...Object.fromEntries(indices.map((name) => [name, feature("int64", 1)])),
    },
    salle: noteOf(dataset),
  };
}

/** A table as pandas writes it whose index is the task's name. */
function writeTask(path: string, task: string): void {
  const index = "__index_level_0__";
  const column = (name: string | null, field: string, kind: string, type: string) => ({
    name,
    field_name: field,
    pandas_type: kind,
    numpy_type: type,
    metadata: null,
  });
  const pandas = {
    index_columns: [index],
    column_indexes: [],
    columns: [
      column("task_index", "task_index", "int64", "int64"),
      column(null, index, "unicode", "object"),
    ],
    creator: { library: "salle", version: "1" },
    pandas_version: "2.2.0",
  };
  const file = new ParquetFile(
    path,
    [
      { name: "task_index", type: "INT64" },
      { name: index, type: "STRING" },
    ],
    [["pandas", JSON.stringify(pandas)]],
  );
  file.write({ task_index: [0n], [index]: [task] });
  file.close();
}

function padded(number: number): string {
  return `${number}`.padStart(3, "0");
}

function madePath(root: string, name: string): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  return path;
}
