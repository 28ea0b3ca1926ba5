// Datasets made of others: the right episodes, to the bit, and whole or not at all.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Dataset } from "../../finetune/dataset.ts";
import { commonInfo, episodeOf, provenanceOf, writeDatasets } from "../../train/newDatasets.ts";
import { selectEpisodes, splitEpisodes } from "../../train/selectEpisodes.ts";
import { datasetOf, randomEpisode, smallInfo, workFolder } from "./datasets.ts";

const folder = workFolder("new-datasets");
const made = { salle: "0", gitCommit: null, command: "salle data test" };

const listed = [
  { length: 5, episodeReturn: 1, success: true, policy: "a" },
  { length: 9, episodeReturn: 3, success: false, policy: "b" },
  { length: 7, episodeReturn: 3, success: true, policy: "b" },
  { length: 2, episodeReturn: -1, success: false, policy: "a" },
].map((about) => ({ terminated: true, truncated: false, seed: 0, ...about }));

test.each([
  [{ success: true }, [0, 2]],
  [{ success: false }, [1, 3]],
  [{ minReturn: 1 }, [0, 1, 2]],
  [{ policies: ["a"] }, [0, 3]],
  [{ lengths: { least: 5, most: 7 } }, [0, 2]],
  [{ top: 0.5 }, [1, 2]],
  [{ top: 0.25 }, [1]],
  [{ success: true, top: 0.5 }, [2]],
  [{ top: 0.01 }, [1]],
  [{ policies: ["a"], minReturn: 2 }, []],
])("selects by %j", (selection, wanted) => {
  expect(selectEpisodes(listed, selection)).toEqual(wanted);
});

test("a split deals every episode out once, by lot, the same for the same seed", () => {
  const parts = splitEpisodes(101, [0.8, 0.1, 0.1], 3);
  expect(parts.map((part) => part.length)).toEqual([81, 10, 10]);
  expect(parts.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 101 }, (_, i) => i));
  expect(splitEpisodes(101, [0.8, 0.1, 0.1], 3)).toEqual(parts);
  expect(splitEpisodes(101, [0.8, 0.1, 0.1], 4)).not.toEqual(parts);
  expect(parts[0]).not.toEqual(Array.from({ length: 81 }, (_, i) => i));
  expect(splitEpisodes(3, [0.98, 0.01, 0.01], 0).map((part) => part.length)).toEqual([1, 1, 1]);
  expect(() => splitEpisodes(1, [0.5, 0.5], 0)).toThrow(/1 episodes do not go into 2 parts/);
});

test("copied episodes are equal to the bit, with recordings, snapshots and where they come from", async () => {
  const source = datasetOf(
    join(folder, "source"),
    [3, 4, 5].map((length) => randomEpisode(length, length, { policy: `p${length}` })),
  );
  const info = { ...commonInfo([source]), provenance: provenanceOf(made, [source]) };
  const path = join(folder, "copy");
  await writeDatasets([{ path, info }], ([writer]) => {
    for (const index of [2, 0]) writer!.add(episodeOf(source, index));
  });
  const copy = new Dataset(path);
  for (const [index, from] of [2, 0].entries()) {
    expect(episodeOf(copy, index)).toEqual(episodeOf(source, from));
    expect(copy.episode(index).rewards).toEqual(source.episode(from).rewards);
  }
  expect(copy.info.provenance).toMatchObject({
    command: "salle data test",
    from: [{ path: source.path, numEpisodes: 3, numSteps: 12, provenance: { command: "test" } }],
  });
  expect(readdirSync(folder)).not.toContain(".copy.draft");
});

test("an error leaves none of the datasets, and no draft", async () => {
  const wanted = ["x", "y"].map((name) => ({ path: join(folder, name), info: smallInfo }));
  const write = writeDatasets(wanted, ([x]) => {
    x!.add(randomEpisode(3, 1));
    throw new Error("enough");
  });
  await expect(write).rejects.toThrow("enough");
  expect(readdirSync(folder).filter((name) => /x|y/.test(name) && name !== "copy")).toEqual([]);
});

test("a kill in the midst leaves no dataset, and the next writer begins anew", async () => {
  const path = join(folder, "killed");
  const module = fileURLToPath(new URL("../../train/newDatasets.js", import.meta.url));
  const script = `
    const { writeDatasets } = await import(${JSON.stringify(module)});
    const info = ${JSON.stringify(smallInfo)};
    await writeDatasets([{ path: ${JSON.stringify(path)}, info }], ([writer]) => {
      const actions = new Float32Array(2), rewards = new Float32Array(1), observations = new Float32Array(6);
      writer.add({ actions, rewards, observations, extras: {}, info: { success: false, terminated: true, truncated: false, seed: 0, policy: "p" } });
      process.kill(process.pid, "SIGKILL");
    });`;
  const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script]);
  expect(signal).toBe("SIGKILL");
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(folder)).toContain(".killed.draft");
  await writeDatasets([{ path, info: smallInfo }], ([writer]) => writer!.add(randomEpisode(4, 2)));
  expect(new Dataset(path).episodes.map(({ length }) => length)).toEqual([4]);
  expect(readdirSync(folder)).not.toContain(".killed.draft");
});

test("what does not go together is named", async () => {
  const one = datasetOf(join(folder, "one"), [randomEpisode(3, 1)]);
  const other = datasetOf(join(folder, "other"), [randomEpisode(3, 1)], { controlDt: 0.04 });
  expect(() => commonInfo([one, other])).toThrow(/other has controlDt 0.04, and .*one 0.02/);
  const references = { random: 0, expert: 1, numEpisodes: 10 };
  const known = datasetOf(join(folder, "known"), [randomEpisode(3, 1)], { references });
  expect(commonInfo([known]).references).toEqual(references);
  expect(commonInfo([known, one]).references).toBeUndefined();
  const twice = ["z", "z"].map((name) => ({ path: join(folder, name), info: smallInfo }));
  await expect(writeDatasets(twice, () => {})).rejects.toThrow(/two datasets cannot both be/);
  await expect(writeDatasets([{ path: one.path, info: smallInfo }], () => {})).rejects.toThrow(
    /exists and is not empty/,
  );
});
