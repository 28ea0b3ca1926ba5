// What a run learns from, looked at before it begins: its data fit its task and its algorithm, or an error says
// what does not.

import { type CloneAlgorithm, type CloneConfig, layoutOf } from "../agents/agent.ts";
import { checkFinite, checkLengths, checkSizes } from "../finetune/dataChecks.ts";
import { Dataset } from "../finetune/dataset.ts";
import { createRng } from "../sim/rng.ts";
import type { Task } from "../sim/task.ts";
import { createTask } from "../tasks/index.ts";
import { cloneRows } from "./cloneRows.ts";
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
    if (algorithm.family === "clone") checkForCloning(algorithm, algo, datasets, task);
  } finally {
    for (const dataset of datasets) dataset.close();
  }
}

/** That there is something to clone, and that a chunk fits into it. */
function checkForCloning(
  algorithm: CloneAlgorithm,
  algo: RunConfig["algo"],
  datasets: readonly Dataset[],
  { observation, action }: Task,
): void {
  const config = algo as unknown as CloneConfig;
  const spec = { observationSize: observation.size, actionSize: action.size, numEnvs: 1 };
  for (const dataset of datasets) {
    checkSizes(dataset, spec);
    checkFinite(dataset);
  }
  cloneRows(datasets, config, createRng(0));
  checkLengths(datasets, layoutOf(algorithm, spec, config).chunkLength);
}

function checkDataset({ path, info, episodes }: Dataset, name: string, id: string): void {
  if (info.task !== id)
    throw new Error(`the dataset ${path} is of task ${info.task}, and this run is of ${name}`);
  if (episodes.length === 0) throw new Error(`the dataset ${path} has no episodes`);
}
