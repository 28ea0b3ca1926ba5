// Envs: the worlds of one simulation under one task, a step at a time, with auto-reset.
//
// Gymnasium's contract: `terminated` is an absorbing end, `truncated` the time limit, and the true
// successor is kept where an episode was reset. Every env has its own generator, so that its path does
// not depend on how many others there are.

import { checkActions } from "./actions.ts";
import { hashToWord, wordToHash, worldHash } from "./checksum.ts";
import { Episode, type EpisodeState } from "./episode.ts";
import { checkRandomization } from "./randomize.ts";
import type { Physics } from "./rapier.ts";
import { createRng, type RngState } from "./rng.ts";
import { Simulation, type Snapshot } from "./simulation.ts";
import { substepsOf, type Task } from "./task.ts";

/** One step of N envs; all arrays are views, valid until the next step. */
export interface VecStep {
  /** What to act on next, [N, O]. */
  readonly observations: Float32Array;
  /** The true successors, [N, O]: they differ where an episode was reset. Store these. */
  readonly nextObservations: Float32Array;
  readonly rewards: Float32Array; // [N]
  readonly terms: Float32Array; // [N, T]
  readonly measures: Float32Array; // [N, M], of the state after the step
  readonly terminated: Uint8Array; // [N]
  readonly truncated: Uint8Array; // [N]
  readonly successes: Uint8Array; // [N]
  /** 1 where the physics lost the robot: that row's numbers repeat its last good ones. */
  readonly broken: Uint8Array; // [N]
  /** Of the running episodes: the generator's state before the reset (`startOf`), and the level. */
  readonly starts: Uint32Array; // [N, 5]
  readonly levels: Float32Array; // [N]
  /** Of the running episodes' states now, where asked for (`checksumOf`); else as it was. */
  readonly checksums: Uint32Array; // [N]
}

const startWidth = 5; // key and words of a generator

/** The generator's state before the reset of an env's running episode; fresh. */
export function startOf({ starts }: VecStep, env: number): RngState {
  const [key, ...words] = starts.subarray(env * startWidth, (env + 1) * startWidth);
  return { key: key!, words };
}

/** `worldHash` of an env's running episode, where it was asked for. */
export function checksumOf({ checksums }: VecStep, env: number): string {
  return wordToHash(checksums[env]!);
}

export function createVecStep(task: Task, numEnvs: number): VecStep {
  const { observation, rewardTerms, measures } = task;
  return {
    observations: new Float32Array(numEnvs * observation.size),
    nextObservations: new Float32Array(numEnvs * observation.size),
    rewards: new Float32Array(numEnvs),
    terms: new Float32Array(numEnvs * rewardTerms.length),
    measures: new Float32Array(numEnvs * (measures?.names.length ?? 0)),
    terminated: new Uint8Array(numEnvs),
    truncated: new Uint8Array(numEnvs),
    successes: new Uint8Array(numEnvs),
    broken: new Uint8Array(numEnvs),
    starts: new Uint32Array(numEnvs * startWidth),
    levels: new Float32Array(numEnvs).fill(1),
    checksums: new Uint32Array(numEnvs),
  };
}

/** Everything needed to go on; plain data. */
export interface EnvsState {
  readonly simulation: Snapshot;
  readonly episodes: readonly EpisodeState[];
  readonly observations: readonly number[];
  readonly numBroken: number;
  readonly level: number;
}

export interface EnvsOptions {
  readonly numEnvs?: number;
  /** Index of the first env among all of a run; env i draws from the generator of seed and i. */
  readonly firstEnv?: number;
  readonly seed: number;
  /** false leaves an ended episode as it ended, for whoever looks at it; true where missing. */
  readonly autoReset?: boolean;
  /** Where the results are written; its own arrays where missing. */
  readonly out?: VecStep;
  /** 1 for every env whose checksums are wanted, [N]; read at each step. Its own where missing. */
  readonly watched?: Uint8Array;
}

export class Envs {
  readonly task: Task;
  readonly simulation: Simulation;
  readonly out: VecStep;
  /** Robots that were reset because their state was no longer finite, since the beginning. */
  numBroken = 0;
  /** 1 for every env whose checksums are wanted, [N]. */
  readonly watched: Uint8Array;
  private nextLevel = 1;
  private readonly substeps: number;
  private readonly firstEnv: number;
  private readonly autoReset: boolean;
  private readonly episodes: Episode[];

  constructor(physics: Physics, task: Task, options: EnvsOptions) {
    const { numEnvs = 1, firstEnv = 0, seed, autoReset = true } = options;
    const { settings = {}, model, memorySize = 0 } = task;
    checkTask(task);
    this.task = task;
    this.firstEnv = firstEnv;
    this.autoReset = autoReset;
    this.simulation = new Simulation(physics, model, {
      settings,
      numWorlds: numEnvs,
      firstSlot: firstEnv,
      memorySize,
    });
    this.substeps = substepsOf(task, this.simulation.settings.timestep);
    this.out = options.out ?? createVecStep(task, numEnvs);
    this.watched = options.watched ?? new Uint8Array(numEnvs);
    const root = createRng(seed);
    this.episodes = this.simulation.worlds.map(
      (world, i) => new Episode(task, world, root.split(`env ${firstEnv + i}`)),
    );
  }

  get robotsPerWorld(): number {
    return this.numEnvs;
  }

  get numEnvs(): number {
    return this.episodes.length;
  }

  /** Begins an episode in every env; with a seed, as envs that were made with it would. */
  reset(seed?: number): VecStep {
    if (seed !== undefined) {
      const root = createRng(seed);
      for (const [i, episode] of this.episodes.entries())
        episode.reseed(root.split(`env ${this.firstEnv + i}`).state());
    }
    for (let i = 0; i < this.numEnvs; i++) this.begin(i);
    return this.out;
  }

  /** Begins an episode of one env; from a generator's state, the one that began there before. */
  begin(i: number, start?: RngState): void {
    const episode = this.episodes[i]!;
    if (start) episode.reseed(start);
    episode.begin(this.nextLevel);
    this.tellStart(i);
    this.observe(i, this.out.observations);
    this.tellChecksum(i);
  }

  /** The level of difficulty, in [0, 1], of the episodes that begin from now on. */
  get level(): number {
    return this.nextLevel;
  }

  setLevel(level: number): void {
    checkLevel(this.task, level);
    this.nextLevel = Math.fround(level);
  }

  /** One control step of every env with actions [N, A]; ended episodes begin anew. */
  step(actions: Float32Array): VecStep {
    const width = this.task.action.size;
    checkActions(actions, this.numEnvs, width, "env");
    for (const [i, episode] of this.episodes.entries())
      episode.act(actions.subarray(i * width, (i + 1) * width), this.task.controlDt);
    this.simulation.step(this.substeps);
    for (let i = 0; i < this.numEnvs; i++) this.finish(i);
    return this.out;
  }

  state(): EnvsState {
    return {
      simulation: this.simulation.snapshot(),
      episodes: this.episodes.map((episode) => episode.state()),
      observations: Array.from(this.out.observations),
      numBroken: this.numBroken,
      level: this.nextLevel,
    };
  }

  restore({ simulation, episodes, observations, numBroken, level }: EnvsState): void {
    if (episodes.length !== this.numEnvs)
      throw new Error(`the state of ${episodes.length} envs does not fit ${this.numEnvs}`);
    this.simulation.restore(simulation);
    this.out.observations.set(observations);
    this.numBroken = numBroken;
    this.nextLevel = level;
    for (const [i, episode] of this.episodes.entries()) {
      episode.restore(episodes[i]!);
      this.tellStart(i);
      this.tellChecksum(i);
    }
  }

  /**
   * Goes on in the midst of another world of one's episode, which saw so many steps already. What will be drawn
   * after its end comes from this env's own generator.
   */
  place(state: EnvsState): void {
    if (this.numEnvs !== 1)
      throw new Error(
        `an episode is placed in a world of one, this one has ${this.numEnvs} robots`,
      );
    const own = this.episodes[0]!.state().seeds;
    this.restore({ ...state, numBroken: this.numBroken, level: this.nextLevel });
    this.episodes[0]!.reseed(own);
  }

  free(): void {
    this.simulation.free();
  }

  private observe(i: number, into: Float32Array): void {
    const { size } = this.task.observation;
    const row = into.subarray(i * size, (i + 1) * size);
    this.episodes[i]!.observe(row);
  }

  private finish(i: number): void {
    const { task, out } = this;
    const episode = this.episodes[i]!;
    const { size } = task.observation;
    out.broken[i] = episode.world.healthy ? 0 : 1;
    if (out.broken[i]) this.numBroken++;
    else this.judge(i);
    out.truncated[i] = out.broken[i] || (!out.terminated[i] && episode.overdue) ? 1 : 0;
    const successor = out.nextObservations.subarray(i * size, (i + 1) * size);
    const now = out.observations.subarray(i * size, (i + 1) * size);
    if (out.broken[i]) {
      successor.set(now);
      out.terminated[i] = out.successes[i] = out.rewards[i] = 0;
    }
    if (this.autoReset && out.terminated[i]! + out.truncated[i]! > 0) this.begin(i);
    else {
      now.set(successor);
      this.tellChecksum(i);
    }
  }

  private tellStart(i: number): void {
    const { world, start } = this.episodes[i]!;
    this.out.starts.set([start.key, ...start.words], i * startWidth);
    this.out.levels[i] = world.level;
  }

  private tellChecksum(i: number): void {
    if (this.watched[i]) this.out.checksums[i] = hashToWord(worldHash(this.episodes[i]!.world));
  }

  /** Successor, reward and end of an env whose physics is sound. */
  private judge(i: number): void {
    const { task, out } = this;
    const { world, action } = this.episodes[i]!;
    const numTerms = task.rewardTerms.length;
    this.observe(i, out.nextObservations);
    const terms = out.terms.subarray(i * numTerms, (i + 1) * numTerms);
    out.rewards[i] = task.reward(world, action, terms);
    if (task.measures) {
      const numMeasures = task.measures.names.length;
      task.measures.read(world, out.measures.subarray(i * numMeasures, (i + 1) * numMeasures));
    }
    out.terminated[i] = task.terminated(world) ? 1 : 0;
    out.successes[i] = task.success?.(world) ? 1 : 0;
  }
}

/** Throws unless the task has levels and this is one. */
export function checkLevel({ id, hasLevels }: Task, level: number): void {
  if (!hasLevels) throw new Error(`task "${id}" has no levels`);
  if (!(level >= 0 && level <= 1)) throw new Error(`a level is from 0 to 1, got ${level}`);
}

function checkTask(task: Task): void {
  const { id, action, model } = task;
  if (!task.command && action.size !== model.actuators.length)
    throw new Error(
      `task "${id}" has ${action.size} actions for ${model.actuators.length} actuators`,
    );
  checkRandomization(task);
}
