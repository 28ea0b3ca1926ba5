import { beforeAll, describe, expect, test } from "vitest";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import type { Recording } from "../../sim/recording.ts";
import { createTask } from "../../tasks/index.ts";
import { Timeline } from "../../viewer/client/page/timeline.ts";
import { Tracer } from "../../viewer/trace.ts";
import { record } from "./folders.ts";

const asRecorded = { friction: 1, mass: 1, actions: "recorded" } as const;
let recording: Recording;

async function traced(): Promise<{ tracer: Tracer; timeline: Timeline }> {
  const task = await createTask("quadruped-walk");
  const tracer = new Tracer(await loadPhysics(), task, recording);
  const timeline = new Timeline(tracer.layout, task.controlDt);
  while (!tracer.done) timeline.append(tracer.advance(7));
  return { tracer, timeline };
}

beforeAll(async () => {
  recording = decodeRecording(await record("quadruped-walk", 60));
});

describe("an episode that is simulated again", () => {
  test("has every step, equal checksums, rewards and return", async () => {
    const { tracer, timeline } = await traced();
    expect(tracer.mismatch).toBeNull();
    expect(tracer.numVerified).toBe(recording.checksums.length);
    expect(timeline.count).toBe(recording.actions.length / 12 + 1);
    const { layout } = timeline;
    const last = timeline.row(timeline.count - 1);
    expect(last[layout.episodeReturn]).toBeCloseTo(recording.ending!.episodeReturn, 4);
    const terms = last.subarray(layout.terms, layout.reward);
    expect(terms.reduce((sum, term) => sum + term, 0)).toBeCloseTo(last[layout.reward]!, 5);
  });

  test("is told from one that was recorded otherwise", async () => {
    const actions = recording.actions.slice();
    actions[12 * 15] = actions[12 * 15]! > 0 ? -1 : 1;
    const tracer = new Tracer(await loadPhysics(), await createTask("quadruped-walk"), {
      ...recording,
      actions,
    });
    while (!tracer.done) tracer.advance(50);
    expect(tracer.mismatch).toMatch(/^step 20 has checksum/);
  });
});

describe("a fork", () => {
  test("without changes goes the recorded way, to the bit, again and again", async () => {
    const { tracer, timeline } = await traced();
    for (const step of [0, 13, 30]) {
      expect(tracer.branch(step, asRecorded)).toBe(timeline.hashAt(step));
      const { hashes } = tracer.advance(10);
      for (const [i, hash] of hashes.entries()) expect(hash).toBe(timeline.hashAt(step + 1 + i));
    }
  });

  test("with other friction, mass, actions or a push goes elsewhere, and the same way twice", async () => {
    const { tracer, timeline } = await traced();
    const end = (changes: Parameters<Tracer["branch"]>[1], push = 0): string => {
      tracer.branch(10, changes);
      if (push > 0) tracer.push(0, [push, 0, 0]);
      return tracer.advance(20).hashes.at(-1)!;
    };
    const ways: (() => string)[] = [
      () => end(asRecorded),
      () => end({ ...asRecorded, friction: 0.2 }),
      () => end({ ...asRecorded, mass: 1.5 }),
      () => end({ ...asRecorded, actions: "zero" }),
      () => end(asRecorded, 5),
    ];
    const first = ways.map((way) => way());
    expect(first[0]).toBe(timeline.hashAt(30));
    expect(new Set(first).size).toBe(ways.length);
    expect(ways.map((way) => way())).toEqual(first);
  });

  test("begins only at a step that was simulated", async () => {
    const { tracer } = await traced();
    expect(() => tracer.branch(10_000, asRecorded)).toThrow(/not simulated yet/);
    expect(() => tracer.push(0, [1, 0, 0])).toThrow(/only a fork/);
  });
});

test("poses between two steps lie between them, and turns go the short way", async () => {
  const { timeline } = await traced();
  const { controlDt, layout } = timeline;
  const [before, between, after] = [4, 4.5, 5].map((step) => {
    const poses = new Float32Array(7 * layout.links.length);
    timeline.posesAt(step * controlDt, poses);
    return poses;
  });
  for (let i = 0; i < 3; i++) expect(between![i]).toBeCloseTo((before![i]! + after![i]!) / 2, 5);
  for (let i = 0; i < between!.length; i += 7)
    expect(Math.hypot(...between!.subarray(i + 3, i + 7))).toBeCloseTo(1, 5);
});
