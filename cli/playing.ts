// Playing: episodes of a run's policy, of an agent that looks at nothing, or of a scripted expert.

import { loadPhysics, type PhysicsBuild } from "../sim/rapier.ts";
import { createRng } from "../sim/rng.ts";
import { createVecEnv, type VecEnv } from "../sim/vecEnv.ts";
import { type Demonstration, demonstrate, type Spectator } from "../tasks/experts/demonstrate.ts";
import type { Skill } from "../tasks/experts/index.ts";
import { createTask, taskSource } from "../tasks/index.ts";
import type { EpisodeCollector } from "../train/collect.ts";
import { type Evaluation, runEpisodes } from "../train/evaluate.ts";
import { loadPolicy, readRunConfig } from "../train/policy.ts";
import { wholeNumber } from "./numbers.ts";
import { createRecordingFile, type RecordingFile, recordingSpectator } from "./recordingFile.ts";
import { checkpointName, findRun } from "./runFolders.ts";

/** Who may act. */
export const agents = ["trained", "zero", "random", "expert", "person"] as const;
export type Agent = (typeof agents)[number];

export function agentNamed(name: string): Agent {
  const agent = agents.find((known) => known === name);
  if (!agent) throw new Error(`--agent wants one of ${agents.join(", ")}, got "${name}"`);
  return agent;
}

type Collect = (env: VecEnv) => EpisodeCollector;

/** What is played and how often, as it was typed. */
export interface PlayOptions {
  readonly episodes: string;
  readonly seed: string;
  readonly checkpoint?: string;
  readonly runs: string;
  /** A file for the recordings. */
  readonly record?: string;
}

export interface Played {
  readonly evaluation: Evaluation;
  /** Its threads have ended. */
  readonly env: VecEnv;
  /** Of the policy's checkpoint; 0 where there is none. */
  readonly step: number;
}

/** Runs episodes of a run's policy, each in an env of its own. */
export async function playPolicy(
  name: string,
  options: PlayOptions,
  collect?: Collect,
): Promise<Played> {
  const folder = findRun(name, options.runs);
  const { task, train, algorithm } = readRunConfig(folder);
  const { checkpoint: which } = options;
  const checkpoint = which === undefined ? undefined : checkpointName("--checkpoint", which);
  const { env, seed, numEnvs } = await createEnvs(task, options, train.physics);
  // The physics comes first: ONNX Runtime makes its thread flush the small numbers that Rapier's handles are.
  const file = await recordingOf(options, seed, algorithm, train.physics);
  const policy = await loadPolicy(folder, checkpoint, { numRows: numEnvs });
  const record = file && {
    ...file,
    header: { ...file.header, policy: `${algorithm}, step ${policy.step}` },
    numEpisodes: numEnvs,
  };
  const act = (observations: Float32Array, begins: Uint8Array) => policy.act(observations, begins);
  const evaluation = await runEpisodes(env, seed, act, record, collect);
  file?.close();
  env.dispose();
  await policy.dispose();
  return { evaluation, env, step: policy.step };
}

/** Runs episodes of an agent that looks at nothing. */
export async function playBlindly(
  task: string,
  agent: "zero" | "random",
  options: PlayOptions,
  collect?: Collect,
): Promise<Played> {
  const { env, seed, numEnvs } = await createEnvs(task, options);
  const file = await recordingOf(options, seed, agent);
  const record = file && { ...file, numEpisodes: numEnvs };
  const act = actionsOf(agent, env, seed);
  const evaluation = await runEpisodes(env, seed, act, record, collect);
  file?.close();
  env.dispose();
  return { evaluation, env, step: 0 };
}

/** Episodes of a scripted expert, which sees more than is observed; by seeds from the one given on. */
export async function playExpert(
  name: string,
  skill: Extract<Skill, string>,
  options: PlayOptions,
  onlooker?: Spectator,
): Promise<{ readonly taskId: string; readonly played: readonly Demonstration[] }> {
  const { numEpisodes, seed: first } = countsOf(options);
  const task = await createTask(name);
  const seeds = Array.from({ length: numEpisodes }, (_, i) => first + i);
  const file = await recordingOf(options, first, skill);
  const spectator = file ? recordingSpectator(file) : onlooker;
  const played = demonstrate(await loadPhysics(), task, skill, seeds, spectator);
  file?.close();
  return { taskId: task.id, played };
}

async function createEnvs(task: string, options: PlayOptions, build?: PhysicsBuild) {
  const { numEpisodes: numEnvs, seed } = countsOf(options);
  const settings = { numEnvs, seed, numWorkers: 1, ...(build !== undefined && { build }) };
  return { env: await createVecEnv(await taskSource(task), settings), seed, numEnvs };
}

async function recordingOf(
  { record }: PlayOptions,
  seed: number,
  policy: string,
  build?: PhysicsBuild,
): Promise<RecordingFile | undefined> {
  if (record === undefined) return undefined;
  return await createRecordingFile(record, { seed, policy, build });
}

function actionsOf(agent: "zero" | "random", env: VecEnv, seed: number): () => Float32Array {
  const actions = new Float32Array(env.numEnvs * env.task.action.size);
  const rng = createRng(seed).split("random agent");
  return () => {
    if (agent === "random")
      for (let i = 0; i < actions.length; i++) actions[i] = 2 * rng.uniform() - 1;
    return actions;
  };
}

function countsOf({ episodes, seed }: PlayOptions) {
  return {
    numEpisodes: wholeNumber("--episodes", episodes, 1),
    seed: wholeNumber("--seed", seed, 0),
  };
}
