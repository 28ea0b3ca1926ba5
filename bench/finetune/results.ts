// `npm run results:finetune -- <run or folder of runs> …`: judges runs that began with a policy or with data, keeps the
// figures in docs/results/finetune.json and writes docs/results/finetune.md from all that are kept there.
//
// A run and the base that it keeps are judged on the same 100 starts, which no training of that seed saw. Steps to
// a success rate are those of the run's own evaluations, its wall time is from meta.json.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createVecEnv, type VecEnv } from "../../sim/vecEnv.ts";
import { taskSource } from "../../tasks/index.ts";
import { baseOf } from "../../train/base.ts";
import { algorithmNamed } from "../../train/config.ts";
import { runEpisodes } from "../../train/evaluate.ts";
import { readMetrics } from "../../train/metrics.ts";
import { baseFolder, loadPolicy, readRunConfig } from "../../train/policy.ts";
import { readMeta } from "../../train/runMeta.ts";
import { machine } from "../report.ts";

const numEpisodes = 100;
const seed = 4242; // of the starts
const file = "docs/results/finetune.json";
const page = "docs/results/finetune.md";

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
    commands: [...(given ? [commandOf(baseOf(given).run)] : []), argv.join(" ")],
  };
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
  const percent = (x: number | null) => (x === null ? "-" : `${Math.round(100 * x)} %`);
  const cells = (r: Tuned) => [
    r.task,
    r.method,
    r.seed,
    percent(r.baseSuccess),
    percent(r.success),
    r.stepsTo90 ?? "-",
    r.stepsTo95 ?? "-",
    r.steps,
    r.status,
    r.seconds.toFixed(0),
    r.commit,
  ];
  const line = (row: readonly unknown[]) => `| ${row.join(" | ")} |`;
  const titles = "task,method,seed,base,success,steps to 90 %,to 95 %,steps,end,s,commit".split(
    ",",
  );
  const succeeding = runs.filter(({ returns }) => returns === undefined);
  const returning = runs.filter(({ returns }) => returns !== undefined);
  const returnCells = (r: Tuned) => {
    const { base, tuned } = r.returns!;
    const growth = base === null ? "-" : `${Math.round(100 * (tuned / base - 1))} %`;
    const figures = [base === null ? "-" : base.toFixed(1), tuned.toFixed(1), growth];
    return [
      r.task,
      r.method,
      r.seed,
      ...figures,
      r.steps,
      r.status,
      r.seconds.toFixed(0),
      r.commit,
    ];
  };
  const returnTitles = "task,method,seed,base,return,growth,steps,end,s,commit".split(",");
  return `# Making policies better

Written by \`npm run results:finetune\` from runs' own files on ${machine()}; do not edit.

Base and result are judged on the same ${numEpisodes} fresh starts, each with its best checkpoint. Steps to a success
rate are those of the run's own evaluations. Seconds are wall time from command to end, evaluations
included, on a machine that had other work. Every run that was kept is here, the bad ones too.

${[titles, titles.map(() => "---"), ...succeeding.map(cells)].map(line).join("\n")}

Of tasks that know no success, mean returns over the same starts:

${[returnTitles, returnTitles.map(() => "---"), ...returning.map(returnCells)].map(line).join("\n")}

\`\`\`sh
${[...new Set(runs.flatMap(({ commands }) => commands))].join("\n")}
\`\`\`
`;
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
mkdirSync("docs/results", { recursive: true });
writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
writeFileSync(page, pageOf(all));
console.log(`wrote ${page} from ${all.length} runs`);
