// Envs: the worlds of one simulation under one task, a step at a time, with auto-reset.
//
// Gymnasium's contract: `terminated` is an absorbing end, `truncated` the time limit, and the true
// successor is kept where an episode was reset. Every env has its own generator, so that its path does
// not depend on how many others there are.

import { scaleFriction, scaleMasses } from "./randomize.ts";
import type { Physics } from "./rapier.ts";
import { createRng, type Rng, type RngState } from "./rng.ts";
import { Simulation, type Snapshot } from "./simulation.ts";
import { substepsOf, type Task } from "./task.ts";
import type { World } from "./world.ts";

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
  };
}

/** Everything needed to go on; plain data. */
export interface EnvsState {
  readonly simulation: Snapshot;
  readonly episodes: readonly EpisodeState[];
  readonly observations: readonly number[];
  readonly numBroken: number;
}

interface EpisodeState {
  readonly seeds: RngState;
  readonly noise: RngState;
  readonly steps: number;
  readonly latency: number;
  readonly pending: readonly (readonly number[])[];
  readonly strengths: readonly number[];
}

export interface EnvsOptions {
  readonly numEnvs?: number;
  /** Index of the first env among all of a run; env i draws from the generator of seed and i. */
  readonly firstEnv?: number;
  readonly seed: number;
  /** Where the results are written; its own arrays where missing. */
  readonly out?: VecStep;
}

export class Envs {
  readonly task: Task;
  readonly simulation: Simulation;
  readonly out: VecStep;
  /** Robots that were reset because their state was no longer finite, since the beginning. */
  numBroken = 0;
  private readonly substeps: number;
  private readonly firstEnv: number;
  private readonly episodes: Episode[];

  constructor(physics: Physics, task: Task, options: EnvsOptions) {
    const { numEnvs = 1, firstEnv = 0, seed } = options;
    const { settings = {}, model, memorySize = 0 } = task;
    checkTask(task);
    this.task = task;
    this.firstEnv = firstEnv;
    this.simulation = new Simulation(physics, model, {
      settings,
      numWorlds: numEnvs,
      firstSlot: firstEnv,
      memorySize,
    });
    this.substeps = substepsOf(task, this.simulation.settings.timestep);
    this.out = options.out ?? createVecStep(task, numEnvs);
    const root = createRng(seed);
    this.episodes = this.simulation.worlds.map(
      (world, i) => new Episode(task, world, root.split(`env ${firstEnv + i}`)),
    );
  }

  get numEnvs(): number {
    return this.episodes.length;
  }

  /** Begins an episode in every env; with a seed, as envs that were made with it would. */
  reset(seed?: number): VecStep {
    if (seed !== undefined) {
      const root = createRng(seed);
      for (const [i, episode] of this.episodes.entries())
        episode.reseed(root.split(`env ${this.firstEnv + i}`));
    }
    for (const [i, episode] of this.episodes.entries()) {
      episode.begin();
      this.observe(i, this.out.observations);
    }
    return this.out;
  }

  /** One control step of every env with actions [N, A]; ended episodes begin anew. */
  step(actions: Float32Array): VecStep {
    const width = this.task.action.size;
    if (actions.length !== this.numEnvs * width)
      throw new Error(
        `${this.numEnvs} envs take ${this.numEnvs * width} numbers, got ${actions.length}`,
      );
    for (let i = 0; i < actions.length; i++) {
      if (!Number.isFinite(actions[i]!))
        throw new Error(`action ${i % width} of env ${Math.floor(i / width)} is ${actions[i]}`);
    }
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
    };
  }

  restore({ simulation, episodes, observations, numBroken }: EnvsState): void {
    if (episodes.length !== this.numEnvs)
      throw new Error(`the state of ${episodes.length} envs does not fit ${this.numEnvs}`);
    this.simulation.restore(simulation);
    for (const [i, episode] of this.episodes.entries()) episode.restore(episodes[i]!);
    this.out.observations.set(observations);
    this.numBroken = numBroken;
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
    if (out.terminated[i] || out.truncated[i]) episode.begin();
    if (out.terminated[i] || out.truncated[i]) episode.observe(now);
    else now.set(successor);
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

function checkTask({ id, action, model }: Task): void {
  if (action.size !== model.actuators.length)
    throw new Error(
      `task "${id}" has ${action.size} actions for ${model.actuators.length} actuators`,
    );
}

/** What one env remembers within an episode. */
class Episode {
  readonly world: World;
  /** The action that the policy chose, clamped. */
  readonly action: Float32Array;
  private readonly task: Task;
  private readonly rng: Rng;
  private readonly noise: Rng;
  private pending: Float32Array[] = [];
  private latency = 0;
  private steps = 0;

  constructor(task: Task, world: World, rng: Rng) {
    this.task = task;
    this.world = world;
    this.rng = rng;
    this.noise = rng.split("noise");
    this.action = new Float32Array(task.action.size);
  }

  /** Goes on with another generator. */
  reseed(rng: Rng): void {
    this.rng.restore(rng.state());
    this.noise.restore(rng.split("noise").state());
  }

  get overdue(): boolean {
    return this.steps >= this.task.maxEpisodeSteps;
  }

  begin(): void {
    const { world, task, rng } = this;
    const { motorStrength, latency, mass, friction } = task.randomization ?? {};
    this.steps = 0;
    this.action.fill(0);
    this.latency = latency ? latency[0] + rng.integer(latency[1] - latency[0] + 1) : 0;
    this.pending = Array.from({ length: this.latency }, () => new Float32Array(task.action.size));
    const { strengths } = world.drives;
    for (let i = 0; i < strengths.length; i++)
      strengths[i] = motorStrength ? between(rng, motorStrength) : 1;
    if (mass) scaleMasses(world, between(rng, mass));
    if (friction) scaleFriction(world, between(rng, friction));
    world.zeroStart();
    task.reset(world, rng);
    world.place();
  }

  act(action: Float32Array, controlDt: number): void {
    // JSON, which states and recordings may pass through, knows no −0.
    for (let i = 0; i < action.length; i++)
      this.action[i] = Math.min(1, Math.max(-1, action[i]!)) + 0;
    this.steps++;
    this.push(controlDt);
    if (this.latency === 0) this.world.setControls(this.action);
    else {
      const due = this.pending.shift()!;
      this.world.setControls(due);
      due.set(this.action);
      this.pending.push(due);
    }
  }

  observe(out: Float32Array): void {
    this.task.observe(this.world, out);
    const noise = this.task.randomization?.observationNoise ?? 0;
    if (noise > 0) for (let i = 0; i < out.length; i++) out[i]! += noise * this.noise.normal();
  }

  state(): EpisodeState {
    return {
      seeds: this.rng.state(),
      noise: this.noise.state(),
      steps: this.steps,
      latency: this.latency,
      pending: this.pending.map((action) => Array.from(action)),
      strengths: Array.from(this.world.drives.strengths),
    };
  }

  restore(state: EpisodeState): void {
    this.rng.restore(state.seeds);
    this.noise.restore(state.noise);
    this.steps = state.steps;
    this.latency = state.latency;
    this.pending = state.pending.map((action) => Float32Array.from(action));
    this.world.drives.strengths.set(state.strengths);
    this.world.drives.apply();
  }

  private push(controlDt: number): void {
    const pushes = this.task.randomization?.pushes;
    if (!pushes || this.rng.uniform() >= controlDt / pushes.every) return;
    const impulse = pushes.speed * this.world.plan.totalMass;
    const x = impulse * (2 * this.rng.uniform() - 1);
    const y = impulse * (2 * this.rng.uniform() - 1);
    this.world.push(this.world.linkIndex(pushes.link), [x, y, 0]);
  }
}

function between(rng: Rng, [low, high]: readonly [number, number]): number {
  return low + (high - low) * rng.uniform();
}
