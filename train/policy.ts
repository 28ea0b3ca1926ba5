// The policy of a run: an algorithm's actor and the normaliser that goes with it, from a checkpoint.
//
// For evaluation, play and export. Off-policy and on-policy loops keep them in the same places of their
// state: loop/learner/agent and loop/normalizer.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentState, AnyAlgorithm, OffPolicyConfig } from "../agents/agent.ts";
import { Normalizer, type NormalizerState } from "../agents/normalizer.ts";
import type { Device } from "../nn/runtime.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Task } from "../sim/task.ts";
import { createTask } from "../tasks/index.ts";
import { type BasePolicy, joinRows } from "./baseEnv.ts";
import { type CheckpointName, Checkpoints } from "./checkpoint.ts";
import { ChunkQueue, type ChunkQueueState } from "./chunkQueue.ts";
import { algorithmNamed, parseConfig, type RunConfig } from "./config.ts";
import { compilePolicy, type PolicyProgram } from "./policyProgram.ts";

/** What a checkpoint holds of a policy, and what is needed to make it act. */
export interface SavedPolicy {
  readonly config: RunConfig;
  readonly algorithm: AnyAlgorithm;
  readonly task: Task;
  /** Of the checkpoint. */
  readonly step: number;
  /** The entries of the algorithm's `policyKeys`. */
  readonly parameters: AgentState;
  readonly normalizer: Normalizer;
}

export interface LoadOptions {
  /** Rows that act together, N; 1 where missing. */
  readonly numRows?: number;
  readonly device?: Device;
}

/**
 * A saved policy that acts, by its mode or by what it draws, on observations as the task gives them. A row that
 * begins an episode drops the chunk of actions that it was in.
 */
export interface Policy extends SavedPolicy, BasePolicy {}

/** Where a run keeps the policy that it corrects, or began from. */
export function baseFolder(run: string): string {
  return join(run, "base");
}

/** The settings of a run. */
export function readRunConfig(folder: string): RunConfig {
  return parseConfig(readFileSync(join(folder, "config.yaml"), "utf8"));
}

/** Reads a policy; the best one where no checkpoint is named, the newest where none is best yet. */
export async function readPolicy(folder: string, name?: CheckpointName): Promise<SavedPolicy> {
  const config = readRunConfig(folder);
  const algorithm = algorithmNamed(config.algorithm);
  const task = await createTask(config.task);
  const checkpoints = new Checkpoints(join(folder, "checkpoints"));
  const best = checkpoints.find("best") === undefined ? "last" : "best";
  const { step, state } = checkpoints.load(name ?? best, policyParts(algorithm));
  const { learner, normalizer: saved } = (state as { readonly loop: SavedLoop }).loop;
  const kind = (config.algo as unknown as OffPolicyConfig).normalizer;
  const numPlain = algorithm.observesBase ? task.action.size : 0;
  const normalizer = new Normalizer(kind, saved.means.length, undefined, numPlain);
  normalizer.restore(saved);
  return { config, algorithm, task, step, parameters: learner.agent, normalizer };
}

/** The parts of a checkpoint that a policy is made of. */
export function policyParts({ policyKeys }: AnyAlgorithm): string[] {
  return [...policyKeys.map((key) => `loop/learner/agent/${key}`), "loop/normalizer"];
}

/** Reads a policy and compiles it; where it corrects a base, the two together. */
export async function loadPolicy(
  folder: string,
  name?: CheckpointName,
  options: LoadOptions = {},
): Promise<Policy> {
  const saved = await readPolicy(folder, name);
  const { algorithm, config, parameters, task, normalizer } = saved;
  const { numRows = 1, device = "cpu" } = options;
  const base = algorithm.observesBase
    ? await loadPolicy(baseFolder(folder), "last", options)
    : null;
  const [observationSize, actionSize] = [normalizer.means.length, task.action.size];
  const sizes = { numRows, observationSize, actionSize, device };
  const program: PolicyProgram = await compilePolicy(algorithm, config.algo, parameters, sizes);
  const seen = new Float32Array(numRows * observationSize);
  const queue = new ChunkQueue(program, config.train.seed);
  return {
    ...saved,
    async act(observations, begins, rows) {
      if (observations.length !== numRows * task.observation.size)
        throw new Error(
          `this policy takes ${numRows} × ${task.observation.size} numbers, got ${observations.length}`,
        );
      if (base) joinRows(observations, await base.act(observations, begins, rows), numRows, seen);
      normalizer.apply(base ? seen : observations, seen);
      return queue.act(seen, begins, rows);
    },
    state: () => ({ queue: queue.state(), base: base?.state() ?? null }),
    restore(state) {
      const saved = state as { queue: ChunkQueueState; base: unknown };
      queue.restore(saved.queue);
      base?.restore(saved.base);
    },
    async dispose() {
      await base?.dispose();
      await program.dispose();
    },
  };
}

/** Everything that a policy is made of, as trees of arrays, for a file. */
export function policyArrays({ parameters, normalizer }: SavedPolicy) {
  const row = (data: Float32Array): NdArray => ({
    shape: [data.length],
    dtype: "float32",
    data: data.slice(),
  });
  const { means, scales } = normalizer;
  return { policy: parameters, normalizer: { means: row(means), scales: row(scales) } };
}

interface SavedLoop {
  readonly learner: { readonly agent: AgentState };
  readonly normalizer: NormalizerState;
}
