import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  clientMessage,
  decodePoses,
  decodeSignals,
  encodePoses,
  headerBytes,
  type PoseFrame,
  parseMessage,
  serverMessage,
  signalFrame,
  signalKind,
  writeHeader,
} from "../../viewer/protocol.ts";

const numLinks = 3;
const poseFrame = (numRobots: number): fc.Arbitrary<PoseFrame> => {
  const count = fc.nat(2 ** 31);
  const poses = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
    minLength: numRobots * numLinks * 7,
    maxLength: numRobots * numLinks * 7,
  });
  const counts = fc.array(count, { minLength: numRobots, maxLength: numRobots });
  return fc.record({
    sequence: count,
    simTime: fc.double({ noNaN: true }),
    wallTime: fc.double({ noNaN: true }),
    step: count,
    episodes: counts.map((list) => Uint32Array.from(list)),
    steps: counts.map((list) => Uint32Array.from(list)),
    poses: poses.map((list) => Float32Array.from(list)),
  });
};

describe("pose frames", () => {
  test("come back as they were sent", () => {
    fc.assert(
      fc.property(fc.nat(5).chain(poseFrame), (frame) => {
        expect(decodePoses(encodePoses(frame), numLinks)).toEqual(frame);
      }),
    );
  });

  test("cost 28 bytes a link, 8 a robot and a header of 32", () => {
    const frame = fc.sample(poseFrame(4), 1)[0]!;
    expect(encodePoses(frame).length).toBe(headerBytes + 4 * (8 + 28 * numLinks));
  });

  test("are refused where they are cut, prolonged, of another kind or not finite", () => {
    const bytes = encodePoses({ ...fc.sample(poseFrame(2), 1)[0]! });
    expect(decodePoses(bytes.subarray(0, bytes.length - 1), numLinks)).toBeNull();
    expect(decodePoses(Uint8Array.from([...bytes, 0]), numLinks)).toBeNull();
    expect(decodePoses(Uint8Array.from([2, ...bytes.subarray(1)]), numLinks)).toBeNull();
    expect(decodePoses(bytes, numLinks + 1)).toBeNull();
    const infinite = bytes.slice();
    new DataView(infinite.buffer).setFloat32(headerBytes + 8, Number.POSITIVE_INFINITY, true);
    expect(decodePoses(infinite, numLinks)).toBeNull();
  });
});

test("signal frames come back as they were sent, and are refused where they are cut or of another width", () => {
  const { bytes, words, row } = signalFrame(3);
  words.set([5, 17]);
  row.set([1, -2, 3]);
  writeHeader(bytes, { sequence: 1, simTime: 0.34, wallTime: 1, step: 17 }, signalKind, 9);
  expect(decodeSignals(bytes, 3)).toEqual({ robot: 9, episode: 5, step: 17, row });
  expect(decodeSignals(bytes, 2)).toBeNull();
  expect(decodeSignals(bytes.subarray(0, bytes.length - 4), 2)).toBeNull();
  expect(decodePoses(bytes, numLinks)).toBeNull();
  row[1] = Number.NaN;
  expect(decodeSignals(bytes, 3)).toBeNull();
});

/** A few thousand million numbers before it repeats. */
function fuzzer(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

test("100,000 malformed frames throw nothing and are told from good ones", () => {
  const frame = encodePoses(fc.sample(poseFrame(1), 1)[0]!);
  let numRefused = 0;
  let numWrong = 0;
  const next = fuzzer(1);
  for (let i = 0; i < 100_000; i++) {
    const bytes = frame.slice(0, next(4) === 0 ? next(frame.length) : frame.length);
    for (let k = 0; k < 3 && bytes.length > 0; k++)
      bytes[next(Math.min(32, bytes.length))] = next(256);
    const decoded = decodePoses(bytes, numLinks);
    const signals = decodeSignals(bytes, (frame.length - headerBytes) / 4 - 2);
    if (signals && !signals.row.every(Number.isFinite)) numWrong++;
    if (decoded === null) numRefused++;
    else if (decoded.poses.length % (7 * numLinks) !== 0) numWrong++;
  }
  expect(numWrong).toBe(0);
  expect(numRefused).toBeGreaterThan(50_000);
});

test("100,000 texts that were messages of either side throw nothing and are told from good ones", () => {
  const status = { sent: 3, dropped: 1, numClients: 2, load: 0.1, training: "step 7" };
  const texts = [
    { type: "subscribe", poses: true, numRobots: 64 },
    { type: "follow", robot: 3 },
    { type: "status", ...status },
    { type: "hello", version: 2, role: "read", live: null },
  ].map((message) => JSON.stringify(message));
  const letters = '{}[]":,0129eEtrufalsn-. \\\u0000é';
  const next = fuzzer(2);
  let numRefused = 0;
  for (let i = 0; i < 100_000; i++) {
    const text = texts[i % texts.length]!;
    const at = next(text.length);
    const cut = text.slice(0, at) + letters[next(letters.length)] + text.slice(at + next(3));
    const found = parseMessage(clientMessage, cut) ?? parseMessage(serverMessage, cut);
    if (found === null) numRefused++;
    else expect(Object.keys(JSON.parse(cut) as object)).toContain("type");
  }
  expect(numRefused).toBeGreaterThan(50_000);
  expect(numRefused).toBeLessThan(100_000); // another digit is another good message
});

test("messages that the schema does not know are refused", () => {
  const texts = [
    "",
    "{",
    "null",
    "[]",
    '"hello"',
    '{"type":"hello"}',
    '{"type":"hello","version":1,"extra":1}',
    '{"type":"subscribe","poses":true,"numRobots":-1}',
    '{"type":"subscribe","poses":true,"numRobots":1e9}',
    '{"type":"control","action":"format"}',
    '{"type":"follow","robot":-1}',
    '{"type":"follow"}',
    '{"type":"__proto__"}',
  ];
  for (const text of texts) expect(parseMessage(clientMessage, text)).toBeNull();
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseMessage(clientMessage, text)).toBeNull();
      expect(parseMessage(serverMessage, text)).toBeNull();
    }),
  );
  const hello = { type: "hello", version: 1 };
  expect(parseMessage(clientMessage, JSON.stringify(hello))).toEqual(hello);
});
