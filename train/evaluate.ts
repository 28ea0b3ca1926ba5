// Evaluation: the policy's mode, or what it draws, over whole episodes, every env from its own fixed start.

import type { AgentState, AnyAlgorithm } from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import type { Device } from "../nn/runtime.ts";
import { EpisodeRecorder, type EpisodeRecorderOptions } from "../sim/episodeRecorder.ts";
import type { PhysicsBuild } from "../sim/rapier.ts";
import { createVecEnv, type TaskSource, type VecEnv, type VecEnvStep } from "../sim/vecEnv.ts";
import { type BasePolicy, joinRows } from "./baseEnv.ts";
import { ChunkQueue } from "./chunkQueue.ts";
import type { EpisodeCollector } from "./collect.ts";
import type { OpenBase } from "./offlineRows.ts";
import { compilePolicy, type PolicyProgram } from "./policyProgram.ts";

/** What the episodes of one evaluation came to; each array by episode. */
export interface Evaluation {
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  readonly terminated: readonly boolean[];
  readonly successes: readonly boolean[];
  /** Mean of each reward term over all steps. */
  readonly terms: Readonly<Record<string, number>>;
  /**
   * The task's measures over the time that an episode may last: after a fall they are 0, so that a
   * speed is the distance covered over that time.
   */
  readonly measures: Readonly<Record<string, readonly number[]>>;
}

export interface EvaluatorOptions {
  readonly task: TaskSource;
  readonly numEpisodes: number;
  /** Of the starts; another one than that of training. */
  readonly seed: number;
  readonly build: PhysicsBuild;
  readonly device: Device;
  /** The frozen policy that is observed. */
  readonly openBase?: OpenBase | undefined;
}

/** Evaluates one algorithm's policies on the same starts again and again. */
export class Evaluator {
  private readonly env: VecEnv;
  private readonly policy: PolicyProgram;
  private readonly seed: number;
  private readonly base: BasePolicy | undefined;
  private readonly baseState: unknown;

  private constructor(env: VecEnv, policy: PolicyProgram, seed: number, base?: BasePolicy) {
    this.env = env;
    this.policy = policy;
    this.seed = seed;
    this.base = base;
    this.baseState = base?.state();
  }

  static async create(
    algorithm: AnyAlgorithm,
    config: unknown,
    policy: AgentState,
    { task, numEpisodes, seed, build, device, openBase }: EvaluatorOptions,
  ): Promise<Evaluator> {
    const env = await createVecEnv(task, { numEnvs: numEpisodes, seed, build, numWorkers: 1 });
    const { observation, action } = env.task;
    const program = await compilePolicy(algorithm, config, policy, {
      numRows: numEpisodes,
      observationSize: observation.size + (openBase ? action.size : 0),
      actionSize: action.size,
      device,
    });
    return new Evaluator(env, program, seed, await openBase?.(numEpisodes));
  }

  /** One episode in every env. */
  async evaluate(
    policy: AgentState,
    normalizer: Normalizer,
    record?: Omit<RecordOptions, "header"> & {
      readonly header: Omit<RecordOptions["header"], "seed">;
    },
  ): Promise<Evaluation> {
    await this.policy.load(policy);
    const { base, env } = this;
    base?.restore(this.baseState);
    const observations = new Float32Array(env.numEnvs * normalizer.means.length);
    const { seed } = this;
    const queue = new ChunkQueue(this.policy, seed);
    const act = async (raw: Float32Array, begins: Uint8Array): Promise<Float32Array> => {
      if (base) joinRows(raw, await base.act(raw, begins), env.numEnvs, observations);
      normalizer.apply(base ? observations : raw, observations);
      return queue.act(observations, begins);
    };
    const recording = record && { ...record, header: { ...record.header, seed } };
    return runEpisodes(this.env, seed, act, recording);
  }

  async dispose(): Promise<void> {
    this.env.dispose();
    await this.policy.dispose();
    await this.base?.dispose();
  }
}

/** Which episodes to record, and where their bytes go, each to be appended to a file with one write. */
export interface RecordOptions {
  readonly header: EpisodeRecorderOptions["header"];
  /** The first so many envs' episodes. */
  readonly numEpisodes: number;
  append(bytes: Uint8Array): void;
}

/**
 * One episode in every env, from the starts of a seed; `act` maps observations [N, O] to actions, and is told
 * whose episode just began, [N].
 */
export async function runEpisodes(
  env: VecEnv,
  seed: number,
  act: (observations: Float32Array, begins: Uint8Array) => Promise<Float32Array> | Float32Array,
  record?: RecordOptions,
  collect?: (env: VecEnv) => EpisodeCollector,
): Promise<Evaluation> {
  const envs = Array.from({ length: Math.min(record?.numEpisodes ?? 0, env.numEnvs) }, (_, i) => i);
  const recorder = record && new EpisodeRecorder(env, { header: record.header, envs });
  const open = new Set(envs);
  const collector = collect?.(env);
  env.reset(seed);
  recorder?.begin();
  collector?.begin();
  const tally = new Tally(env);
  const begins = new Uint8Array(env.numEnvs).fill(1);
  while (tally.numOpen > 0) {
    const actions = await act(env.observations, begins);
    const out = env.step(actions);
    tally.add(out);
    for (let i = 0; i < begins.length; i++) begins[i] = out.terminated[i]! | out.truncated[i]!;
    for (const { env: index, bytes } of recorder?.add(actions) ?? [])
      if (open.delete(index)) record?.append(bytes);
    collector?.add(actions);
  }
  collector?.dispose();
  recorder?.dispose();
  return tally.evaluation();
}

/** Counts the first episode of every env; what follows it is nobody's business. */
class Tally {
  numOpen: number;
  private readonly env: VecEnv;
  private readonly open: boolean[];
  private readonly returns: number[];
  private readonly lengths: number[];
  private readonly terminated: boolean[];
  private readonly successes: boolean[];
  private readonly terms: Float64Array;
  private readonly measures: Float64Array; // [N, M]
  private numSteps = 0;

  constructor(env: VecEnv) {
    this.env = env;
    this.numOpen = env.numEnvs;
    const fill = <T>(value: T): T[] => new Array<T>(env.numEnvs).fill(value);
    this.open = fill(true);
    this.returns = fill(0);
    this.lengths = fill(0);
    this.terminated = fill(false);
    this.successes = fill(false);
    this.terms = new Float64Array(env.task.rewardTerms.length);
    this.measures = new Float64Array(env.numEnvs * (env.task.measures?.names.length ?? 0));
  }

  add({ terms, measures, finished }: VecEnvStep): void {
    const numTerms = this.terms.length;
    const numMeasures = this.measures.length / this.open.length;
    for (let env = 0; env < this.open.length; env++) {
      if (!this.open[env]) continue;
      this.numSteps++;
      for (let i = 0; i < numTerms; i++) this.terms[i]! += terms[env * numTerms + i]!;
      for (let i = env * numMeasures; i < (env + 1) * numMeasures; i++)
        this.measures[i]! += measures[i]!;
    }
    for (const { env, episodeReturn, episodeLength, terminated, success } of finished) {
      if (!this.open[env]) continue;
      this.open[env] = false;
      this.numOpen--;
      this.returns[env] = episodeReturn;
      this.lengths[env] = episodeLength;
      this.terminated[env] = terminated;
      this.successes[env] = success;
    }
  }

  private meanMeasures(): Record<string, number[]> {
    const { task } = this.env;
    const names = task.measures?.names ?? [];
    return Object.fromEntries(
      names.map((name, i) => [
        name,
        this.open.map((_, env) => this.measures[env * names.length + i]! / task.maxEpisodeSteps),
      ]),
    );
  }

  evaluation(): Evaluation {
    const { returns, lengths, terminated, successes } = this;
    const { rewardTerms } = this.env.task;
    const terms = Object.fromEntries(
      rewardTerms.map((name, i) => [name, this.terms[i]! / this.numSteps]),
    );
    return { returns, lengths, terminated, successes, terms, measures: this.meanMeasures() };
  }
}

/** An evaluation under Stable-Baselines3's names. */
export function evaluationMetrics(evaluation: Evaluation): Record<string, number> {
  const { returns, lengths, terminated, successes, terms, measures } = evaluation;
  const average = (values: readonly (number | boolean)[]): number =>
    values.reduce<number>((sum, value) => sum + Number(value), 0) / values.length;
  const mean = average(returns);
  const spread = Math.sqrt(average(returns.map((value) => (value - mean) ** 2)));
  return {
    "eval/mean_reward": mean,
    "eval/std_reward": spread,
    "eval/mean_ep_length": average(lengths),
    "eval/success_rate": average(successes),
    "eval/termination_rate": average(terminated),
    ...Object.fromEntries(
      Object.entries(terms).map(([name, value]) => [`eval/reward_${name}`, value]),
    ),
    ...Object.fromEntries(
      Object.entries(measures).map(([name, values]) => [`eval/${name}`, average(values)]),
    ),
  };
}
