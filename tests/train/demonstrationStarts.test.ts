// Episodes that begin in the midst of demonstrations.

import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { algorithms } from "../../agents/index.ts";
import type { Dataset } from "../../finetune/dataset.ts";
import { bankEntries } from "../../finetune/resetBank.ts";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { createRng } from "../../sim/rng.ts";
import type { Task } from "../../sim/task.ts";
import { createVecEnv } from "../../sim/vecEnv.ts";
import { demonstrate } from "../../tasks/experts/demonstrate.ts";
import { createTask, taskSource } from "../../tasks/index.ts";
import { EpisodeCollector } from "../../train/collect.ts";
import type { DatasetWriter, WrittenEpisode } from "../../train/datasetWriter.ts";
import { DemonstrationStarts } from "../../train/demonstrationStarts.ts";
import { takeSnapshots } from "../../train/snapshots.ts";
import { plainEnv } from "../../train/trainEnv.ts";
import { datasetOf, workFolder } from "./datasets.ts";
import { openMemoryRun } from "./memoryRun.ts";

const name = "lift-cube-v0";
const numEnvs = 3;
let physics: Physics;
let task: Task;
let demos: Dataset;

beforeAll(async () => {
  physics = await loadPhysics();
  task = await createTask(name);
  demos = demonstrations();
});

/** Three episodes of the expert, with a state before every 4th step. */
function demonstrations(): Dataset {
  const { build, version, wasmHash } = physics;
  const episodes: WrittenEpisode[] = [];
  const writer = { add: (episode: WrittenEpisode) => void episodes.push(episode) };
  let collector: EpisodeCollector;
  demonstrate(physics, task, "expert", [0, 1, 2], {
    reset(envs, seed) {
      const header = { seed, parameters: {}, policy: "expert", gitCommit: "" };
      collector = new EpisodeCollector(envs, writer as unknown as DatasetWriter, {
        header: { ...header, physics: { build, version, wasmHash } },
        firstOnly: true,
        snapshotsOf: (bytes) => takeSnapshots(physics, task, decodeRecording(bytes), 4),
      });
      collector.begin();
    },
    step: (_envs, action) => collector.add(action),
  });
  const [observationSize, actionSize] = [task.observation.size, task.action.size];
  const { controlDt } = task;
  const path = join(workFolder("starts"), "demos");
  return datasetOf(path, episodes, { task: name, observationSize, actionSize, controlDt });
}

async function openStarts(share: number, progress = 0, seed = 7) {
  const env = await createVecEnv(await taskSource(name), { numEnvs, seed, robotsPerWorld: 1 });
  const options = {
    share,
    curriculum: "uniform",
    data: [demos],
    progress: () => progress,
  } as const;
  return new DemonstrationStarts(plainEnv(env), { ...options, rng: createRng(seed) });
}

const rowOf = (values: Float32Array, row: number, width: number) =>
  values.slice(row * width, (row + 1) * width);

test("an episode goes on from a demonstration's state to its success, to the bit", async () => {
  const env = await openStarts(1);
  await env.reset();
  const entries = bankEntries([demos]);
  const [o, a] = [task.observation.size, task.action.size];
  const before = env.state();
  expect(new Set(before.running).size).toBeGreaterThan(1);
  const places = before.running.map((index) => {
    const { episode, snapshot } = entries[index]!;
    const { length, snapshots } = demos.episodes[episode]!;
    return { ...demos.episode(episode), length, step: snapshots![snapshot]!.step };
  });
  const shortest = Math.min(...places.map(({ length, step }) => length - step));
  const actions = new Float32Array(numEnvs * a);
  for (let t = 0; t < shortest; t++) {
    for (const [row, place] of places.entries()) {
      const at = place.step + t;
      expect(rowOf(env.observations, row, o)).toEqual(rowOf(place.observations, at, o));
      actions.set(rowOf(place.actions, at, a), row * a);
    }
    env.send(actions);
    const out = await env.receive();
    for (const [row, place] of places.entries()) {
      expect(out.rewards[row]).toBe(place.rewards[place.step + t]);
      expect(rowOf(out.nextObservations, row, o)).toEqual(
        rowOf(place.observations, place.step + t + 1, o),
      );
    }
  }
  // Whoever was to succeed first has, which the bank was told, and begins somewhere else.
  expect(env.state().bank.successes.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(1);
  await env.dispose();
});

test("has the rest of the demonstration's time, and goes on exactly from a saved state", async () => {
  const env = await openStarts(1);
  await env.reset();
  const entries = bankEntries([demos]);
  const idle = new Float32Array(numEnvs * task.action.size);
  const rest = env.state().running.map((index) => {
    const { episode, snapshot } = entries[index]!;
    return task.maxEpisodeSteps - demos.episodes[episode]!.snapshots![snapshot]!.step;
  });
  const ends = new Map<number, number>();
  const runOn = async (steps: number) => {
    const seen: number[][] = [];
    for (let t = 0; t < steps; t++) {
      env.send(idle);
      const out = await env.receive();
      for (const end of out.finished)
        if (!ends.has(end.env) && out.truncated[end.env]) ends.set(end.env, end.episodeLength);
      seen.push([...env.observations, ...out.rewards]);
    }
    return seen;
  };
  await runOn(30);
  const saved = structuredClone(env.state());
  const first = await runOn(task.maxEpisodeSteps);
  // Counted from the demonstration's start: all of the task's time.
  expect([...ends.values()]).toEqual(rest.map(() => task.maxEpisodeSteps));
  expect(Math.min(...rest)).toBeLessThan(task.maxEpisodeSteps);
  await env.restore(saved);
  expect(await runOn(task.maxEpisodeSteps)).toEqual(first);
  await env.dispose();
});

test("at the end of a run every episode begins where the task does", async () => {
  const env = await openStarts(1, 1);
  const plain = await createVecEnv(await taskSource(name), {
    numEnvs,
    seed: 7,
    robotsPerWorld: 1,
  });
  await env.reset();
  plain.reset();
  const actions = new Float32Array(numEnvs * task.action.size).fill(0.3);
  for (let t = 0; t < 2 * task.maxEpisodeSteps; t++) {
    expect(env.observations).toEqual(plain.observations);
    env.send(actions);
    await env.receive();
    plain.step(actions);
  }
  plain.dispose();
  await env.dispose();
});

test("a run without states to begin from says so before it begins", async () => {
  const algorithm = algorithms["sac"]!;
  const open = openMemoryRun(algorithm, algorithm.settings.parse({}), { resetShare: 0.5 });
  await expect(open).rejects.toThrow(
    /no states to begin from in no data: collect with --snapshots 5/,
  );
});
