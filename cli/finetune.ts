// salle finetune: a run that begins with logged data or demonstrations, and may go on online.

import { Command } from "commander";
import type { OfflineConfig } from "../agents/agent.ts";
import { readInfo } from "../finetune/dataset.ts";
import { finetuners } from "../finetune/index.ts";
import { algorithmNamed, type ConfigSources, resolveConfig } from "../train/config.ts";
import { stageEnds } from "../train/offline.ts";
import { sourcesOf, type TrainingOptions, trainNew, withTrainingOptions } from "./training.ts";

interface FinetuneOptions extends TrainingOptions {
  readonly method: string;
  readonly offlineUpdates?: string;
  readonly onlineSteps?: string;
}

export function finetuneCommand(): Command {
  const methods = Object.keys(finetuners);
  const command = new Command("finetune")
    .requiredOption("--method <name>", `one of ${methods.join(", ")}`)
    .option("--offline-updates <n>", "updates on the data alone; algo.offlineUpdates")
    .option("--online-steps <n>", "control steps after them; none where missing");
  return withTrainingOptions(command)
    .addHelpText(
      "after",
      `
A run's steps are its updates on the data, then its control steps. Everything else is as in salle train:
settings, Ctrl-C and salle resume, which goes on in either part to the bit, eval, play, view.

Examples:
  salle finetune --data datasets/hopper-medium-replay --method iql --offline-updates 2e4
  salle finetune --data datasets/hopper-medium-replay --method iql --online-steps 100k`,
    )
    .action(finetune);
}

async function finetune(options: FinetuneOptions): Promise<void> {
  const { method } = options;
  algorithmNamed(method);
  if (!Object.hasOwn(finetuners, method))
    throw new Error(
      `"${method}" begins with nothing: salle train --algo ${method}; methods here: ${Object.keys(finetuners).join(", ")}`,
    );
  const sources = sourcesOf(options);
  const task = sources.data?.[0] === undefined ? undefined : readInfo(sources.data[0]).task;
  if (task === undefined && sources.file === undefined)
    throw new Error(
      `which data? name a dataset: salle finetune --data datasets/<name> --method ${method}`,
    );
  await trainNew(await withLengths({ ...sources, task, algorithm: method }, options), options);
}

/** The run's length from those of its two parts, where the method has two. */
async function withLengths(
  sources: ConfigSources,
  { method, offlineUpdates, onlineSteps, totalTimesteps }: FinetuneOptions,
): Promise<ConfigSources> {
  const algorithm = algorithmNamed(method);
  if (algorithm.family !== "offPolicy" || algorithm.offline === undefined) {
    if (offlineUpdates === undefined && onlineSteps === undefined) return sources;
    throw new Error(`"${method}" has no offline part: say --total-timesteps instead`);
  }
  const updates =
    offlineUpdates === undefined ? [] : [`algo.offlineUpdates=${countOf(offlineUpdates)}`];
  const sets = [...(sources.sets ?? []), ...updates];
  if (totalTimesteps !== undefined) {
    if (onlineSteps === undefined) return { ...sources, sets };
    throw new Error("--total-timesteps and --online-steps both say how long: give one");
  }
  const { algo } = await resolveConfig({ ...sources, sets });
  const { offline } = stageEnds(algorithm, algo as unknown as OfflineConfig);
  const total = offline + countOf(onlineSteps ?? "0");
  return { ...sources, sets, flags: { ...sources.flags, totalTimesteps: total } };
}

/** "100k", "1e5", "2M" as a number. */
function countOf(text: string): number {
  const match = /^([\d._]+(?:e\d+)?)([kM]?)$/.exec(text.trim());
  const value = match ? Number(match[1]!.replaceAll("_", "")) : Number.NaN;
  if (!Number.isFinite(value))
    throw new Error(`wanted a count such as 20000, 2e4 or 20k, got "${text}"`);
  return Math.round(value * { "": 1, k: 1e3, M: 1e6 }[match![2] as "" | "k" | "M"]);
}
