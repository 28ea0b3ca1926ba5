import { expect, test } from "vitest";
import { worldHash } from "../../sim/checksum.ts";
import { concatBytes, crc32, encodeChunk } from "../../sim/chunks.ts";
import { Envs } from "../../sim/env.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording, readRecordings } from "../../sim/readRecordings.ts";
import {
  encodeRecording,
  type Recording,
  type RecordingHeader,
  type RecordingStart,
  RecordingWriter,
} from "../../sim/recording.ts";
import { replay } from "../../sim/replay.ts";
import { createRng } from "../../sim/rng.ts";
import { hopTask } from "./hopTask.ts";

const physics = await loadPhysics();
const { build, version, wasmHash } = physics;

const header: RecordingHeader = {
  task: hopTask.id,
  parameters: { level: 1 },
  physics: { build, version, wasmHash },
  seed: 5,
  slot: 2,
  actionSize: 3,
  policy: "uniform",
  gitCommit: "0123abc",
};

/** Records the next episode of env `slot` of some that were reset. */
function record(envs: Envs, index: number, start: RecordingStart, seed = 1): Uint8Array {
  const writer = new RecordingWriter(header, start, { chunkSteps: 7 });
  const rng = createRng(seed);
  const parts: Uint8Array[] = [];
  for (let step = 0; ; step++) {
    if (step % 10 === 0) writer.checksum(worldHash(envs.simulation.worlds[index]!));
    parts.push(writer.take());
    const actions = Float32Array.from(
      { length: 3 * envs.numEnvs },
      () => 2.4 * rng.uniform() - 1.2,
    );
    const out = envs.step(actions);
    writer.add(actions.subarray(3 * index, 3 * index + 3), out.rewards[index]!);
    const terminated = out.terminated[index] === 1;
    const truncated = out.truncated[index] === 1;
    if (!terminated && !truncated) continue;
    writer.end({ terminated, truncated });
    return concatBytes([...parts, writer.take()]);
  }
}

function recordFirst(): Uint8Array {
  const envs = new Envs(physics, hopTask, { numEnvs: 4, seed: 5 });
  envs.reset();
  return record(envs, 2, { type: "seed" });
}

const bytes = recordFirst();
const recording = decodeRecording(bytes);

test("an episode of a shared world replays in a world of one, to the bit", () => {
  expect(recording.header).toEqual(header);
  expect(recording.ending!.episodeLength).toBeGreaterThan(10);
  expect(recording.checksums.length).toBeGreaterThan(1);
  const result = replay(physics, hopTask, recording);
  expect(result).toEqual({
    ok: true,
    firstMismatchStep: null,
    mismatch: null,
    episodeReturn: recording.ending!.episodeReturn,
  });
});

test("a later episode replays from its saved state and from its generator", () => {
  const envs = new Envs(physics, hopTask, { seed: 5, firstEnv: 2 });
  envs.reset();
  record(envs, 0, { type: "seed" }, 3);
  const state = envs.state();
  const fromState = record(envs, 0, { type: "state", state }, 4);
  expect(replay(physics, hopTask, decodeRecording(fromState)).mismatch).toBe(null);
  const generator = envs.state().episodes[0]!.seeds;
  envs.reset();
  const fromGenerator = record(envs, 0, { type: "generator", generator }, 4);
  expect(replay(physics, hopTask, decodeRecording(fromGenerator)).mismatch).toBe(null);
});

test("a replay finds a changed action at the next checksum, and a changed return at the end", () => {
  const actions = recording.actions.slice();
  actions[3 * 4] = 0.9 * actions[3 * 4]! + 0.01;
  const changed = replay(physics, hopTask, { ...recording, actions });
  expect(changed.ok).toBe(false);
  expect(changed.firstMismatchStep).toBe(10);
  const { ending } = recording;
  const better = { ...ending!, episodeReturn: ending!.episodeReturn + 1e-12 };
  const claimed = replay(physics, hopTask, { ...recording, ending: better });
  expect(claimed.firstMismatchStep).toBe(ending!.episodeLength);
  expect(claimed.mismatch).toContain("episodeReturn is");
});

test("encoding what was read gives the same recording", () => {
  expect(decodeRecording(encodeRecording(recording))).toEqual(recording);
});

test("a file cut anywhere leaves every whole chunk readable", () => {
  for (let length = 1; length < bytes.length; length++) {
    const { recordings, problems } = readRecordings(bytes.subarray(0, length));
    expect(problems.length).toBe(1);
    expect(problems[0]).toMatch(/^byte \d+: cut: /);
    if (recordings.length === 0) continue;
    const { actions, ending } = recordings[0]!;
    expect(ending).toBe(null);
    expect(actions).toEqual(recording.actions.subarray(0, actions.length));
  }
  const almost = readRecordings(bytes.subarray(0, bytes.length - 1)).recordings[0]!;
  expect(almost.actions).toEqual(recording.actions);
  expect(replay(physics, hopTask, almost).ok).toBe(true);
});

test("episodes appended after a cut one are read", () => {
  const file = concatBytes([bytes, bytes.subarray(0, bytes.length - 5), bytes]);
  const { recordings, problems } = readRecordings(file);
  expect(recordings.map(({ ending }) => ending !== null)).toEqual([true, false, true]);
  expect(problems.length).toBe(1);
  expect(() => decodeRecording(concatBytes([bytes, bytes]))).toThrow("expected one episode, got 2");
});

test("every changed byte is noticed", () => {
  for (let at = 0; at < bytes.length; at += 3) {
    const damaged = bytes.slice();
    damaged[at]! ^= 64;
    expect(() => decodeRecording(damaged)).toThrow(/byte \d+: /);
  }
});

test("errors name chunk and offset and what was wanted", () => {
  const damaged = bytes.slice();
  damaged[30]! ^= 1;
  expect(() => decodeRecording(damaged)).toThrow("byte 12: corrupt: chunk HEAD has CRC-32 ");
  const newer = bytes.slice();
  newer[8] = 9;
  expect(() => decodeRecording(newer)).toThrow("byte 0: unknown version 9 of recordings; known: 1");
  expect(() => decodeRecording(Uint8Array.of(1, 2, 3))).toThrow(
    'byte 0: expected a recording\'s first bytes "salleREC"',
  );
  const withNaN = { ...recording, actions: recording.actions.slice() };
  withNaN.actions[4] = Number.NaN;
  expect(() => decodeRecording(encodeRecording(withNaN))).toThrow(
    "chunk ACTS has NaN in the action of step 1",
  );
  const odd = concatBytes([bytes, encodeChunk("ODDS", new Uint8Array(2))]);
  expect(() => decodeRecording(odd)).toThrow("chunk ODDS comes after the chunk DONE");
});

test("another physics, task or action size is refused", () => {
  const from = (change: Partial<RecordingHeader>): Recording => {
    return { ...recording, header: { ...header, ...change } };
  };
  const attempt = (change: Partial<RecordingHeader>) => () =>
    replay(physics, hopTask, from(change));
  expect(attempt({ physics: { build, version, wasmHash: "ab" } })).toThrow(
    `recorded with physics wasmHash ab, got ${wasmHash}`,
  );
  expect(attempt({ physics: { build, version: "0.1.0", wasmHash } })).toThrow(
    `recorded with physics version 0.1.0, got ${version}`,
  );
  expect(attempt({ task: "other-v0" })).toThrow('recorded with task "other-v0", got "test-hop-v0"');
  expect(attempt({ actionSize: 4 })).toThrow("recorded with actions of 4 numbers, task takes 3");
});

test("a writer refuses actions that are not finite or of another size", () => {
  const writer = new RecordingWriter(header, { type: "seed" });
  expect(() => writer.add([0, 0], 1)).toThrow(
    "actions for 1 step of 3 numbers are 3 numbers, got 2",
  );
  writer.add([0, 0, 0], 1);
  expect(() => writer.add([0, Number.NaN, 0], 1)).toThrow(
    "number 1 of the action of step 1 is NaN, expected a finite one",
  );
  expect(() => writer.add([0, 0, 0], Number.NaN)).toThrow("the reward of step 1 is NaN");
});

test("crc32 is that of zip and PNG", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
});
