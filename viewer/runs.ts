// Runs: what a folder of runs, one run, a dataset, or one recording holds, found by names that were listed.
//
// A run is a folder with a config.yaml or metrics.jsonl (docs/runs.md). Its id is its path below the
// root; requests name ids, and only what `list` found is ever opened.

import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { datasetEpisodes, datasetRecording, isDatasetFolder } from "./datasetFolder.ts";

export interface EpisodeFile {
  readonly name: string;
  readonly bytes: number;
  /** ms since 1970. */
  readonly modified: number;
}

export interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly task: string | null;
  readonly algorithm: string | null;
  readonly seed: number | null;
  readonly status: string | null;
  readonly modified: number;
  readonly metricsBytes: number;
  readonly episodes: readonly EpisodeFile[];
  /** Steps of the checkpoints whose policies can act, in order. */
  readonly checkpoints: readonly number[];
}

/** A part of metrics.jsonl: whole lines from byte `from` on; `from` is 0 where the file was cut. */
export interface MetricsPart {
  readonly from: number;
  readonly to: number;
  readonly lines: string;
}

/** Puts into a file of recordings what a page needs to simulate them. */
export type Carry = (bytes: Uint8Array) => Promise<Uint8Array>;

const mostBytes = 4_000_000; // of metrics in one answer
const mostRecording = 64_000_000; // bytes of a recording that is sent
const mostRuns = 500;
const mostEpisodes = 300; // of a dataset that are listed, the newest

export class RunFolder {
  /** Absolute. */
  readonly root: string;
  private folders = new Map<string, string>();

  /** A folder of runs or datasets, one of them, or a .rec file. */
  constructor(path: string) {
    this.root = resolve(path);
  }

  /** Newest first. */
  list(): RunSummary[] {
    this.folders = new Map(this.find().map((path) => [idOf(path), path]));
    const runs = [...this.folders].map(([id, path]) => summarize(id, path));
    return runs.sort((a, b) => b.modified - a.modified);
  }

  /** null where no run of this id was listed. */
  metrics(id: string, from: number): MetricsPart | null {
    const folder = this.folderOf(id);
    const path = folder && join(folder, "metrics.jsonl");
    if (!path || !existsSync(path)) return null;
    const { size } = statSync(path);
    const start = from <= size ? from : 0;
    const text = readPart(path, start, Math.min(mostBytes, size - start));
    const whole = text.subarray(0, text.lastIndexOf(10) + 1); // a line may be half written
    return { from: start, to: start + whole.length, lines: whole.toString("utf8") };
  }

  /** The JSON text of a run's evaluations.json; null where there is none. */
  evaluations(id: string): string | null {
    const folder = this.folderOf(id);
    const path = folder && join(folder, "evaluations.json");
    return path && existsSync(path) ? readFileSync(path, "utf8") : null;
  }

  /** The bytes of a listed recording; null where there is none or it is too large to send. */
  recording(id: string, name: string): Buffer | null {
    const folder = this.folderOf(id);
    if (folder && isDatasetFolder(folder)) return datasetRecording(folder, name);
    if (!folder || !recordingsOf(folder).some((file) => file.name === name)) return null;
    const path = folder.endsWith(".rec") ? folder : join(folder, "episodes", name);
    return statSync(path).size <= mostRecording ? readFileSync(path) : null;
  }

  /** The folder of a listed run that has this checkpoint; null where there is none. */
  withCheckpoint(id: string, step: number): string | null {
    const folder = this.folderOf(id);
    return folder && checkpointsOf(folder).includes(step) ? folder : null;
  }

  private folderOf(id: string): string | undefined {
    if (!this.folders.has(id)) this.list();
    return this.folders.get(id);
  }

  private find(): string[] {
    if (!existsSync(this.root)) return [];
    if (this.root.endsWith(".rec") || isRun(this.root)) return [this.root];
    const inside = readdirSync(this.root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.name.endsWith(".rec"))
      .map((entry) => join(entry.parentPath, entry.name));
    return inside.filter((path) => path.endsWith(".rec") || isRun(path)).slice(-mostRuns);
  }
}

function isRun(path: string): boolean {
  return ["config.yaml", "metrics.jsonl", "episodes", "dataset.json"].some((name) =>
    existsSync(join(path, name)),
  );
}

/** Names may hold anything; ids go into URLs. */
function idOf(path: string): string {
  return createHash("sha256").update(path).digest("hex").slice(0, 12);
}

function summarize(id: string, path: string): RunSummary {
  const { mtimeMs } = statSync(path);
  const metrics = join(path, "metrics.jsonl");
  const hasMetrics = !path.endsWith(".rec") && existsSync(metrics);
  const config = recordOf(join(path, "config.yaml"), parse);
  const train = (config["train"] ?? {}) as Record<string, unknown>;
  const [task, algorithm, seed] = basename(path).split("__");
  const episodes = recordingsOf(path);
  const dataset = recordOf(join(path, "dataset.json"), JSON.parse);
  return {
    id,
    name: basename(path),
    task: shortTask(
      textOr(config["task"], textOr(dataset["task"], algorithm === undefined ? null : task)),
    ),
    algorithm: textOr(config["algorithm"], algorithm),
    seed: numberOr(train["seed"], seed),
    status: textOr(
      recordOf(join(path, "meta.json"), JSON.parse)["status"],
      isDatasetFolder(path) ? "dataset" : null,
    ),
    modified: Math.max(mtimeMs, hasMetrics ? statSync(metrics).mtimeMs : 0),
    metricsBytes: hasMetrics ? statSync(metrics).size : 0,
    episodes,
    checkpoints: checkpointsOf(path),
  };
}

/** A task from a file is named by the file: a page need not know where that lies. */
function shortTask(task: string | null): string | null {
  return task !== null && /^[a-z]+:\/\//.test(task) ? basename(task) : task;
}

function checkpointsOf(path: string): number[] {
  const folder = join(path, "checkpoints");
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^\d+$/.test(name));
  return names.map(Number).sort((a, b) => a - b);
}

function recordingsOf(path: string): EpisodeFile[] {
  if (isDatasetFolder(path)) {
    const modified = statSync(path).mtimeMs;
    return datasetEpisodes(path)
      .slice(-mostEpisodes)
      .map(({ name, bytes }) => ({ name, bytes, modified }));
  }
  const folder = path.endsWith(".rec") ? dirname(path) : join(path, "episodes");
  if (!existsSync(folder)) return [];
  const names = path.endsWith(".rec") ? [basename(path)] : readdirSync(folder);
  return names
    .filter((name) => name.endsWith(".rec"))
    .map((name) => {
      const { size, mtimeMs } = statSync(join(folder, name));
      return { name, bytes: size, modified: mtimeMs };
    })
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** {} where the file is missing or half written. */
function recordOf(path: string, read: (text: string) => unknown): Record<string, unknown> {
  try {
    const value = read(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textOr(value: unknown, other: string | null | undefined): string | null {
  return typeof value === "string" ? value : (other ?? null);
}

function numberOr(value: unknown, other: string | undefined): number | null {
  const number = typeof value === "number" ? value : Number(other ?? Number.NaN);
  return Number.isFinite(number) ? number : null;
}

function readPart(path: string, from: number, length: number): Buffer {
  const buffer = Buffer.alloc(Math.max(0, length));
  const file = openSync(path, "r");
  try {
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, from));
  } finally {
    closeSync(file);
  }
}
