// `npm run results:finetune -- <run or folder of runs> …`: judges runs that began with a policy or with data, keeps the
// figures in docs/results/finetune.json and writes docs/results/finetune.md from all that are kept there.
//
// A run and the base that it keeps are judged on the same 100 starts, which no training of that seed saw. Steps to
// a success rate are those of the run's own evaluations, its wall time is from meta.json.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { curvesSvg, groupCurves } from "../../cli/curves.ts";
import { createVecEnv, type VecEnv } from "../../sim/vecEnv.ts";
import { taskSource } from "../../tasks/index.ts";
import { baseOf } from "../../train/base.ts";
import { algorithmNamed } from "../../train/config.ts";
import { runEpisodes } from "../../train/evaluate.ts";
import { type MetricsRow, readMetrics } from "../../train/metrics.ts";
import { baseFolder, loadPolicy, readRunConfig } from "../../train/policy.ts";
import { readMeta } from "../../train/runMeta.ts";
import { type Point, returnMetric, seriesOf } from "../../train/runSummary.ts";
import { machine, markdownTable } from "../report.ts";

const numEpisodes = 100;
const seed = 4242; // of the starts
const pictures = "docs/results";
const file = `${pictures}/finetune.json`;
const page = `${pictures}/finetune.md`;

/** What is kept of a run. */
interface Tuned {
  readonly name: string;
  readonly task: string;
  readonly method: string;
  readonly seed: number;
  readonly date: string;
  readonly commit: string;
  readonly status: string;
  /** Shares of the episodes; null where there is no base, or the task knows no success. */
  readonly baseSuccess: number | null;
  readonly success: number | null;
  /** Mean returns, of a task that knows no success. */
  readonly returns?: { readonly base: number | null; readonly tuned: number };
  readonly steps: number;
  /** Control steps until an evaluation of the run reached it; null: none did. */
  readonly stepsTo90: number | null;
  readonly stepsTo95: number | null;
  readonly seconds: number;
  /** The run's own evaluations by control steps: success rates, where the task knows success, or mean returns. */
  readonly curve?: readonly Point[];
  /** What made the base, then the run. */
  readonly commands: readonly string[];
}

function isTuned(run: string): boolean {
  if (!existsSync(join(run, "config.yaml")) || readMeta(run).status === "running") return false;
  const { needs = [], family } = algorithmNamed(readRunConfig(run).algorithm);
  return family !== "clone" && needs.length > 0;
}

async function tunedOf(run: string): Promise<Tuned> {
  const { algorithm, task, train, base: given } = readRunConfig(run);
  const { started, ended, status, gitCommit, argv } = readMeta(run);
  const rows = readMetrics(run);
  const reached = (rate: number) =>
    rows.find((row) => Number(row["eval/success_rate"]) >= rate)?.step ?? null;
  const folder = baseFolder(run);
  const base = existsSync(folder) ? await judged(folder) : null;
  const own = await judged(run);
  return {
    name: basename(run),
    task,
    method: algorithm,
    seed: train.seed,
    date: started,
    commit: (gitCommit ?? "-").slice(0, 7),
    status,
    baseSuccess: base?.success ?? null,
    success: own.success,
    ...(own.success === null && {
      returns: { base: base?.meanReturn ?? null, tuned: own.meanReturn },
    }),
    steps: rows.at(-1)?.step ?? 0,
    stepsTo90: reached(0.9),
    stepsTo95: reached(0.95),
    seconds: ended === null ? Number.NaN : (Date.parse(ended) - Date.parse(started)) / 1000,
    curve: curveOf(rows, own.success !== null),
    commands: [...(given ? [commandOf(baseOf(given).run)] : []), argv.join(" ")],
  };
}

function curveOf(rows: readonly MetricsRow[], succeeds: boolean): Point[] {
  return seriesOf(rows, succeeds ? "eval/success_rate" : returnMetric);
}

function commandOf(run: string): string {
  return readMeta(run).argv.join(" ");
}

/** Envs of each task, made before any program: what compiles programs can't begin physics afterwards. */
async function openEnvs(runs: readonly string[]): Promise<Map<string, VecEnv>> {
  const envs = new Map<string, VecEnv>();
  for (const task of new Set(runs.map((run) => readRunConfig(run).task))) {
    const options = { numEnvs: numEpisodes, seed, numWorkers: 1 };
    envs.set(task, await createVecEnv(await taskSource(task), options));
  }
  return envs;
}

/** The best checkpoint over the fresh episodes: the share that succeeded, where the task knows it, and the mean return. */
async function judged(folder: string): Promise<{ success: number | null; meanReturn: number }> {
  const policy = await loadPolicy(folder, undefined, { numRows: numEpisodes });
  const env = envs.get(policy.config.task)!;
  const act = (rows: Float32Array, begins: Uint8Array) => policy.act(rows, begins);
  const { successes, returns } = await runEpisodes(env, seed, act);
  await policy.dispose();
  const share = successes.filter(Boolean).length / numEpisodes;
  const meanReturn = returns.reduce((sum, x) => sum + x, 0) / numEpisodes;
  return { success: policy.task.success ? share : null, meanReturn };
}

function kept(): Tuned[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Tuned[]) : [];
}

function pageOf(runs: readonly Tuned[]): string {
  const succeeding = runs.filter(({ returns }) => returns === undefined);
  const returning = runs.filter(({ returns }) => returns !== undefined);
  const tasks = [...new Set(runs.map(({ task }) => task))];
  return [
    `# Making policies better

Written by \`npm run results:finetune\` from runs' own files on ${machine()}; do not edit.

Base and result are judged on the same ${numEpisodes} fresh starts, each with its best checkpoint. Steps to a success
rate are those of the run's own evaluations. Seconds are wall time from command to end, evaluations
included, on a machine that had other work. Every run that was kept is here, the bad ones too.
`,
    ...markdownTable(
      "task,method,seed,base,success,steps to 90 %,to 95 %,steps,end,s,commit".split(","),
      succeeding.map((r) => [
        ...[r.task, r.method, r.seed, percent(r.baseSuccess), percent(r.success)],
        ...[r.stepsTo90 ?? "-", r.stepsTo95 ?? "-", ...endOf(r)],
      ]),
    ),
    "\nOf tasks that know no success, mean returns over the same starts:\n",
    ...markdownTable(
      "task,method,seed,base,return,growth,steps,end,s,commit".split(","),
      returning.map((r) => {
        const { base, tuned } = r.returns!;
        const returns = [base?.toFixed(1) ?? "-", tuned.toFixed(1), percent(growthOf(r))];
        return [r.task, r.method, r.seed, ...returns, ...endOf(r)];
      }),
    ),
    "\nMeans over seeds of the same policy, settings and steps; what was set is beside the presets of a run's commit.\n",
    ...markdownTable(
      "task,method,set,steps,base,seeds,mean return,grown".split(","),
      returning
        .map(groupOf)
        .filter(isFirst)
        .map((of) => meansOf(returning, of)),
    ),
    "\nThe runs' own evaluations, of fewer starts; runs of before curves were kept have none.\n",
    ...tasks.flatMap((task) => drawn(task, runs)),
    "```sh",
    ...new Set(runs.flatMap(({ commands }) => commands)),
    "```\n",
  ].join("\n");
}

function percent(share: number | null): string {
  return share === null ? "-" : `${Math.round(100 * share)} %`;
}

function endOf({ steps, status, seconds, commit }: Tuned): readonly unknown[] {
  return [steps, status, seconds.toFixed(0), commit];
}

function growthOf({ returns }: Tuned): number | null {
  return returns?.base ? returns.tuned / returns.base - 1 : null;
}

/** What runs share that differ in their seed alone. */
function groupOf(run: Tuned): string {
  const { task, method, returns, steps } = run;
  return [task, method, returns?.base?.toFixed(1) ?? "-", steps, settingsOf(run)].join();
}

/** What the command set beside its preset: "discount 0.95, lambda 0.9". */
function settingsOf({ commands }: Tuned): string {
  return [...commands.at(-1)!.matchAll(/--set (?:algo|train)\.(\w+)=(\S+)/g)]
    .map(([, name, value]) => `${name} ${value}`)
    .join(", ");
}

const isFirst = (group: string, i: number, all: readonly string[]) => all.indexOf(group) === i;

function meansOf(runs: readonly Tuned[], group: string): readonly unknown[] {
  const members = runs.filter((run) => groupOf(run) === group);
  const { task, method, returns, steps } = members[0]!;
  const tuned = members.reduce((sum, run) => sum + run.returns!.tuned, 0) / members.length;
  const base = returns!.base;
  const seeds = members.map(({ seed }) => seed).join(" ");
  const grown = base === null ? "-" : percent(tuned / base - 1);
  const set = settingsOf(members[0]!) || "-";
  return [task, method, set, steps, base?.toFixed(1) ?? "-", seeds, tuned.toFixed(1), grown];
}

/** The picture of a task's curves, a curve for runs that differ in their seed alone; none without two points. */
function drawn(task: string, runs: readonly Tuned[]): string[] {
  const curves = runs
    .filter((run) => run.task === task && run.curve !== undefined && run.curve.length > 1)
    .map((run) => ({ group: labelOf(run), points: run.curve! }));
  if (curves.length === 0) return [];
  const name = `${task}-finetune.svg`;
  const metric = runs.find((run) => run.task === task)!.returns
    ? "mean return of evaluations"
    : "success rate of evaluations";
  writeFileSync(`${pictures}/${name}`, curvesSvg(groupCurves(curves), metric));
  return [`![${task}](${name})\n`];
}

function labelOf(run: Tuned): string {
  const { method, returns, baseSuccess, steps } = run;
  const base = returns ? returns.base?.toFixed(0) : percent(baseSuccess);
  const begun = base === undefined || base === "-" ? method : `${method} from ${base}`;
  return [begun, settingsOf(run), `${Math.round(steps / 1000)}k steps`].filter(Boolean).join(", ");
}

/** A run, or those in a folder. */
function runsIn(folder: string): string[] {
  const isRun = existsSync(join(folder, "config.yaml"));
  return isRun ? [folder] : readdirSync(folder).map((name) => join(folder, name));
}

const runs = process.argv.slice(2).flatMap(runsIn).filter(isTuned);
const envs = await openEnvs(runs);
const fresh: Tuned[] = [];
for (const run of runs) fresh.push(await tunedOf(run));
for (const env of envs.values()) env.dispose();
const isNew = (old: Tuned) =>
  fresh.every(({ name, date }) => name !== old.name || date !== old.date);
const all = [...kept().filter(isNew), ...fresh].sort(
  (a, b) => a.task.localeCompare(b.task) || a.method.localeCompare(b.method) || a.seed - b.seed,
);
if (all.length === 0)
  throw new Error("no runs yet: npm run results:finetune -- <run or folder of runs>");
mkdirSync(pictures, { recursive: true });
writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
writeFileSync(page, pageOf(all));
console.log(`wrote ${page} from ${all.length} runs`);
