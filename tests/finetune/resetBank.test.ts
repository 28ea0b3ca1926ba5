import { describe, expect, test } from "vitest";
import type { Dataset, EpisodeInfo } from "../../finetune/dataset.ts";
import { type BankEntry, bankEntries, ResetBank } from "../../finetune/resetBank.ts";
import { createRng } from "../../sim/rng.ts";

const entriesAt = (...places: number[]): BankEntry[] =>
  places.map((at) => ({ dataset: 0, episode: 0, snapshot: 0, at }));

/** How often each entry is drawn in 10,000. */
function shares(bank: ResetBank): number[] {
  const rng = createRng(1);
  const counts = bank.entries.map(() => 0);
  for (let i = 0; i < 10_000; i++) counts[bank.draw(rng)]! += 1e-4;
  return counts;
}

describe("curricula", () => {
  test("uniform draws every state alike", () => {
    for (const share of shares(new ResetBank(entriesAt(0, 0.3, 0.31, 0.95), "uniform")))
      expect(share).toBeCloseTo(0.25, 1);
  });

  test("band draws behind 40 to 80 % of a demonstration", () => {
    const bank = new ResetBank(entriesAt(0, 0.39, 0.4, 0.6, 0.8, 0.81), "band");
    expect(shares(bank).map((share) => share > 0)).toEqual([false, false, true, true, true, false]);
    expect(() => new ResetBank(entriesAt(0, 0.9), "band")).toThrow(/none of 2 snapshots/);
  });

  test("reverse draws where success is open: the middle bin when p is 0, 1/2, 1", () => {
    const bank = new ResetBank(entriesAt(0.05, 0.55, 0.95), "reverse");
    for (const share of shares(bank)) expect(share).toBeCloseTo(1 / 3, 1);
    for (let i = 0; i < 300; i++) {
      bank.report(0, false);
      bank.report(1, i % 2 === 0);
      bank.report(2, true);
    }
    const [early, middle, late] = shares(bank);
    // p (1 − p) + 0.05, but for the smoothing of p: 0.05 and 0.3.
    expect(middle).toBeGreaterThan(0.6);
    expect(early).toBeCloseTo(late!, 1);
    const again = new ResetBank(entriesAt(0.05, 0.55, 0.95), "reverse");
    again.restore(bank.state());
    expect(shares(again)).toEqual(shares(bank));
  });
});

describe("the states of a dataset", () => {
  const episode = (success: boolean, length: number, steps: readonly number[]): EpisodeInfo =>
    ({
      success,
      length,
      snapshots: steps.map((step) => ({ step, at: 0, bytes: 1 })),
    }) as unknown as EpisodeInfo;
  const dataset = (...episodes: EpisodeInfo[]) =>
    ({ path: "demos", episodes }) as unknown as Dataset;

  test("are those of successful episodes, but for the last three steps", () => {
    const entries = bankEntries([
      dataset(episode(false, 10, [0, 5]), episode(true, 10, [0, 5, 7, 8])),
    ]);
    expect(entries.map(({ episode, snapshot, at }) => [episode, snapshot, at])).toEqual([
      [1, 0, 0],
      [1, 1, 0.5],
      [1, 2, 0.7],
    ]);
  });

  test("are those of all episodes where none succeeded", () => {
    expect(bankEntries([dataset(episode(false, 10, [0, 5]))])).toHaveLength(2);
  });

  test("are 5,000 at most, from everywhere", () => {
    const long = episode(true, 20_000, [...Array(19_990).keys()]);
    const entries = bankEntries([dataset(long)]);
    expect(entries.length).toBeLessThanOrEqual(5000);
    expect(entries.at(-1)!.at).toBeGreaterThan(0.99);
  });

  test("are missed with what to do", () => {
    expect(() => bankEntries([dataset(episode(true, 10, []))])).toThrow(
      /no states to begin from in demos: collect with --snapshots 5/,
    );
  });
});
