// States kept at intervals: from each of them the episode goes on as it did, to the bit; and rewards of
// another task for the same movements.

import { beforeAll, describe, expect, test } from "vitest";
import { Envs } from "../../sim/env.ts";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { replay } from "../../sim/replay.ts";
import { createRng } from "../../sim/rng.ts";
import type { Task } from "../../sim/task.ts";
import { createVecEnv } from "../../sim/vecEnv.ts";
import { demonstrate } from "../../tasks/experts/demonstrate.ts";
import { createTask, taskSource } from "../../tasks/index.ts";
import { EpisodeCollector } from "../../train/collect.ts";
import type { DatasetWriter, WrittenEpisode } from "../../train/datasetWriter.ts";
import { relabelEpisode } from "../../train/relabel.ts";
import { restoreSnapshot } from "../../train/snapshots.ts";
import { SnapshotThread } from "../../train/snapshotThread.ts";

const header = { parameters: {}, policy: "test", gitCommit: "", seed: 5 };
const every = 4;
let physics: Physics;
beforeAll(async () => {
  physics = await loadPhysics();
});

/** A collector's writer that keeps episodes in memory. */
function memory(): { episodes: WrittenEpisode[]; writer: DatasetWriter } {
  const episodes: WrittenEpisode[] = [];
  const add = (episode: WrittenEpisode) => void episodes.push(episode);
  return { episodes, writer: { add } as unknown as DatasetWriter };
}

/** One episode of random actions in each of three envs that share a world in another thread. */
async function randomEpisodes(name: string): Promise<WrittenEpisode[]> {
  const { episodes, writer } = memory();
  const thread = new SnapshotThread(name, every);
  const env = await createVecEnv(await taskSource(name), { numEnvs: 3, seed: 5, numWorkers: 1 });
  const { build, version, wasmHash } = physics;
  const collector = new EpisodeCollector(env, writer, {
    header: { ...header, physics: { build, version, wasmHash } },
    firstOnly: true,
    snapshotsOf: (recording) => thread.take(recording),
  });
  const rng = createRng(1);
  const actions = new Float32Array(3 * env.task.action.size);
  env.reset(5);
  collector.begin();
  while (episodes.length < 3) {
    for (let i = 0; i < actions.length; i++) actions[i] = 2 * rng.uniform() - 1;
    env.step(actions);
    collector.add(actions);
  }
  env.dispose();
  thread.dispose();
  return episodes;
}

/** An expert's episodes in a world of one. */
function expertEpisodes(task: Task, seeds: readonly number[]): WrittenEpisode[] {
  const { episodes, writer } = memory();
  const { build, version, wasmHash } = physics;
  let collector: EpisodeCollector;
  demonstrate(physics, task, "expert", seeds, {
    reset(envs: Envs, seed: number) {
      const about = { ...header, seed, physics: { build, version, wasmHash } };
      collector = new EpisodeCollector(envs, writer, { header: about, firstOnly: true });
      collector.begin();
    },
    step: (_envs: Envs, action: Float32Array) => collector.add(action),
  });
  return episodes;
}

describe.each(["hopper-hop-v0", "push-t-v0", "quadruped-rough-v0"])("states of %s", (name) => {
  test("go on to the bit as the uninterrupted episode did", async () => {
    const task = await createTask(name);
    const episodes = await randomEpisodes(name);
    for (const { recording, snapshots, actions, rewards, observations } of episodes) {
      expect(snapshots!.map(({ step }) => step)).toEqual(
        Array.from({ length: Math.ceil(rewards.length / every) }, (_, i) => every * i),
      );
      const decoded = decodeRecording(recording!);
      for (const { step, bytes } of [snapshots![0]!, snapshots!.at(-1)!]) {
        const envs = restoreSnapshot(physics, task, decoded, bytes);
        const [o, a] = [task.observation.size, task.action.size];
        expect(envs.out.observations).toEqual(observations.slice(step * o, (step + 1) * o));
        for (let t = step; t < rewards.length; t++) {
          const out = envs.step(actions.subarray(t * a, (t + 1) * a));
          expect(out.rewards[0]).toBe(rewards[t]);
          expect(out.nextObservations).toEqual(observations.slice((t + 1) * o, (t + 2) * o));
        }
        expect(envs.out.terminated[0]! + envs.out.truncated[0]!).toBe(1);
        envs.free();
      }
    }
  });
});

test("a thread that takes snapshots passes errors on", () => {
  const thread = new SnapshotThread("hopper", 5);
  expect(() => thread.take(new Uint8Array(40))).toThrow(/expected a recording's first bytes/);
  thread.dispose();
});

test("sparse episodes get the dense task's rewards, and back, without a step moving otherwise", async () => {
  const [sparse, dense] = [await createTask("lift-cube"), await createTask("lift-cube-dense")];
  const [episode] = expertEpisodes(sparse, [3]);
  const relabelled = relabelEpisode(physics, { from: sparse, to: dense }, episode!);
  expect(relabelled.observations).toEqual(episode!.observations);
  expect(relabelled.rewards).toEqual(denseRewards(dense, episode!));
  expect(relabelled.info).toMatchObject({ success: true, terminated: false, truncated: true });
  expect(replay(physics, dense, decodeRecording(relabelled.recording!)).ok).toBe(true);
  const back = relabelEpisode(physics, { from: dense, to: sparse }, relabelled);
  for (const key of ["observations", "actions", "rewards", "info"] as const)
    expect(back[key]).toEqual(episode![key]);
});

/** What the dense task says of the same actions. */
function denseRewards(dense: Task, { actions, info }: WrittenEpisode): Float32Array {
  const envs = new Envs(physics, dense, { seed: info.seed, autoReset: false });
  envs.reset();
  const { size } = dense.action;
  const rewards = Array.from({ length: actions.length / size }, (_, t) => {
    return envs.step(actions.subarray(t * size, (t + 1) * size)).rewards[0]!;
  });
  envs.free();
  expect(new Set(rewards).size).toBeGreaterThan(5);
  return Float32Array.from(rewards);
}

test("an earlier end of the new task drops the rest of the rows", async () => {
  const [sparse, dense] = [await createTask("lift-cube"), await createTask("lift-cube-dense")];
  const [long] = expertEpisodes(dense, [3]);
  const [short] = expertEpisodes(sparse, [3]);
  expect(long!.rewards.length).toBeGreaterThan(short!.rewards.length);
  const cut = relabelEpisode(physics, { from: dense, to: sparse }, long!);
  expect(cut.rewards).toEqual(short!.rewards);
  expect(cut.info).toMatchObject({ success: true, terminated: true, truncated: false });
});

test("refuses a task that moves otherwise, changed actions and a missing recording", async () => {
  const [sparse, other] = [await createTask("lift-cube"), await createTask("open-drawer")];
  const [episode] = expertEpisodes(sparse, [3]);
  const relabel =
    (to: Task, change: Partial<WrittenEpisode> = {}) =>
    () =>
      relabelEpisode(physics, { from: sparse, to }, { ...episode!, ...change });
  expect(relabel(other)).toThrow(/poses differ under open-drawer-v0/);
  const slower: Task = { ...sparse, controlDt: 2 * sparse.controlDt };
  expect(relabel(slower)).toThrow(/after step 1 poses differ/);
  const actions = episode!.actions.slice();
  actions[7]! *= 0.5;
  expect(relabel(sparse, { actions })).toThrow(/actions are not those of its recording/);
  const { recording: _, ...bare } = episode!;
  expect(() => relabelEpisode(physics, { from: sparse, to: sparse }, bare)).toThrow(/no recording/);
});
