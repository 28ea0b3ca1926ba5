// Other tools' files: what goes out comes back, to the bit or as the format's own rules say, and damaged
// files are named with the key and what was wanted of it. The tests of D4RL's rules are those of its loader.

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { normalizedScore } from "../../../finetune/dataset.ts";
import { actionScaleOf, scaleActions } from "../../../train/formats/box.ts";
import { quantilesOf, StatsTally } from "../../../train/formats/columnStats.ts";
import { Hdf5Reader, Hdf5Writer } from "../../../train/formats/hdf5.ts";
import { formats } from "../../../train/formats/index.ts";
import { readParquet } from "../../../train/formats/parquet.ts";
import { datasetOf, workFolder } from "../datasets.ts";
import { bits, exported, imported, threeEpisodes } from "./exported.ts";

const folder = workFolder("formats");

test("a Minari round trip keeps every bit of rows, ends, seeds, policies and recordings", async () => {
  const { info, episodes } = await imported("minari", await exported(folder, "minari"));
  expect(info).toMatchObject({ task: "reacher-easy-v0", controlDt: 0.02, observationSize: 3 });
  expect(info.references).toEqual({ random: -1, expert: 9, numEpisodes: 100 });
  for (const [i, wanted] of threeEpisodes.entries()) {
    const { snapshots: _, ...rest } = wanted;
    expect(episodes[i]).toEqual(rest);
    expect(bits(episodes[i]!.observations)).toEqual(bits(wanted.observations));
  }
});

test.each(["d4rl", "robomimic"])("a round trip through %s keeps rows and ends", async (format) => {
  const { episodes } = await imported(format, await exported(folder, format));
  for (const [i, wanted] of threeEpisodes.entries()) {
    for (const key of ["observations", "actions", "rewards"] as const)
      expect(bits(episodes[i]![key])).toEqual(bits(wanted[key]));
    const { terminated, truncated, success } = wanted.info;
    expect(episodes[i]!.info).toMatchObject({ terminated, truncated, success });
  }
});

test("a round trip through LeRobot loses last states alone: the step at a time limit goes", async () => {
  const { episodes } = await imported("lerobot", await exported(folder, "lerobot"));
  expect(episodes.map(({ rewards }) => rewards.length)).toEqual([3, 3, 5]);
  for (const [i, wanted] of threeEpisodes.entries()) {
    const got = episodes[i]!;
    const length = got.rewards.length;
    expect(bits(got.actions)).toEqual(bits(wanted.actions.slice(0, 2 * length)));
    expect(bits(got.rewards)).toEqual(bits(wanted.rewards.slice(0, length)));
    const known = i === 1 ? length + 1 : length; // the time limit's last state is a frame's
    expect(bits(got.observations.slice(0, 3 * known))).toEqual(
      bits(wanted.observations.slice(0, 3 * known)),
    );
    expect(got.info.success).toBe(wanted.info.success);
  }
});

test("LeRobot has a feature of one number as that number, and it comes back", async () => {
  const actions = Float32Array.of(0.25, -1, 0.5);
  const dataset = datasetOf(join(folder, "single"), [{ ...threeEpisodes[0]!, actions }], {
    actionSize: 1,
  });
  const out = join(folder, "single-out");
  await formats["lerobot"]!.write(dataset, out, "single");
  const rows: unknown[] = [];
  const file = join(out, "data/chunk-000/file-000.parquet");
  await readParquet(file, ["action"], (group) => void rows.push(...group));
  expect(rows).toEqual([{ action: 0.25 }, { action: -1 }, { action: 0.5 }]);
  const { episodes, info } = await imported("lerobot", out);
  expect(info.actionSize).toBe(1);
  expect(episodes[0]!.actions).toEqual(actions);
  dataset.close();
});

/** A D4RL file of 3 steps to a terminal state and 4 to a time limit, rows counted. */
async function d4rlFile(name: string, change: { next?: boolean; both?: boolean } = {}) {
  const path = join(folder, name);
  const writer = await Hdf5Writer.create(path);
  const counted = Float32Array.from({ length: 7 }, (_, i) => i);
  for (const key of ["observations", "actions", ...(change.next ? ["next_observations"] : [])])
    writer.floats(key, key.startsWith("next") ? counted.map((v) => v + 1) : counted, [7, 1]);
  writer.floats("rewards", counted, [7]);
  writer.flags("terminals", Uint8Array.of(0, 0, 1, 0, 0, 0, change.both ? 1 : 0));
  writer.flags("timeouts", Uint8Array.of(0, 0, 0, 0, 0, 0, 1));
  writer.close();
  return path;
}
const hints = { task: "t", controlDt: 0.1 };

test("without next observations D4RL's loader yields 3 + 3 rows, with them 7", async () => {
  const without = await imported("d4rl", await d4rlFile("without.hdf5"), hints);
  expect(without.episodes.map(({ rewards }) => [...rewards])).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ]);
  expect([...without.episodes[1]!.observations]).toEqual([3, 4, 5, 6]);
  expect(without.remarks.join()).toContain("no next_observations");
  const withNext = await imported("d4rl", await d4rlFile("with.hdf5", { next: true }), hints);
  expect(withNext.episodes.map(({ rewards }) => rewards.length)).toEqual([3, 4]);
  expect([...withNext.episodes[1]!.observations]).toEqual([3, 4, 5, 6, 7]);
});

test("a row that is terminal and at the time limit counts as the time limit", async () => {
  const path = await d4rlFile("both.hdf5", { next: true, both: true });
  const { episodes } = await imported("d4rl", path, hints);
  expect(episodes[1]!.info).toMatchObject({ terminated: false, truncated: true });
});

test("an exported D4RL table has its boundaries flagged, as medium then expert", async () => {
  const file = await Hdf5Reader.open(await exported(folder, "d4rl"));
  expect([...file.floats("terminals", 0, 12)]).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect([...file.floats("timeouts", 0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
  file.close();
});

test("scores at D4RL's check values", () => {
  const score = (random: number, expert: number, episodeReturn: number) =>
    normalizedScore(episodeReturn, { random, expert, numEpisodes: 100 });
  expect(score(-280.178953, 12135, 3000)).toBeCloseTo(26.42, 2);
  expect(score(1.629008, 4592.3, 3000)).toBeCloseTo(65.31, 2);
  expect(score(-280.178953, 12135, 5927.41)).toBeCloseTo(50, 2);
  expect(score(1.629008, 4592.3, 2296.96)).toBeCloseTo(50, 2);
});

test("actions of a bounded space come to [−1, 1]; ours and unbounded ones stay as they are", () => {
  const box = (low: string, high: string) =>
    `{"type": "Box", "dtype": "float32", "shape": [2], "low": [${low}], "high": [${high}]}`;
  const scale = actionScaleOf(box("-2.0, 0.0", "2.0, 10.0"), 2);
  expect([...scaleActions(Float32Array.of(-1, 10, 3, 5), scale)]).toEqual([-0.5, 1, 1, 0]);
  expect(actionScaleOf(box("-1.0, -1.0", "1.0, 1.0"), 2)).toBeNull();
  expect(actionScaleOf(box("-Infinity, -Infinity", "Infinity, Infinity"), 2)).toBeNull();
  expect(actionScaleOf('{"type": "Discrete", "n": 3}', 2)).toBeNull();
});

test("statistics of columns: moments, ends, quantiles by hand", () => {
  const tally = new StatsTally(2);
  tally.add([1, 10, 2, 10]);
  tally.add([3, 10, 6, 50]);
  const { mean, std, min, max, count } = tally.stats();
  expect([mean, min, max, count]).toEqual([[3, 20], [1, 10], [6, 50], [4]]);
  expect(std[0]).toBeCloseTo(Math.sqrt(3.5), 12);
  expect(quantilesOf(Float32Array.of(1, 2, 3, 6), 1)["q50"]).toEqual([2.5]);
  expect(quantilesOf(Float32Array.of(0, 100), 1)["q10"]![0]).toBeCloseTo(10, 5);
});

test("a file that was cut, or is none, is named", async () => {
  const path = await d4rlFile("cut.hdf5", { next: true });
  truncateSync(path, 700);
  await expect(imported("d4rl", path, hints)).rejects.toThrow(
    /cut\.hdf5 is no HDF5 file .*truncated/,
  );
  writeFileSync(path, "text");
  await expect(imported("d4rl", path, hints)).rejects.toThrow(/cut\.hdf5 is no HDF5 file/);
  await expect(imported("robomimic", join(folder, "none.hdf5"))).rejects.toThrow(
    /there is no .*none/,
  );
  const lerobot = await exported(folder, "lerobot");
  const data = join(lerobot, "data/chunk-000/file-000.parquet");
  truncateSync(data, 500);
  await expect(imported("lerobot", lerobot)).rejects.toThrow(
    /file-000\.parquet is no Parquet file/,
  );
});

test("a missing key, wrong sizes and NaN are named with the file and what was wanted", async () => {
  const make = async (name: string, edit: (writer: Hdf5Writer) => void) => {
    const path = join(folder, name);
    const writer = await Hdf5Writer.create(path);
    writer.floats("rewards", new Float32Array(7), [7]);
    edit(writer);
    writer.close();
    return imported("d4rl", path, hints);
  };
  const rows = (writer: Hdf5Writer, count: number, at = Number.NaN) => {
    const observations = new Float32Array(2 * count);
    if (at >= 0) observations[at] = Number.NaN;
    writer.floats("observations", observations, [count, 2]);
    writer.floats("actions", new Float32Array(7), [7, 1]);
    writer.flags("terminals", Uint8Array.of(0, 0, 0, 0, 0, 0, 1));
  };
  await expect(make("a.hdf5", () => {})).rejects.toThrow(
    /a\.hdf5 wants a dataset "observations", and has rewards/,
  );
  await expect(make("b.hdf5", (writer) => rows(writer, 6))).rejects.toThrow(
    /b\.hdf5 wants 7 rows in "observations", it has 6/,
  );
  await expect(make("c.hdf5", (writer) => rows(writer, 7, 9))).rejects.toThrow(
    /c\.hdf5 wants finite numbers in "observations", got NaN in row 4/,
  );
});

test("Minari's metadata and episodes are checked", async () => {
  const path = await exported(folder, "minari");
  const file = join(path, "data/metadata.json");
  const metadata = JSON.parse(readFileSync(file, "utf8"));
  expect(typeof metadata.observation_space).toBe("string");
  expect(JSON.parse(metadata.action_space)).toMatchObject({
    type: "Box",
    shape: [2],
    low: [-1, -1],
  });
  expect(metadata.total_steps).toBe(12);
  const change = (edit: object) => writeFileSync(file, JSON.stringify({ ...metadata, ...edit }));
  change({ total_episodes: 4 });
  await expect(imported("minari", path)).rejects.toThrow(/main_data\.hdf5 wants .*"episode_3\//);
  change({ data_format: "arrow" });
  await expect(imported("minari", path)).rejects.toThrow(/format "arrow"; "hdf5" alone/);
  change({ salle: undefined });
  await expect(imported("minari", path)).rejects.toThrow(/how long a step is: say --control-dt/);
  writeFileSync(file, "{");
  await expect(imported("minari", path)).rejects.toThrow(/metadata\.json is no JSON/);
  mkdirSync(join(folder, "empty"));
  await expect(imported("minari", join(folder, "empty"))).rejects.toThrow(/there is no .*metadata/);
});

test("an end in the midst of a Minari episode is refused", async () => {
  const path = join(folder, "midst", "data");
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "metadata.json"), JSON.stringify({ total_episodes: 1 }));
  const writer = await Hdf5Writer.create(join(path, "main_data.hdf5"));
  writer.group("episode_0");
  writer.floats("episode_0/observations", new Float32Array(4), [4, 1]);
  writer.floats("episode_0/actions", new Float32Array(3), [3, 1]);
  writer.floats("episode_0/rewards", new Float32Array(3), [3]);
  writer.flags("episode_0/terminations", Uint8Array.of(0, 1, 0));
  writer.flags("episode_0/truncations", Uint8Array.of(0, 0, 1));
  writer.close();
  await expect(imported("minari", join(path, ".."), hints)).rejects.toThrow(
    /last row of "episode_0\/terminations" alone, got one in row 1 of 3/,
  );
});
