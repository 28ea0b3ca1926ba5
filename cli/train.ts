// salle train and salle resume: a run from its first step, or from its last checkpoint.

import { readFileSync } from "node:fs";
import { cpus, hostname, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { algorithms } from "../agents/index.ts";
import { type ConfigSources, resolveConfig } from "../train/config.ts";
import { readRunConfig } from "../train/policy.ts";
import { runName } from "../train/run.ts";
import { type RunOrigin, readMeta } from "../train/runMeta.ts";
import { type LearnerJob, startTrainer, type TrainingResult } from "../train/trainer.ts";
import { print } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { checkpointName, findRun } from "./runFolders.ts";
import { openShow } from "./show.ts";
import { summary } from "./summary.ts";
import { gitCommit, installedVersion, salleVersion } from "./version.ts";

interface TrainOptions {
  readonly task?: string;
  readonly env?: string;
  readonly envId?: string;
  readonly algo?: string;
  readonly seed?: string;
  readonly numEnvs?: string;
  readonly numWorkers?: string;
  readonly totalTimesteps?: string;
  readonly evalFreq?: string;
  readonly targetReturn?: string;
  readonly threads?: string;
  readonly device?: string;
  readonly physics?: string;
  readonly config?: string;
  readonly set: readonly string[];
  readonly name?: string;
  readonly runs: string;
  readonly viz: boolean;
}

export function trainCommand(): Command {
  return new Command("train")
    .argument("[task]", "a task's name, or a file: ./robot.xml, ./robot.urdf, ./task.json")
    .option("--task <name>", "the task; --env and --env-id mean the same")
    .option("--env <name>")
    .option("--env-id <name>")
    .option("--algo <name>", `one of ${Object.keys(algorithms).join(", ")}; sac where missing`)
    .option("--seed <n>", "equal seeds give equal runs, to the bit")
    .option("--num-envs <n>", "environments stepped together")
    .option("--num-workers <n>", "threads of physics")
    .option("--total-timesteps <n>", "control steps of all environments, 1e6 for a million")
    .option("--eval-freq <n>", "control steps between evaluations")
    .option("--target-return <r>", "stop once an evaluation's mean return reaches it")
    .option("--threads <n>", "threads of the learner's programs")
    .option("--device <name>", "where programs run; `salle doctor` says what works")
    .option("--physics <build>", "Rapier's build: simd, compat or deterministic")
    .option("--config <file.yaml>", "settings from a file, such as another run's config.yaml")
    .option("--set <key=value>", "one setting: algo.discount=0.98, train.saveFreq=5e4", collect, [])
    .option("--name <name>", "of the run; <task>__<algorithm>__<seed>__<time> where missing")
    .option("--runs <folder>", "where runs are", "runs")
    .option("--viz", "watch it learn in a browser", false)
    .addHelpText(
      "after",
      `
Settings come from the defaults, the preset of algorithm and task, --config, --set and the flags above,
later ones over earlier ones. They are written to the run's config.yaml, each with a line of help.
Ctrl-C saves, and says how to go on.

Examples:
  salle train hopper
  salle train ant --seed 2 --total-timesteps 5e5
  salle train cartpole --algo td3 --set algo.discount=0.98 --set train.evalEpisodes=20
  salle train ./my_robot.xml`,
    )
    .action(train);
}

export function resumeCommand(): Command {
  return new Command("resume")
    .argument("<run>", "a run's folder, its name, or how its name begins")
    .option("--from <which>", "last, best or a step", "last")
    .option("--runs <folder>", "where runs are", "runs")
    .option("--viz", "watch it learn in a browser", false)
    .addHelpText("after", "\nWhat the run logged after that checkpoint is cut away first.")
    .action(resume);
}

async function train(taskArgument: string | undefined, options: TrainOptions): Promise<void> {
  const config = await resolveConfig(sourcesOf(taskArgument, options));
  const name = options.name ?? runName(shortName(config.task), config.algorithm, config.train.seed);
  if (/[/\\]|^\.+$/.test(name)) throw new Error(`--name wants a folder's name, got "${name}"`);
  const folder = join(options.runs, name);
  await run({ config, folder, start: { type: "new", origin: origin() } }, options);
}

async function resume(
  name: string,
  options: { readonly from: string; readonly runs: string; readonly viz: boolean },
): Promise<void> {
  const { from, runs } = options;
  const folder = findRun(name, runs);
  if (readMeta(folder).status === "finished")
    throw new Error(`${folder} has finished; train a new run with --config ${folder}/config.yaml`);
  const config = readRunConfig(folder);
  const start = { type: "resume", from: checkpointName("--from", from), argv: argv() } as const;
  await run({ config, folder, start }, options);
}

/** Trains to the end, shows it, and leaves the exit code. */
async function run(
  job: Omit<LearnerJob, "control" | "poses">,
  { runs, viz }: { readonly runs: string; readonly viz: boolean },
): Promise<void> {
  const { config, folder } = job;
  const progress = new Progress(config.train.totalTimesteps);
  const show = viz ? await openShow(config, folder, runs, () => trainer.stop()) : null;
  if (show) progress.say(`watch it at ${show.url}`);
  const trainer = startTrainer(
    { ...job, poses: show?.poses },
    {
      opened(folder, step) {
        progress.begin(step);
        const from = step > 0 ? `, from step ${formatCount(step)}` : "";
        progress.say(`${config.algorithm} on ${shortName(config.task)} in ${folder}${from}`);
      },
      report(report) {
        progress.report(report);
        show?.report(report);
      },
    },
  );
  const release = onInterrupt(() => {
    progress.say("stopping after this step, and saving; Ctrl-C again quits at once");
    trainer.stop();
  });
  const result = await trainer.result;
  release();
  await show?.close();
  progress.end();
  await conclude(result);
}

async function conclude(result: TrainingResult): Promise<void> {
  const { folder, step, outcome, reason } = result;
  if (outcome === "failed") {
    process.exitCode = 1;
    process.stderr.write(`error: ${reason}\n`);
    return;
  }
  for (const line of await summary(folder, step, outcome)) print(line);
  if (outcome === "stopped") process.exitCode = 130;
}

/** Calls back at the first interrupt; the second ends the process. Returns what undoes it. */
function onInterrupt(first: () => void): () => void {
  let numCalls = 0;
  const listener = (): void => {
    numCalls++;
    if (numCalls === 1) first();
    else process.exit(130);
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return () => {
    process.off("SIGINT", listener);
    process.off("SIGTERM", listener);
  };
}

function sourcesOf(taskArgument: string | undefined, options: TrainOptions): ConfigSources {
  const named = [taskArgument, options.task, options.env, options.envId];
  const names = [...new Set(named.filter((name) => name !== undefined))];
  if (names.length > 1) throw new Error(`two tasks are named: ${names.join(" and ")}; name one`);
  const { seed, numEnvs, numWorkers, totalTimesteps, evalFreq, targetReturn } = options;
  const { threads, device, physics } = options;
  const rest = { targetReturn, threads, device, physics };
  const { config: file } = options;
  if (names.length === 0 && file === undefined)
    throw new Error("which task? `salle envs list` shows them; for example: salle train hopper");
  return {
    task: names[0],
    algorithm: options.algo ?? (file === undefined ? "sac" : undefined),
    file: file === undefined ? undefined : { name: file, text: readText(file) },
    sets: options.set,
    flags: { seed, numEnvs, numWorkers, totalTimesteps, evalFreq, ...rest },
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`--config ${file}: ${(error as Error).message}`);
  }
}

/** A registered task's id, or the file's name of another. */
function shortName(task: string): string {
  return task.replace(/^.*[/\\]/, "").replace(/\.(xml|urdf|json|m?[jt]s)$/i, "");
}

function origin(): Omit<RunOrigin, "physics"> {
  const commit = gitCommit();
  return {
    salle: salleVersion,
    node: process.version,
    onnxruntime: installedVersion("onnxruntime-node") ?? "unknown",
    gitCommit: commit?.replace(/-dirty$/, "") ?? null,
    gitDirty: commit?.endsWith("-dirty") ?? false,
    argv: argv(),
    hardware: {
      host: hostname(),
      os: `${platform()} ${release()}`,
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      numCores: cpus().length,
      memoryBytes: totalmem(),
    },
  };
}

function argv(): string[] {
  return ["salle", ...process.argv.slice(2)];
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}
