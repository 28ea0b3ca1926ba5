// What commands that train have in common: their options, the run that they start and how it is shown.

import { readFileSync } from "node:fs";
import { cpus, hostname, platform, release, totalmem } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { type ConfigSources, resolveConfig } from "../train/config.ts";
import { runName } from "../train/run.ts";
import type { RunOrigin } from "../train/runMeta.ts";
import { checkSources } from "../train/sources.ts";
import { type LearnerJob, startTrainer, type TrainingResult } from "../train/trainer.ts";
import { print } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { openShow } from "./show.ts";
import { summary } from "./summary.ts";
import { gitCommit, installedVersion, salleVersion } from "./version.ts";

/** As they were typed. */
export interface TrainingOptions {
  readonly seed?: string;
  readonly numEnvs?: string;
  readonly numWorkers?: string;
  readonly totalTimesteps?: string;
  readonly evalFreq?: string;
  readonly targetReturn?: string;
  readonly threads?: string;
  readonly device?: string;
  readonly physics?: string;
  readonly data: readonly string[];
  readonly config?: string;
  readonly set: readonly string[];
  readonly name?: string;
  readonly runs: string;
  readonly viz: boolean;
}

/** What a run's steps are: of envs, or updates of one that clones and steps none. */
type Steps = "control steps of all environments" | "updates";

/** Adds the options above to a command. */
export function withTrainingOptions(
  command: Command,
  steps: Steps = "control steps of all environments",
): Command {
  command.option("--seed <n>", "equal seeds give equal runs, to the bit");
  if (steps !== "updates")
    command
      .option("--num-envs <n>", "environments stepped together")
      .option("--num-workers <n>", "threads of physics")
      .option(
        "--data <folder>",
        "a dataset to learn from beside what happens; more than once",
        collect,
        [],
      );
  return command
    .option("--total-timesteps <n>", `${steps}, 1e6 for a million`)
    .option("--eval-freq <n>", `${steps} between evaluations`)
    .option("--target-return <r>", "stop once an evaluation's mean return reaches it")
    .option("--threads <n>", "threads of the learner's programs")
    .option("--device <name>", "where programs run; `salle doctor` says what works")
    .option("--physics <build>", "Rapier's build: simd, compat or deterministic")
    .option("--config <file.yaml>", "settings from a file, such as another run's config.yaml")
    .option("--set <key=value>", "one setting: algo.discount=0.98, train.saveFreq=5e4", collect, [])
    .option("--name <name>", "of the run; <task>__<algorithm>__<seed>__<time> where missing")
    .option("--runs <folder>", "where runs are", "runs")
    .option("--viz", "watch it learn in a browser", false);
}

/** Settings that every command's options name, beside its own. */
export function sourcesOf(options: TrainingOptions): ConfigSources {
  const { seed, numEnvs, numWorkers, totalTimesteps, evalFreq, targetReturn } = options;
  const { threads, device, physics, config: file, data } = options;
  return {
    file: file === undefined ? undefined : { name: file, text: readText(file) },
    sets: options.set,
    data: data.length === 0 ? undefined : data.map((folder) => resolve(folder)),
    flags: {
      seed,
      numEnvs,
      numWorkers,
      totalTimesteps,
      evalFreq,
      targetReturn,
      threads,
      device,
      physics,
    },
  };
}

/** A new run of these settings, trained to the end; its folder. */
export async function trainNew(
  sources: ConfigSources,
  options: Pick<TrainingOptions, "name" | "runs" | "viz">,
): Promise<string> {
  const config = await resolveConfig(sources);
  await checkSources(config);
  const name = options.name ?? runName(shortName(config.task), config.algorithm, config.train.seed);
  if (/[/\\]|^\.+$/.test(name)) throw new Error(`--name wants a folder's name, got "${name}"`);
  const folder = join(options.runs, name);
  await train({ config, folder, start: { type: "new", origin: origin() } }, options);
  return folder;
}

/** Trains to the end, shows it, and leaves the exit code. */
export async function train(
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

/** What was typed. */
export function argv(): string[] {
  return ["salle", ...process.argv.slice(2)];
}

/** Of an option that may be repeated: all its values. */
export function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}
