// What a format of other tools is here: a way out and a way in, an episode at a time.

import { type Dataset, type DatasetInfo, datasetFormat } from "../../finetune/dataset.ts";
import type { WrittenEpisode } from "../datasetWriter.ts";

export interface Format {
  /** How a file's name ends; undefined where it is a folder. */
  readonly ending?: string;
  /** What it has no place for, in words. */
  readonly loses: string;
  /** Writes a new file or folder; `name` is how the dataset is called there. */
  write(dataset: Dataset, path: string, name: string): Promise<void>;
  open(path: string, hints: ImportHints): Promise<ForeignDataset>;
}

/** What the one who imports knows and the file may not say. */
export interface ImportHints {
  readonly task?: string;
  readonly controlDt?: number; // s
}

/** A dataset of another format, open to be read. */
export interface ForeignDataset {
  readonly info: Omit<DatasetInfo, "format" | "provenance">;
  readonly numEpisodes: number;
  /** What was left out or changed, in words. */
  readonly remarks: readonly string[];
  /** null where nothing of it is left. */
  episode(index: number): WrittenEpisode | null;
  close(): void;
}

/** What our files say of themselves beside what the format has a place for; JSON. */
export function noteOf({ info }: Dataset): string {
  const { provenance: _, ...note } = info;
  return JSON.stringify(note);
}

/** What a file says of itself, completed by hints; throws where nobody says something. */
export function infoOf(
  path: string,
  note: unknown,
  hints: ImportHints,
  found: { task?: string; observationSize: number; actionSize: number; controlDt?: number },
): ForeignDataset["info"] {
  const said = parsedNote(note);
  const task = hints.task ?? said?.task ?? found.task;
  const controlDt = hints.controlDt ?? said?.controlDt ?? found.controlDt;
  if (task === undefined) throw new Error(`${path} names no task: say --task`);
  if (controlDt === undefined)
    throw new Error(`${path} does not say how long a step is: say --control-dt, in seconds`);
  const { observationSize, actionSize } = found;
  const { parameters = {}, references } = said ?? {};
  const extras = said?.extras ?? {};
  const sizes = { observationSize, actionSize };
  return { task, parameters, ...sizes, controlDt, extras, ...(references && { references }) };
}

function parsedNote(note: unknown): Partial<DatasetInfo> | undefined {
  if (typeof note !== "string") return undefined;
  try {
    const info = JSON.parse(note) as Partial<DatasetInfo>;
    return info?.format === datasetFormat ? info : undefined;
  } catch {
    return undefined; // another tool's attribute of the same name
  }
}

/** Throws unless a key has so many rows, and each of its width where one is given. */
export function checkShape(
  path: string,
  key: string,
  { rows, width }: { readonly rows: number; readonly width: number },
  wanted: { readonly rows: number; readonly width?: number },
): void {
  if (rows !== wanted.rows)
    throw new Error(`${path} wants ${wanted.rows} rows in "${key}", it has ${rows}`);
  if (wanted.width !== undefined && width !== wanted.width)
    throw new Error(`${path} wants ${wanted.width} numbers a row in "${key}", it has ${width}`);
}

/**
 * How an episode ended, by its flags [T]: only the last row may have any. Both at once count as the time
 * limit, as in D4RL, and none as a recording that was stopped.
 */
export function endOf(
  path: string,
  keys: readonly [terminations: string, truncations: string],
  terminations: ArrayLike<number>,
  truncations: ArrayLike<number>,
): { terminated: boolean; truncated: boolean } {
  const last = terminations.length - 1;
  for (const [i, flags] of [terminations, truncations].entries())
    for (let row = 0; row < last; row++)
      if (flags[row])
        throw new Error(
          `${path} wants ends in the last row of "${keys[i]}" alone, got one in row ${row} of ${last + 1}`,
        );
  const truncated = truncations[last] !== 0 || terminations[last] === 0;
  return { terminated: !truncated, truncated };
}

/** The rows of an episode from a file without the state at its end. */
interface OpenRows {
  readonly observations: Float32Array; // [T, O]
  readonly actions: Float32Array; // [T, A]
  readonly rewards: Float32Array; // [T]
}

/**
 * T + 1 observations of an episode's T. After a terminal step nobody looks at the state, and it is the one
 * before; a last step that was not terminal is dropped, for what it led to is lost. null where nothing is left.
 */
export function closeRows(
  { observations, actions, rewards }: OpenRows,
  terminated: boolean,
): (OpenRows & { readonly extras: Record<string, never> }) | null {
  const length = rewards.length;
  const [o, a] = [observations.length / length, actions.length / length];
  if (terminated) {
    const closed = new Float32Array(observations.length + o);
    closed.set(observations);
    closed.set(observations.subarray(observations.length - o), observations.length);
    return { observations: closed, actions, rewards, extras: {} };
  }
  if (length === 1) return null;
  const kept = actions.slice(0, (length - 1) * a);
  return { observations, actions: kept, rewards: rewards.slice(0, -1), extras: {} };
}

/** Observations [T, O] and the last of the next ones: [T + 1, O]. */
export function withLast(observations: Float32Array, last: Float32Array): Float32Array {
  const joined = new Float32Array(observations.length + last.length);
  joined.set(observations);
  joined.set(last, observations.length);
  return joined;
}

/** Flags [T] of an episode: 1 in the last row where it ended so. */
export function lastFlag(length: number, flag: boolean): Uint8Array {
  const flags = new Uint8Array(length);
  flags[length - 1] = flag ? 1 : 0;
  return flags;
}

/** Columns [rows, w] side by side. */
export function joinColumns(parts: readonly Float32Array[], rows: number): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const widths = parts.map((part) => part.length / rows);
  const width = widths.reduce((a, b) => a + b, 0);
  const joined = new Float32Array(rows * width);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    const w = widths[i]!;
    for (let row = 0; row < rows; row++)
      joined.set(part.subarray(row * w, (row + 1) * w), row * width + at);
    at += w;
  }
  return joined;
}
