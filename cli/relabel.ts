// salle data relabel: a dataset's movements under another task's rewards.

import { Command } from "commander";
import { Dataset } from "../finetune/dataset.ts";
import { loadPhysics, physicsBuildNamed } from "../sim/rapier.ts";
import { decodeRecording } from "../sim/readRecordings.ts";
import type { Recording } from "../sim/recording.ts";
import type { Task } from "../sim/task.ts";
import { createTask } from "../tasks/index.ts";
import type { WrittenEpisode } from "../train/datasetWriter.ts";
import { episodeOf, provenanceOf, writeDatasets } from "../train/newDatasets.ts";
import { relabelEpisode } from "../train/relabel.ts";
import { derivation, printWritten } from "./dataEdit.ts";
import { print } from "./output.ts";
import { recordedTask } from "./recordedTask.ts";

interface Options {
  readonly task: string;
  readonly out: string;
  readonly from?: string;
}

export function relabelCommand(): Command {
  return new Command("relabel")
    .description("give a dataset's episodes the rewards and ends of another task")
    .argument("<dataset>", "its folder; every episode needs its recording")
    .requiredOption("--task <name>", "whose rewards: a task of the same robot, reset and actions")
    .requiredOption("--out <folder>", "the dataset to write, a new folder")
    .option("--from <name>", "the task to simulate, instead of the one that the recordings name")
    .addHelpText(
      "after",
      `
Every recording is simulated again under both tasks; after each step their poses must be equal to the bit.
An episode ends where the new task ends it; where that would go on, it counts as truncated.

Examples:
  salle data relabel datasets/lift-cube --task lift-cube-dense --out datasets/lift-cube-dense
  salle data relabel datasets/hopper --task ./salle-tasks/hop-high.mjs --out datasets/hop-high`,
    )
    .action(relabel);
}

async function relabel(path: string, { task, out, from }: Options): Promise<void> {
  const to = await createTask(task);
  const dataset = new Dataset(path);
  const { format: _, references: __, ...info } = dataset.info;
  const wanted = {
    ...info,
    task: to.id,
    observationSize: to.observation.size,
    controlDt: to.controlDt,
    provenance: provenanceOf(derivation(), [dataset]),
  };
  const taskNamed = remembered(createTask);
  let numSteps = 0;
  await writeDatasets([{ path: out, info: wanted }], async ([writer]) => {
    for (const index of dataset.episodes.keys()) {
      const episode = await relabelled(dataset, index, to, (recording) =>
        taskNamed(from ?? recordedTask(recording)),
      );
      numSteps += episode.rewards.length;
      writer!.add(episode);
    }
  });
  if (numSteps < dataset.numSteps)
    print(`${dataset.numSteps - numSteps} steps were left out: ${to.id} ends episodes before them`);
  dataset.close();
  printWritten(out);
}

async function relabelled(
  dataset: Dataset,
  index: number,
  to: Task,
  taskOf: (recording: Recording) => Promise<Task>,
): Promise<WrittenEpisode> {
  try {
    const recording = dataset.recording(index);
    if (!recording) throw new Error("it has no recording to simulate again");
    const decoded = decodeRecording(recording);
    const physics = await loadPhysics(physicsBuildNamed(decoded.header.physics.build));
    const pair = { from: await taskOf(decoded), to };
    return relabelEpisode(physics, pair, episodeOf(dataset, index));
  } catch (error) {
    // A dataset's bytes enter the program here; which episode it is, only this knows.
    const { message } = error as Error;
    throw new Error(`${dataset.path}, episode ${index}: ${message}`, { cause: error });
  }
}

function remembered<T>(make: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (name) => {
    const there = made.get(name) ?? make(name);
    made.set(name, there);
    return there;
  };
}
