// Finished runs on logged data, and what their own files say of them.

import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { OfflineConfig } from "../../agents/agent.ts";
import { normalizedScore, type ReferenceScores, readInfo } from "../../finetune/dataset.ts";
import { algorithmNamed } from "../../train/config.ts";
import { stageEnds } from "../../train/offline.ts";
import { readRunConfig } from "../../train/policy.ts";
import { readEvaluations } from "../../train/run.ts";
import { readMeta } from "../../train/runMeta.ts";

/** Figures of one run; scores are normalised by its dataset's references. */
export interface OfflineRun {
  readonly name: string;
  readonly dataset: string;
  readonly method: string;
  readonly seed: number;
  readonly date: string;
  readonly updates: number;
  /** Control steps of its own, after the updates. */
  readonly onlineSteps: number;
  readonly seconds: number;
  /** By updates, then control steps: mean scores of evaluations. */
  readonly curve: readonly { readonly step: number; readonly score: number }[];
  readonly references: ReferenceScores;
  readonly command: string;
}

/** Those of a folder that finished on data with reference scores. */
export function readOfflineRuns(folder: string): OfflineRun[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter(isFinished)
    .map(readOfflineRun);
}

function isFinished(run: string): boolean {
  if (!existsSync(join(run, "config.yaml")) || readMeta(run).status !== "finished") return false;
  const { algorithm, data } = readRunConfig(run);
  const named = algorithmNamed(algorithm);
  return named.family === "offPolicy" && named.offline !== undefined && data !== undefined;
}

function readOfflineRun(run: string): OfflineRun {
  const { algorithm: name, data, train, algo } = readRunConfig(run);
  const { started, ended, argv } = readMeta(run);
  const path = data![0]!;
  const { references } = readInfo(path);
  if (references === undefined) throw new Error(`${path} has no reference scores`);
  const algorithm = algorithmNamed(name);
  if (algorithm.family !== "offPolicy") throw new Error(`${name} does not learn from data alone`);
  const { offline } = stageEnds(algorithm, algo as unknown as OfflineConfig);
  return {
    name: basename(run),
    dataset: basename(path),
    method: methodOf(name, algo),
    seed: train.seed,
    date: started,
    updates: offline,
    onlineSteps: train.totalTimesteps - offline,
    seconds: (Date.parse(ended!) - Date.parse(started)) / 1000,
    curve: readEvaluations(run).map(({ step, returns }) => ({
      step,
      score: normalizedScore(mean(returns as number[]), references),
    })),
    references,
    command: argv
      .join(" ")
      .replaceAll(/ --(name|runs) \S+/g, "")
      .replace(/--data \S*\//, "--data datasets/"),
  };
}

/** Cloning is IQL that weighs every action alike. */
function methodOf(algorithm: string, algo: Readonly<Record<string, unknown>>): string {
  if (algorithm !== "iql" || algo["inverseTemperature"] !== 0) return algorithm;
  const share = Number(algo["episodeShare"]);
  return share < 1 ? `${100 * share} % BC` : "BC";
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
