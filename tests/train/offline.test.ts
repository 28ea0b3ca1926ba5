// Learning from logged data, then online: stages, rows, resuming.

import { describe, expect, test } from "vitest";
import type { OfflineConfig, OffPolicyAlgorithm } from "../../agents/agent.ts";
import { batchWidths, createBatch } from "../../agents/replay.ts";
import { Dataset } from "../../finetune/dataset.ts";
import { finetuners } from "../../finetune/index.ts";
import { createRng } from "../../sim/rng.ts";
import { DataRows, discountedSums, returnsOf } from "../../train/dataRows.ts";
import { trainFromData } from "../../train/offlineToOnline.ts";
import type { SessionSettings } from "../../train/session.ts";
import { datasetOf, randomEpisode, workFolder } from "./datasets.ts";
import { openMemoryRun, timeless } from "./memoryRun.ts";

const iql = finetuners["iql"] as OffPolicyAlgorithm;
const folder = workFolder("offline");
const config = iql.settings.parse({
  actorHidden: [16],
  criticHidden: [16],
  batchSize: 16,
  offlineUpdates: 300,
  bufferSize: 400,
  offlineShare: 0.5,
  utdRatio: 0.5,
}) as OfflineConfig;

const options = {
  discount: 0.5,
  numStepReturns: 2,
  timeOuts: "bootstrap",
  episodeShare: 1,
  rewardScale: 1,
  rewardShift: 0,
} as const;

/** Random episodes of the pendulum's sizes. */
function pendulumData(name: string): Dataset {
  const rng = createRng(5);
  const floats = (count: number) => Float32Array.from({ length: count }, () => rng.normal() / 2);
  const episodes = [30, 50].map((length) => ({
    ...randomEpisode(length, length, { terminated: false, truncated: true }),
    observations: floats((length + 1) * 3),
    actions: floats(length).map((a) => Math.max(-1, Math.min(1, a))),
  }));
  return datasetOf(`${folder}/${name}`, episodes, { task: "pendulum-swingup-v0", actionSize: 1 });
}

let numRuns = 0;

async function train(
  settings: Partial<SessionSettings> = {},
  saved: unknown = null,
  algorithm = iql,
  algo = config,
  stopAt?: number,
) {
  const data = [pendulumData(`run-${numRuns++}`)];
  const all = { totalTimesteps: 700, evalFreq: 200, logFreq: 100, saveFreq: 100, ...settings };
  const { session, records } = await openMemoryRun(algorithm, algo, all, stopAt, data);
  await trainFromData(session, algorithm, algo, saved);
  await session.dispose();
  return { records, outcome: session.outcome, step: session.step };
}

/** One run from its first step to its last. */
let uninterrupted: ReturnType<typeof train> | undefined;
const wholeRun = () => {
  uninterrupted ??= train();
  return uninterrupted;
};

describe("a run on data and then online", () => {
  test("updates on the data first, is judged and saved at the switch, then takes steps", async () => {
    const { records, outcome, step } = await wholeRun();
    expect({ outcome, step }).toEqual({ outcome: "finished", step: 700 });
    expect(records.saves.map((save) => save.step)).toContain(300);
    const judged = records.logs.filter(({ metrics }) => "eval/mean_reward" in metrics);
    expect(judged.map((log) => log.step)).toEqual([200, 300, 400, 600, 700]);
    const last = records.logs.findLast(({ metrics }) => "train/n_updates" in metrics)!;
    expect(last.metrics["train/n_updates"]).toBe(300 + 0.5 * 396); // but for those the last step is worth
  });

  test.each([300, 500])("goes on from step %s as if it had never stopped", async (at) => {
    const whole = await wholeRun();
    const { state } = whole.records.saves.find(({ step }) => step === at)!;
    const rest = await train({}, state);
    expect(timeless(rest.records)).toEqual(timeless(whole.records, at));
    expect(rest.records.saves.at(-1)!.state).toEqual(whole.records.saves.at(-1)!.state);
  });

  test("refuses data of other sizes, and none, before it trains", async () => {
    const other = [datasetOf(`${folder}/other`, [randomEpisode(5, 1)])];
    const { session } = await openMemoryRun(iql, config, {}, undefined, other);
    await expect(trainFromData(session, iql, config, null)).rejects.toThrow(/actions of 2 numbers/);
    await session.dispose();
    const bare = await openMemoryRun(iql, config);
    await expect(trainFromData(bare.session, iql, config, null)).rejects.toThrow(/name a dataset/);
    await bare.session.dispose();
  });
});

describe("a run whose online part is another algorithm's", () => {
  const uniO4 = finetuners["uniO4"] as OffPolicyAlgorithm;
  const small = uniO4.settings.parse({
    actorHidden: [8],
    criticHidden: [8],
    modelHidden: [8],
    batchSize: 16,
    prepareUpdates: 101, // no multiple of the updates in a call
    offlineUpdates: 140,
    reviewPeriod: 50,
    horizon: 3,
    rolloutLength: 16,
    numMinibatches: 2,
    numEpochs: 2,
  }) as OfflineConfig;
  const settings = { totalTimesteps: 441, evalFreq: 100, saveFreq: 60, updatesPerCall: 4 };
  let first: ReturnType<typeof train> | undefined;
  const whole = () => {
    first ??= train(settings, null, uniO4, small);
    return first;
  };

  test("is judged and saved at each of its switches, and reviewed before and between updates", async () => {
    const { records, outcome, step } = await whole();
    expect({ outcome, step }).toEqual({ outcome: "finished", step: 444 });
    const steps = records.saves.map((save) => save.step);
    expect(steps).toEqual(expect.arrayContaining([104, 244]));
    const replaced = records.logs.flatMap(({ metrics }) => metrics["train/num_replaced"] ?? []);
    expect(replaced[0]).toBeGreaterThanOrEqual(4); // the clones themselves
    const online = records.logs.filter(({ metrics }) => "train/approx_kl" in metrics);
    expect(online.length).toBeGreaterThan(0);
  });

  test.each([0, 3, 5])("goes on from save %s as if it had never stopped", async (at) => {
    const { records } = await whole();
    const { step, state } = records.saves[at]!;
    const rest = await train(settings, state, uniO4, small);
    expect(timeless(rest.records)).toEqual(timeless(records, step));
    expect(rest.records.saves.at(-1)!.state).toEqual(records.saves.at(-1)!.state);
  });
});

describe("returns of logged episodes", () => {
  const rewards = Float32Array.of(1, 2, 4);

  test("span n steps, end with the episode, and count nothing beyond a termination", () => {
    const end = { terminated: true, truncated: false, success: false };
    const { rewards: sums, discounts, ends } = returnsOf(rewards, end, options);
    expect([...sums]).toEqual([2, 4, 4]);
    expect([...discounts]).toEqual([0.25, 0, 0]);
    expect([...ends]).toEqual([2, 3, 3]);
  });

  test("count what lies beyond a time limit, unless that is to be terminal", () => {
    const end = { terminated: false, truncated: true, success: false };
    expect([...returnsOf(rewards, end, options).discounts]).toEqual([0.25, 0.25, 0.5]);
    const terminal = { ...options, timeOuts: "terminal" } as const;
    expect([...returnsOf(rewards, end, terminal).discounts]).toEqual([0.25, 0, 0]);
  });

  test("to go are discounted sums to the end: −500 for −5 for ever at 0.99, nearly", () => {
    expect([...discountedSums(rewards, 0.5)]).toEqual([3, 4, 4]);
    expect(discountedSums(new Float32Array(2000).fill(-5), 0.99)[0]!).toBeCloseTo(-500, 3);
  });
});

describe("rows of logged data", () => {
  const one = { ...options, numStepReturns: 1 };

  test("are the best episodes' alone where that is asked for", () => {
    const dataset = pendulumData("best");
    const best = dataset.episodes.toSorted((a, b) => b.episodeReturn - a.episodeReturn)[0]!;
    const rows = new DataRows([dataset], { ...one, episodeShare: 0.5 }, [], (r) => r);
    expect(rows.size).toBe(best.length);
  });

  test("hold what lies side by side in the episodes, from memory and from the disk", () => {
    const path = `${folder}/rows`;
    const inMemory = pendulumData("rows");
    const onDisk = new Dataset(path, 0);
    for (const dataset of [inMemory, onDisk]) {
      const rows = new DataRows([dataset], one, ["returnsToGo"], (r) => discountedSums(r, 0.5));
      expect(rows.size).toBe(80);
      const batch = createBatch(1, batchWidths(3, 1, ["returnsToGo"]));
      rows.read(31, batch, 0); // the second episode's second step
      const { observations, actions, rewards } = dataset.episode(1);
      expect([...batch.observations]).toEqual([...observations.subarray(3, 6)]);
      expect([...batch.nextObservations]).toEqual([...observations.subarray(6, 9)]);
      expect(batch.actions[0]).toBe(actions[1]);
      expect(batch.rewards[0]).toBe(rewards[1]);
      expect(batch.returnsToGo![0]).toBe(discountedSums(rewards, 0.5)[1]);
    }
  });

  test("with next actions never cross an episode's end: what came next there is not known", () => {
    const dataset = pendulumData("next");
    const rows = new DataRows([dataset], one, ["nextActions"], (r) => r);
    expect(rows.size).toBe(78); // each episode's last row is left out
    const batch = createBatch(1, batchWidths(3, 1, ["nextActions"]));
    rows.read(28, batch, 0);
    expect(batch.nextActions![0]).toBe(dataset.episode(0).actions[29]);
    rows.read(29, batch, 0);
    expect(batch.actions[0]).toBe(dataset.episode(1).actions[0]);
  });
});
