// Metrics of a run in the three forms that people's tools read: JSON lines, CSV and TensorBoard's events.
//
// metrics.jsonl is the truth and only grows; progress.csv is made from it anew whenever a metric appears
// that it has no column for.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AppendFile, replaceFile } from "./files.ts";
import { tensorboardHead, tensorboardScalars } from "./tensorboard.ts";

/** One row; a number that JSON lacks is null in the file and NaN here. */
export interface MetricsRow {
  readonly step: number;
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly [metric: string]: number;
}

export const metricsFile = "metrics.jsonl";
export const progressFile = "progress.csv";
/** TensorBoard finds it by its name's beginning. */
export const eventsFile = "events.out.tfevents.salle";

export class MetricsLog {
  readonly files: readonly AppendFile[];
  private readonly folder: string;
  private readonly rows: AppendFile;
  private readonly events: AppendFile;
  private progress: AppendFile;
  private columns: readonly string[];

  constructor(folder: string, wallTime: number) {
    this.folder = folder;
    this.rows = new AppendFile(join(folder, metricsFile));
    this.events = new AppendFile(join(folder, eventsFile));
    this.files = [this.rows, this.events];
    if (this.events.size === 0) this.events.append(tensorboardHead(wallTime));
    this.columns = writeProgress(folder, readMetrics(folder));
    this.progress = new AppendFile(join(folder, progressFile));
  }

  add(row: MetricsRow): void {
    const { step, wallTime, ...metrics } = row;
    this.rows.append(`${JSON.stringify(row)}\n`);
    this.events.append(tensorboardScalars(wallTime, step, metrics));
    if (Object.keys(row).every((name) => this.columns.includes(name)))
      this.progress.append(csvLine(row, this.columns));
    else this.addColumns();
  }

  flush(): void {
    for (const file of this.files) file.flush();
  }

  close(): void {
    for (const file of [...this.files, this.progress]) file.close();
  }

  private addColumns(): void {
    this.progress.close();
    this.columns = writeProgress(this.folder, readMetrics(this.folder));
    this.progress = new AppendFile(join(this.folder, progressFile));
  }
}

/** The whole rows of a run's metrics.jsonl, in order; a line that a crash cut short is left out. */
export function readMetrics(folder: string): MetricsRow[] {
  const path = join(folder, metricsFile);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.map(parseRow).filter((row) => row !== undefined);
}

function parseRow(line: string): MetricsRow | undefined {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row !== "object" || row === null || !("step" in row)) return undefined;
    const entries = Object.entries(row).map(([name, value]) => [name, value ?? Number.NaN]);
    return Object.fromEntries(entries) as MetricsRow;
  } catch {
    return undefined; // a crash cut this line
  }
}

/** Writes progress.csv from rows; returns its columns, in the order in which they appeared. */
function writeProgress(folder: string, rows: readonly MetricsRow[]): readonly string[] {
  const columns = [...new Set(["step", "wallTime", ...rows.flatMap((row) => Object.keys(row))])];
  const lines = rows.map((row) => csvLine(row, columns));
  replaceFile(join(folder, progressFile), `${columns.map(csvName).join()}\n${lines.join("")}`);
  return columns;
}

function csvLine(row: MetricsRow, columns: readonly string[]): string {
  const cells = columns.map((name) => (row[name] === undefined ? "" : String(row[name])));
  return `${cells.join()}\n`;
}

function csvName(name: string): string {
  return /[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
