// What a run learns from, looked at before it begins: its data fit its task and its algorithm, or an error says
// what does not.

import { Dataset } from "../finetune/dataset.ts";
import { createTask } from "../tasks/index.ts";
import { algorithmNamed, type RunConfig } from "./config.ts";
import { checkForOffline } from "./offline.ts";

/** Throws where the algorithm misses data, or where they are another task's or lack what it needs. */
export async function checkSources({ task: name, algorithm: named, data = [], algo }: RunConfig) {
  const algorithm = algorithmNamed(named);
  const { needs = [] } = algorithm;
  if (needs.includes("data") && data.length === 0)
    throw new Error(`"${named}" learns from data: name a dataset, --data datasets/<name>`);
  if (data.length === 0) return;
  const task = await createTask(name);
  const datasets = data.map((folder) => new Dataset(folder, 0));
  try {
    for (const dataset of datasets) checkDataset(dataset, name, task.id);
    if (algorithm.family === "offPolicy" && algorithm.offline) {
      const sizes = { observationSize: task.observation.size, actionSize: task.action.size };
      checkForOffline(algorithm, algo as never, datasets, sizes);
    }
  } finally {
    for (const dataset of datasets) dataset.close();
  }
}

function checkDataset({ path, info, episodes }: Dataset, name: string, id: string): void {
  if (info.task !== id)
    throw new Error(`the dataset ${path} is of task ${info.task}, and this run is of ${name}`);
  if (episodes.length === 0) throw new Error(`the dataset ${path} has no episodes`);
}
