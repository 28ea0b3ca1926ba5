// salle ope: which checkpoint of a run is best, by logged data alone; the simulator's word beside it.

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import type { OffPolicyConfig } from "../agents/agent.ts";
import { Dataset } from "../finetune/dataset.ts";
import { fqeSettings } from "../finetune/ope/fqe.ts";
import { accuracyOf, portfolios, ranked } from "../finetune/ope/portfolio.ts";
import { Checkpoints } from "../train/checkpoint.ts";
import { checkForOpe, type JudgedCheckpoint, judgeCheckpoints } from "../train/ope.ts";
import { readRunConfig } from "../train/policy.ts";
import { finiteNumber, wholeNumber } from "./numbers.ts";
import { print, table } from "./output.ts";
import { formatNumber } from "./progress.ts";
import { findRun } from "./runFolders.ts";
import { collect } from "./training.ts";

/** As they were typed. */
export interface OpeOptions {
  readonly data: readonly string[];
  readonly runs: string;
  readonly updates: string;
  readonly learningRate: string;
  readonly episodes: string;
  readonly seed: string;
}

/** What they are where nothing is typed. */
export const opeDefaults = {
  data: [],
  updates: "5000",
  learningRate: "1e-3",
  episodes: "0",
  seed: "1",
} as const;

export function opeCommand(): Command {
  return new Command("ope")
    .argument("<run>", "a run whose checkpoints were kept: its folder, its name, or how it begins")
    .option("--data <folder>", "a dataset; repeat it; the run's own where missing", collect, [])
    .option("--updates <n>", "of the Q of each checkpoint", opeDefaults.updates)
    .option("--learning-rate <n>", "of each Q", opeDefaults.learningRate)
    .option(
      "--episodes <n>",
      "in the simulator for each; 0: the run's own evaluations",
      opeDefaults.episodes,
    )
    .option("--seed <n>", "of every Q and of the episodes", opeDefaults.seed)
    .option("--runs <folder>", "where runs are", "runs")
    .addHelpText(
      "after",
      `
Fits the Q of each kept checkpoint's policy to the data (fitted Q evaluation), ranks them, and has the name "ope"
stand for the first: --checkpoint ope, wherever a checkpoint is named. The simulator is not touched, unless --episodes
says so; what it says, or what the run's own evaluations said, stands beside the estimates and changes nothing.
Figures are written to <run>/ope.json. Keep checkpoints by --set train.keepCheckpoints=100 --set train.saveFreq=2000.

Example:
  salle finetune --data datasets/hopper-medium --method iql --offline-updates 2e4 --name h \\
    --set train.saveFreq=2500 --set train.keepCheckpoints=100 --eval-freq 2500
  salle ope h
  salle eval h --checkpoint ope`,
    )
    .action((name: string, options: OpeOptions) => judgeRun(findRun(name, options.runs), options));
}

/** Judges a run's kept checkpoints, says what came of it, and names the best of them. */
export async function judgeRun(run: string, options: OpeOptions): Promise<void> {
  const config = readRunConfig(run);
  const { data, algo } = config;
  const folders = options.data.length > 0 ? options.data.map((path) => resolve(path)) : data;
  if (folders === undefined)
    throw new Error(`${run} did not learn from data: name a dataset, --data datasets/<name>`);
  const datasets = folders.map((path) => new Dataset(path));
  checkForOpe(config, datasets);
  const checkpoints = new Checkpoints(join(run, "checkpoints"));
  const steps = checkpoints.steps();
  if (steps.length < 2)
    throw new Error(
      `wanted two checkpoints or more to choose from, ${run} has ${steps.length}; keep them by --set train.keepCheckpoints=100 and --set train.saveFreq=<updates>`,
    );
  const fitting = fqeSettings.parse({
    discount: (algo as unknown as OffPolicyConfig).discount,
    numUpdates: wholeNumber("--updates", options.updates, 1),
    criticLearningRate: finiteNumber("--learning-rate", options.learningRate),
  });
  const seed = wholeNumber("--seed", options.seed, 0);
  const numEpisodes = wholeNumber("--episodes", options.episodes, 0);
  print(
    `fitted Q evaluation of ${steps.length} checkpoints on ${folders.join(", ")}: ${fitting.numUpdates} updates each, γ ${fitting.discount}`,
  );
  print("  checkpoint  estimate  simulator");
  const report = (judged: JudgedCheckpoint) => print(line(judged));
  const judged = await judgeCheckpoints(run, steps, {
    datasets,
    config: fitting,
    seed,
    numEpisodes,
    report,
  });
  const chosen = judged[ranked(judged.map(({ estimate }) => estimate))[0]!]!;
  checkpoints.point("ope", chosen.step);
  const behavior = behaviorOf(datasets);
  const record = { date: new Date().toISOString(), data: folders, seed, fitting, behavior };
  const file = join(run, "ope.json");
  writeFileSync(file, `${JSON.stringify({ ...record, chosen: chosen.step, judged }, null, 2)}\n`);
  for (const text of verdict(judged, chosen, behavior)) print(text);
  print(`use it   salle eval ${run} --checkpoint ope`);
  print(`wrote    ${file}`);
}

function line({ step, estimate, truth }: JudgedCheckpoint): string {
  const cells = [`${step}`, formatNumber(estimate), truth === null ? "-" : formatNumber(truth)];
  return `  ${cells[0]!.padEnd(10)}  ${cells[1]!.padEnd(8)}  ${cells[2]}`;
}

/** What was chosen; where the simulator has spoken of all, how good a choice that is. */
function verdict(
  judged: readonly JudgedCheckpoint[],
  chosen: JudgedCheckpoint,
  behavior: number,
): string[] {
  const choice = `chose step ${chosen.step}, estimated at ${formatNumber(chosen.estimate)}`;
  const truths = judged.flatMap(({ truth }) => truth ?? []);
  if (truths.length < judged.length) return [choice];
  const estimates = judged.map(({ estimate }) => estimate);
  const { rankCorrelation, regret } = accuracyOf(estimates, truths);
  const rows = portfolios(estimates, truths, { behavior })
    .filter(({ k }) => k <= 5)
    .map(
      ({ k, best, worst, mean, sharpeRatio }) =>
        [`  ${k}`, ...[best, worst, mean, sharpeRatio].map(formatNumber)] as const,
    );
  return [
    `${choice}: ${formatNumber(chosen.truth!)} in the simulator, ${formatNumber(regret)} less than the best`,
    `rank correlation ${formatNumber(rankCorrelation)}; the data's episodes return ${formatNumber(behavior)}`,
    ...table([["  first k", "best", "worst", "mean", "SharpeRatio@k"], ...rows]),
  ];
}

/** Mean return of the data's episodes. */
function behaviorOf(datasets: readonly Dataset[]): number {
  const returns = datasets.flatMap(({ episodes }) => episodes.map((each) => each.episodeReturn));
  return returns.reduce((sum, x) => sum + x, 0) / returns.length;
}
