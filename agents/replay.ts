// Replay: a ring of transitions in columns, the n-step returns that fill it, and batches drawn from it.
//
// Returns are summed when a transition enters: a row holds its m rewards' discounted sum, the true state
// m steps on, and what that state's value counts (γᵐ, or 0 where the episode terminated). So a batch is
// a plain gather, and an algorithm never hears of n. Columns lie in shared memory.

import type { Rng } from "../sim/rng.ts";
import type { Batch, ExtraColumn } from "./rows.ts";

export type Columns = Batch<Float32Array>;

/** Numbers of a row, by column. */
export type Widths = Batch<number>;

export function batchWidths(
  observationSize: number,
  actionSize: number,
  extras: readonly ExtraColumn[] = [],
): Widths {
  return {
    observations: observationSize,
    actions: actionSize,
    rewards: 1,
    discounts: 1,
    nextObservations: observationSize,
    ...(extras.includes("nextActions") && { nextActions: actionSize }),
    ...(extras.includes("returnsToGo") && { returnsToGo: 1 }),
  };
}

/** What a checkpoint holds of a buffer: its rows from 0 on, and where the next one goes. */
export interface ReplayState {
  readonly columns: Columns;
  readonly size: number;
  readonly head: number;
}

/** The newest `capacity` rows; the oldest are overwritten. */
export class ReplayBuffer {
  readonly capacity: number;
  readonly widths: Widths;
  /** Rows that are filled. */
  size = 0;
  private head = 0;
  private readonly columns: Columns;
  private readonly names: readonly (keyof Columns)[];

  constructor(capacity: number, widths: Widths) {
    this.capacity = capacity;
    this.widths = widths;
    this.names = namesOf(widths);
    this.columns = columnsOf(widths, (width) => sharedFloats(capacity * width));
  }

  /** Copies one row in; each source is read from its own offset. */
  add(row: Columns, offsets: Widths): void {
    for (const name of this.names) {
      const width = this.widths[name]!;
      const [from, to] = [offsets[name]!, this.head * width];
      const [source, target] = [row[name]!, this.columns[name]!];
      for (let i = 0; i < width; i++) target[to + i] = source[from + i]!;
    }
    this.head = (this.head + 1) % this.capacity;
    this.size = Math.min(this.size + 1, this.capacity);
  }

  /** Fills rows [from, to) of a batch with rows drawn uniformly, with replacement. */
  sample(batch: Columns, from: number, to: number, rng: Rng): void {
    if (this.size === 0) throw new Error("a replay buffer without rows has none to sample");
    for (let row = from; row < to; row++) {
      const index = rng.integer(this.size);
      for (const name of this.names) {
        const width = this.widths[name]!;
        const source = this.columns[name]!;
        const target = batch[name]!;
        for (let i = 0; i < width; i++) target[row * width + i] = source[index * width + i]!;
      }
    }
  }

  /** The filled rows are views, valid until the next `add`. */
  state(): ReplayState {
    const { size, head } = this;
    return {
      size,
      head,
      columns: columnsOf(this.widths, (width, name) =>
        this.columns[name]!.subarray(0, size * width),
      ),
    };
  }

  restore({ columns, size, head }: ReplayState): void {
    if (size > this.capacity || head >= this.capacity || head > size)
      throw new Error(`${size} rows with head ${head} do not fit a buffer of ${this.capacity}`);
    for (const name of this.names) {
      const wanted = size * this.widths[name]!;
      const given = columns[name];
      if (given?.length !== wanted)
        throw new Error(`column ${name} wants ${wanted} numbers, got ${given?.length ?? "none"}`);
      this.columns[name]!.set(given);
    }
    this.size = size;
    this.head = head;
  }
}

/** Whatever rows are drawn from. */
export type Rows = Pick<ReplayBuffer, "size" | "sample">;

/** A buffer's share of every batch; shares are relative to each other. "bySize": its number of rows. */
export interface Source {
  readonly buffer: Rows;
  readonly share: number | "bySize";
}

/**
 * Fills rows [from, to) from several buffers, in order: two of equal shares are RLPD's halves
 * (arXiv:2302.02948). A share that is no whole number of rows is rounded, the last takes the rest; a buffer without rows has no share.
 */
export function sampleBatch(
  sources: readonly Source[],
  batch: Columns,
  from: number,
  to: number,
  rng: Rng,
): void {
  const shareOf = ({ buffer, share }: Source) =>
    share === "bySize" || buffer.size === 0 ? buffer.size : share;
  const total = sources.reduce((sum, source) => sum + shareOf(source), 0);
  let at = from;
  let sum = 0;
  for (const source of sources) {
    const { buffer } = source;
    sum += shareOf(source);
    const end = from + Math.round(((to - from) * sum) / total);
    if (end > at) buffer.sample(batch, at, end, rng);
    at = end;
  }
}

/** Fresh arrays for a batch of B rows. */
export function createBatch(size: number, widths: Widths): Columns {
  return columnsOf(widths, (width) => new Float32Array(size * width));
}

/** One control step of N envs, as the loop has it; nothing is kept but copies. */
export interface Transitions {
  readonly observations: Float32Array; // [N, O], what was acted on
  readonly actions: Float32Array; // [N, A]
  readonly rewards: Float32Array; // [N]
  readonly nextObservations: Float32Array; // [N, O], true successors
  readonly terminated: Uint8Array; // [N]
  readonly truncated: Uint8Array; // [N]
  /** 1 where the physics lost the robot: that step is no transition. */
  readonly broken: Uint8Array; // [N]
}

/** What a checkpoint holds of returns that are not complete yet, [N, n] a column. */
export interface PendingState {
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly rewards: Float32Array;
  readonly last: Float32Array; // [N, O]
  readonly counts: Int32Array; // [N]
}

/** How steps become returns; see `OffPolicyConfig`. */
export interface ReturnOptions {
  readonly numStepReturns: number;
  readonly discount: number;
  readonly timeOuts?: "bootstrap" | "terminal";
  readonly rewardShift?: number;
}

/**
 * Turns steps of N envs into rows of n-step returns. At an episode's end all shortened returns are
 * emitted; after a time limit, unless that is to be terminal, or where the physics lost the robot, they
 * still bootstrap from the last true state.
 */
export class NStepReturns {
  private readonly n: number;
  private readonly options: ReturnOptions;
  private readonly buffer: ReplayBuffer;
  private readonly pending: PendingState;
  private readonly row: Columns;

  constructor(buffer: ReplayBuffer, numEnvs: number, options: ReturnOptions) {
    const { observations: o, actions: a } = buffer.widths;
    const { numStepReturns: numSteps } = options;
    this.n = numSteps;
    this.options = options;
    this.buffer = buffer;
    this.pending = {
      observations: new Float32Array(numEnvs * numSteps * o),
      actions: new Float32Array(numEnvs * numSteps * a),
      rewards: new Float32Array(numEnvs * numSteps),
      last: new Float32Array(numEnvs * o),
      counts: new Int32Array(numEnvs),
    };
    const unknown = { nextActions: new Float32Array(a), returnsToGo: new Float32Array(1) };
    this.row = { ...this.pending, ...oneNumber(), ...unknown, nextObservations: this.pending.last };
  }

  add(step: Transitions): void {
    const numEnvs = this.pending.counts.length;
    for (let env = 0; env < numEnvs; env++) {
      if (step.broken[env]) this.cut(env);
      else this.addStep(env, step);
    }
  }

  /** Ends an env's steps where they stand; their returns bootstrap. */
  cut(env: number): void {
    this.flush(env, false);
  }

  state(): PendingState {
    return this.pending;
  }

  restore(state: PendingState): void {
    for (const name of ["observations", "actions", "rewards", "last", "counts"] as const) {
      const [mine, given] = [this.pending[name], state[name]];
      if (mine.length !== given.length)
        throw new Error(`pending ${name} wants ${mine.length} numbers, got ${given.length}`);
      mine.set(given);
    }
  }

  private addStep(env: number, step: Transitions): void {
    const { pending, n } = this;
    const { timeOuts, rewardShift = 0 } = this.options;
    const { observations: o, actions: a } = this.buffer.widths;
    const place = env * n + pending.counts[env]!;
    copy(step.observations, env * o, pending.observations, place * o, o);
    copy(step.actions, env * a, pending.actions, place * a, a);
    copy(step.nextObservations, env * o, pending.last, env * o, o);
    pending.rewards[place] = step.rewards[env]! + rewardShift;
    pending.counts[env]!++;
    if (step.terminated[env] || step.truncated[env])
      this.flush(env, step.terminated[env] === 1 || timeOuts === "terminal");
    else if (pending.counts[env] === n) {
      this.emit(env, 0, false);
      this.shift(env);
    }
  }

  /** Emits everything that waits, with shortened returns. */
  private flush(env: number, terminated: boolean): void {
    const count = this.pending.counts[env]!;
    for (let k = 0; k < count; k++) this.emit(env, k, terminated);
    this.pending.counts[env] = 0;
  }

  /** One row: from pending step k to the last one. */
  private emit(env: number, k: number, terminated: boolean): void {
    const { pending, n } = this;
    const { discount } = this.options;
    const { observations: o, actions: a } = this.buffer.widths;
    const [first, end] = [env * n + k, env * n + pending.counts[env]!];
    let sum = 0;
    let factor = 1;
    for (let at = first; at < end; at++) {
      sum += factor * pending.rewards[at]!;
      factor *= discount;
    }
    this.row.rewards[0] = sum;
    this.row.discounts[0] = terminated ? 0 : factor;
    const zero = { rewards: 0, discounts: 0, nextActions: 0, returnsToGo: 0 };
    const offsets = { ...zero, observations: first * o, actions: first * a };
    this.buffer.add(this.row, { ...offsets, nextObservations: env * o });
  }

  /** Drops the oldest pending step. */
  private shift(env: number): void {
    const { pending, n } = this;
    const { observations: o, actions: a } = this.buffer.widths;
    const [from, to] = [env * n, env * n + n];
    pending.observations.copyWithin(from * o, (from + 1) * o, to * o);
    pending.actions.copyWithin(from * a, (from + 1) * a, to * a);
    pending.rewards.copyWithin(from, from + 1, to);
    pending.counts[env]!--;
  }
}

function oneNumber() {
  return { rewards: new Float32Array(1), discounts: new Float32Array(1) };
}

function copy(source: Float32Array, from: number, target: Float32Array, to: number, count: number) {
  for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
}

function columnsOf(
  widths: Widths,
  make: (width: number, name: keyof Columns) => Float32Array,
): Columns {
  const entries = namesOf(widths).map((name) => [name, make(widths[name]!, name)]);
  return Object.fromEntries(entries) as Columns;
}

function namesOf(widths: Widths): (keyof Columns)[] {
  return Object.keys(widths) as (keyof Columns)[];
}

function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}
