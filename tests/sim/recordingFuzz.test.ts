// Whatever bytes a file holds, reading it names what is wrong and throws nothing.
import fc from "fast-check";
import { expect, test } from "vitest";
import { concatBytes, encodeChunk, sectionHead } from "../../sim/chunks.ts";
import { readRecordings } from "../../sim/readRecordings.ts";
import {
  encodeRecording,
  type Recording,
  type RecordingHeader,
  recordingVersion,
} from "../../sim/recording.ts";

const header: RecordingHeader = {
  task: "test-hop-v0",
  parameters: {},
  physics: { build: "simd", version: "0.20.0", wasmHash: "ab" },
  seed: 1,
  slot: 0,
  actionSize: 2,
  policy: "p",
  gitCommit: "c",
};
const recording: Recording = {
  header,
  start: { type: "generator", generator: { key: 1, words: [1, 2, 3, 4] } },
  actions: Float32Array.from({ length: 40 }, (_, i) => i / 40),
  checksums: [{ step: 0, hash: "0123abcd" }],
  ending: { episodeReturn: 3, episodeLength: 20, terminated: true, truncated: false },
};
const whole = encodeRecording(recording);

/** Reads without throwing; what is said is in words, and nothing is made up. */
function expectNamed(bytes: Uint8Array): void {
  const { recordings, problems } = readRecordings(bytes);
  for (const problem of problems) expect(problem).toMatch(/^byte \d+: ./);
  for (const { actions, header: read } of recordings) {
    expect(actions.byteLength).toBeLessThanOrEqual(bytes.length);
    expect(Number.isInteger(actions.length / read.actionSize)).toBe(true);
    expect(actions.every(Number.isFinite)).toBe(true);
  }
  const complete = recordings.filter(({ ending }) => ending !== null).length;
  expect(complete + problems.length).toBeGreaterThanOrEqual(bytes.length > 0 ? 1 : 0);
}

test("random bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), expectNamed), { numRuns: 400 });
});

test("recordings with bytes changed, left out, put in and cut off", () => {
  const edit = fc.record({
    at: fc.nat(whole.length - 1),
    remove: fc.nat(12),
    insert: fc.uint8Array({ maxLength: 12 }),
  });
  const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
  const property = fc.property(edits, fc.boolean(), (all, twice) => {
    let bytes = twice ? concatBytes([whole, whole]) : whole;
    for (const { at, remove, insert } of all)
      bytes = concatBytes([bytes.slice(0, at), insert, bytes.slice(at + remove)]);
    expectNamed(bytes);
  });
  fc.assert(property, { numRuns: 400 });
});

test("any JSON as header and start, any payloads, all with right checksums", () => {
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value) ?? "null");
  const text = fc.jsonValue().map(json);
  const fields = fc.record(
    {
      task: fc.constantFrom<unknown>("t", 3),
      physics: fc.constantFrom<unknown>({ wasmHash: "a" }, null, "x"),
      parameters: fc.constantFrom<unknown>({}, null, 1),
      seed: fc.constantFrom<unknown>(1, 1e300, "1"),
      slot: fc.constantFrom<unknown>(0, -1.5),
      actionSize: fc.constantFrom<unknown>(1, 2, 0, -3, 2 ** 52, "2"),
    },
    { requiredKeys: [] },
  );
  const head = fc.oneof(text, fields.map(json), fc.constant(json(header)));
  const starts = fc.constantFrom<unknown>(
    { type: "seed" },
    { type: "state" },
    { type: "state", state: { simulation: null } },
    { type: "generator", generator: null },
    { type: "generator", generator: { key: -1, words: [1] } },
  );
  const start = fc
    .tuple(fc.oneof(text, starts.map(json)), fc.constantFrom(0, 1, 4_000_000_000))
    .map(([bytes, wrong]) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, bytes.length + wrong, true);
      return concatBytes([length, bytes]);
    });
  const chunk = fc
    .tuple(fc.constantFrom("ACTS", "HASH", "DONE", "ODDS"), fc.uint8Array({ maxLength: 24 }))
    .map(([name, payload]) => encodeChunk(name, payload));
  const property = fc.property(head, start, fc.array(chunk, { maxLength: 5 }), (h, s, rest) => {
    const parts = [encodeChunk("HEAD", h), encodeChunk("STRT", s), ...rest];
    expectNamed(concatBytes([sectionHead(recordingVersion), ...parts]));
  });
  fc.assert(property, { numRuns: 600 });
});

test("lengths up to 4 GiB take no memory", () => {
  const before = process.memoryUsage().arrayBuffers;
  for (const length of [0xffffffff, 0x7fffffff, whole.length]) {
    const bytes = whole.slice();
    new DataView(bytes.buffer).setUint32(16, length, true);
    const { recordings, problems } = readRecordings(bytes);
    expect(recordings).toEqual([]);
    expect(problems[0]).toMatch(/^byte 12: cut: chunk HEAD takes \d+ bytes, \d+ are left/);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
});

test("generators and states that are none are named", () => {
  const encode = (start: unknown) =>
    readRecordings(encodeRecording({ ...recording, start: start as Recording["start"] }));
  const generator = { key: 1, words: [1, 2, 3] };
  expect(encode({ type: "generator", generator }).problems[0]).toMatch(
    /chunk STRT is no known start: seed, generator or state/,
  );
  expect(encode(recording.start).problems).toEqual([]);
});
