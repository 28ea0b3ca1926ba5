// What a run came to, in a few lines, and the commands that go on from it.

import { readMetrics } from "../train/metrics.ts";
import type { Outcome } from "../train/session.ts";
import { formatCount, formatNumber, formatTime } from "./progress.ts";

/** Lines to print when a training has ended. */
export async function summary(folder: string, outcome: Outcome): Promise<string[]> {
  const rows = readMetrics(folder);
  const evaluations = rows.filter((row) => row["eval/mean_reward"] !== undefined);
  const last = rows.at(-1);
  const lines: string[] = [];
  const ends = { finished: "finished", stopped: "stopped", reachedTarget: "reached its target" };
  const seconds = last && rows[0] ? last.wallTime - rows[0].wallTime : 0;
  lines.push(
    `${ends[outcome]} at step ${formatCount(last?.step ?? 0)} after ${formatTime(seconds)}`,
  );
  const best = evaluations.reduce<(typeof rows)[number] | undefined>(
    (a, b) => (a && a["eval/mean_reward"]! >= b["eval/mean_reward"]! ? a : b),
    undefined,
  );
  if (best) lines.push(`best policy, of step ${formatCount(best.step)}: ${describe(best)}`);
  if (outcome === "stopped") lines.push(`go on    salle resume ${folder}`);
  lines.push(`judge    salle eval ${folder}`);
  lines.push(`export   salle export ${folder} --onnx policy.onnx`);
  return lines;
}

function describe(row: Readonly<Record<string, number | undefined>>): string {
  const parts = [
    `return ${formatNumber(row["eval/mean_reward"]!)} ± ${formatNumber(row["eval/std_reward"]!)}`,
  ];
  if (row["eval/speed"] !== undefined) parts.push(`${formatNumber(row["eval/speed"])} m/s`);
  const falls = row["eval/termination_rate"] ?? 0;
  if (falls > 0) parts.push(`${Math.round(100 * falls)} % of episodes terminated`);
  return parts.join(", ");
}
