// salle data: what datasets hold.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import {
  Dataset,
  type EpisodeInfo,
  isDataset,
  readEpisodes,
  readInfo,
} from "../finetune/dataset.ts";
import { didYouMean } from "../sim/source.ts";
import { print, table } from "./output.ts";
import { formatNumber } from "./progress.ts";

export function dataCommand(): Command {
  return new Command("data")
    .addCommand(infoCommand())
    .addCommand(listCommand(), { isDefault: true });
}

function infoCommand(): Command {
  return new Command("info")
    .description("what a dataset holds: its task, episodes by policy, returns, ranges")
    .argument("<dataset>", "its folder")
    .option("--json", "print dataset.json and a line an episode as JSON")
    .action((path: string, { json = false }: { json?: boolean }) => {
      if (json) print(JSON.stringify({ ...readInfo(path), episodes: readEpisodes(path) }, null, 2));
      else for (const line of describeDataset(path)) print(line);
    });
}

function listCommand(): Command {
  return new Command("list")
    .description("list the datasets of a folder")
    .option("--datasets <folder>", "where datasets are", "datasets")
    .allowExcessArguments()
    .action(({ datasets }: { datasets: string }, { args }: Command) => {
      const [word] = args;
      if (word !== undefined)
        throw new Error(
          `salle data has no "${word}"${didYouMean(word, ["info", "list"])}; known: info, list`,
        );
      const names = existsSync(datasets) ? readdirSync(datasets) : [];
      const found = names.filter((name) => isDataset(join(datasets, name)));
      if (found.length === 0)
        return print(`no datasets in ${datasets}/; \`salle collect\` makes one`);
      for (const row of table([
        ["name", "task", "episodes", "steps"],
        ...found.map((name) => listRow(datasets, name)),
      ]))
        print(row);
    });
}

function listRow(datasets: string, name: string): string[] {
  const path = join(datasets, name);
  const episodes = readEpisodes(path);
  const numSteps = episodes.reduce((sum, { length }) => sum + length, 0);
  return [name, readInfo(path).task, `${episodes.length}`, `${numSteps}`];
}

/** A few lines about a dataset. */
export function describeDataset(path: string): string[] {
  const dataset = new Dataset(path);
  try {
    const { info, episodes, numSteps } = dataset;
    const head = `${info.task}: ${episodes.length} episodes, ${numSteps} steps of ${info.controlDt} s`;
    if (episodes.length === 0) return [head];
    const policies = [...new Set(episodes.map(({ policy }) => policy))];
    const rows = policies.map((policy) =>
      policyRow(
        policy,
        episodes.filter((e) => e.policy === policy),
      ),
    );
    const names = ["  policy", "episodes", "successful", "return", "least", "most", "length"];
    return [head, ...table([names, ...rows]), `  actions within ${actionRange(dataset)}`];
  } finally {
    dataset.close();
  }
}

function policyRow(policy: string, episodes: readonly EpisodeInfo[]): string[] {
  const returns = episodes.map(({ episodeReturn }) => episodeReturn);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return [
    `  ${policy}`,
    `${episodes.length}`,
    `${episodes.filter(({ success }) => success).length}`,
    ...[mean(returns), Math.min(...returns), Math.max(...returns)].map(formatNumber),
    formatNumber(mean(episodes.map(({ length }) => length))),
  ];
}

function actionRange({ actions, info }: Dataset): string {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const row = new Float32Array(info.actionSize);
  for (let at = 0; at < actions.numRows; at++) {
    actions.read(at, 1, row, 0);
    for (const value of row) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  return `${formatNumber(least)} to ${formatNumber(most)}`;
}
