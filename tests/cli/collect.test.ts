// Datasets as a user makes them: collected, mixed, described, and refused where they make no sense.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Dataset } from "../../finetune/dataset.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { replay } from "../../sim/replay.ts";
import { createTask } from "../../tasks/index.ts";
import { salleIn } from "./salle.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-collect-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "datasets", "mixed");

beforeAll(async () => {
  const out = ["--out", "datasets/mixed"];
  const first = await salleIn(
    folder,
    "collect",
    "lift-cube",
    "--agent",
    "expert",
    "--episodes",
    "3",
    ...out,
  );
  expect(first.errors).toBe("");
  const random = ["--agent", "random", "--episodes", "2", "--append"];
  expect((await salleIn(folder, "collect", "lift-cube", ...random, ...out)).code).toBe(0);
}, 120_000);

test("an expert's episodes and a random agent's lie in one dataset, with who played them", async () => {
  const { output } = await salleIn(folder, "data", "info", "datasets/mixed");
  expect(output).toContain("lift-cube-v0: 5 episodes");
  expect(output).toMatch(/expert +3 +3 /);
  expect(output).toMatch(/random +2 +0 /);
  expect((await salleIn(folder, "data")).output).toMatch(/mixed +lift-cube-v0 +5 /);
});

test("rows are those of the recorded episode simulated again, and it is whole", async () => {
  const task = await createTask("lift-cube");
  const physics = await loadPhysics();
  const dataset = new Dataset(path);
  for (const index of [0, 2, 3]) {
    const { info, actions, observations, rewards } = dataset.episode(index);
    const recording = decodeRecording(dataset.recording(index)!);
    expect(recording.actions).toEqual(actions);
    const report = replay(physics, task, recording);
    expect(report).toMatchObject({ ok: true });
    expect(info.episodeReturn).toBe(recording.ending!.episodeReturn);
    expect(rewards).toHaveLength(info.length);
    expect(observations).toHaveLength((info.length + 1) * task.observation.size);
    expect(info.terminated).toBe(info.success);
  }
  dataset.close();
});

test("edited datasets are new ones, listed with what made them", async () => {
  const data = (...args: string[]) => salleIn(folder, "data", ...args);
  expect(
    (await data("filter", "datasets/mixed", "--success", "--out", "datasets/good")).errors,
  ).toBe("");
  const shares = ["--shares", "60%", "40%", "--out", "datasets/p", "datasets/q"];
  expect((await data("split", "datasets/mixed", ...shares)).errors).toBe("");
  expect((await data("merge", "datasets/p", "datasets/q", "--out", "datasets/pq")).errors).toBe("");
  const dense = ["--task", "lift-cube-dense", "--out", "datasets/dense"];
  expect((await data("relabel", "datasets/pq", ...dense)).errors).toBe("");
  const { output } = await data("list");
  expect(output).toMatch(/good +lift-cube-v0 +3 .* 100% +data filter/);
  expect(output).toMatch(/dense +lift-cube-dense-v0 +5 .* 60% +data relabel/);
  const about = (await data("info", "datasets/dense")).output;
  expect(about).toMatch(
    /made by: salle data relabel.*of datasets\/pq, 5 ep.*of datasets\/p, 3 ep/s,
  );
  const verified = await salleIn(folder, "verify", "datasets/dense/recordings.rec");
  expect(verified.output).toContain("5 of 5 episodes match to the bit");
});

test.each([
  [["filter", "datasets/mixed", "--out", "datasets/x"], "nothing says which episodes"],
  [["filter", "datasets/mixed", "--min-return", "2", "--out", "datasets/x"], "none of the 5"],
  [["filter", "datasets/mixed", "--policy", "me", "--out", "datasets/x"], "expert, random"],
  [["filter", "datasets/mixed", "--top", "0", "--out", "datasets/x"], "--top wants a share"],
  [["filter", "datasets/mixed", "--length", "9..2", "--out", "datasets/x"], "--length wants"],
  [["merge", "datasets/mixed", "--out", "datasets/x"], "two datasets or more"],
  [["split", "datasets/mixed", "--shares", "1", "--out", "datasets/x"], "two or more"],
  [["split", "datasets/mixed", "--shares", "1", "1", "--out", "datasets/x", "y"], "got 200%"],
  [["relabel", "datasets/mixed", "--task", "hopper", "--out", "datasets/x"], "episode 0"],
  [["good"], 'salle data has no "good"'],
])("data %j is refused in one clear line", async (args, problem) => {
  const { code, errors } = await salleIn(folder, "data", ...args);
  expect(code).toBe(1);
  expect(errors).toContain(problem);
  expect(existsSync(join(folder, "datasets", "x"))).toBe(false);
});

test.each([
  [["lift-cube", "--agent", "expert", "--out", "datasets/mixed"], "exists and is not empty"],
  [["push-t", "--agent", "expert", "--append", "--out", "datasets/mixed"], "has task lift-cube-v0"],
  [
    ["lift-cube", "--agent", "expert", "--append", "--out", "datasets/none"],
    "--append wants a dataset that is there",
  ],
  [["hopper", "--agent", "expert", "--out", "datasets/x"], "has no expert"],
  [["lift-cube", "--agent", "good", "--out", "datasets/x"], "--agent wants one of"],
  [["lift-cube", "--agent", "expert"], "--out"],
])("collect %j is refused in one clear line", async (args, problem) => {
  const { code, errors } = await salleIn(folder, "collect", ...args);
  expect(code).toBe(1);
  expect(errors).toContain(problem);
  expect(existsSync(join(folder, "datasets", "x"))).toBe(false);
});
