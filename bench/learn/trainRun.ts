// One training through the command line, its evaluation on fresh starts and the check of its gait.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import type { Evaluation } from "../../train/evaluate.ts";
import { readMetrics } from "../../train/metrics.ts";
import { readMeta } from "../../train/runMeta.ts";
import { checkGait, type GaitCheck } from "./gait.ts";

export interface RunOrder {
  /** A task's id. */
  readonly task: string;
  readonly algorithm: string;
  readonly seed: number;
  readonly minutes: number;
  /** Where runs are. */
  readonly runs: string;
  /** Further settings, as --set takes them. */
  readonly sets: readonly string[];
}

/** A finished training and what came of it; everything that docs/results says of it. */
export interface LearnedRun {
  readonly task: string;
  readonly algorithm: string;
  readonly seed: number;
  readonly minutes: number;
  readonly folder: string;
  readonly command: string;
  /** ISO 8601. */
  readonly date: string;
  /** Commit of the program, with "-dirty" where files differed. */
  readonly commit: string | null;
  /** From the command to its end, in s: start, training, evaluations and checkpoints. */
  readonly seconds: number;
  readonly steps: number;
  readonly updates: number;
  /** Load averages of a minute, before and after: 0 before is a machine of one's own. */
  readonly load: readonly [before: number, after: number];
  /** Of the best checkpoint on 32 starts that training never saw. */
  readonly evaluation: EvaluationSummary;
  readonly check: GaitCheck;
  /** Minutes since the command, and what evaluations during training found. */
  readonly curve: readonly CurvePoint[];
}

export interface EvaluationSummary {
  /** Step of the checkpoint. */
  readonly step: number;
  readonly meanReturn: number;
  /** Means over starts: m/s, share, W. */
  readonly speed: number;
  readonly falls: number;
  readonly power: number;
}

export interface CurvePoint {
  readonly minute: number;
  readonly step: number;
  readonly meanReturn: number;
  readonly speed: number;
}

const program = new URL("../../cli/main.js", import.meta.url).pathname;
const numEpisodes = 32;

/** Trains, evaluates and checks; the machine should have nothing else to do. */
export async function trainRun(order: RunOrder): Promise<LearnedRun> {
  const { task, algorithm, seed, minutes, runs, sets } = order;
  const started = Date.now();
  const name = [task, algorithm, seed, started].join("__");
  const args = ["train", task, "--algo", algorithm, "--seed", `${seed}`];
  const settings = [`train.maxMinutes=${minutes}`, ...sets].flatMap((set) => ["--set", set]);
  const before = loadavg()[0]!;
  await salle([...args, ...settings, "--runs", runs, "--name", name]);
  const seconds = (Date.now() - started) / 1000;
  const after = loadavg()[0]!;
  const folder = join(runs, name);
  const evaluation = await evaluate(folder);
  const rows = readMetrics(folder);
  const { gitCommit, gitDirty } = readMeta(folder);
  return {
    task,
    algorithm,
    seed,
    minutes,
    folder,
    command: ["salle", ...args, ...settings].join(" "),
    date: new Date(started).toISOString(),
    commit: gitCommit === null ? null : `${gitCommit.slice(0, 12)}${gitDirty ? "-dirty" : ""}`,
    seconds,
    steps: rows.at(-1)?.step ?? 0,
    updates: rows.findLast((row) => "train/n_updates" in row)?.["train/n_updates"] ?? 0,
    load: [before, after],
    evaluation,
    check: await checkGait(folder),
    curve: rows
      .filter((row) => "eval/mean_reward" in row)
      .map((row) => ({
        minute: (row.wallTime - started / 1000) / 60,
        step: row.step,
        meanReturn: row["eval/mean_reward"]!,
        speed: row["eval/speed"] ?? Number.NaN,
      })),
  };
}

async function evaluate(folder: string): Promise<EvaluationSummary> {
  const file = join(folder, "evaluation-best.json");
  await salle(["eval", folder, "--episodes", `${numEpisodes}`, "--json", file]);
  const saved = JSON.parse(readFileSync(file, "utf8")) as Evaluation & { readonly step: number };
  const mean = (values: readonly (number | boolean)[] = []) =>
    values.reduce<number>((sum, value) => sum + Number(value), 0) / values.length;
  return {
    step: saved.step,
    meanReturn: mean(saved.returns),
    speed: mean(saved.measures["speed"]),
    falls: mean(saved.terminated),
    power: mean(saved.measures["power"]),
  };
}

/** Runs the command line; its progress goes to standard error. Throws where it fails. */
function salle(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`salle ${args.join(" ")} ended with ${code}`)),
    );
  });
}
