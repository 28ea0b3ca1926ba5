// What a run begins from, looked at before it begins: its base and its data fit its task and its algorithm, or an
// error says what does not.

import { type CloneAlgorithm, type CloneConfig, layoutOf } from "../agents/agent.ts";
import { checkFinite, checkLengths, checkSizes } from "../finetune/dataChecks.ts";
import { Dataset } from "../finetune/dataset.ts";
import { createRng } from "../sim/rng.ts";
import type { Task } from "../sim/task.ts";
import { createTask } from "../tasks/index.ts";
import { baseOf } from "./base.ts";
import { cloneRows } from "./cloneRows.ts";
import { algorithmNamed, type RunConfig } from "./config.ts";
import { checkForOffline } from "./offline.ts";
import { readPolicy } from "./policy.ts";

/** Throws where the algorithm misses something, or where base or data are another task's or lack what it needs. */
export async function checkSources(config: RunConfig) {
  const { task: name, algorithm: named, base, data = [], algo } = config;
  const algorithm = algorithmNamed(named);
  const { needs = [] } = algorithm;
  if (needs.includes("base") && base === undefined)
    throw new Error(
      `"${named}" begins with another run's policy: salle finetune <run> --method ${named}`,
    );
  if (needs.includes("data") && data.length === 0)
    throw new Error(`"${named}" learns from data: name a dataset, --data datasets/<name>`);
  const { chordPeak = 0 } = algo as { readonly chordPeak?: number };
  if (chordPeak > 0 && data.length === 0)
    throw new Error(
      "algo.chordPeak above 0 wants demonstrations: name a dataset, --data datasets/<name>",
    );
  if (chordPeak > 0 && algorithm.observesBase)
    throw new Error(`"${named}" corrects a base and clones nothing: leave algo.chordPeak at 0`);
  const task = await createTask(name);
  if (base !== undefined) await checkBase(base, name, task);
  const datasets = data.map((folder) => new Dataset(folder, 0));
  try {
    for (const dataset of datasets) checkDataset(dataset, name, task.id);
    if (data.length > 0 && algorithm.family === "offPolicy" && algorithm.offline) {
      const sizes = { observationSize: task.observation.size, actionSize: task.action.size };
      checkForOffline(algorithm, algo as never, datasets, sizes);
    }
    if (algorithm.family === "clone") checkForCloning(algorithm, algo, datasets, task);
  } finally {
    for (const dataset of datasets) dataset.close();
  }
}

async function checkBase(checkpoint: string, name: string, task: Task): Promise<void> {
  const { run, step } = baseOf(checkpoint);
  const { config, normalizer } = await readPolicy(run, step);
  if (config.task !== name)
    throw new Error(`the base ${run} is of task ${config.task}, and this run is of ${name}`);
  const [given, wanted] = [normalizer.means.length, task.observation.size];
  const own = config.base === undefined ? given : given - task.action.size;
  if (own !== wanted)
    throw new Error(
      `the base ${run} observes ${own} numbers, and task ${name} now has ${wanted}: it was trained before the task changed`,
    );
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
