import { expect, test } from "vitest";
import {
  batchWidths,
  type Columns,
  createBatch,
  NStepReturns,
  ReplayBuffer,
  sampleBatch,
} from "../../agents/replay.ts";
import { createRng } from "../../sim/rng.ts";

const widths = batchWidths(2, 1);

/** A row that holds `value` in every column. */
function addRow(buffer: ReplayBuffer, value: number): void {
  const row = createBatch(1, widths);
  for (const column of Object.values(row) as Float32Array[]) column.fill(value);
  const zero = { observations: 0, actions: 0, rewards: 0, discounts: 0, nextObservations: 0 };
  buffer.add(row, zero);
}

function filled(capacity: number, from: number, to: number): ReplayBuffer {
  const buffer = new ReplayBuffer(capacity, widths);
  for (let i = from; i < to; i++) addRow(buffer, i);
  return buffer;
}

test("keeps a row's columns together and overwrites the oldest rows", () => {
  const batch = createBatch(64, widths);
  filled(4, 0, 6).sample(batch, 0, 64, createRng(1));
  expect(new Set(batch.rewards)).toEqual(new Set([2, 3, 4, 5]));
  for (let row = 0; row < 64; row++) {
    const value = batch.rewards[row];
    expect([...batch.observations.slice(2 * row, 2 * row + 2)]).toEqual([value, value]);
    expect(batch.actions[row]).toBe(value);
    expect(batch.nextObservations[2 * row + 1]).toBe(value);
  }
});

test("a restored buffer goes on like the first, also after wrapping around", () => {
  const first = filled(4, 0, 6);
  const other = new ReplayBuffer(4, widths);
  const { columns, ...rest } = first.state();
  const entries = Object.entries(columns).map(([name, column]) => [name, column.slice()]);
  other.restore({ ...rest, columns: Object.fromEntries(entries) as Columns });
  const batches = [first, other].map((buffer) => {
    addRow(buffer, 6);
    const batch = createBatch(32, widths);
    buffer.sample(batch, 0, 32, createRng(2));
    return batch;
  });
  expect(batches[1]).toEqual(batches[0]);
  expect(new Set(batches[0]!.rewards)).toEqual(new Set([3, 4, 5, 6]));
  expect(() => new ReplayBuffer(2, widths).restore(first.state())).toThrow("do not fit");
});

test("two sources of equal shares give exactly half of every batch", () => {
  const [online, demos] = [filled(100, 0, 100), filled(10, 1000, 1010)];
  const rng = createRng(3);
  for (let i = 0; i < 20; i++) {
    const batch = createBatch(32, widths);
    const sources = [online, demos].map((buffer) => ({ buffer, share: 1 }));
    sampleBatch(sources, batch, 0, 32, rng);
    expect(batch.rewards.filter((reward) => reward >= 1000).length).toBe(16);
  }
});

/** Steps of one env whose observation is the step's number, and the rows that come of them. */
function rowsOf(
  rewards: readonly number[],
  options: {
    n: number;
    discount: number;
    terminated?: number;
    truncated?: number;
    broken?: number;
    timeOuts?: "terminal";
    rewardShift?: number;
  },
): [observation: number, reward: number, discount: number, next: number][] {
  const narrow = batchWidths(1, 1);
  const buffer = new ReplayBuffer(20, narrow);
  const returns = new NStepReturns(buffer, 1, { ...options, numStepReturns: options.n });
  const flag = (at: number | undefined, step: number) => Uint8Array.of(at === step ? 1 : 0);
  for (const [step, reward] of rewards.entries()) {
    returns.add({
      observations: Float32Array.of(step),
      actions: Float32Array.of(10 + step),
      rewards: Float32Array.of(reward),
      nextObservations: Float32Array.of(step + 1),
      terminated: flag(options.terminated, step),
      truncated: flag(options.truncated ?? options.broken, step),
      broken: flag(options.broken, step),
    });
  }
  const { columns, size } = buffer.state();
  return Array.from({ length: size }, (_, i) => {
    expect(columns.actions[i]).toBe(10 + columns.observations[i]!);
    const { observations, rewards, discounts, nextObservations } = columns;
    return [observations[i]!, rewards[i]!, discounts[i]!, nextObservations[i]!];
  });
}

test("three-step returns: 1 + 2/2 + 4/4, then an eighth of the value three steps on", () => {
  expect(rowsOf([1, 2, 4], { n: 3, discount: 0.5 })).toEqual([[0, 3, 0.125, 3]]);
  expect(rowsOf([1, 2, 4, 8], { n: 3, discount: 0.5 })).toEqual([
    [0, 3, 0.125, 3],
    [1, 6, 0.125, 4],
  ]);
});

test("termination ends every return that waits, without a value after it", () => {
  expect(rowsOf([1, 2], { n: 3, discount: 0.5, terminated: 1 })).toEqual([
    [0, 2, 0, 2],
    [1, 2, 0, 2],
  ]);
});

test("a time limit shortens returns, which then bootstrap from the true last state", () => {
  expect(rowsOf([1, 2], { n: 3, discount: 0.5, truncated: 1 })).toEqual([
    [0, 2, 0.25, 2],
    [1, 2, 0.5, 2],
  ]);
});

test("a step in which the physics lost the robot never enters; those before it do", () => {
  expect(rowsOf([1, 2, 99, 4], { n: 3, discount: 0.5, broken: 2 })).toEqual([
    [0, 2, 0.25, 2],
    [1, 2, 0.5, 2],
  ]);
});

test("no return reaches over an episode's end", () => {
  const rows = rowsOf([1, 1, 1, 1, 1], { n: 2, discount: 1, truncated: 2 });
  expect(rows).toEqual([
    [0, 2, 1, 2],
    [1, 2, 1, 3],
    [2, 1, 1, 3],
    [3, 2, 1, 5],
  ]);
});

test("a time-out that counts as terminal is worth its rewards alone, each shifted", () => {
  const options = {
    n: 2,
    discount: 0.5,
    truncated: 2,
    timeOuts: "terminal",
    rewardShift: -1,
  } as const;
  expect(rowsOf([1, 1, 3], options)).toEqual([
    [0, 0, 0.25, 2],
    [1, 1, 0, 3],
    [2, 2, 0, 3],
  ]);
});

test("success on step 3 of a return over 5: R = γ², and nothing follows", () => {
  const rows = rowsOf([0, 0, 1], { n: 5, discount: 0.9, terminated: 2 });
  expect(rows[0]![1]).toBeCloseTo(0.81, 6);
  expect(rows.map((row) => row[2])).toEqual([0, 0, 0]);
});
