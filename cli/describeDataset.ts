// What a dataset holds, in a few lines.

import { statSync } from "node:fs";
import { join } from "node:path";
import { Dataset, type DatasetInfo, type EpisodeInfo } from "../finetune/dataset.ts";
import { table } from "./output.ts";
import { formatNumber } from "./progress.ts";

/** A few lines about a dataset. */
export function describeDataset(path: string): string[] {
  const dataset = new Dataset(path);
  try {
    const { info, episodes, numSteps } = dataset;
    const head = `${info.task}: ${episodes.length} episodes, ${numSteps} steps of ${info.controlDt} s`;
    const origin = originOf(info.provenance).map((line) => `  ${line}`);
    if (episodes.length === 0) return [head, ...origin];
    const policies = [...new Set(episodes.map(({ policy }) => policy))];
    const rows = policies.map((policy) =>
      policyRow(
        policy,
        episodes.filter((e) => e.policy === policy),
      ),
    );
    const names = ["  policy", "episodes", "successful", "return", "least", "most", "length"];
    return [
      head,
      ...table([names, ...rows]),
      `  actions within ${actionRange(dataset)}`,
      ...keptOf(dataset),
      ...origin,
    ];
  } finally {
    dataset.close();
  }
}

/** What is kept beside the rows, where something is. */
function keptOf({ path, episodes }: Dataset): string[] {
  const numRecordings = episodes.filter(({ recording }) => recording).length;
  const numSnapshots = episodes.reduce((sum, { snapshots = [] }) => sum + snapshots.length, 0);
  const size = (name: string) => `${formatNumber(statSync(join(path, name)).size / 2 ** 20)} MiB`;
  const recordings = `  ${numRecordings} recordings, ${size("recordings.rec")}`;
  const states = `  ${numSnapshots} states to begin from, ${size("snapshots.bin")}`;
  return [...(numRecordings > 0 ? [recordings] : []), ...(numSnapshots > 0 ? [states] : [])];
}

/** The command that made a dataset, without its folders. */
export function makerOf({ provenance }: DatasetInfo): string {
  const { command } = provenance;
  if (typeof command !== "string") return "collect";
  return command.split(" ").slice(1, 3).join(" ");
}

/** Where a dataset comes from, a line each step back. */
function originOf(provenance: DatasetInfo["provenance"], indent = ""): string[] {
  const { command, from } = provenance;
  if (typeof command !== "string") return [];
  const sources = Array.isArray(from) ? (from as readonly Source[]) : [];
  return [
    `${indent}made by: ${command}`,
    ...sources.flatMap(({ path, numEpisodes, provenance: earlier }) => [
      `${indent}  of ${path}, ${numEpisodes} episodes`,
      ...originOf(earlier, `${indent}    `),
    ]),
  ];
}

interface Source {
  readonly path: string;
  readonly numEpisodes: number;
  readonly provenance: DatasetInfo["provenance"];
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
