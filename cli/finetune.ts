// salle finetune: a run that begins with logged data or demonstrations, and may go on online.

import { Command } from "commander";
import { readInfo } from "../finetune/dataset.ts";
import { finetuners } from "../finetune/index.ts";
import { algorithmNamed } from "../train/config.ts";
import { type StageLengths, withLengthOptions, withLengths } from "./stageLengths.ts";
import { sourcesOf, type TrainingOptions, trainNew, withTrainingOptions } from "./training.ts";

interface FinetuneOptions extends TrainingOptions, StageLengths {
  readonly method: string;
}

export function finetuneCommand(): Command {
  const methods = Object.keys(finetuners);
  const command = new Command("finetune").requiredOption(
    "--method <name>",
    `one of ${methods.join(", ")}`,
  );
  return withTrainingOptions(withLengthOptions(command))
    .addHelpText(
      "after",
      `
A run's steps are its updates on the data, then its control steps. Everything else is as in salle train:
settings, Ctrl-C and salle resume, which goes on in either part to the bit, eval, play, view.

Examples:
  salle finetune --data datasets/hopper-medium-replay --method iql --offline-updates 2e4
  salle finetune --data datasets/hopper-medium-replay --method iql --online-steps 100k`,
    )
    .action(finetune);
}

async function finetune(options: FinetuneOptions): Promise<void> {
  const { method } = options;
  algorithmNamed(method);
  if (!Object.hasOwn(finetuners, method))
    throw new Error(
      `"${method}" begins with nothing: salle train --algo ${method}; methods here: ${Object.keys(finetuners).join(", ")}`,
    );
  const sources = sourcesOf(options);
  const task = sources.data?.[0] === undefined ? undefined : readInfo(sources.data[0]).task;
  if (task === undefined && sources.file === undefined)
    throw new Error(
      `which data? name a dataset: salle finetune --data datasets/<name> --method ${method}`,
    );
  await trainNew(await withLengths({ ...sources, task, algorithm: method }, options), options);
}
