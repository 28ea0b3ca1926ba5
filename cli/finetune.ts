// salle finetune: a run that begins with another run's policy, with logged data or demonstrations, or with both.

import { Command } from "commander";
import { readInfo } from "../finetune/dataset.ts";
import { finetuners } from "../finetune/index.ts";
import { baseCheckpoint, inheritedSettings } from "../train/base.ts";
import { algorithmNamed } from "../train/config.ts";
import { checkForOpe } from "../train/ope.ts";
import { readRunConfig } from "../train/policy.ts";
import { judgeRun, opeDefaults } from "./ope.ts";
import { checkpointName, findRun } from "./runFolders.ts";
import { type StageLengths, withLengthOptions, withLengths } from "./stageLengths.ts";
import { sourcesOf, type TrainingOptions, trainNew, withTrainingOptions } from "./training.ts";

interface FinetuneOptions extends TrainingOptions, StageLengths {
  readonly method: string;
  readonly checkpoint?: string;
  readonly ope: boolean;
}

export function finetuneCommand(): Command {
  const methods = Object.keys(finetuners);
  const command = new Command("finetune")
    .argument(
      "[run]",
      "the run whose policy is to become better: its folder, its name, or how it begins",
    )
    .requiredOption("--method <name>", `one of ${methods.join(", ")}`)
    .option(
      "--checkpoint <which>",
      "of that run: best, last, ope or a step; best where there is one",
    )
    .option("--ope", "keep all checkpoints, and choose one by the data alone: salle ope", false);
  return withTrainingOptions(withLengthOptions(command))
    .addHelpText(
      "after",
      `
The new run keeps a copy of the policy that it begins with. One on logged data counts its updates on the data as
steps, then its control steps. Everything else is as in salle train: settings, Ctrl-C and salle resume, which goes
on in either part to the bit, eval, play, view.

Examples:
  salle finetune lift-cube --method residual --data datasets/lift-cube-person
  salle finetune hopper-hop-v0__flow --method reinflow --total-timesteps 5e5
  salle finetune --data datasets/hopper-medium-replay --method iql --offline-updates 2e4
  salle finetune --data datasets/hopper-medium-replay --method iql --offline-updates 2e4 --ope
  salle finetune --data datasets/hopper-medium-replay --method iql --online-steps 100k`,
    )
    .action(finetune);
}

async function finetune(name: string | undefined, options: FinetuneOptions): Promise<void> {
  const { method, checkpoint, runs } = options;
  const algorithm = algorithmNamed(method);
  if (!Object.hasOwn(finetuners, method))
    throw new Error(
      `"${method}" begins with nothing: salle train --algo ${method}; methods here: ${Object.keys(finetuners).join(", ")}`,
    );
  const sources = sourcesOf(options);
  const run = name === undefined ? undefined : findRun(name, runs);
  const which = checkpoint === undefined ? undefined : checkpointName("--checkpoint", checkpoint);
  const given = run === undefined ? undefined : readRunConfig(run);
  const task = given === undefined ? taskOf(sources.data) : given.task;
  if (task === undefined && sources.file === undefined)
    throw new Error(
      `begin with which? name a run, salle finetune <run> --method ${method}, or name a dataset, --data datasets/<name>`,
    );
  const base = run === undefined ? undefined : baseCheckpoint(run, which);
  const inherited = given && inheritedSettings(algorithm, given);
  const all = { ...sources, task, algorithm: method, base, inherited };
  if (options.ope) checkForOpe({ task: task ?? "", algorithm: method }, infosOf(sources.data));
  const { sets = [] } = all;
  const kept = options.ope ? ["train.keepCheckpoints=10000", ...sets] : sets;
  const folder = await trainNew(await withLengths({ ...all, sets: kept }, options), options);
  if (options.ope && process.exitCode === undefined)
    await judgeRun(folder, { ...opeDefaults, runs });
}

/** What the datasets say of themselves. */
function infosOf(data: readonly string[] = []) {
  if (data.length === 0)
    throw new Error("--ope judges by data: name a dataset, --data datasets/<name>");
  return data.map((path) => ({ path, info: readInfo(path) }));
}

/** The task of the first dataset. */
function taskOf(data: readonly string[] | undefined): string | undefined {
  return data?.[0] === undefined ? undefined : readInfo(data[0]).task;
}
