// Algorithms beside each other on one task, by wall time from the command on: a table and its picture.

import { writeFileSync } from "node:fs";
import { curvesSvg, groupCurves } from "../../cli/curves.ts";
import { valueAt } from "../../train/runSummary.ts";
import { markdownTable } from "../report.ts";
import type { LearnedRun } from "./trainRun.ts";

/** The section of docs/results/learning.md for a task that several algorithms learned, picture in `folder`. */
export function comparison(task: string, runs: readonly LearnedRun[], folder: string): string {
  const sorted = runs.toSorted(
    (a, b) => a.algorithm.localeCompare(b.algorithm) || a.seed - b.seed || a.minutes - b.minutes,
  );
  const curves = sorted.map((run) => ({ group: run.algorithm, points: returnsByMinute(run) }));
  const file = `${task}-algorithms.svg`;
  const metric = "mean return of evaluations";
  writeFileSync(`${folder}/${file}`, curvesSvg(groupCurves(curves), metric, "minutes"));
  return [
    `## Algorithms on ${task}`,
    "",
    "Mean returns so many minutes after the command, between evaluations in proportion; presets of each, all runs.",
    "",
    ...table(sorted),
    "",
    `![return by minutes](${file})`,
    "",
  ].join("\n");
}

/** `step` is the minute. */
function returnsByMinute({ curve }: LearnedRun) {
  return curve.map(({ minute, meanReturn }) => ({ step: minute, value: meanReturn }));
}

function table(runs: readonly LearnedRun[]): string[] {
  const last = Math.max(...runs.map(({ seconds }) => seconds / 60));
  const minutes = [1, 2, 3, 4, 6, 8, 10, 12, 16, 20].filter((minute) => minute < last);
  const head = ["algorithm", "seed", "load", "s", "steps", "updates"];
  const titles = [...head, ...minutes.map((m) => `${m} min`), "best", "its speed m/s", "falls %"];
  const error = runs.some(({ check }) => check.gait.commandError !== null);
  if (error) titles.push("error of command m/s");
  return markdownTable(titles, runs.map(cells));

  function cells(run: LearnedRun): string[] {
    const { algorithm, seed, load, seconds, steps, updates, evaluation, check } = run;
    const curve = returnsByMinute(run);
    const early = minutes.map((minute) => figure(valueAt(curve, minute)));
    const begin = [algorithm, `${seed}`, load.map((x) => x.toFixed(1)).join(" to ")];
    const counts = [seconds.toFixed(0), `${steps}`, `${updates}`];
    const end = [evaluation.meanReturn, evaluation.speed, 100 * evaluation.falls].map(figure);
    return [...begin, ...counts, ...early, ...end, ...(error ? [figure(commandError(check))] : [])];
  }
}

const commandError = ({ gait }: LearnedRun["check"]) => gait.commandError ?? Number.NaN;

function figure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "-";
}
