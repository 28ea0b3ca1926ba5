// salle data filter, merge, split: new datasets of whole episodes of others.

import { Command } from "commander";
import { Dataset } from "../finetune/dataset.ts";
import {
  commonInfo,
  type Derivation,
  episodeOf,
  type NewDataset,
  provenanceOf,
  writeDatasets,
} from "../train/newDatasets.ts";
import { type Selection, selectEpisodes, splitEpisodes } from "../train/selectEpisodes.ts";
import { describeDataset } from "./describeDataset.ts";
import { finiteNumber, range, share, wholeNumber } from "./numbers.ts";
import { print } from "./output.ts";
import { gitCommit, salleVersion } from "./version.ts";

interface FilterOptions {
  readonly out: string;
  readonly success?: boolean;
  readonly minReturn?: string;
  readonly top?: string;
  readonly policy?: readonly string[];
  readonly length?: string;
}

export function filterCommand(): Command {
  return new Command("filter")
    .description("keep the episodes that fit, in a new dataset")
    .argument("<dataset>", "its folder")
    .requiredOption("--out <folder>", "the dataset to write, a new folder")
    .option("--success", "those whose last step was successful")
    .option("--no-success", "those whose last step was not")
    .option("--min-return <x>", "those with at least this return")
    .option("--policy <name...>", "those of these policies, as `salle data info` names them")
    .option("--length <range>", "those of so many steps: 50, 50..200, ..200")
    .option("--top <share>", "of those that fit the rest, this share with the highest returns")
    .addHelpText(
      "after",
      `
Examples:
  salle data filter datasets/mixed --success --out datasets/good
  salle data filter datasets/hopper-replay --top 10% --out datasets/hopper-top`,
    )
    .action(async (path: string, options: FilterOptions, command: Command) => {
      const asked = command.getOptionValueSource("success") === "cli";
      await filter(path, options, selectionOf(options, asked));
    });
}

function selectionOf(options: FilterOptions, askedSuccess: boolean): Selection {
  const { success, minReturn, top, policy, length } = options;
  const selection: Selection = {
    ...(askedSuccess && { success: success! }),
    ...(minReturn !== undefined && { minReturn: finiteNumber("--min-return", minReturn) }),
    ...(policy !== undefined && { policies: policy }),
    ...(length !== undefined && { lengths: range("--length", length) }),
    ...(top !== undefined && { top: share("--top", top) }),
  };
  if (Object.keys(selection).length === 0)
    throw new Error(
      "nothing says which episodes: give --success, --min-return, --policy, --length or --top",
    );
  return selection;
}

async function filter(path: string, { out }: FilterOptions, selection: Selection): Promise<void> {
  const dataset = new Dataset(path);
  checkPolicies(dataset, selection.policies ?? []);
  const kept = selectEpisodes(dataset.episodes, selection);
  if (kept.length === 0)
    throw new Error(`none of the ${dataset.episodes.length} episodes of ${path} fits`);
  await writeCopies([{ path: out, episodes: kept.map((index) => [dataset, index]) }], [dataset]);
  dataset.close();
}

function checkPolicies({ path, episodes }: Dataset, wanted: readonly string[]): void {
  const known = new Set(episodes.map(({ policy }) => policy));
  for (const name of wanted)
    if (!known.has(name))
      throw new Error(`${path} has no episodes of "${name}"; it has: ${[...known].join(", ")}`);
}

export function mergeCommand(): Command {
  return new Command("merge")
    .description("put datasets of one task together, in a new one")
    .argument("<dataset...>", "their folders, in the order that their episodes get")
    .requiredOption("--out <folder>", "the dataset to write, a new folder")
    .action(async (paths: readonly string[], { out }: { out: string }) => {
      if (paths.length < 2) throw new Error(`merge wants two datasets or more, got ${paths[0]}`);
      const datasets = paths.map((path) => new Dataset(path));
      const episodes = datasets.flatMap((dataset) =>
        [...dataset.episodes.keys()].map((index): Source => [dataset, index]),
      );
      await writeCopies([{ path: out, episodes }], datasets);
      for (const dataset of datasets) dataset.close();
    });
}

interface SplitOptions {
  readonly out: readonly string[];
  readonly shares: readonly string[];
  readonly seed: string;
}

export function splitCommand(): Command {
  return new Command("split")
    .description("deal a dataset's episodes out by lot, into new ones")
    .argument("<dataset>", "its folder")
    .requiredOption("--out <folder...>", "the datasets to write, new folders")
    .requiredOption("--shares <share...>", "how much each gets: 90% 10%; together 100%")
    .option("--seed <n>", "of the lot", "0")
    .addHelpText(
      "after",
      `
An episode is never cut in two. Equal seeds give equal parts.

Example:
  salle data split datasets/lift-cube --shares 90% 10% --out datasets/lift-train datasets/lift-valid`,
    )
    .action(split);
}

async function split(path: string, { out, shares, seed }: SplitOptions): Promise<void> {
  const parts = shares.map((text) => share("--shares", text));
  if (parts.length !== out.length || parts.length < 2)
    throw new Error(
      `--out names ${out.length} folders and --shares ${parts.length} shares: as many are wanted, two or more`,
    );
  const sum = parts.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) > 1e-9)
    throw new Error(`--shares want to be 100% together, got ${Number((100 * sum).toFixed(6))}%`);
  const dataset = new Dataset(path);
  const dealt = splitEpisodes(dataset.episodes.length, parts, wholeNumber("--seed", seed, 0));
  await writeCopies(
    dealt.map((indices, i) => ({
      path: out[i]!,
      episodes: indices.map((index): Source => [dataset, index]),
    })),
    [dataset],
  );
  dataset.close();
}

type Source = readonly [dataset: Dataset, index: number];

interface Copy {
  readonly path: string;
  readonly episodes: readonly Source[];
}

async function writeCopies(copies: readonly Copy[], sources: readonly Dataset[]): Promise<void> {
  const info = { ...commonInfo(sources), provenance: provenanceOf(derivation(), sources) };
  const wanted = copies.map(({ path }): NewDataset => ({ path, info }));
  await writeDatasets(wanted, (writers) => {
    for (const [i, { episodes }] of copies.entries())
      for (const [dataset, index] of episodes) writers[i]!.add(episodeOf(dataset, index));
  });
  for (const { path } of copies) printWritten(path);
}

/** This command, as provenance. */
export function derivation(): Derivation {
  return { salle: salleVersion, gitCommit: gitCommit() ?? null, command: commandLine() };
}

/** What was typed. */
export function commandLine(): string {
  return ["salle", ...process.argv.slice(2)].join(" ");
}

/** Says that a dataset is there, and what is in it. */
export function printWritten(path: string): void {
  print(`wrote ${path}`);
  for (const line of describeDataset(path)) print(line);
}
