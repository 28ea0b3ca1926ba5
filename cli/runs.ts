// salle runs: what was trained, side by side, and its curves.

import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { Command } from "commander";
import { didYouMean } from "../sim/source.ts";
import { readMetrics } from "../train/metrics.ts";
import {
  type RunSummary,
  returnMetric,
  seriesOf,
  summarizeRun,
  valueAt,
} from "../train/runSummary.ts";
import { curvesSvg, groupCurves, hasFonts, pngOf } from "./curves.ts";
import { print, table } from "./output.ts";
import { findRun, runFolders } from "./runFolders.ts";

export function runsCommand(): Command {
  return new Command("runs")
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(compareCommand())
    .addCommand(plotCommand());
}

function listCommand(): Command {
  return new Command("list")
    .description("list the runs of a folder")
    .option("--runs <folder>", "where runs are", "runs")
    .option("--json", "print the list as JSON")
    .allowExcessArguments()
    .action(({ runs, json = false }: { runs: string; json?: boolean }, { args }: Command) => {
      const [word] = args;
      if (word !== undefined) throw new Error(noSuchCommand(word));
      const summaries = runFolders(runs).map(summarizeRun);
      if (json) return print(JSON.stringify(summaries, null, 2));
      if (summaries.length === 0) return print(`no runs in ${runs}/; \`salle train\` makes one`);
      const head = ["name", "task", "algorithm", "steps", "best", "last", "status", "age"];
      for (const row of table([head, ...summaries.map(listRow)])) print(row);
      for (const { name, problem } of summaries) if (problem !== null) print(`${name}: ${problem}`);
    });
}

/** `salle runs` alone lists: another word is a command that is not there. */
function noSuchCommand(word: string): string {
  const known = ["list", "compare", "plot"];
  return `salle runs has no "${word}"${didYouMean(word, known)}; known: ${known.join(", ")}`;
}

function listRow(run: RunSummary): string[] {
  const { name, task, algorithm, steps, best, last, status, started } = run;
  const age = started === null ? "?" : ageOf(Date.now() - Date.parse(started));
  return [name, task, algorithm, `${steps}`, rounded(best), rounded(last), status, age];
}

const comparedSteps = 5;
const finalMetrics = [
  returnMetric,
  "eval/mean_ep_length",
  "eval/success_rate",
  "rollout/ep_rew_mean",
  "time/fps",
  "time/time_elapsed",
];

function compareCommand(): Command {
  return new Command("compare")
    .description("show runs side by side, at equal steps and at their ends")
    .argument("<runs...>", "folders of runs, or names within runs/")
    .option("--metric <name>", "what is compared at equal steps", returnMetric)
    .option("--runs <folder>", "where runs are", "runs")
    .option("--json", "print the numbers as JSON")
    .action((names: string[], options: { metric: string; runs: string; json?: boolean }) => {
      const comparison = compareRuns(
        names.map((name) => findRun(name, options.runs)),
        options.metric,
      );
      if (options.json) return print(JSON.stringify(comparison, null, 2));
      for (const [i, { name }] of comparison.runs.entries()) print(`${letter(i)}  ${name}`);
      print("");
      const head = ["", ...comparison.runs.map((_, i) => letter(i))];
      const rows = comparison.rows.map(({ label, values }) => [label, ...values.map(rounded)]);
      for (const row of table([head, ...rows])) print(row);
    });
}

interface Comparison {
  readonly runs: readonly RunSummary[];
  /** null where a run has no such value. */
  readonly rows: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
}

/** A metric at steps that all runs have reached, then what each run ended with. */
function compareRuns(folders: readonly string[], metric: string): Comparison {
  const runs = folders.map(summarizeRun);
  const all = folders.map(readMetrics);
  const series = all.map((rows) => seriesOf(rows, metric));
  const reached = Math.min(...series.map((points) => points.at(-1)?.step ?? 0));
  const at = Array.from({ length: comparedSteps }, (_, i) => (reached * (i + 1)) / comparedSteps);
  const equal =
    reached === 0
      ? []
      : at.map((step) => ({
          label: `${metric} at ${Math.round(step)}`,
          values: series.map((points) => finite(valueAt(points, step))),
        }));
  const known = finalMetrics.filter((name) => all.some((rows) => rows.some((row) => name in row)));
  const last = (name: string) => all.map((rows) => finite(seriesOf(rows, name).at(-1)?.value));
  return {
    runs,
    rows: [
      ...equal,
      { label: "steps", values: runs.map(({ steps }) => steps) },
      { label: `best ${returnMetric}`, values: runs.map(({ best }) => best) },
      ...known.map((name) => ({ label: `last ${name}`, values: last(name) })),
    ],
  };
}

function plotCommand(): Command {
  return new Command("plot")
    .description("draw a metric of one or several runs; seeds of one setting become one curve")
    .argument("<runs...>", "folders of runs, or names within runs/")
    .option("--metric <name>", "what is drawn", returnMetric)
    .option("--out <file>", "picture, .svg or .png", "curve.svg")
    .option("--runs <folder>", "where runs are", "runs")
    .addHelpText(
      "after",
      `
Runs of one task and algorithm are drawn as their mean, over a band from the least to the most.

Example:
  salle runs plot runs/hopper-* --metric eval/mean_reward --out hopper.png`,
    )
    .action(async (names: string[], options: Record<"metric" | "out" | "runs", string>) => {
      const { metric, out, runs } = options;
      const folders = names.map((name) => findRun(name, runs));
      await plotRuns(folders, metric, out);
      print(`wrote ${out}`);
    });
}

/** Draws a metric of runs into a .svg or .png file; throws where none of them has it. */
export async function plotRuns(
  folders: readonly string[],
  metric: string,
  file: string,
): Promise<void> {
  if (!/\.(svg|png)$/.test(file)) throw new Error(`a picture ends in .svg or .png, got "${file}"`);
  const curves = folders.map((folder) => {
    const { task, algorithm } = summarizeRun(folder);
    return { group: `${basename(task)} ${algorithm}`, rows: readMetrics(folder) };
  });
  const points = curves.map(({ group, rows }) => ({ group, points: seriesOf(rows, metric) }));
  if (points.every((curve) => curve.points.length === 0)) {
    const known = new Set(curves.flatMap(({ rows }) => rows.flatMap((row) => Object.keys(row))));
    const names = [...known].filter((name) => name !== "step" && name !== "wallTime").sort();
    throw new Error(
      `none of the runs has "${metric}"; they have: ${names.join(", ") || "nothing"}`,
    );
  }
  const svg = curvesSvg(groupCurves(points), metric);
  const isPng = file.endsWith(".png");
  if (isPng && !(await hasFonts()))
    process.stderr.write(`${file} has no words: this system has no fonts; .svg has them\n`);
  writeFileSync(file, isPng ? await pngOf(svg) : svg);
}

function letter(i: number): string {
  return i < 26 ? String.fromCharCode(65 + i) : `run ${i + 1}`;
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function rounded(value: number | null): string {
  if (value === null) return "-";
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}

function ageOf(milliseconds: number): string {
  const minutes = milliseconds / 60_000;
  if (minutes < 60) return `${Math.max(0, Math.floor(minutes))} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}
