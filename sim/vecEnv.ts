// VecEnv: N envs over worker threads and shared memory, stepped together.
//
// Every worker holds a block of rows in one world or several. Env i draws from the generator of seed and
// i alone, so that results do not depend on the number of workers, until a worker has to be replaced.

import { checkActions } from "./actions.ts";
import { checkLevel, type EnvsState, type VecStep } from "./env.ts";
import { defaultBuild, type PhysicsBuild } from "./rapier.ts";
import { createRng } from "./rng.ts";
import { physicsDefaults } from "./settings.ts";
import {
  checkCounts,
  layOut,
  loadTask,
  type Placement,
  planShards,
  robotsByWorld,
  rowsOf,
  type ShardPlan,
  type TaskSource,
  type VecMemory,
} from "./shard.ts";
import type { Task } from "./task.ts";
import { type StartWorker, startLocal, type VecThread, workerStarter } from "./vecThread.ts";

export type { Placement, TaskSource } from "./shard.ts";

export interface VecEnvOptions {
  readonly numEnvs: number;
  readonly seed: number;
  /** 0, where missing, steps in the caller's thread; a browser's page can do nothing else. */
  readonly numWorkers?: number;
  /** Robots that share a Rapier world; what the task's settings say where missing. */
  readonly robotsPerWorld?: number;
  readonly build?: PhysicsBuild;
  /** ms to wait for a worker before it counts as hung. */
  readonly timeout?: number;
  /** A PoseMailbox's buffer: the newest poses go there while somebody watches. */
  readonly poses?: SharedArrayBuffer | undefined;
}

/** One step of N envs; all arrays are views, valid until the next step. */
export interface VecEnvStep extends VecStep {
  /** The episodes that ended in this step, by env; fresh. */
  readonly finished: readonly FinishedEpisode[];
}

export interface FinishedEpisode {
  readonly env: number;
  readonly episodeReturn: number;
  readonly episodeLength: number;
  readonly terminated: boolean;
  readonly success: boolean;
  /** The physics lost the robot, or its worker was replaced: not an episode to learn from or report. */
  readonly broken: boolean;
}

/** Everything needed to go on, in an environment with equally many robots a world; plain data. */
export interface VecEnvState {
  readonly worlds: readonly EnvsState[];
  readonly episodeReturns: readonly number[];
  readonly episodeLengths: readonly number[];
  readonly numReplaced: number;
}

/** Starts the threads; call `reset` before the first step and `dispose` at the end. */
export async function createVecEnv(source: TaskSource, options: VecEnvOptions): Promise<VecEnv> {
  const { numEnvs, numWorkers = 0, seed, build = defaultBuild(), timeout = 60_000 } = options;
  checkCounts(options);
  const task = await loadTask(source);
  const memory = layOut(task, numEnvs, numWorkers);
  const most = options.robotsPerWorld ?? { ...physicsDefaults, ...task.settings }.robotsPerWorld;
  const { poses } = options;
  const shards = planShards(numEnvs, Math.max(1, numWorkers), most, seed);
  const plans = shards.map((plan) => ({ ...plan, poses }));
  if (numWorkers === 0) {
    const thread = await startLocal(task, build, memory, plans[0]!);
    return new VecEnv(task, memory, [thread], null);
  }
  const start = await workerStarter({ memory, task: source, build, numWorkers, timeout });
  const threads = plans.map((plan, index) => start(index, plan));
  return new VecEnv(task, memory, threads, start);
}

const mostFailures = 3; // of one worker in a row; then it is not chance

export class VecEnv {
  readonly task: Task;
  readonly numEnvs: number;
  /** Workers that were replaced since the beginning, and what the last of them threw. */
  numReplaced = 0;
  lastFailure: string | null = null;
  /** Of the episodes that begin from now on; see `setLevel`. */
  level = 1;
  private readonly memory: VecMemory;
  private readonly threads: VecThread[];
  private readonly start: StartWorker | null;
  private readonly failures: Int32Array; // [W], in a row
  private readonly episodeReturns: Float64Array; // [N]
  private readonly episodeLengths: Int32Array; // [N]
  private readonly before: Float32Array; // [N, O], what the actions in flight were chosen for
  private phase: "new" | "ready" | "stepping" | "disposed" = "new";

  constructor(task: Task, memory: VecMemory, threads: VecThread[], start: StartWorker | null) {
    this.task = task;
    this.memory = memory;
    this.threads = threads;
    this.start = start;
    this.numEnvs = memory.out.rewards.length;
    this.failures = new Int32Array(threads.length);
    this.episodeReturns = new Float64Array(this.numEnvs);
    this.episodeLengths = new Int32Array(this.numEnvs);
    this.before = new Float32Array(memory.out.observations.length);
  }

  /** What to act on, [N, O]; a view, valid until the next step. */
  get observations(): Float32Array {
    return this.memory.out.observations;
  }

  /** What the last step or reset wrote; views, valid until the next step. */
  get out(): VecStep {
    return this.memory.out;
  }

  /** 1 for every env whose checksums are wanted, [N]; may be written between steps. */
  get watched(): Uint8Array {
    return this.memory.watched;
  }

  /** The most robots that share a world. */
  get robotsPerWorld(): number {
    return Math.max(...this.threads.map(({ plan }) => plan.robotsPerWorld));
  }

  /** The level of difficulty, in [0, 1], of the episodes that begin from now on; saved in states. */
  setLevel(level: number): void {
    this.expect("new", "ready");
    checkLevel(this.task, level);
    this.level = Math.fround(level);
    for (const thread of this.threads) thread.begin({ type: "level", level });
    this.endAll();
  }

  /**
   * Begins an episode in every env, and returns the observations; with a seed, as an environment that
   * was made with it would.
   */
  reset(seed?: number): Float32Array {
    this.expect("new", "ready");
    for (const thread of this.threads) thread.begin({ type: "reset", seed });
    this.endAll();
    this.episodeReturns.fill(0);
    this.episodeLengths.fill(0);
    this.phase = "ready";
    return this.observations;
  }

  /** Begins an episode in some envs, in place of the one they are in; the others go on. */
  begin(envs: readonly number[]): void {
    this.expect("ready");
    for (const thread of this.threads) thread.begin({ type: "begin", envs });
    this.endAll();
    for (const env of envs) this.episodeReturns[env] = this.episodeLengths[env] = 0;
  }

  /** Some envs, each in a world of its own, go on from saved states; their returns count from here on. */
  place(placements: readonly Placement[]): void {
    this.expect("ready");
    if (this.robotsPerWorld > 1)
      throw new Error(
        `states are placed in worlds of one, these have up to ${this.robotsPerWorld} robots: set robotsPerWorld to 1`,
      );
    for (const thread of this.threads) thread.begin({ type: "place", placements });
    this.endAll();
    for (const { env, state } of placements) {
      this.episodeReturns[env] = 0;
      this.episodeLengths[env] = state.episodes[0]!.steps;
    }
  }

  /** One control step of every env with actions [N, A]; ended episodes begin anew. */
  step(actions: Float32Array): VecEnvStep {
    this.send(actions);
    return this.receive();
  }

  /** Starts a step and returns at once; its results are those of `receive`. */
  send(actions: Float32Array): void {
    this.expect("ready");
    checkActions(actions, this.numEnvs, this.task.action.size, "env");
    this.memory.actions.set(actions);
    this.before.set(this.observations);
    this.phase = "stepping";
    for (const thread of this.threads) thread.begin(null);
  }

  /** Waits for the step that was sent. A worker that threw is replaced; its envs are flagged broken. */
  receive(): VecEnvStep {
    this.expect("stepping");
    const answers = this.threads.map((thread) => thread.end());
    for (const [index, { failure }] of answers.entries()) {
      this.failures[index] = failure === null ? 0 : this.failures[index]! + 1;
      if (failure !== null) this.replace(index, failure);
    }
    this.phase = "ready";
    return { ...this.memory.out, finished: this.count() };
  }

  state(): VecEnvState {
    this.expect("ready");
    for (const thread of this.threads) thread.begin({ type: "state" });
    return {
      worlds: this.endAll().flatMap(({ states }) => states),
      episodeReturns: Array.from(this.episodeReturns),
      episodeLengths: Array.from(this.episodeLengths),
      numReplaced: this.numReplaced,
    };
  }

  restore({ worlds, episodeReturns, episodeLengths, numReplaced }: VecEnvState): void {
    this.expect("new", "ready");
    const counts = this.threads.flatMap(({ plan }) => robotsByWorld(plan));
    const given = worlds.map(({ episodes }) => episodes.length);
    if (counts.join() !== given.join())
      throw new Error(`the state of worlds of ${given} robots does not fit worlds of ${counts}`);
    let at = 0;
    for (const thread of this.threads) {
      const first = at;
      at += robotsByWorld(thread.plan).length;
      thread.begin({ type: "restore", worlds: worlds.slice(first, at) });
    }
    this.endAll();
    this.episodeReturns.set(episodeReturns);
    this.episodeLengths.set(episodeLengths);
    this.numReplaced = numReplaced;
    this.level = worlds[0]!.level;
    this.phase = "ready";
  }

  /** Ends the threads. */
  dispose(): void {
    if (this.phase === "disposed") return;
    this.phase = "disposed";
    for (const thread of this.threads) thread.dispose();
  }

  private endAll() {
    const answers = this.threads.map((thread) => thread.end());
    for (const [index, { failure }] of answers.entries())
      if (failure !== null) throw new Error(`worker ${index} failed: ${failure}`);
    return answers;
  }

  /** A fresh worker in place of one that threw: its envs begin anew, from other generators. */
  private replace(index: number, failure: string): void {
    const old = this.threads[index]!;
    old.dispose();
    if (!this.start || this.failures[index]! >= mostFailures)
      throw new Error(`worker ${index} failed ${this.failures[index]} times in a row: ${failure}`);
    this.numReplaced++;
    this.lastFailure = failure;
    const seed = createRng(old.plan.seed).split(`replacement ${this.numReplaced}`).bits();
    const thread = this.start(index, { ...old.plan, seed });
    this.threads[index] = thread;
    if (this.level !== 1) {
      thread.begin({ type: "level", level: this.level });
      thread.end();
    }
    thread.begin({ type: "reset" });
    const again = thread.end().failure;
    if (again !== null) throw new Error(`worker ${index} failed to begin anew: ${again}`);
    this.flagBroken(old.plan);
  }

  /** The rows of a lost worker: as if every robot had been lost in this step. */
  private flagBroken({ firstEnv, numEnvs }: ShardPlan): void {
    const rows = rowsOf(this.memory.out, firstEnv, numEnvs, this.numEnvs);
    const { size } = this.task.observation;
    const before = this.before.subarray(firstEnv * size, (firstEnv + numEnvs) * size);
    rows.nextObservations.set(before);
    const { rewards, terms, measures, terminated, successes } = rows;
    for (const zero of [rewards, terms, measures, terminated, successes]) zero.fill(0);
    rows.truncated.fill(1);
    rows.broken.fill(1);
  }

  private count(): FinishedEpisode[] {
    const { rewards, terminated, truncated, successes, broken } = this.memory.out;
    const finished: FinishedEpisode[] = [];
    for (let env = 0; env < this.numEnvs; env++) {
      this.episodeReturns[env]! += rewards[env]!;
      this.episodeLengths[env]!++;
      if (!terminated[env] && !truncated[env]) continue;
      finished.push({
        env,
        episodeReturn: this.episodeReturns[env]!,
        episodeLength: this.episodeLengths[env]!,
        terminated: terminated[env] === 1,
        success: successes[env] === 1,
        broken: broken[env] === 1,
      });
      this.episodeReturns[env] = this.episodeLengths[env] = 0;
    }
    return finished;
  }

  private expect(...phases: readonly VecEnv["phase"][]): void {
    if (!phases.includes(this.phase))
      throw new Error(`this environment is ${this.phase}, expected ${phases.join(" or ")}`);
  }
}
