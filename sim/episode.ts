// Episode: what one env remembers between its reset and its end, and what is drawn for it.

import { scaleFriction, scaleMasses } from "./randomize.ts";
import { createRng, type Rng, type RngState } from "./rng.ts";
import type { Interval, Task } from "./task.ts";
import type { World } from "./world.ts";

/** An episode's part of an env's state; plain data. */
export interface EpisodeState {
  readonly seeds: RngState;
  readonly start: RngState;
  readonly noise: RngState;
  readonly steps: number;
  readonly latency: number;
  readonly pending: readonly (readonly number[])[];
  readonly strengths: readonly number[];
}

export class Episode {
  readonly world: World;
  /** The action that the policy chose, clamped. */
  readonly action: Float32Array;
  /** The generator's state before the reset: with the level, all that the episode came from. */
  start: RngState;
  private readonly task: Task;
  private readonly rng: Rng;
  private noise: Rng;
  private pending: Float32Array[] = [];
  private latency = 0;
  private steps = 0;

  constructor(task: Task, world: World, rng: Rng) {
    this.task = task;
    this.world = world;
    this.rng = rng;
    this.noise = rng;
    this.start = rng.state();
    this.action = new Float32Array(task.action.size);
  }

  /** Goes on with another generator's state. */
  reseed(state: RngState): void {
    this.rng.restore(state);
  }

  get overdue(): boolean {
    return this.steps >= this.task.maxEpisodeSteps;
  }

  /** Begins anew; everything drawn in the episode comes from the generator's state at this moment. */
  begin(level: number): void {
    const { world, task, rng } = this;
    const { observationNoise } = task.randomization ?? {};
    this.start = rng.state();
    this.steps = 0;
    this.action.fill(0);
    world.level = level;
    this.noise = observationNoise === undefined ? rng : createRng(rng.bits());
    this.randomise(level);
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
    if (this.latency === 0) drive(this.task, this.world, this.action);
    else {
      const due = this.pending.shift()!;
      drive(this.task, this.world, due);
      due.set(this.action);
      this.pending.push(due);
    }
  }

  observe(out: Float32Array): void {
    this.task.observe(this.world, out);
    const noise = this.task.randomization?.observationNoise;
    if (noise === undefined) return;
    const { level } = this.world;
    for (let i = 0; i < out.length; i++) {
      const deviation = level * (typeof noise === "number" ? noise : noise[i]!);
      if (deviation > 0) out[i]! += deviation * this.noise.normal();
    }
  }

  state(): EpisodeState {
    return {
      seeds: this.rng.state(),
      start: this.start,
      noise: this.noise.state(),
      steps: this.steps,
      latency: this.latency,
      pending: this.pending.map((action) => Array.from(action)),
      strengths: Array.from(this.world.drives.strengths),
    };
  }

  restore(state: EpisodeState): void {
    this.rng.restore(state.seeds);
    this.start = state.start;
    this.noise = createRng(0);
    this.noise.restore(state.noise);
    this.steps = state.steps;
    this.latency = state.latency;
    this.pending = state.pending.map((action) => Float32Array.from(action));
    this.world.drives.strengths.set(state.strengths);
    this.world.drives.apply();
  }

  private randomise(level: number): void {
    const { world, task, rng } = this;
    const { motorStrength, latency, mass, friction } = task.randomization ?? {};
    const [least, most] = latency ? eased(latency, 0, level).map(Math.round) : [0, 0];
    this.latency = latency ? least! + rng.integer(most! - least! + 1) : 0;
    this.pending = Array.from({ length: this.latency }, () => new Float32Array(task.action.size));
    const { strengths } = world.drives;
    for (let i = 0; i < strengths.length; i++)
      strengths[i] = motorStrength ? between(rng, eased(motorStrength, 1, level)) : 1;
    if (mass) scaleMasses(world, between(rng, eased(mass, 1, level)));
    if (friction) scaleFriction(world, between(rng, eased(friction, 1, level)));
  }

  private push(controlDt: number): void {
    const pushes = this.task.randomization?.pushes;
    if (!pushes || this.rng.uniform() >= controlDt / pushes.every) return;
    const impulse = this.world.level * pushes.speed * this.world.plan.totalMass;
    const x = impulse * (2 * this.rng.uniform() - 1);
    const y = impulse * (2 * this.rng.uniform() - 1);
    this.world.push(this.world.linkIndex(pushes.link), [x, y, 0]);
  }
}

/** Sets the actuators' controls from a task's action. */
export function drive(task: Task, world: World, action: Float32Array): void {
  if (!task.command) {
    world.setControls(action);
    return;
  }
  task.command(world, action, world.drives.controls);
  world.setControls(world.drives.controls);
}

function between(rng: Rng, [low, high]: Interval): number {
  return low + (high - low) * rng.uniform();
}

/** The whole range at level 1, nothing but the nominal value at level 0. */
function eased([low, high]: Interval, nominal: number, level: number): Interval {
  const rest = (1 - level) * nominal;
  return [rest + level * low, rest + level * high];
}
