// Rollouts against advantages worked out by hand, with γ = 1/2 and λ = 1/2, so that γ λ = 1/4.

import { describe, expect, test } from "vitest";
import { createRolloutBatch, Rollout, type RolloutStep, shuffle } from "../../agents/rollout.ts";
import { createRng } from "../../sim/rng.ts";

const discount = 0.5;
const lambda = 0.5;

interface Step {
  readonly value: number;
  readonly reward: number;
  readonly end?: "terminated" | "truncated" | "broken";
  /** The critic's opinion of the true successor. */
  readonly next?: number;
}

/** A step of envs with one observation, which is what the critic thinks of it, and one action. */
function stepOf(steps: readonly Step[]): RolloutStep {
  const flags = (of: (step: Step) => boolean) => Uint8Array.from(steps, (step) => Number(of(step)));
  const values = Float32Array.from(steps, ({ value }) => value);
  return {
    observations: values,
    actions: values.map((value) => 10 * value),
    logProbs: values.map((value) => -value),
    values,
    rewards: Float32Array.from(steps, ({ reward }) => reward),
    nextObservations: Float32Array.from(steps, ({ next = Number.NaN }) => next),
    terminated: flags(({ end }) => end === "terminated"),
    truncated: flags(({ end }) => end === "truncated" || end === "broken"),
    broken: flags(({ end }) => end === "broken"),
  };
}

/** A finished rollout of rows [T][N]. */
async function finished(rows: readonly (readonly Step[])[]): Promise<Rollout> {
  const sizes = { rolloutLength: rows.length, numEnvs: rows[0]!.length };
  const rollout = new Rollout({ ...sizes, observationSize: 1, actionSize: 1, discount, lambda });
  for (const row of rows) rollout.add(stepOf(row));
  await rollout.finish(async (observations) => observations);
  return rollout;
}

/** Columns of the rollout's rows as they may be learned from. */
function columnsOf(rollout: Rollout) {
  const rows = rollout.soundRows();
  const batch = createRolloutBatch(rows.length, 1, 1);
  rollout.gather(rows, batch);
  return { rows: [...rows], advantages: [...batch.advantages], returns: [...batch.returns] };
}

async function advantagesOf(steps: readonly Step[]): Promise<number[]> {
  return columnsOf(await finished(steps.map((step) => [step]))).advantages;
}

describe("advantages", () => {
  test("at the rollout's end bootstrap from the next observation", async () => {
    // δ1 = 4 + 8/2 − 2 = 6,  A1 = 6;  δ0 = 1 + 2/2 − 3 = −1,  A0 = −1 + 6/4 = 0.5
    const steps = [
      { value: 3, reward: 1 },
      { value: 2, reward: 4, next: 8 },
    ];
    expect(await advantagesOf(steps)).toEqual([0.5, 6]);
    expect(columnsOf(await finished(steps.map((step) => [step]))).returns).toEqual([3.5, 8]);
  });

  test("at a termination bootstrap from nothing", async () => {
    // A2 = 1 + 4/2 − 1 = 2;  A1 = 4 − 2 = 2, cut;  A0 = 1 + 2/2 − 3 + 2/4 = −0.5
    const steps: Step[] = [
      { value: 3, reward: 1 },
      { value: 2, reward: 4, end: "terminated", next: 100 },
      { value: 1, reward: 1, next: 4 },
    ];
    expect(await advantagesOf(steps)).toEqual([-0.5, 2, 2]);
  });

  test("at a time-out bootstrap from the true last observation, not the one after the reset", async () => {
    // A2 = 1 + 4/2 − 1 = 2;  A1 = 4 + 6/2 − 2 = 5, cut;  A0 = 1 + 2/2 − 3 + 5/4 = 0.25
    const steps: Step[] = [
      { value: 3, reward: 1 },
      { value: 2, reward: 4, end: "truncated", next: 6 },
      { value: 1, reward: 1, next: 4 },
    ];
    expect(await advantagesOf(steps)).toEqual([0.25, 5, 2]);
  });

  test("at a time-out in the last step bootstrap once", async () => {
    // A1 = 4 + 6/2 − 2 = 5;  A0 = 1 + 2/2 − 3 + 5/4 = 0.25
    const steps: Step[] = [
      { value: 3, reward: 1 },
      { value: 2, reward: 4, end: "truncated", next: 6 },
    ];
    expect(await advantagesOf(steps)).toEqual([0.25, 5]);
  });

  test("leave out a broken step; the one before it bootstraps from the last sound observation", async () => {
    // A3 = 1 + 4/2 − 1 = 2;  step 2 is broken;  A1 = 4 + 7/2 − 2 = 5.5, cut;
    // A0 = 1 + 2/2 − 3 + 5.5/4 = 0.375
    const steps: Step[] = [
      { value: 3, reward: 1 },
      { value: 2, reward: 4 },
      { value: 7, reward: 1000, end: "broken", next: 1000 },
      { value: 1, reward: 1, next: 4 },
    ];
    const { rows, advantages } = columnsOf(await finished(steps.map((step) => [step])));
    expect(rows).toEqual([0, 1, 3]);
    expect(advantages).toEqual([0.375, 5.5, 2]);
  });

  test("of a rollout that ends broken are those of the sound steps", async () => {
    // A0 = 1 + 2/2 − 3 = −1
    const steps: Step[] = [
      { value: 3, reward: 1 },
      { value: 2, reward: 9, end: "broken", next: 9 },
    ];
    expect(await advantagesOf(steps)).toEqual([-1]);
  });

  test("are the sums of the definition, env by env", async () => {
    const rng = createRng(4);
    const ends = ["terminated", "truncated", "broken"] as const;
    const rows = Array.from({ length: 40 }, () =>
      Array.from({ length: 5 }, (): Step => {
        const step = { value: rng.normal(), reward: rng.normal(), next: rng.normal() };
        return rng.uniform() < 0.2 ? { ...step, end: ends[rng.integer(3)]! } : step;
      }),
    );
    const { rows: sound, advantages } = columnsOf(await finished(rows));
    expect(sound.length).toBeLessThan(200);
    sound.forEach((row, i) => {
      const [t, env] = [Math.floor(row / 5), row % 5];
      const path = rows.map((each) => each[env]!);
      expect(Math.abs(advantages[i]! - definition(path, t))).toBeLessThan(1e-5);
    });
  });
});

/** Σ_l (γλ)^l δ_{t+l} over the steps of the trajectory that t lies in. */
function definition(path: readonly Step[], t: number): number {
  let sum = 0;
  for (let k = t; k < path.length && path[k]!.end !== "broken"; k++) {
    const { value, reward, end, next = 0 } = path[k]!;
    const acted = end === undefined && k + 1 < path.length;
    const successor = end === "terminated" ? 0 : acted ? path[k + 1]!.value : next;
    sum += (discount * lambda) ** (k - t) * (reward + discount * successor - value);
    if (end !== undefined) break;
  }
  return sum;
}

test("rows keep their columns together, and a shuffle keeps every row", async () => {
  const rollout = await finished([
    [
      { value: 1, reward: 0 },
      { value: 2, reward: 0 },
    ],
    [
      { value: 3, reward: 0, next: 0 },
      { value: 4, reward: 0, next: 0 },
    ],
  ]);
  const rows = rollout.soundRows();
  shuffle(rows, createRng(3));
  expect([...rows]).not.toEqual([0, 1, 2, 3]);
  expect([...rows].sort()).toEqual([0, 1, 2, 3]);
  const batch = createRolloutBatch(4, 1, 1);
  rollout.gather(rows, batch);
  rows.forEach((row, i) => {
    expect(batch.observations[i]).toBe(row + 1);
    expect(batch.actions[i]).toBe(10 * (row + 1));
    expect(batch.logProbs[i]).toBe(-(row + 1));
    expect(batch.returns[i]).toBeCloseTo(batch.advantages[i]! + batch.values[i]!, 6);
  });
});

test("explained variance is 1 where the critic foresees the returns and 0 where it says one number", async () => {
  // λ = 1/2 and ends after each step make the returns the rewards.
  const end = "terminated" as const;
  const foreseen = await finished([1, 2, 5].map((x) => [{ value: x, reward: x, end }]));
  const constant = await finished([1, 2, 5].map((x) => [{ value: 3, reward: x, end }]));
  expect(foreseen.explainedVariance()).toBe(1);
  expect(constant.explainedVariance()).toBeCloseTo(0, 12);
});

test("goes on from its state as if never interrupted, and refuses steps when full", async () => {
  const options = { rolloutLength: 3, numEnvs: 1, observationSize: 1, actionSize: 1 };
  const make = () => new Rollout({ ...options, discount, lambda });
  const steps: Step[] = [
    { value: 3, reward: 1, end: "truncated", next: 5 },
    { value: 2, reward: 4 },
    { value: 1, reward: 4, next: 3 },
  ];
  const [whole, other] = [make(), make()];
  whole.add(stepOf([steps[0]!]));
  other.restore(structuredClone(whole.state()));
  for (const rollout of [whole, other]) {
    await expect(rollout.finish(async (each) => each)).rejects.toThrow("is not full");
    for (const step of steps.slice(1)) rollout.add(stepOf([step]));
    expect(() => rollout.add(stepOf([steps[0]!]))).toThrow("the rollout is full");
    await rollout.finish(async (each) => each);
  }
  expect(columnsOf(other)).toEqual(columnsOf(whole));
});
