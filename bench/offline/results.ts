// docs/results/offline.md from finished runs on logged data: `node dist/bench/offline/results.js <runs>`.
//
// A run's score is that of its last evaluation on the data, and its best one beside it, normalised by the dataset's
// own references. Where a run went online, what it lost at the switch.

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { normalizedScore, type ReferenceScores, readInfo } from "../../finetune/dataset.ts";
import { readMetrics } from "../../train/metrics.ts";
import { readRunConfig } from "../../train/policy.ts";
import { readEvaluations } from "../../train/run.ts";
import { readMeta } from "../../train/runMeta.ts";
import { switchDropOf } from "../../train/switchDrop.ts";

const folder = process.argv[2];
if (folder === undefined)
  throw new Error("which runs? node dist/bench/offline/results.js <folder>");

interface Result {
  readonly dataset: string;
  readonly method: string;
  readonly seed: number;
  readonly updates: number;
  /** Normalised: the last evaluation on the data alone, and the best. */
  readonly last: number;
  readonly best: number;
  readonly lastReturn: number;
  readonly updatesPerSecond: number;
  /** Normalised returns before the switch, at worst online and last. */
  readonly online: string;
  readonly references: ReferenceScores;
  readonly command: string;
}

const results = readdirSync(folder)
  .map((name) => join(folder, name))
  .filter((run) => existsSync(join(run, "config.yaml")) && readMeta(run).status === "finished")
  .map(resultOf)
  .sort((a, b) => a.dataset.localeCompare(b.dataset) || b.last - a.last);
writeFileSync("docs/results/offline.md", `${pageOf(results).join("\n")}\n`);

function resultOf(run: string): Result {
  const { algorithm, data = [], train, algo } = readRunConfig(run);
  const path = data[0]!;
  const references = readInfo(path).references;
  if (references === undefined) throw new Error(`${path} has no reference scores`);
  const settings = algo as {
    offlineUpdates: number;
    inverseTemperature?: number;
    episodeShare: number;
  };
  const score = (value: number) => normalizedScore(value, references);
  const returns = readEvaluations(run)
    .filter(({ step }) => step <= settings.offlineUpdates + 10)
    .map(({ returns }) => mean(returns as number[]));
  const drop = switchDropOf(run);
  const numbers = drop && [drop.offlineEnd, drop.worst, drop.final].map((x) => score(x).toFixed(1));
  return {
    dataset: basename(path),
    method: methodOf(algorithm, settings),
    seed: train.seed,
    updates: settings.offlineUpdates,
    last: score(returns.at(-1)!),
    best: score(Math.max(...returns)),
    lastReturn: returns.at(-1)!,
    updatesPerSecond: speedOf(run, settings.offlineUpdates),
    online: numbers ? numbers.join(" → ") : "",
    references,
    command: (readMeta(run).argv ?? []).join(" "),
  };
}

/** Cloning is IQL that weighs every action alike. */
function methodOf(
  algorithm: string,
  { inverseTemperature, episodeShare }: { inverseTemperature?: number; episodeShare: number },
): string {
  if (algorithm !== "iql" || inverseTemperature !== 0) return algorithm;
  return episodeShare < 1 ? `BC, best ${100 * episodeShare} % of episodes` : "BC";
}

/** Median over the logged stretches of the part on the data alone. */
function speedOf(run: string, updates: number): number {
  const speeds = readMetrics(run)
    .filter(({ step }) => step <= updates)
    .map((row) => row["time/fps"])
    .filter((speed): speed is number => typeof speed === "number")
    .sort((a, b) => a - b);
  return speeds[Math.floor(speeds.length / 2)] ?? Number.NaN;
}

function pageOf(results: readonly Result[]): string[] {
  const datasets = [...new Set(results.map(({ dataset }) => dataset))];
  return [
    "# Learning from logged data: results",
    "",
    "Written by `node dist/bench/offline/results.js <runs>` from finished runs; do not edit. Scores are",
    "100 (R − random) / (expert − random) with the dataset's own references, so they can't stand beside D4RL's.",
    "Each is the mean of the last evaluation's episodes; the best evaluation's is beside it for comparison only.",
    "One run a line: differences of a few points between methods say nothing. Updates a second were taken while",
    "the machine had other work, and say how long a run took, not how fast it could be.",
    "",
    ...datasets.flatMap((dataset) => tableOf(results.filter((each) => each.dataset === dataset))),
    "## Commands",
    "",
    "```sh",
    ...results.map(({ command }) =>
      command.replaceAll(/ --(name|runs) \S+/g, "").replace(/--data \S*\//, "--data datasets/"),
    ),
    "```",
  ];
}

function tableOf(results: readonly Result[]): string[] {
  const { dataset, references } = results[0]!;
  return [
    `## ${dataset}`,
    "",
    `random ${references.random.toFixed(1)}, expert ${references.expert.toFixed(1)} (${references.numEpisodes} episodes each)`,
    "",
    "| method | seed | updates | last score | best score | last return | updates/s | online: before, worst, last |",
    "|---|---|---|---|---|---|---|---|",
    ...results.map(
      (r) =>
        `| ${r.method} | ${r.seed} | ${r.updates} | ${r.last.toFixed(1)} | ${r.best.toFixed(1)} | ${r.lastReturn.toFixed(1)} | ${r.updatesPerSecond.toFixed(0)} | ${r.online} |`,
    ),
    "",
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
