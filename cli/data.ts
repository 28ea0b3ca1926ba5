// salle data: what datasets hold, and what is made of them.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { isDataset, readEpisodes, readInfo } from "../finetune/dataset.ts";
import { didYouMean } from "../sim/source.ts";
import { filterCommand, mergeCommand, splitCommand } from "./dataEdit.ts";
import { exportDataCommand, importDataCommand } from "./dataFiles.ts";
import { replayCommand } from "./dataReplay.ts";
import { describeDataset, makerOf } from "./describeDataset.ts";
import { print, table } from "./output.ts";
import { relabelCommand } from "./relabel.ts";

export function dataCommand(): Command {
  const command = new Command("data");
  const others = [
    infoCommand(),
    filterCommand(),
    mergeCommand(),
    splitCommand(),
    relabelCommand(),
    exportDataCommand(),
    importDataCommand(),
    replayCommand(),
  ];
  for (const other of others) command.addCommand(other);
  const known = ["list", ...others.map((other) => other.name())];
  return command.addCommand(listCommand(known), { isDefault: true });
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

function listCommand(known: readonly string[]): Command {
  return new Command("list")
    .description("list the datasets of a folder")
    .option("--datasets <folder>", "where datasets are", "datasets")
    .allowExcessArguments()
    .action(({ datasets }: { datasets: string }, { args }: Command) => {
      const [word] = args;
      if (word !== undefined)
        throw new Error(
          `salle data has no "${word}"${didYouMean(word, known)}; known: ${known.join(", ")}`,
        );
      const names = existsSync(datasets) ? readdirSync(datasets) : [];
      const found = names.filter(
        (name) => !name.startsWith(".") && isDataset(join(datasets, name)),
      );
      if (found.length === 0)
        return print(`no datasets in ${datasets}/; \`salle collect\` makes one`);
      for (const row of table([
        ["name", "task", "episodes", "steps", "successful", "made by"],
        ...found.map((name) => listRow(datasets, name)),
      ]))
        print(row);
    });
}

function listRow(datasets: string, name: string): string[] {
  const path = join(datasets, name);
  const episodes = readEpisodes(path);
  const info = readInfo(path);
  const numSteps = episodes.reduce((sum, { length }) => sum + length, 0);
  const numSuccessful = episodes.filter(({ success }) => success).length;
  const share =
    episodes.length === 0 ? "" : `${Math.round((100 * numSuccessful) / episodes.length)}%`;
  return [name, info.task, `${episodes.length}`, `${numSteps}`, share, makerOf(info)];
}
