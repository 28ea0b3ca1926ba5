// Reset bank: states of successful demonstrations to begin episodes from, and the curriculum that chooses them.
//
// After DR-PO (Chang et al. 2024, arXiv:2404.08495: begin at a uniformly drawn state of a demonstration) and
// PrefixRL (Setlur et al. 2026, arXiv:2601.18795: behind 40 to 80 % of it). Only where an episode begins
// changes: the demonstrations' actions are never learned from, and evaluations begin where the task does.
// "reverse" is of our own: it keeps to where success is neither sure nor out of reach.

import type { Rng } from "../sim/rng.ts";
import type { Dataset } from "./dataset.ts";

export const curricula = ["uniform", "band", "reverse"] as const;
export type Curriculum = (typeof curricula)[number];

const mostEntries = 5000;
/** Steps that must be left: right before success any action is rewarded, and nothing is learned. */
const fewestLeft = 3;
const band = [0.4, 0.8] as const; // of a demonstration
const numBins = 10;
const forgetting = 0.98; // of a bin's counts at each report
const leastWeight = 0.05; // of a bin

/** A state before a control step of a demonstration. */
export interface BankEntry {
  readonly dataset: number;
  readonly episode: number;
  readonly snapshot: number;
  /** Where it lies, in [0, 1): 0 is the demonstration's start. */
  readonly at: number;
}

/** What a checkpoint holds of a bank: successes and tries of each bin, lately. */
export interface BankState {
  readonly successes: readonly number[];
  readonly tries: readonly number[];
}

export class ResetBank {
  readonly entries: readonly BankEntry[];
  private readonly curriculum: Curriculum;
  private readonly bins: readonly (readonly number[])[];
  private readonly successes = new Array<number>(numBins).fill(0);
  private readonly tries = new Array<number>(numBins).fill(0);

  constructor(entries: readonly BankEntry[], curriculum: Curriculum) {
    this.entries = entries;
    this.curriculum = curriculum;
    const [low, high] = curriculum === "band" ? band : [0, 1];
    this.bins = Array.from({ length: numBins }, (_, bin) =>
      [...entries.keys()].filter((i) => {
        const { at } = entries[i]!;
        return binOf(at) === bin && at >= low && at <= high;
      }),
    );
    if (this.bins.every(({ length }) => length === 0))
      throw new Error(
        `no state to begin from: none of ${entries.length} snapshots lies between ${low} and ${high} of its demonstration`,
      );
  }

  /** Draws an entry's index. */
  draw(rng: Rng): number {
    const chosen = this.curriculum === "reverse" ? this.drawBin(rng) : this.bins.flat();
    return chosen[rng.integer(chosen.length)]!;
  }

  /** Says how an episode ended that began at an entry. */
  report(entry: number, success: boolean): void {
    const bin = binOf(this.entries[entry]!.at);
    this.successes[bin] = forgetting * this.successes[bin]! + Number(success);
    this.tries[bin] = forgetting * this.tries[bin]! + 1;
  }

  state(): BankState {
    return { successes: [...this.successes], tries: [...this.tries] };
  }

  restore({ successes, tries }: BankState): void {
    for (let bin = 0; bin < numBins; bin++) {
      this.successes[bin] = successes[bin]!;
      this.tries[bin] = tries[bin]!;
    }
  }

  /** The entries of a bin that is drawn by weight. */
  private drawBin(rng: Rng): readonly number[] {
    const filled = this.weights().flatMap((weight, bin) => (weight > 0 ? [{ weight, bin }] : []));
    let left = rng.uniform() * filled.reduce((sum, { weight }) => sum + weight, 0);
    for (const { weight, bin } of filled) {
      left -= weight;
      if (left < 0) return this.bins[bin]!;
    }
    return this.bins[filled.at(-1)!.bin]!;
  }

  /** p (1 − p) + 0.05 of each bin that has entries, p being its share of successes, ½ before any try. */
  private weights(): number[] {
    return this.bins.map(({ length }, bin) => {
      if (length === 0) return 0;
      const p = (this.successes[bin]! + 0.5) / (this.tries[bin]! + 1);
      return p * (1 - p) + leastWeight;
    });
  }
}

/** The snapshots of demonstrations that succeeded, or, where none did, of all. */
export function bankEntries(datasets: readonly Dataset[]): BankEntry[] {
  const anySucceeded = datasets.some(({ episodes }) => episodes.some(({ success }) => success));
  const entries = datasets.flatMap(({ episodes }, dataset) =>
    episodes.flatMap(({ success, length, snapshots = [] }, episode) =>
      anySucceeded && !success
        ? []
        : snapshots
            .map(({ step }, snapshot) => ({ dataset, episode, snapshot, at: step / length, step }))
            .filter(({ step }) => length - step >= fewestLeft)
            .map(({ step: _, ...entry }): BankEntry => entry),
    ),
  );
  if (entries.length === 0)
    throw new Error(
      `no states to begin from in ${datasets.map(({ path }) => path).join(", ") || "no data"}: collect with --snapshots 5, and name the dataset with --data`,
    );
  const stride = Math.ceil(entries.length / mostEntries);
  return entries.filter((_, i) => i % stride === 0);
}

function binOf(at: number): number {
  return Math.min(numBins - 1, Math.floor(at * numBins));
}
