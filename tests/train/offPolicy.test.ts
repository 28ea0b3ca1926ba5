import { expect, test } from "vitest";
import type { OffPolicyAlgorithm, OffPolicyConfig } from "../../agents/agent.ts";
import { algorithms } from "../../agents/index.ts";
import { trainOffPolicy } from "../../train/offPolicy.ts";
import type { SessionSettings } from "../../train/session.ts";
import { openMemoryRun, timeless } from "./memoryRun.ts";

const sac = algorithms["sac"] as OffPolicyAlgorithm;
const config: OffPolicyConfig = sac.settings.parse({
  actorHidden: [16],
  criticHidden: [16],
  batchSize: 16,
  learningStarts: 200,
  utdRatio: 0.25,
  numStepReturns: 3,
  bufferSize: 700,
  normalizer: "running",
});

async function train(
  settings: Partial<SessionSettings> = {},
  saved: unknown = null,
  stopAt?: number | (() => boolean),
  algo = config,
) {
  const { session, records } = await openMemoryRun(sac, algo, settings, stopAt);
  await trainOffPolicy(session, sac, algo, saved);
  await session.dispose();
  return { records, outcome: session.outcome, step: session.step };
}

test("equal seeds give equal runs to the bit, whatever the number of workers; others differ", async () => {
  const first = await train();
  const second = await train({ numWorkers: 2 });
  const other = await train({ seed: 2 });
  expect(timeless(second.records)).toEqual(timeless(first.records));
  expect(timeless(other.records)).not.toEqual(timeless(first.records));
  expect(first.outcome).toBe("finished");
  expect(first.records.logs.at(-1)!.metrics["train/n_updates"] ?? 0).toBe(0);
  const updates = first.records.logs.findLast(({ metrics }) => "train/n_updates" in metrics)!;
  // Those due before the last step: a quarter of what came after the random steps.
  expect(updates.metrics["train/n_updates"]).toBe((1196 - 200) / 4);
});

test("a run that goes on from what it saved equals one that was never interrupted", async () => {
  const whole = await train();
  const { state, step } = whole.records.saves[0]!;
  expect(step).toBe(600);
  const rest = await train({}, state);
  expect(timeless(rest.records)).toEqual(timeless(whole.records, 600));
  expect(rest.records.saves.at(-1)!.state).toEqual(whole.records.saves.at(-1)!.state);
});

test("a stop is heeded after the step, and saved", async () => {
  const { records, outcome, step } = await train({}, null, 300);
  expect(outcome).toBe("stopped");
  expect(step).toBe(300);
  expect(records.saves.at(-1)!.step).toBe(300);
});

test("a stop is heeded in the midst of the critics' warm-up, which goes on as if it had not been", async () => {
  const warming = { ...config, criticWarmUp: 1200 };
  const settings = { totalTimesteps: 400, saveFreq: 1e9, evalFreq: 1e9 };
  const whole = await train(settings, null, undefined, warming);
  let asked = 0; // at each of the 50 steps before updates, then after 500 of these
  const { records, outcome, step } = await train(settings, null, () => ++asked > 50, warming);
  expect({ outcome, step }).toEqual({ outcome: "stopped", step: 200 });
  const { state } = records.saves.at(-1)!;
  const { numUpdates } = (state as { loop: { learner: { numUpdates: number } } }).loop.learner;
  expect(numUpdates).toBe(500);
  const rest = await train(settings, state, undefined, warming);
  expect(rest.records.saves.at(-1)!.state).toEqual(whole.records.saves.at(-1)!.state);
});

test("training ends at its target return", async () => {
  const { outcome, step } = await train({ targetReturn: -1e9 });
  expect(outcome).toBe("reachedTarget");
  expect(step).toBe(600);
});

test("training ends after its minutes, with an evaluation and a checkpoint", async () => {
  const { outcome, step, records } = await train({ maxMinutes: 0, totalTimesteps: 1e9 });
  expect(outcome).toBe("finished");
  expect(step).toBe(4);
  expect(records.saves.at(-1)).toMatchObject({ step: 4, best: true });
});
