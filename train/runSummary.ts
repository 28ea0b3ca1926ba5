// What a run came to, in one line of a list; runs that were interrupted or damaged too.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { isLocked } from "./lock.ts";
import { type MetricsRow, readMetrics } from "./metrics.ts";
import { type RunStatus, readMeta } from "./runMeta.ts";

export interface RunSummary {
  readonly folder: string;
  readonly name: string;
  readonly task: string;
  readonly algorithm: string;
  readonly seed: number | null;
  /** Control steps of the last row. */
  readonly steps: number;
  /** Mean returns of evaluations; null before the first. */
  readonly best: number | null;
  readonly last: number | null;
  /** "interrupted" where it says that it runs and no process has it. */
  readonly status: RunStatus | "interrupted" | "damaged";
  /** ISO 8601; null where meta.json doesn't say. */
  readonly started: string | null;
  /** What is wrong with its files. */
  readonly problem: string | null;
}

export const returnMetric = "eval/mean_reward";

/** Never throws: what can't be read is told in `problem`, and taken from the folder's name where it can. */
export function summarizeRun(folder: string): RunSummary {
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      problems.push((error as Error).message.split("\n")[0]!);
      return null;
    }
  };
  const name = basename(folder);
  const meta = attempt(() => readMeta(folder));
  const config = attempt(() => readNames(folder));
  const rows = attempt(() => readMetrics(folder)) ?? [];
  const returns = seriesOf(rows, returnMetric).map(({ value }) => value);
  const [task = "?", algorithm = "?", seed] = name.split("__");
  const isDead = meta?.status === "running" && !isLocked(folder);
  return {
    folder,
    name,
    task: config?.task ?? task,
    algorithm: config?.algorithm ?? algorithm,
    seed: config?.seed ?? (seed === undefined ? null : Number(seed)),
    steps: rows.at(-1)?.step ?? 0,
    best: returns.length > 0 ? Math.max(...returns) : null,
    last: returns.at(-1) ?? null,
    status: meta === null ? "damaged" : isDead ? "interrupted" : meta.status,
    started: meta?.started ?? null,
    problem: problems[0] ?? null,
  };
}

/** What a list says of config.yaml; to check all of its settings would load every algorithm. */
function readNames(folder: string): { task: string; algorithm: string; seed: number } {
  const path = join(folder, "config.yaml");
  const { task, algorithm, train } = parse(readFileSync(path, "utf8")) ?? {};
  if (typeof task !== "string" || typeof algorithm !== "string" || !Number.isInteger(train?.seed))
    throw new Error(`${path} wants a task, an algorithm and train.seed`);
  return { task, algorithm, seed: train.seed };
}

/** A point of a curve. */
export interface Point {
  readonly step: number;
  readonly value: number;
}

/** The finite values of a metric, by step. */
export function seriesOf(rows: readonly MetricsRow[], metric: string): Point[] {
  return rows
    .filter((row) => Number.isFinite(row[metric]))
    .map((row) => ({ step: row.step, value: row[metric]! }));
}

/** A curve's value at a step: on the line between its points; NaN outside of them. */
export function valueAt(points: readonly Point[], step: number): number {
  const after = points.findIndex((point) => point.step >= step);
  if (after < 0) return Number.NaN;
  const right = points[after]!;
  if (right.step === step) return right.value;
  if (after === 0) return Number.NaN;
  const left = points[after - 1]!;
  const share = (step - left.step) / (right.step - left.step);
  return left.value + share * (right.value - left.value);
}
