// `npm run results:offline -- <runs>`: keeps the figures of finished runs on logged data in docs/results/offline.json,
// a later run of a name in place of an earlier one, and writes docs/results/offline.md from all that are kept there.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { curvesSvg, groupCurves } from "../../cli/curves.ts";
import { createRng } from "../../sim/rng.ts";
import { machine, markdownTable } from "../report.ts";
import { interquartileInterval, interquartileMean } from "./aggregate.ts";
import { type OfflineRun, readOfflineRuns } from "./offlineRuns.ts";

const pictures = "docs/results";
const file = `${pictures}/offline.json`;
const page = `${pictures}/offline.md`;

const kinds = ["medium-replay", "medium", "medium-expert"] as const;

function pageOf(runs: readonly OfflineRun[]): string {
  const offline = runs.filter(({ onlineSteps }) => onlineSteps === 0);
  const datasets = [...new Set(offline.map(({ dataset }) => dataset))].sort();
  return [
    `# Learning from logged data: results

Written by \`npm run results:offline\` from runs' own files on ${machine()}; do not edit.

Scores are 100 (R − random) / (expert − random) with each dataset's own references, so they can't stand beside
D4RL's. "Last" is the score of a run's last evaluation, the one to compare methods by; "best" is that of the
evaluation that came out best, which nobody can choose without a simulator. Runs are short, with narrow networks:
what methods are worth after the papers' million updates these tables do not say. Seconds are wall time on two
cores that other work shared. All runs that were kept are here, the bad ones too.
`,
    ...overview(offline),
    ...datasets.flatMap((dataset) => tableOf(offline.filter((run) => run.dataset === dataset))),
    ...onlineSection(runs.filter(({ onlineSteps }) => onlineSteps > 0)),
    "## Commands\n",
    "```sh",
    ...new Set(runs.map(({ command }) => command.replace(/--seed \d+/, "--seed N"))),
    "```\n",
  ].join("\n");
}

/** Interquartile means over all datasets of a kind, methods by what they make of medium-replay. */
function overview(runs: readonly OfflineRun[]): string[] {
  const of = (method: string, kind: string) =>
    runs.filter((run) => run.method === method && run.dataset.endsWith(`-${kind}`));
  const worth = (method: string) => interquartileMean(of(method, kinds[0]).map(last));
  const methods = [...new Set(runs.map(({ method }) => method))].sort(
    (a, b) => (worth(b) || 0) - (worth(a) || 0),
  );
  const cloned = worth("BC");
  const rows = methods.map((method) => [
    method,
    ...kinds.map((kind) => summary(of(method, kind))),
    method === "BC" || Number.isNaN(worth(method))
      ? "-"
      : worth(method) > cloned
        ? "yes"
        : "**no**",
  ]);
  return [
    "## Interquartile means of last scores\n",
    "With the interval that holds 95 % of the means of runs drawn anew (stratified bootstrap over datasets), and",
    "how many runs there are. One seed a dataset has an interval of no width: it says nothing. Where methods have other",
    "numbers of runs, compare them dataset by dataset, below.\n",
    ...markdownTable(["method", ...kinds, "better than BC on medium-replay"], rows),
    "",
  ];
}

function summary(runs: readonly OfflineRun[]): string {
  if (runs.length === 0) return "-";
  const datasets = [...new Set(runs.map(({ dataset }) => dataset))];
  const strata = datasets.map((name) => runs.filter(({ dataset }) => dataset === name).map(last));
  const [low, high] = interquartileInterval(strata, createRng(1));
  const value = interquartileMean(strata.flat());
  return `${figure(value)} [${figure(low)}, ${figure(high)}], ${runs.length}`;
}

function tableOf(runs: readonly OfflineRun[]): string[] {
  const { dataset, references } = runs[0]!;
  const methods = [...new Set(runs.map(({ method }) => method))];
  const rows = methods
    .map((method) => runs.filter((run) => run.method === method))
    .sort((a, b) => mean(b.map(last)) - mean(a.map(last)))
    .map((of) => {
      const sorted = of.toSorted((a, b) => a.seed - b.seed);
      return [
        of[0]!.method,
        sorted.map(({ seed }) => seed).join(", "),
        sorted.map((run) => figure(last(run))).join(", "),
        figure(mean(of.map(last))),
        figure(mean(of.map(best))),
        of[0]!.updates,
        Math.round(mean(of.map(({ seconds }) => seconds))),
      ];
    });
  const { random, expert, numEpisodes } = references;
  return [
    `## ${dataset}\n`,
    `random ${random.toFixed(1)}, expert ${expert.toFixed(1)} (${numEpisodes} episodes each)\n`,
    ...markdownTable(["method", "seeds", "last", "their mean", "best", "updates", "s"], rows),
    "",
  ];
}

function onlineSection(runs: readonly OfflineRun[]): string[] {
  if (runs.length === 0) return [];
  const rows = runs.toSorted(order).map((run) => {
    const online = run.curve.filter(({ step }) => step >= run.updates).map(({ score }) => score);
    const [before, ...after] = online as [number, ...number[]];
    const worst = Math.min(...after);
    const drop =
      before > 0 ? `${Math.max(0, Math.round((100 * (before - worst)) / before))} %` : "-";
    const scores = [before, worst, after.at(-1)!].map(figure);
    return [
      run.dataset,
      run.method,
      run.seed,
      ...scores,
      drop,
      run.onlineSteps,
      Math.round(run.seconds),
    ];
  });
  const titles = "dataset,method,seed,before the switch,worst,last,lost at worst,control steps,s";
  const datasets = [...new Set(runs.map(({ dataset }) => dataset))].sort();
  return [
    "## Online after it\n",
    "Scores of the evaluation at the switch, of the worst one after it and of the last.\n",
    ...markdownTable(titles.split(","), rows),
    "",
    ...datasets.map((dataset) => `![${dataset}](${drawn(dataset, runs)})\n`),
  ];
}

/** Control steps after the switch against scores. */
function drawn(dataset: string, runs: readonly OfflineRun[]): string {
  const curves = runs
    .filter((run) => run.dataset === dataset)
    .map(({ method, curve, updates }) => ({
      group: method,
      points: curve
        .filter(({ step }) => step >= updates)
        .map(({ step, score }) => ({ step: step - updates, value: score })),
    }));
  const name = `${dataset}-online.svg`;
  const across = "control steps after the switch";
  writeFileSync(`${pictures}/${name}`, curvesSvg(groupCurves(curves), "normalised score", across));
  return name;
}

const last = ({ curve, updates }: OfflineRun) =>
  curve.findLast(({ step }) => step <= updates)?.score ?? Number.NaN;
const best = ({ curve, updates }: OfflineRun) =>
  Math.max(...curve.filter(({ step }) => step <= updates).map(({ score }) => score));
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
const figure = (value: number) => (Math.abs(value) < 0.05 ? "0.0" : value.toFixed(1));

function order(a: OfflineRun, b: OfflineRun): number {
  return a.dataset.localeCompare(b.dataset) || a.method.localeCompare(b.method) || a.seed - b.seed;
}

const folder = process.argv[2];
const fresh = folder === undefined ? [] : readOfflineRuns(folder);
const names = new Set(fresh.map(({ name }) => name));
const kept: OfflineRun[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
const all = [...kept.filter(({ name }) => !names.has(name)), ...fresh].sort(order);
if (all.length === 0) throw new Error("no runs yet: npm run results:offline -- <folder of runs>");
writeFileSync(file, `${JSON.stringify(all)}\n`);
writeFileSync(page, pageOf(all));
console.log(`wrote ${page} from ${all.length} runs`);
