// Rollout: T steps of N envs as the policy took them, their advantages, and shuffled minibatches.
//
// Generalised advantage estimation, Schulman et al. 2016, arXiv:1506.02438, eq. 16:
//   δₜ = rₜ + γ V(sₜ₊₁) − V(sₜ),  Aₜ = δₜ + γ λ Aₜ₊₁.
// A terminated step has no V(sₜ₊₁). A truncated one bootstraps from the value of its true last
// observation, which was never acted on and is asked for when the rollout is full. Sums do not reach
// over an episode's end, nor over a step in which the physics lost the robot: that step is never
// learned from, and the one before it bootstraps from the last sound observation.

import type { Rng } from "../sim/rng.ts";
import type { RolloutBatch } from "./rows.ts";

export type RolloutColumns = RolloutBatch<Float32Array>;
type Widths = RolloutBatch<number>;
const columnNames = [
  "observations",
  "actions",
  "logProbs",
  "values",
  "advantages",
  "returns",
] as const satisfies readonly (keyof RolloutColumns)[];

/** One control step of N envs and what the policy thought of it; nothing is kept but copies. */
export interface RolloutStep {
  readonly observations: Float32Array; // [N, O], as the policy saw them
  readonly actions: Float32Array; // [N, A]
  readonly logProbs: Float32Array; // [N]
  readonly values: Float32Array; // [N]
  readonly rewards: Float32Array; // [N]
  readonly nextObservations: Float32Array; // [N, O], true successors, as the policy would see them
  readonly terminated: Uint8Array; // [N]
  readonly truncated: Uint8Array; // [N]
  /** 1 where the physics lost the robot: that step is no transition. */
  readonly broken: Uint8Array; // [N]
}

export interface RolloutOptions {
  /** T. */
  readonly rolloutLength: number;
  /** N. */
  readonly numEnvs: number;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly discount: number;
  readonly lambda: number;
}

/** What a checkpoint holds of a rollout that is not full yet. */
export interface RolloutState {
  readonly columns: RolloutColumns;
  readonly rewards: Float32Array;
  readonly ends: Uint8Array;
  readonly numSteps: number;
  readonly waiting: readonly Waiting[];
}

/** A step whose successor was not acted on, and that successor. */
interface Waiting {
  readonly row: number;
  readonly observation: Float32Array; // [O]
}

/** How a step's trajectory goes on. */
const end = { none: 0, terminated: 1, truncated: 2, broken: 3 } as const;

/** The values of N observations [N, O]; fresh or a view. */
export type ValuesOf = (observations: Float32Array) => Promise<Float32Array>;

export class Rollout {
  private readonly options: RolloutOptions;
  private readonly widths: Widths;
  private readonly columns: RolloutColumns; // [T, N, …]
  private readonly rewards: Float32Array; // [T, N]
  private readonly ends: Uint8Array; // [T, N]
  private readonly nextValues: Float32Array; // [T, N], of true successors that were not acted on
  private numSteps = 0;
  private waiting: Waiting[] = [];

  constructor(options: RolloutOptions) {
    const { rolloutLength, numEnvs, observationSize, actionSize } = options;
    const numRows = rolloutLength * numEnvs;
    this.options = options;
    this.widths = widthsOf(observationSize, actionSize);
    this.columns = createColumns(numRows, this.widths);
    this.rewards = new Float32Array(numRows);
    this.ends = new Uint8Array(numRows);
    this.nextValues = new Float32Array(numRows);
  }

  get full(): boolean {
    return this.numSteps === this.options.rolloutLength;
  }

  add(step: RolloutStep): void {
    if (this.full) throw new Error("the rollout is full: finish and clear it before the next step");
    const { numEnvs, observationSize } = this.options;
    const first = this.numSteps * numEnvs;
    for (const name of ["observations", "actions", "logProbs", "values"] as const)
      this.columns[name].set(step[name], first * this.widths[name]);
    this.rewards.set(step.rewards, first);
    this.numSteps++;
    for (let env = 0; env < numEnvs; env++) {
      const ending = endOf(step, env);
      this.ends[first + env] = ending;
      if (ending !== end.truncated && !(this.full && ending === end.none)) continue;
      const from = env * observationSize;
      const observation = step.nextObservations.slice(from, from + observationSize);
      this.waiting.push({ row: first + env, observation });
    }
  }

  /** Fills in advantages and returns, A + V, of a full rollout. */
  async finish(valuesOf: ValuesOf): Promise<void> {
    if (!this.full) throw new Error(`the rollout has ${this.numSteps} steps and is not full`);
    await this.askForValues(valuesOf);
    const { rolloutLength, numEnvs, discount, lambda } = this.options;
    const { values, advantages, returns } = this.columns;
    for (let env = 0; env < numEnvs; env++) {
      let later = 0; // advantage of the step after, where the trajectory goes on
      for (let row = (rolloutLength - 1) * numEnvs + env; row >= 0; row -= numEnvs) {
        const goesOn = this.goesOn(row);
        const tail = goesOn ? discount * lambda * later : 0;
        later = this.rewards[row]! + discount * this.nextValue(row) - values[row]! + tail;
        advantages[row] = later;
        returns[row] = later + values[row]!;
      }
    }
  }

  /** The rows that may be learned from, t · N + env, in order; fresh. */
  soundRows(): Int32Array {
    return Int32Array.from(this.ends.keys()).filter((row) => this.ends[row] !== end.broken);
  }

  /** Copies rows into a batch of as many. */
  gather(rows: Int32Array, batch: RolloutColumns): void {
    for (const name of columnNames) {
      const width = this.widths[name];
      const [source, target] = [this.columns[name], batch[name]];
      for (let i = 0; i < rows.length; i++) {
        const from = rows[i]! * width;
        for (let k = 0; k < width; k++) target[i * width + k] = source[from + k]!;
      }
    }
  }

  /** How much of the returns the critic foresaw: 1 − Var(R − V) / Var(R); NaN where R is constant. */
  explainedVariance(): number {
    const rows = this.soundRows();
    const { values, returns } = this.columns;
    const spread = variance(rows, (row) => returns[row]!);
    return spread === 0
      ? Number.NaN
      : 1 - variance(rows, (row) => returns[row]! - values[row]!) / spread;
  }

  /** Begins anew. */
  clear(): void {
    this.numSteps = 0;
    this.waiting = [];
  }

  /** The arrays are views, valid until the next `add`. */
  state(): RolloutState {
    const { columns, rewards, ends, numSteps, waiting } = this;
    return { columns, rewards, ends, numSteps, waiting: [...waiting] };
  }

  restore({ columns, rewards, ends, numSteps, waiting }: RolloutState): void {
    for (const name of columnNames) {
      const wanted = this.columns[name].length;
      if (columns[name].length !== wanted)
        throw new Error(`column ${name} wants ${wanted} numbers, got ${columns[name].length}`);
      this.columns[name].set(columns[name]);
    }
    this.rewards.set(rewards);
    this.ends.set(ends);
    this.numSteps = numSteps;
    this.waiting = [...waiting];
  }

  /** Values of the successors that wait, N at a time. */
  private async askForValues(valuesOf: ValuesOf): Promise<void> {
    const { numEnvs, observationSize } = this.options;
    const observations = new Float32Array(numEnvs * observationSize);
    for (let first = 0; first < this.waiting.length; first += numEnvs) {
      const asked = this.waiting.slice(first, first + numEnvs);
      for (const [i, { observation }] of asked.entries())
        observations.set(observation, i * observationSize);
      const values = await valuesOf(observations);
      for (const [i, { row }] of asked.entries()) this.nextValues[row] = values[i]!;
    }
    this.waiting = [];
  }

  /** Whether the step's advantage counts those after it. */
  private goesOn(row: number): boolean {
    const next = row + this.options.numEnvs;
    return this.ends[row] === end.none && next < this.ends.length && this.ends[next] !== end.broken;
  }

  private nextValue(row: number): number {
    const ending = this.ends[row];
    if (ending === end.terminated || ending === end.broken) return 0;
    const next = row + this.options.numEnvs;
    if (ending === end.truncated || next >= this.ends.length) return this.nextValues[row]!;
    return this.columns.values[next]!;
  }
}

/** Fresh arrays for a batch of B rows. */
export function createRolloutBatch(
  size: number,
  observationSize: number,
  actionSize: number,
): RolloutColumns {
  return createColumns(size, widthsOf(observationSize, actionSize));
}

/** Puts rows into random order, in place (Fisher and Yates). */
export function shuffle(rows: Int32Array, rng: Rng): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const k = rng.integer(i + 1);
    [rows[i], rows[k]] = [rows[k]!, rows[i]!];
  }
}

function endOf({ terminated, truncated, broken }: RolloutStep, env: number): number {
  if (broken[env]) return end.broken;
  if (terminated[env]) return end.terminated;
  return truncated[env] ? end.truncated : end.none;
}

function widthsOf(observationSize: number, actionSize: number): Widths {
  return {
    observations: observationSize,
    actions: actionSize,
    logProbs: 1,
    values: 1,
    advantages: 1,
    returns: 1,
  };
}

function createColumns(numRows: number, widths: Widths): RolloutColumns {
  const entries = columnNames.map((name) => [name, new Float32Array(numRows * widths[name])]);
  return Object.fromEntries(entries) as RolloutColumns;
}

function variance(rows: Int32Array, of: (row: number) => number): number {
  let mean = 0;
  for (const row of rows) mean += of(row) / rows.length;
  let sum = 0;
  for (const row of rows) sum += (of(row) - mean) ** 2;
  return sum / rows.length;
}
