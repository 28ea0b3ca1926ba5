// Session: what every loop has around its learning. It counts steps, logs, evaluates, saves and stops.
//
// Everything happens at fixed steps, never at a time of day, so that a run can be repeated to the bit; but for
// its end, where `maxMinutes` asks for one.

import type { AgentState, AnyAlgorithm, EnvSpec } from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import { type Dataset, normalizedScore } from "../finetune/dataset.ts";
import type { Curriculum } from "../finetune/resetBank.ts";
import type { Device } from "../nn/runtime.ts";
import type { PhysicsBuild, PhysicsVersion } from "../sim/rapier.ts";
import { createRng, type Rng } from "../sim/rng.ts";
import { createVecEnv, type TaskSource, type VecEnvStep } from "../sim/vecEnv.ts";
import type { Predecessor } from "./base.ts";
import { BaseEnv } from "./baseEnv.ts";
import { inChunks } from "./chunkEnv.ts";
import { startsOf } from "./demonstrationStarts.ts";
import { Episodes, type EpisodesState } from "./episodes.ts";
import { Evaluator, evaluationMetrics } from "./evaluate.ts";
import { actionRangeOf, type OpenBase } from "./offlineRows.ts";
import { plainEnv, type TrainEnv } from "./trainEnv.ts";

/** Settings that the session reads; steps are control steps summed over envs. */
export interface SessionSettings {
  readonly seed: number;
  readonly numEnvs: number;
  readonly numWorkers: number;
  readonly robotsPerWorld: number | null;
  readonly totalTimesteps: number;
  readonly logFreq: number;
  readonly evalFreq: number;
  readonly evalEpisodes: number;
  /** Of each evaluation, for the viewer. */
  readonly recordEpisodes: number;
  readonly saveFreq: number;
  /** Training stops once an evaluation's mean return reaches it. */
  readonly targetReturn: number | null;
  /** Minutes of wall time since this session was opened, resumed or not; null: no limit. */
  readonly maxMinutes: number | null;
  /** Share of training's episodes that begin at a state of `data`. */
  readonly resetShare: number;
  readonly resetCurriculum: Curriculum;
  readonly physics: PhysicsBuild;
  readonly device: Device;
  readonly threads: number;
  readonly updatesPerCall: number | null;
}

/** Where a session's results go. */
export interface RunStore {
  log(step: number, metrics: Readonly<Record<string, number>>): void;
  logEvaluation(step: number, evaluation: unknown): void;
  /** Appends to the recording of that name. */
  appendEpisode(name: string, bytes: Uint8Array): void;
  /** `state` is plain data: objects, arrays, numbers, strings, typed arrays. */
  save(step: number, state: unknown, options: { readonly best: boolean }): void;
}

/** How the outside talks to a session. */
export interface Control {
  stopRequested(): boolean;
  report(report: Report): void;
}

export interface Report {
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export type Outcome = "finished" | "stopped" | "reachedTarget";

/** What a loop shows of itself after each iteration. */
export interface LoopView {
  readonly normalizer: Normalizer;
  /** Numbers of the last update, "train/critic_loss". */
  metrics(): Readonly<Record<string, number>>;
  /** The entries of `policyKeys`, fresh. */
  parameters(): Promise<AgentState>;
  /** What the loop itself says of a policy that is evaluated, "eval/validation_loss". */
  judge?(policy: AgentState): Promise<Readonly<Record<string, number>>>;
  /** Everything that the loop needs to go on, beside the session's own. */
  state(): Promise<unknown>;
}

interface SessionState {
  readonly step: number;
  readonly bestReturn: number;
  readonly env: unknown;
  readonly episodes: EpisodesState;
}

export interface SessionJob {
  readonly algorithm: AnyAlgorithm;
  readonly config: unknown;
  readonly settings: SessionSettings;
  readonly task: TaskSource;
  readonly store: RunStore;
  readonly control: Control;
  /** What recorded episodes say of where they come from. */
  readonly origin: { readonly physics: PhysicsVersion; readonly gitCommit: string };
  /** Where the newest poses go for whoever watches. */
  readonly poses?: SharedArrayBuffer | undefined;
  /** The frozen policy that is observed, [o, a_b]. */
  readonly openBase?: OpenBase | undefined;
  /** The policy that the run goes on with. */
  readonly predecessor?: Predecessor | undefined;
  /** What the run learns from beside its own steps. */
  readonly data?: readonly Dataset[] | undefined;
}

export class Session {
  readonly env: TrainEnv;
  readonly spec: EnvSpec;
  readonly settings: SessionSettings;
  readonly data: readonly Dataset[];
  readonly openBase: OpenBase | undefined;
  readonly predecessor: Predecessor | undefined;
  /** Split it by name; equal seeds give equal runs. */
  readonly rng: Rng;
  step = 0;
  outcome: Outcome | null = null;
  private readonly job: SessionJob;
  private readonly episodes: Episodes;
  private readonly started: number;
  private evaluator: Evaluator | null = null;
  private bestReturn = Number.NEGATIVE_INFINITY;
  private logged = { step: 0, time: performance.now() };

  private constructor(job: SessionJob, env: TrainEnv, started: number) {
    const { settings } = job;
    this.started = started;
    this.job = job;
    this.env = env;
    this.settings = settings;
    this.rng = createRng(settings.seed);
    this.episodes = new Episodes(env.task.rewardTerms);
    const { observationSize, actionSize, numEnvs, mirror } = env;
    this.data = job.data ?? [];
    this.openBase = job.openBase;
    this.predecessor = job.predecessor;
    const observesBase = job.openBase !== undefined;
    const actionRange = this.data.length > 0 ? actionRangeOf(this.data) : undefined;
    this.spec = { observationSize, actionSize, numEnvs, mirror, observesBase, actionRange };
  }

  static async open(job: SessionJob): Promise<Session> {
    const started = performance.now();
    const { numEnvs, numWorkers, robotsPerWorld, seed, physics: build } = job.settings;
    // States are placed in worlds of one.
    const most = robotsPerWorld ?? (job.settings.resetShare > 0 ? 1 : null);
    const worlds = most === null ? {} : { robotsPerWorld: most };
    const { poses, openBase } = job;
    const options = { numEnvs, numWorkers, seed, build, poses, ...worlds };
    const clock: { session?: Session } = {};
    const progress = () => clock.session?.progress ?? 0;
    const plain = startsOf(
      job.settings,
      job.data,
      plainEnv(await createVecEnv(job.task, options)),
      progress,
    );
    const chunked = inChunks(plain, job.algorithm, job.config);
    const env = openBase ? new BaseEnv(chunked, await openBase(numEnvs)) : chunked;
    clock.session = new Session(job, env, started);
    return clock.session;
  }

  /** Share of the run that has passed, in [0, 1]. */
  get progress(): number {
    return Math.min(1, this.step / this.settings.totalTimesteps);
  }

  /** Begins anew, or where a saved session stood; returns the loop's part of its state. */
  async begin(saved: unknown): Promise<unknown> {
    if (saved === null) {
      await this.env.reset();
      return null;
    }
    const { session, loop } = saved as { session: SessionState; loop: unknown };
    this.step = session.step;
    this.bestReturn = session.bestReturn;
    await this.env.restore(session.env);
    this.episodes.restore(session.episodes);
    this.logged = { step: this.step, time: performance.now() };
    return loop;
  }

  /** To be called after each step of all envs: logs, evaluates, saves and decides whether to go on. */
  async after(out: VecEnvStep, loop: LoopView): Promise<void> {
    this.episodes.add(out);
    await this.advance(this.settings.numEnvs * (this.env.stepsPerDecision ?? 1), loop);
  }

  /**
   * As `after`, where steps are something else than the envs', such as updates on logged data; at a milestone
   * everything that is due now and then is due.
   */
  async advance(numSteps: number, loop: LoopView, milestone = false): Promise<void> {
    const { settings } = this;
    const before = this.step;
    this.step += numSteps;
    const isLast = this.step >= settings.totalTimesteps || this.isLate();
    const crossed = (every: number) =>
      Math.floor(this.step / every) > Math.floor(before / every) || isLast || milestone;
    if (crossed(settings.logFreq)) this.log(loop);
    const improved = crossed(settings.evalFreq) && (await this.evaluate(loop));
    if (isLast) this.outcome ??= "finished";
    if (this.job.control.stopRequested()) this.outcome ??= "stopped";
    if (improved || crossed(settings.saveFreq) || this.outcome) await this.save(loop, improved);
  }

  /**
   * Whether to go on, asked between pieces of work that take long within a step: where a stop was asked for, the run
   * is saved as it is and over.
   */
  async goesOn(loop: LoopView): Promise<boolean> {
    if (this.outcome === null && this.job.control.stopRequested()) {
      this.outcome = "stopped";
      await this.save(loop, false);
    }
    return this.outcome === null;
  }

  async dispose(): Promise<void> {
    await this.env.dispose();
    await this.evaluator?.dispose();
  }

  private isLate(): boolean {
    const { maxMinutes } = this.settings;
    return maxMinutes !== null && performance.now() - this.started >= 60_000 * maxMinutes;
  }

  private log(loop: LoopView): void {
    const now = performance.now();
    const { step, time } = this.logged;
    const metrics = {
      ...this.episodes.metrics(),
      ...loop.metrics(),
      "time/fps": ((this.step - step) / (now - time)) * 1000,
      "time/time_elapsed": (now - this.started) / 1000,
      "time/total_timesteps": this.step,
    };
    this.logged = { step: this.step, time: now };
    this.job.store.log(this.step, metrics);
    this.job.control.report({ step: this.step, metrics });
  }

  /** Whether this policy is the best so far. */
  private async evaluate(loop: LoopView): Promise<boolean> {
    const { algorithm, config, settings, task, store, control } = this.job;
    const policy = await loop.parameters();
    const { evalEpisodes: numEpisodes, physics: build, device } = settings;
    this.evaluator ??= await Evaluator.create(algorithm, config, policy, {
      task,
      numEpisodes,
      seed: evaluationSeed(settings.seed),
      build,
      device,
      openBase: this.openBase,
    });
    const evaluation = await this.evaluator.evaluate(policy, loop.normalizer, this.recording());
    const metrics: Record<string, number> = {
      ...evaluationMetrics(evaluation),
      ...(await loop.judge?.(policy)),
    };
    const references = this.data[0]?.info.references;
    if (references)
      metrics["eval/normalized_score"] = normalizedScore(metrics["eval/mean_reward"]!, references);
    store.log(this.step, metrics);
    store.logEvaluation(this.step, evaluation);
    control.report({ step: this.step, metrics });
    const meanReturn = metrics["eval/mean_reward"]!;
    const { targetReturn } = settings;
    if (targetReturn !== null && meanReturn >= targetReturn) this.outcome ??= "reachedTarget";
    if (meanReturn <= this.bestReturn) return false;
    this.bestReturn = meanReturn;
    return true;
  }

  /** What this evaluation records; undefined where that is nothing. */
  private recording() {
    const { recordEpisodes: numEpisodes } = this.settings;
    // With torques a robot's path depends on its company: no episode of many could be simulated alone.
    if (numEpisodes === 0 || this.env.task.settings?.actuation === "torques") return undefined;
    const { algorithm, origin, store } = this.job;
    const policy = `${algorithm.name}, step ${this.step}`;
    const name = String(this.step).padStart(9, "0");
    return {
      header: { ...origin, parameters: {}, policy },
      numEpisodes,
      append: (bytes: Uint8Array) => store.appendEpisode(name, bytes),
    };
  }

  private async save(loop: LoopView, best: boolean): Promise<void> {
    const session: SessionState = {
      step: this.step,
      bestReturn: this.bestReturn,
      env: this.env.state(),
      episodes: this.episodes.state(),
    };
    this.job.store.save(this.step, { session, loop: await loop.state() }, { best });
  }
}

/** Starts that training never sees. */
export function evaluationSeed(seed: number): number {
  return createRng(seed).split("evaluation").bits();
}
