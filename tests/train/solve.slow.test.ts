// Learning: each of these solves its task by its preset, within the preset's steps. A solved pendulum or pole
// stands for most of 500 steps.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { salleIn } from "../cli/salle.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-solve-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["sac", "pendulum-swingup", 400],
  ["sac", "cartpole-swingup", 350],
  ["fastSac", "pendulum-swingup", 400],
  ["fastSac", "cartpole-swingup", 350],
  ["td3", "pendulum-swingup", 400],
  ["td3", "cartpole-swingup", 350],
  ["ppo", "pendulum-swingup", 400],
  ["ppo", "cartpole-swingup", 350],
])("%s solves %s", async (algorithm, task, wanted) => {
  const name = `${algorithm}-${task}`;
  const goal = ["--algo", algorithm, "--target-return", String(wanted)];
  const { code } = await salleIn(folder, "train", task, "--name", name, ...goal);
  expect(code).toBe(0);
  const meta = JSON.parse(readFileSync(join(folder, "runs", name, "meta.json"), "utf8"));
  expect(meta.reason).toBe("reachedTarget");
});
