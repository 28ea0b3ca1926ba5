// Off-policy evaluation of a run's checkpoints: what each policy is worth, by logged data alone, and beside it what
// the simulator says.

import type { Dataset } from "../finetune/dataset.ts";
import type { FqeConfig } from "../finetune/ope/fqe.ts";
import { createRng } from "../sim/rng.ts";
import { createVecEnv, type VecEnv } from "../sim/vecEnv.ts";
import { taskSource } from "../tasks/index.ts";
import { algorithmNamed, type RunConfig } from "./config.ts";
import { runEpisodes } from "./evaluate.ts";
import { fittedValue, type JudgedPolicy } from "./fqe.ts";
import { loadPolicy, readRunConfig } from "./policy.ts";
import { readEvaluations } from "./run.ts";

const numRows = 1024; // that a policy is asked for at once

/** A checkpoint's policy and what it is thought to be worth. */
export interface JudgedCheckpoint {
  readonly step: number;
  /** Discounted, from the data's first states on, by fitted Q evaluation. */
  readonly estimate: number;
  /** Mean return in the simulator, undiscounted; null where nobody looked. */
  readonly truth: number | null;
}

export interface JudgeOptions {
  readonly datasets: readonly Dataset[];
  readonly config: FqeConfig;
  /** Of every Q's first weights and rows: the same for all, or noise would be ranked. */
  readonly seed: number;
  /** Fresh episodes in the simulator for each; 0: the run's own evaluations at these steps are the truth. */
  readonly numEpisodes: number;
  readonly report?: (judged: JudgedCheckpoint) => void;
}

/** Throws where a run's policies are not ones that fitted Q evaluation can judge by these data. */
export function checkForOpe(
  { task, algorithm }: Pick<RunConfig, "task" | "algorithm">,
  datasets: readonly Pick<Dataset, "path" | "info">[],
): void {
  const { layout, observesBase } = algorithmNamed(algorithm);
  if (layout !== undefined || observesBase)
    throw new Error(
      `"${algorithm}" chooses chunks or corrects a base; fitted Q evaluation judges policies whose action follows from the observation`,
    );
  for (const { path, info } of datasets)
    if (info.task !== task)
      throw new Error(`${path} has episodes of ${info.task}, the run is of ${task}`);
}

/** Judges checkpoints one after the other, in the order of their steps. */
export async function judgeCheckpoints(
  run: string,
  steps: readonly number[],
  { datasets, config, seed, numEpisodes, report }: JudgeOptions,
): Promise<JudgedCheckpoint[]> {
  // The physics comes first: what compiles programs can't begin it afterwards.
  const env = numEpisodes > 0 ? await openEnv(run, numEpisodes, seed) : null;
  const judged: JudgedCheckpoint[] = [];
  try {
    for (const step of steps) {
      const estimate = await estimateOf(run, step, datasets, config, seed);
      const truth = env ? await simulated(run, step, env, seed) : ownEvaluation(run, step);
      judged.push({ step, estimate, truth });
      report?.(judged.at(-1)!);
    }
  } finally {
    env?.dispose();
  }
  return judged;
}

async function openEnv(run: string, numEnvs: number, seed: number): Promise<VecEnv> {
  const { task, train } = readRunConfig(run);
  const options = { numEnvs, seed, numWorkers: 1, build: train.physics };
  return createVecEnv(await taskSource(task), options);
}

async function estimateOf(
  run: string,
  step: number,
  datasets: readonly Dataset[],
  config: FqeConfig,
  seed: number,
): Promise<number> {
  const policy = await loadPolicy(run, step, { numRows });
  const act: JudgedPolicy = async (observations) => {
    const [o, a] = [policy.task.observation.size, policy.task.action.size];
    const total = observations.length / o;
    const actions = new Float32Array(total * a);
    const block = new Float32Array(numRows * o);
    for (let row = 0; row < total; row += numRows) {
      const count = Math.min(numRows, total - row);
      block.set(observations.subarray(row * o, (row + count) * o));
      const chosen = await policy.act(block, new Uint8Array(numRows).fill(1));
      actions.set(chosen.subarray(0, count * a), row * a);
    }
    return actions;
  };
  try {
    return await fittedValue(datasets, act, config, createRng(seed));
  } finally {
    await policy.dispose();
  }
}

async function simulated(run: string, step: number, env: VecEnv, seed: number): Promise<number> {
  const policy = await loadPolicy(run, step, { numRows: env.numEnvs });
  const { returns } = await runEpisodes(env, seed, (rows, begins) => policy.act(rows, begins));
  await policy.dispose();
  return mean(returns);
}

function ownEvaluation(run: string, step: number): number | null {
  const found = readEvaluations(run).find((evaluation) => evaluation.step === step);
  return found === undefined ? null : mean(found["returns"] as number[]);
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
