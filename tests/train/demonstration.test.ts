// What a page sends is simulated here, and what it says of itself counts for nothing.

import { expect, test } from "vitest";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { encodeRecording, type Recording } from "../../sim/recording.ts";
import { replay } from "../../sim/replay.ts";
import { createTask } from "../../tasks/index.ts";
import { demonstratedEpisode } from "../../train/demonstration.ts";
import { DemoEpisode } from "../../viewer/demoEpisode.ts";

const physics = await loadPhysics();
const task = await createTask("reacher");
const { build, version, wasmHash } = physics;
const ours = {
  physics: { build, version, wasmHash },
  parameters: {},
  policy: "demo",
  gitCommit: "c",
};
const header = { ...ours, task: task.id, seed: 3, slot: 0, actionSize: 2, policy: "<b>evil</b>" };

/** An episode as a page drives it. */
function driven(numSteps: number): { bytes: Uint8Array; hashes: string[] } {
  const episode = new DemoEpisode(physics, task, header);
  const hashes = Array.from({ length: numSteps }, (_, t) => {
    return episode.step([Math.sin(t), 0.5])!.chunk.hashes[0]!;
  });
  const bytes = episode.recording();
  episode.free();
  return { bytes, hashes };
}

const changed = (change: (recording: Recording) => Recording) =>
  encodeRecording(change(decodeRecording(driven(60).bytes)));

test("an accepted episode's rows are the task's own, and its recording ours", () => {
  const { bytes } = driven(60);
  const { info, recording, rewards, observations, actions } = demonstratedEpisode(
    physics,
    task,
    bytes,
    ours,
  );
  expect(info).toMatchObject({ policy: "demo", seed: 3, terminated: false, truncated: true });
  expect(rewards).toHaveLength(60);
  expect(observations).toHaveLength(61 * task.observation.size);
  expect(actions[2]).toBe(Math.fround(Math.sin(1)));
  const kept = decodeRecording(recording!);
  expect(kept.header).toMatchObject({ policy: "demo", gitCommit: "c", seed: 3 });
  expect(kept.checksums.map(({ step }) => step)).toEqual([0, 25, 50]);
  expect(replay(physics, task, kept)).toMatchObject({ ok: true });
  expect(kept.ending!.episodeReturn).toBe(rewards.reduce((sum, reward) => sum + reward, 0));
});

test("refuses other tasks, starts, sizes, lengths, and bits that do not come again", () => {
  const refused = (change: (recording: Recording) => Recording) => () =>
    demonstratedEpisode(physics, task, changed(change), ours);
  const withHeader = (edit: object) => (recording: Recording) => ({
    ...recording,
    header: { ...recording.header, ...edit },
  });
  expect(refused(withHeader({ task: "hopper-hop-v0" }))).toThrow(
    /wanted an episode of reacher-easy-v0/,
  );
  expect(refused(withHeader({ slot: 2 }))).toThrow(/begins as a seed has it/);
  expect(refused(withHeader({ seed: 4 }))).toThrow(/after step 0 the state has checksum/);
  const start = { type: "generator", generator: { key: 1, words: [1, 2, 3, 4] } } as const;
  expect(refused((recording) => ({ ...recording, start }))).toThrow(/begins as a seed has it/);
  const more = (recording: Recording) => ({
    ...recording,
    actions: new Float32Array(0),
    checksums: [],
    ending: null,
  });
  expect(refused(more)).toThrow(/cut/);
  const otherwise = (recording: Recording): Recording => {
    const actions = recording.actions.slice();
    actions[4] = 0.123;
    return { ...recording, actions };
  };
  expect(refused(otherwise)).toThrow(/after step 25 the state has checksum/);
});
