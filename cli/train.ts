// salle train and salle resume: a run from its first step, or from its last checkpoint.

import { Command } from "commander";
import { algorithms } from "../agents/index.ts";
import { readRunConfig } from "../train/policy.ts";
import { readMeta } from "../train/runMeta.ts";
import { checkpointName, findRun } from "./runFolders.ts";
import {
  argv,
  sourcesOf,
  type TrainingOptions,
  train,
  trainNew,
  withTrainingOptions,
} from "./training.ts";

interface TrainOptions extends TrainingOptions {
  readonly task?: string;
  readonly env?: string;
  readonly envId?: string;
  readonly algo?: string;
}

export function trainCommand(): Command {
  const command = new Command("train")
    .argument("[task]", "a task's name, or a file: ./robot.xml, ./robot.urdf, ./task.json")
    .option("--task <name>", "the task; --env and --env-id mean the same")
    .option("--env <name>")
    .option("--env-id <name>")
    .option("--algo <name>", `one of ${Object.keys(algorithms).join(", ")}; sac where missing`);
  return withTrainingOptions(command)
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
    .action(trainTask);
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

async function trainTask(taskArgument: string | undefined, options: TrainOptions): Promise<void> {
  const named = [taskArgument, options.task, options.env, options.envId];
  const names = [...new Set(named.filter((name) => name !== undefined))];
  if (names.length > 1) throw new Error(`two tasks are named: ${names.join(" and ")}; name one`);
  const { config: file } = options;
  if (names.length === 0 && file === undefined)
    throw new Error("which task? `salle envs list` shows them; for example: salle train hopper");
  const algorithm = options.algo ?? (file === undefined ? "sac" : undefined);
  await trainNew({ ...sourcesOf(options), task: names[0], algorithm }, options);
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
  await train({ config, folder, start }, options);
}
