// A dataset's folder: what is written is read back to the bit, from memory and from disk; crashes cost the
// last episode at most; damage is named.

import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Dataset, normalizedScore } from "../../finetune/dataset.ts";
import { createRng } from "../../sim/rng.ts";
import { DatasetWriter, type WrittenEpisode } from "../../train/datasetWriter.ts";

const sizes = { observationSize: 3, actionSize: 2 };
const info = {
  ...sizes,
  task: "reacher-easy-v0",
  parameters: {},
  controlDt: 0.02,
  extras: { baseActions: 2 },
  provenance: { command: "test" },
};
let folder: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "salle-data-")), "d");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

function episode(length: number, seed: number): WrittenEpisode {
  const rng = createRng(seed);
  const floats = (count: number) =>
    Float32Array.from({ length: count }, () => 2 * rng.uniform() - 1);
  return {
    info: {
      success: seed % 2 === 0,
      terminated: seed % 2 === 0,
      truncated: seed % 2 === 1,
      seed,
      policy: "p",
    },
    observations: floats((length + 1) * 3),
    actions: floats(length * 2),
    rewards: floats(length),
    extras: { baseActions: floats(length * 2) },
    recording: Uint8Array.of(seed, length),
    snapshots: [{ step: 1, bytes: Uint8Array.of(7, 7, seed) }],
  };
}

function write(episodes: readonly WrittenEpisode[]): void {
  const writer = DatasetWriter.create(folder, info);
  for (const each of episodes) writer.add(each);
  writer.close();
}

test.each([
  ["memory", undefined],
  ["disk", 0],
])("reads from %s what was written, to the bit", (_, limit) => {
  const episodes = [episode(3, 2), episode(4, 3)];
  write(episodes);
  const dataset = new Dataset(folder, limit);
  expect(dataset.numSteps).toBe(7);
  for (const [index, written] of episodes.entries()) {
    const { observations, actions, rewards, extras, info: about } = dataset.episode(index);
    expect({ observations, actions, rewards, extras }).toEqual({
      observations: written.observations,
      actions: written.actions,
      rewards: written.rewards,
      extras: written.extras,
    });
    expect(about).toMatchObject(written.info);
    expect(about.episodeReturn).toBeCloseTo(
      written.rewards.reduce((a, b) => a + b, 0),
      12,
    );
    expect(dataset.recording(index)).toEqual(written.recording);
    expect(dataset.snapshot(index, 0)).toEqual(written.snapshots![0]!.bytes);
  }
  dataset.close();
});

test("a crash at any byte of the last episode costs that episode alone, and writing goes on", () => {
  write([episode(3, 1), episode(4, 2)]);
  const line = statSync(join(folder, "episodes.jsonl")).size;
  for (const cut of [line - 1, line - 40]) {
    truncateSync(join(folder, "episodes.jsonl"), cut);
    const read = new Dataset(folder);
    expect(read.episodes.length).toBe(1);
    read.close();
    appendFileSync(join(folder, "actions.f32"), "rest");
    const writer = DatasetWriter.open(folder);
    writer.add(episode(5, 4));
    writer.close();
    const dataset = new Dataset(folder);
    expect(dataset.episodes.map(({ length }) => length)).toEqual([3, 5]);
    expect(dataset.episode(1).actions).toEqual(episode(5, 4).actions);
    expect(dataset.recording(1)).toEqual(Uint8Array.of(4, 5));
    dataset.close();
  }
});

test("names the file that was cut, and what it should hold", () => {
  write([episode(3, 1)]);
  truncateSync(join(folder, "rewards.f32"), 8);
  expect(() => new Dataset(folder)).toThrow(/rewards\.f32: 3 rows of 1 want 12 bytes, it has 8/);
  expect(() => DatasetWriter.open(folder)).toThrow(/rewards\.f32 has 8 bytes .* want 12.*damaged/);
});

test("refuses episodes of wrong size or with non-finite numbers, and writes nothing of them", () => {
  const writer = DatasetWriter.create(folder, info);
  const good = episode(3, 1);
  const bad = (change: Partial<WrittenEpisode>) => () => writer.add({ ...good, ...change });
  expect(bad({ actions: new Float32Array(5) })).toThrow(/actions .* want 6 numbers, got 5/);
  expect(bad({ rewards: Float32Array.of(0, Number.NaN, 0) })).toThrow(
    /rewards .* finite, got NaN at number 1/,
  );
  expect(bad({ extras: {} })).toThrow(/extra columns wanted: baseActions; got none/);
  expect(bad({ rewards: new Float32Array(0) })).toThrow(/at least one step/);
  const both = { ...good.info, terminated: true, truncated: true };
  expect(bad({ info: both })).toThrow(/terminated or truncated, never both/);
  writer.add(good);
  writer.close();
  expect(new Dataset(folder).episodes.length).toBe(1);
});

test("an old folder is not overwritten", () => {
  write([episode(3, 1)]);
  expect(() => DatasetWriter.create(folder, info)).toThrow(/exists and is not empty/);
});

test("says what is wrong with dataset.json and with a line", () => {
  write([episode(3, 1)]);
  const about = JSON.parse(readFileSync(join(folder, "dataset.json"), "utf8"));
  const change = (edit: object) =>
    writeFileSync(join(folder, "dataset.json"), JSON.stringify({ ...about, ...edit }));
  change({ format: 9 });
  expect(() => new Dataset(folder)).toThrow(/format 9 is unknown; this version reads 1/);
  change({ actionSize: 0 });
  expect(() => new Dataset(folder)).toThrow(/"actionSize" is a whole number from 1, got 0/);
  change({});
  appendFileSync(join(folder, "episodes.jsonl"), "{]\n");
  expect(() => new Dataset(folder)).toThrow(/episodes\.jsonl, line 2 is no JSON/);
  expect(() => new Dataset(join(folder, "none"))).toThrow(/no dataset: it has no dataset\.json/);
});

test("normalised scores at D4RL's check values", () => {
  const hopper = { random: -20.272305, expert: 3234.3, numEpisodes: 100 };
  expect(normalizedScore(3000, hopper)).toBeCloseTo(92.8, 2);
  expect(normalizedScore(1607.01, hopper)).toBeCloseTo(50, 2);
});
