// What a run came to, in a few lines, and the commands that go on from it.

import { join } from "node:path";
import { readMetrics } from "../train/metrics.ts";
import { returnMetric } from "../train/runSummary.ts";
import type { Outcome } from "../train/session.ts";
import { switchDropOf } from "../train/switchDrop.ts";
import { formatCount, formatNumber, formatTime } from "./progress.ts";
import { plotRuns } from "./runs.ts";

/** Draws the curve, and returns the lines to print when a training has ended. */
export async function summary(folder: string, step: number, outcome: Outcome): Promise<string[]> {
  const rows = readMetrics(folder);
  const evaluations = rows.filter((row) => row[returnMetric] !== undefined);
  const last = rows.at(-1);
  const lines: string[] = [];
  const ends = { finished: "finished", stopped: "stopped", reachedTarget: "reached its target" };
  const seconds = last && rows[0] ? last.wallTime - rows[0].wallTime : 0;
  lines.push(`${ends[outcome]} at step ${formatCount(step)} after ${formatTime(seconds)}`);
  const best = evaluations.reduce<(typeof rows)[number] | undefined>(
    (a, b) => (a && a[returnMetric]! >= b[returnMetric]! ? a : b),
    undefined,
  );
  if (best) lines.push(`best policy, of step ${formatCount(best.step)}: ${describe(best)}`);
  const drop = switchDropOf(folder);
  if (drop) {
    const [offline, worst, final] = [drop.offlineEnd, drop.worst, drop.final].map(formatNumber);
    const at = formatCount(drop.worstStep);
    lines.push(
      `at the switch: return ${offline} before, ${worst} at worst (step ${at}), ${final} last`,
    );
  }
  if (evaluations.length > 1) {
    const picture = join(folder, "curve.png");
    await plotRuns([folder], returnMetric, picture);
    lines.push(`curve    ${picture}`);
  }
  if (outcome === "stopped") lines.push(`go on    salle resume ${folder}`);
  lines.push(`watch    salle view ${folder}`);
  lines.push(`judge    salle eval ${folder}`);
  lines.push(`export   salle export ${folder} --onnx policy.onnx`);
  return lines;
}

function describe(row: Readonly<Record<string, number | undefined>>): string {
  const parts = [
    `return ${formatNumber(row[returnMetric]!)} ± ${formatNumber(row["eval/std_reward"]!)}`,
  ];
  if (row["eval/speed"] !== undefined) parts.push(`${formatNumber(row["eval/speed"])} m/s`);
  const falls = row["eval/termination_rate"] ?? 0;
  if (falls > 0) parts.push(`${Math.round(100 * falls)} % of episodes terminated`);
  return parts.join(", ");
}
