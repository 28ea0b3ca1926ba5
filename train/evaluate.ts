// Evaluation: the policy's mode over whole episodes, every env from its own fixed start.

import type { AgentState, AnyAlgorithm } from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import type { Device } from "../nn/runtime.ts";
import type { PhysicsBuild } from "../sim/rapier.ts";
import { createVecEnv, type TaskSource, type VecEnv } from "../sim/vecEnv.ts";
import { compilePolicy, type PolicyProgram } from "./policyProgram.ts";

/** What the episodes of one evaluation came to; each array by episode. */
export interface Evaluation {
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  readonly terminated: readonly boolean[];
  readonly successes: readonly boolean[];
  /** Mean of each reward term over all steps. */
  readonly terms: Readonly<Record<string, number>>;
}

export interface EvaluatorOptions {
  readonly task: TaskSource;
  readonly numEpisodes: number;
  /** Of the starts; another one than that of training. */
  readonly seed: number;
  readonly build: PhysicsBuild;
  readonly device: Device;
}

/** Evaluates one algorithm's policies on the same starts again and again. */
export class Evaluator {
  private readonly env: VecEnv;
  private readonly policy: PolicyProgram;
  private readonly seed: number;

  private constructor(env: VecEnv, policy: PolicyProgram, seed: number) {
    this.env = env;
    this.policy = policy;
    this.seed = seed;
  }

  static async create(
    algorithm: AnyAlgorithm,
    config: unknown,
    policy: AgentState,
    { task, numEpisodes, seed, build, device }: EvaluatorOptions,
  ): Promise<Evaluator> {
    const env = await createVecEnv(task, { numEnvs: numEpisodes, seed, build, numWorkers: 1 });
    const { observation, action } = env.task;
    const program = await compilePolicy(algorithm, config, policy, {
      numRows: numEpisodes,
      observationSize: observation.size,
      actionSize: action.size,
      device,
    });
    return new Evaluator(env, program, seed);
  }

  /** One episode in every env. */
  async evaluate(policy: AgentState, normalizer: Normalizer): Promise<Evaluation> {
    const { env } = this;
    await this.policy.load(policy);
    env.reset(this.seed);
    const tally = new Tally(env);
    const observations = new Float32Array(env.observations.length);
    const noise = new Float32Array(env.numEnvs * env.task.action.size);
    while (tally.numOpen > 0) {
      normalizer.apply(env.observations, observations);
      tally.add(env.step(await this.policy.act(observations, noise)));
    }
    return tally.evaluation();
  }

  async dispose(): Promise<void> {
    this.env.dispose();
    await this.policy.dispose();
  }
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
  }

  add({ terms, finished }: ReturnType<VecEnv["step"]>): void {
    const numTerms = this.terms.length;
    for (let env = 0; env < this.open.length; env++) {
      if (!this.open[env]) continue;
      this.numSteps++;
      for (let i = 0; i < numTerms; i++) this.terms[i]! += terms[env * numTerms + i]!;
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

  evaluation(): Evaluation {
    const { returns, lengths, terminated, successes } = this;
    const names = this.env.task.rewardTerms;
    const terms = names.map((name, i) => [name, this.terms[i]! / this.numSteps] as const);
    return { returns, lengths, terminated, successes, terms: Object.fromEntries(terms) };
  }
}

/** An evaluation under Stable-Baselines3's names. */
export function evaluationMetrics(evaluation: Evaluation): Record<string, number> {
  const { returns, lengths, terminated, successes, terms } = evaluation;
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
  };
}
