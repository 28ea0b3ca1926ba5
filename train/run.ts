// The run directory: everything that a training leaves behind, whole after a crash at any instant.
//
// runs/<task>__<algorithm>__<seed>__<stamp>/: config.yaml, meta.json, metrics.jsonl, progress.csv,
// TensorBoard's events, evaluations.json, checkpoints/<step>/ and episodes/*.rec; docs/runs.md says more.
// All calls are synchronous: they come from the learner's thread, between two of its steps.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { type Checkpoint, type CheckpointName, Checkpoints } from "./checkpoint.ts";
import { AppendFile, flushFolder, makeFolder, replaceFile } from "./files.ts";
import { lockRun, unlockRun } from "./lock.ts";
import { MetricsLog } from "./metrics.ts";
import { type RunOrigin, type RunStatus, readMeta, writeMeta } from "./runMeta.ts";

export interface RunOptions {
  /** Newest checkpoints that stay, beside the best; 2 where missing. */
  readonly keepCheckpoints?: number;
  /** Most bytes of one file of arrays; 1 GiB where missing. */
  readonly shardBytes?: number;
}

export interface NewRun {
  /** The text of config.yaml. */
  readonly config: string;
  readonly meta: RunOrigin;
}

const defaultKeep = 2;

/** "<task's id>__<algorithm>__<seed>__<stamp>", the stamp being this moment's in UTC. */
export function runName(task: string, algorithm: string, seed: number, now = new Date()): string {
  const stamp = now
    .toISOString()
    .replace(/\.\d+Z$/, "")
    .replaceAll(/[-:]/g, "")
    .replace("T", "-");
  return [task, algorithm, seed, stamp].join("__");
}

/** Makes the folder, or the next free one, "<folder>-2", and writes config.yaml and meta.json. */
export function createRun(folder: string, { config, meta }: NewRun, options: RunOptions = {}): Run {
  const path = makeNewFolder(folder);
  lockRun(path);
  replaceFile(join(path, "config.yaml"), config);
  const started = new Date().toISOString();
  const rest = { ended: null, status: "running", reason: null, resumed: [] } as const;
  writeMeta(path, { version: 1, started, ...rest, ...meta });
  return new Run(path, options);
}

export interface ResumeOptions extends RunOptions {
  /** Where to go on; the newest checkpoint where missing. */
  readonly from?: CheckpointName;
}

/**
 * Opens a run to go on from a checkpoint: rows, episodes and checkpoints after it are cut away. A run
 * that has none begins anew. `argv` says what it goes on with.
 */
export function resumeRun(
  folder: string,
  argv: readonly string[],
  { from = "last", ...options }: ResumeOptions = {},
): { readonly run: Run; readonly checkpoint: Checkpoint | null } {
  const meta = readMeta(folder);
  lockRun(folder);
  try {
    const checkpoints = new Checkpoints(join(folder, "checkpoints"));
    checkpoints.repair();
    const checkpoint = checkpoints.steps().length === 0 ? null : checkpoints.load(from);
    cutTo(folder, checkpoint, options.keepCheckpoints ?? defaultKeep);
    const entry = { at: new Date().toISOString(), step: checkpoint?.step ?? 0, argv };
    const resumed = [...meta.resumed, entry];
    writeMeta(folder, { ...meta, status: "running", ended: null, reason: null, resumed });
    return { run: new Run(folder, options), checkpoint };
  } catch (error) {
    unlockRun(folder);
    throw error;
  }
}

/** A run that is open for writing. */
export class Run {
  readonly folder: string;
  readonly checkpoints: Checkpoints;
  private readonly metrics: MetricsLog;
  private readonly episodes = new Map<string, AppendFile>();
  private readonly options: Required<RunOptions>;

  constructor(folder: string, { keepCheckpoints = defaultKeep, shardBytes = 2 ** 30 }: RunOptions) {
    this.folder = folder;
    this.options = { keepCheckpoints, shardBytes };
    this.checkpoints = new Checkpoints(join(folder, "checkpoints"));
    this.metrics = new MetricsLog(folder, wallTime());
  }

  get name(): string {
    return basename(this.folder);
  }

  /** A row of metrics at a step. */
  log(step: number, metrics: Readonly<Record<string, number>>): void {
    this.metrics.add({ step, wallTime: wallTime(), ...metrics });
  }

  /** Adds an evaluation's details to evaluations.json. */
  logEvaluation(step: number, evaluation: unknown): void {
    const entry = { step, wallTime: wallTime(), ...(evaluation as object) };
    writeEvaluations(this.folder, [...readEvaluations(this.folder), entry]);
  }

  /** Appends whole sections to episodes/<name>.rec. */
  appendEpisode(name: string, bytes: Uint8Array): void {
    let file = this.episodes.get(name);
    if (!file) {
      const folder = join(this.folder, "episodes");
      makeFolder(folder);
      file = new AppendFile(join(folder, `${name}.rec`));
      flushFolder(folder);
      this.episodes.set(name, file);
    }
    file.append(bytes);
  }

  /**
   * Saves plain data: objects, lists, numbers, texts, typed arrays. Whatever was logged before is on the
   * disk first; resuming goes back to exactly that.
   */
  save(step: number, state: unknown, { best = false }: { best?: boolean } = {}): void {
    this.metrics.flush();
    for (const file of this.episodes.values()) {
      file.flush();
      file.close(); // a name is an evaluation's: what is over needs no open file
    }
    this.episodes.clear();
    const { keepCheckpoints: keep, shardBytes } = this.options;
    const about = { step, best, logs: growingFiles(this.folder) };
    this.checkpoints.save(state, about, { keep, shardBytes });
  }

  load(name: CheckpointName, parts?: readonly string[]): Checkpoint {
    return this.checkpoints.load(name, parts);
  }

  /** The last call: says how the run ended, and lets others open it. */
  finish(status: Exclude<RunStatus, "running">, reason: string | null = null): void {
    const ended = new Date().toISOString();
    try {
      writeMeta(this.folder, { ...readMeta(this.folder), status, reason, ended });
    } finally {
      this.close(); // also on a full disk: what let go of the run can be resumed
    }
  }

  /** Lets go of the run as it is; it can be resumed. */
  close(): void {
    this.metrics.close();
    for (const file of this.episodes.values()) file.close();
    unlockRun(this.folder);
  }
}

/** The evaluations of a run, in order; each has its step. */
export function readEvaluations(folder: string): (Record<string, unknown> & { step: number })[] {
  const path = join(folder, "evaluations.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : [];
}

function writeEvaluations(folder: string, entries: readonly unknown[]): void {
  const lines = entries.map((entry) => JSON.stringify(entry));
  replaceFile(join(folder, "evaluations.json"), `[\n${lines.join(",\n")}\n]\n`);
}

/** Takes away what came after a checkpoint; everything where there is none. */
function cutTo(folder: string, checkpoint: Checkpoint | null, keep: number): void {
  const logs = checkpoint?.manifest.logs ?? {};
  for (const name of Object.keys(growingFiles(folder))) {
    const size = logs[name];
    if (size === undefined) rmSync(join(folder, name));
    else truncateSync(join(folder, name), Math.min(size, statSync(join(folder, name)).size));
  }
  const step = checkpoint?.step ?? -1;
  writeEvaluations(
    folder,
    readEvaluations(folder).filter((entry) => entry.step <= step),
  );
  new Checkpoints(join(folder, "checkpoints")).cutAfter(step, keep);
}

/** Sizes of the files that only grow, by path within the run. */
function growingFiles(folder: string): Record<string, number> {
  const inFolder = (name: string) =>
    existsSync(join(folder, name))
      ? readdirSync(join(folder, name)).map((file) => join(name, file))
      : [];
  const names = [...readdirSync(folder), ...inFolder("episodes")];
  const growing = names.filter((name) => /(^metrics\.jsonl|tfevents\.|\.rec$)/.test(name));
  return Object.fromEntries(growing.map((name) => [name, statSync(join(folder, name)).size]));
}

function makeNewFolder(folder: string): string {
  for (let i = 1; ; i++) {
    const path = i === 1 ? folder : `${folder}-${i}`;
    if (makeFolder(path)) return path;
  }
}

function wallTime(): number {
  return Date.now() / 1000;
}
