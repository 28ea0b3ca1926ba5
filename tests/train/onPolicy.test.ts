import { describe, expect, test } from "vitest";
import type { OnPolicyAlgorithm, OnPolicyConfig } from "../../agents/agent.ts";
import { algorithms } from "../../agents/index.ts";
import type { NormalizerState } from "../../agents/normalizer.ts";
import { finetuners } from "../../finetune/index.ts";
import { createRng } from "../../sim/rng.ts";
import { trainOnPolicy } from "../../train/onPolicy.ts";
import type { SessionSettings } from "../../train/session.ts";
import { datasetOf, randomEpisode, workFolder } from "./datasets.ts";
import { openMemoryRun, timeless } from "./memoryRun.ts";

const ppo = algorithms["ppo"] as OnPolicyAlgorithm;
const small = { hidden: [16], rolloutLength: 16, numEpochs: 3, numMinibatches: 4 };
const configure = (overrides: object = {}): OnPolicyConfig =>
  ppo.settings.parse({ ...small, ...overrides });

async function train(
  settings: Partial<SessionSettings> = {},
  saved: unknown = null,
  { stopAt, config = configure() }: { stopAt?: number; config?: OnPolicyConfig } = {},
) {
  const { session, records } = await openMemoryRun(ppo, config, settings, stopAt);
  await trainOnPolicy(session, ppo, config, saved);
  await session.dispose();
  return { records, outcome: session.outcome, step: session.step };
}

/** What the loop saved at last, without the worlds, whose number follows the workers'. */
function loopOf({ records }: Awaited<ReturnType<typeof train>>) {
  const { state } = records.saves.at(-1)!;
  return (state as { loop: { learner: { agent: unknown } } }).loop;
}

test("equal seeds give equal runs to the bit, whatever the number of workers; others differ", async () => {
  const first = await train();
  const second = await train({ numWorkers: 2 });
  const other = await train({ seed: 2 });
  expect(timeless(second.records)).toEqual(timeless(first.records));
  expect(loopOf(second)).toEqual(loopOf(first));
  expect(timeless(other.records)).not.toEqual(timeless(first.records));
  expect(first.outcome).toBe("finished");
  // 1200 steps of 4 envs are 300 control steps: 18 full rollouts of 16, of 12 updates each.
  const last = first.records.logs.findLast(({ metrics }) => "train/n_updates" in metrics)!;
  expect(last.metrics["train/n_updates"]).toBe(18 * 12);
});

test("a run that goes on from what it saved in the middle of a rollout is as if never interrupted", async () => {
  const whole = await train();
  const { state, step } = whole.records.saves[0]!;
  expect(step).toBe(600); // 150 control steps: 9 rollouts and 6 steps
  const rest = await train({}, state);
  expect(timeless(rest.records)).toEqual(timeless(whole.records, 600));
  expect(rest.records.saves.at(-1)!.state).toEqual(whole.records.saves.at(-1)!.state);
});

test("updates stop early beyond the target divergence", async () => {
  const { records } = await train({}, null, { config: configure({ targetKl: 1e-9 }) });
  const last = records.logs.findLast(({ metrics }) => "train/n_updates" in metrics)!;
  const { "train/n_updates": numUpdates } = last.metrics;
  expect(numUpdates).toBeGreaterThanOrEqual(18);
  expect(numUpdates).toBeLessThan(18 * 4);
});

test("several updates in a call are those one by one, to the bit", async () => {
  const one = await train();
  const four = await train({ updatesPerCall: 4 });
  expect(loopOf(four).learner.agent).toEqual(loopOf(one).learner.agent);
});

test("a rollout that minibatches do not divide is learned from whole", async () => {
  const { records } = await train({}, null, { config: configure({ numMinibatches: 5 }) });
  const last = records.logs.findLast(({ metrics }) => "train/n_updates" in metrics)!;
  expect(last.metrics["train/n_updates"]).toBe(18 * 15);
});

test("the normaliser counts observations with their mirror images where a robot has two sides", async () => {
  const config = configure();
  const { session, records } = await openMemoryRun(ppo, config, { totalTimesteps: 40 });
  const mirror = { observations: { indices: [0, 1, 2], signs: [1, -1, -1] } };
  Object.assign(session.spec, { mirror });
  await trainOnPolicy(session, ppo, config, null);
  await session.dispose();
  const { state } = records.saves.at(-1)!;
  const { normalizer } = (state as { loop: { normalizer: NormalizerState } }).loop;
  expect(normalizer.count).toBe(2 * 40);
  expect(normalizer.means[1]).toBeCloseTo(0, 6);
  expect(normalizer.means[2]).toBeCloseTo(0, 6);
});

describe.each([ppo, finetuners["reinflow"], finetuners["dppo"]] as OnPolicyAlgorithm[])(
  "$name beside demonstrations",
  (algorithm) => {
    const folder = workFolder(`chord-${algorithm.name}`);
    let numRuns = 0;

    /** Every demonstrated action is 0.5. */
    function demonstrations() {
      const rng = createRng(5);
      const floats = (count: number) => Float32Array.from({ length: count }, () => rng.normal());
      const episodes = [30, 50].map((length) => ({
        ...randomEpisode(length, length),
        observations: floats((length + 1) * 3),
        actions: new Float32Array(length).fill(0.5),
      }));
      const sizes = { task: "pendulum-swingup-v0", observationSize: 3, actionSize: 1 };
      return datasetOf(`${folder}/${numRuns++}`, episodes, sizes);
    }

    const quick = {
      ...{ hidden: [16], width: 16, criticWidth: 16, noiseHidden: [16], criticWarmUp: 0 },
      ...{ rolloutLength: 8, numEpochs: 2, numMinibatches: 2, normalizer: "none" },
      ...{ chunkLength: 2, executed: 2, learningRate: 1e-2, actorLearningRate: 1e-2 },
    };

    async function run(
      overrides: object,
      settings: Partial<SessionSettings> = {},
      saved: unknown = null,
    ) {
      const all = { ...quick, ...overrides };
      const defaults = algorithm.settings.parse({}) as object;
      const known = Object.entries(all).filter(([key]) => key in defaults);
      const config = algorithm.settings.parse(Object.fromEntries(known));
      const data = [demonstrations()];
      const { session, records } = await openMemoryRun(
        algorithm,
        config,
        settings,
        undefined,
        data,
      );
      await trainOnPolicy(session, algorithm, config, saved);
      await session.dispose();
      return records;
    }

    test("goes on from a save as if it had never stopped, and is another run than without", async () => {
      const overrides = { chordPeak: 0.5, rateScaling: "ess" };
      const whole = await run(overrides);
      const { state, step } = whole.saves[0]!;
      const rest = await run(overrides, {}, state);
      expect(timeless(rest)).toEqual(timeless(whole, step));
      expect(rest.saves.at(-1)!.state).toEqual(whole.saves.at(-1)!.state);
      expect(timeless(await run({}))).not.toEqual(timeless(whole));
    });

    test("wants demonstrations", async () => {
      const config = algorithm.settings.parse({ chordPeak: 0.1, normalizer: "none" });
      const { session } = await openMemoryRun(algorithm, config);
      await expect(trainOnPolicy(session, algorithm, config, null)).rejects.toThrow(/--data/);
      await session.dispose();
    });
  },
);
