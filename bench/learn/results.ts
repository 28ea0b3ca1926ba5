// `npm run results`: writes docs/results/learning.md and its curves from the runs that the benchmark of
// learning kept; every seed, also the bad ones.

import { mkdirSync, writeFileSync } from "node:fs";
import { curvesSvg, groupCurves } from "../../cli/curves.ts";
import { machine, markdownTable } from "../report.ts";
import { comparison } from "./comparison.ts";
import type { Gait } from "./gait.ts";
import { goals } from "./goals.ts";
import { readLearned } from "./index.ts";
import type { LearnedRun } from "./trainRun.ts";

const folder = "docs/results";

function groupName({ task, algorithm, minutes }: LearnedRun): string {
  return `${task}, ${algorithm}, ${Number(minutes.toPrecision(3))} min`;
}

function membersOf(name: string): LearnedRun[] {
  return learned.filter((run) => groupName(run) === name);
}

function head(): string {
  return `# Learning in minutes

Made by \`npm run bench -- learn\` and \`npm run results\` on ${machine()}.

Each run had a wall time from its command to its end, evaluations included. Its best checkpoint was
evaluated on 32 starts that training never saw: "speed" is the distance covered over the whole episode's
time, falls included. "Steady" figures are of 8 other starts of 20 s, from 2 s on: at the physics step
of training, and at half of it with the same control rate. "Sinking" is the deepest contact with the ground
at the ends of control steps, "beyond range" the farthest that a joint passed its limit. "Sideways" is the mean
size of the velocity along y, swaying included; "crab" the mean velocity to the robot's own left over a start.
Where velocities are commanded, "error of command" is the mean distance between a command and the mean velocity
from 1 s after it on. Load is the system's
of the last minute before and after a run: what a run of its own leaves at the start is near 0.
`;
}

function section(name: string, runs: readonly LearnedRun[]): string {
  const sorted = [...runs].sort((a, b) => a.seed - b.seed);
  const { task, command } = sorted[0]!;
  const goal = goals[task];
  const wanted = goal ? `Goal in ${goal.minutes} min: ${goal.name} ${goal.wanted}.\n` : "";
  const lines = [
    `## ${name}`,
    "",
    `${wanted}\`\`\`\n${command.replace(/--seed \d+/, "--seed N")}\n\`\`\`\n`,
    ...table(sorted),
    "",
  ];
  const picture = drawn(name, sorted);
  return [
    ...lines,
    ...(picture === null ? [] : [`![speed by control steps](${picture})`, ""]),
  ].join("\n");
}

const columns: readonly (readonly [title: string, cell: (run: LearnedRun) => string])[] = [
  ["seed", ({ seed }) => `${seed}`],
  ["date", ({ date }) => date.slice(0, 10)],
  ["commit", ({ commit }) => commit ?? "-"],
  ["s", ({ seconds }) => seconds.toFixed(0)],
  ["load", ({ load }) => load.map((x) => x.toFixed(1)).join(" to ")],
  ["steps", ({ steps }) => `${steps}`],
  ["updates", ({ updates }) => `${updates}`],
  ["goal", (run) => verdict(run)],
  ["speed m/s", ({ evaluation }) => figure(evaluation.speed)],
  ["falls %", ({ evaluation }) => figure(100 * evaluation.falls)],
  ["power W", ({ evaluation }) => figure(evaluation.power)],
  ["steady m/s", ({ check }) => figure(check.gait.speed)],
  ["at half the step", ({ check }) => figure(check.finer.speed)],
  ["sinking mm, half", ({ check: { gait, finer } }) => pair(gait.sinking, finer.sinking)],
  ["beyond range rad", ({ check }) => figure(check.gait.overshoot)],
  ["sideways m/s", ({ check }) => figure(check.gait.sideways)],
  ["crab m/s", ({ check }) => figure(check.gait.crab)],
  ["turned rad", ({ check }) => figure(check.gait.headingDrift)],
  ["airborne %", ({ check }) => figure(100 * check.gait.airborne)],
  ["steps Hz", ({ check }) => figure(check.gait.stepFrequency)],
  ["falls in 20 s %", ({ check }) => figure(100 * check.gait.falls)],
  ["error of command m/s, half", ({ check: { gait, finer } }) => errors(gait, finer)],
];

function table(runs: readonly LearnedRun[]): string[] {
  return markdownTable(
    columns.map(([title]) => title),
    runs.map((run) => columns.map(([, cell]) => cell(run))),
  );
}

function verdict(run: LearnedRun): string {
  const goal = goals[run.task];
  if (goal === undefined || run.minutes > goal.minutes) return "-";
  return goal.isReached(run) ? "reached" : "missed";
}

/** Draws the speeds of evaluations, seeds as a band; null where the task has no speed. */
function drawn(name: string, runs: readonly LearnedRun[]): string | null {
  const curves = runs.map(({ curve }) => ({
    group: name,
    points: curve
      .map(({ step, speed }) => ({ step, value: speed ?? Number.NaN }))
      .filter(({ value }) => Number.isFinite(value)),
  }));
  if (curves.every(({ points }) => points.length === 0)) return null;
  const file = `${name.replaceAll(/[^\w.]+/g, "-")}.svg`;
  writeFileSync(`${folder}/${file}`, curvesSvg(groupCurves(curves), "speed in m/s"));
  return file;
}

function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "-";
  return Math.abs(value) < 5e-4 ? "0" : String(Number(value.toPrecision(3)));
}

function errors({ commandError: a }: Gait, { commandError: b }: Gait): string {
  return a === null || b === null ? "-" : pair(a, b);
}

function pair(a: number, b: number): string {
  return `${figure(a)}, ${figure(b)}`;
}

// Last, when the columns above are there.
const learned = readLearned();
if (learned.length === 0)
  throw new Error("no runs yet; make some with: npm run bench -- learn --task hopper-hop");
mkdirSync(folder, { recursive: true });
const names = [...new Set(learned.map(groupName))];
const sections = names.map((name) => section(name, membersOf(name)));
const tasks = [...new Set(learned.map(({ task }) => task))];
const comparisons = tasks.flatMap((task) => {
  const runs = learned.filter((run) => run.task === task);
  const algorithms = new Set(runs.map(({ algorithm }) => algorithm));
  return algorithms.size > 1 ? [comparison(task, runs, folder)] : [];
});
writeFileSync(`${folder}/learning.md`, [head(), ...comparisons, ...sections].join("\n"));
console.log(`wrote ${folder}/learning.md from ${learned.length} runs`);
