// salle finetune on logged data, from the command line: both parts, the switch, and what is refused.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { salleIn } from "./salle.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-finetune-"));
afterAll(() => rmSync(folder, { recursive: true }));
const small = ["actorHidden=[8]", "criticHidden=[8]", "batchSize=16"].flatMap((set) => [
  "--set",
  `algo.${set}`,
]);
const quick = ["--set", "train.evalEpisodes=1", "--num-envs", "2", "--eval-freq", "200"];

beforeAll(async () => {
  const collecting = ["--agent", "random", "--episodes", "3", "--out", "data"];
  const made = await salleIn(folder, "collect", "pendulum", ...collecting);
  expect(made.errors).toBe("");
}, 120_000);

test("a dataset is learned from, then steps are taken, and the switch is told", {
  timeout: 120_000,
}, async () => {
  const lengths = ["--offline-updates", "200", "--online-steps", "0.2k"];
  const options = ["--data", "data", "--method", "iql", "--name", "run", ...lengths];
  const { output, code } = await salleIn(folder, "finetune", ...options, ...small, ...quick);
  expect(code).toBe(0);
  expect(output).toMatch(/at the switch/);
  const config = readFileSync(join(folder, "runs", "run", "config.yaml"), "utf8");
  expect(config).toMatch(/totalTimesteps: 400/);
  expect(config).toMatch(/offlineUpdates: 200/);
  const steps = JSON.parse(readFileSync(join(folder, "runs", "run", "evaluations.json"), "utf8"));
  expect(steps.map(({ step }: { step: number }) => step)).toEqual([200, 400]);
});

test("what can't be learned from is refused before there is a run", async () => {
  const fails = async (...options: string[]) =>
    (await salleIn(folder, "finetune", ...options)).errors;
  expect(await fails("--method", "iql")).toContain("name a dataset");
  expect(await fails("--method", "sac", "--data", "data")).toContain("begins with nothing");
  expect(await fails("--method", "iql", "--data", "none")).toContain("none is no dataset");
});
