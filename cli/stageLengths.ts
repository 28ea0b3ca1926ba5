// How long the two parts of a run on logged data are, as it is typed.

import type { Command } from "commander";
import type { OfflineConfig } from "../agents/agent.ts";
import { algorithmNamed, type ConfigSources, resolveConfig } from "../train/config.ts";
import { stageEnds } from "../train/offline.ts";

/** As they were typed. */
export interface StageLengths {
  readonly method: string;
  readonly offlineUpdates?: string;
  readonly onlineSteps?: string;
  readonly totalTimesteps?: string;
}

/** Adds the two options to a command. */
export function withLengthOptions(command: Command): Command {
  return command
    .option("--offline-updates <n>", "updates on the data alone; algo.offlineUpdates")
    .option("--online-steps <n>", "control steps after them, 100k; none where missing");
}

/** The run's length from those of its two parts, where the method has two. */
export async function withLengths(
  sources: ConfigSources,
  { method, offlineUpdates, onlineSteps, totalTimesteps }: StageLengths,
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
