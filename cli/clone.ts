// salle clone: a run whose policy does what a dataset does.

import { Command } from "commander";
import { readInfo } from "../finetune/dataset.ts";
import { cloners } from "../finetune/index.ts";
import { sourcesOf, type TrainingOptions, trainNew, withTrainingOptions } from "./training.ts";

interface CloneOptions extends Omit<TrainingOptions, "data"> {
  readonly policy: string;
  readonly filter?: string;
}

export function cloneCommand(): Command {
  const policies = Object.keys(cloners);
  const command = new Command("clone")
    .argument("<dataset...>", "folders that salle collect wrote, all of one task")
    .option("--policy <kind>", `one of ${policies.join(", ")}`, "flow")
    .option("--filter <which>", "episodes that count: all or success; all where missing");
  return withTrainingOptions(command, "updates")
    .addHelpText(
      "after",
      `
A step of such a run is an update on a minibatch of the data. Everything else is as in salle train: settings,
Ctrl-C and salle resume, eval, play, view. salle finetune makes the policy better than its data.

Examples:
  salle collect lift-cube --agent person --episodes 150 --out datasets/lift-cube-person
  salle clone datasets/lift-cube-person --policy mlp --filter success
  salle clone datasets/hopper --policy flow --total-timesteps 2e4 --set algo.bestShare=0.5
  salle clone datasets/hopper --policy diffusion --set algo.chunkLength=8 --set algo.executed=4`,
    )
    .action(clone);
}

async function clone(datasets: readonly string[], options: CloneOptions): Promise<void> {
  const { policy } = options;
  if (!Object.hasOwn(cloners, policy))
    throw new Error(`unknown policy "${policy}"; known: ${Object.keys(cloners).join(", ")}`);
  const chosen = options.filter === undefined ? [] : [`algo.filter=${options.filter}`];
  const sources = sourcesOf({ ...options, data: datasets, set: [...chosen, ...options.set] });
  await trainNew({ ...sources, task: readInfo(datasets[0]!).task, algorithm: policy }, options);
}
