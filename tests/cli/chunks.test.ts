// Policies of chunks as a user makes them: cloned from a dataset, made better, gone on with.

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandsIn } from "./salle.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-chunks-"));
const { done, refused } = commandsIn(folder);
const runs = join(folder, "runs");
const where = ["--runs", runs, "--set", "train.evalEpisodes=2"];
const tiny = ["--set", "algo.width=16"];
const critic = ["--set", "algo.criticWidth=16", "--set", "algo.rolloutLength=16"];
const short = ["--total-timesteps", "600", "--num-envs", "4", "--eval-freq", "300"];
const cloning = ["--total-timesteps", "16", "--eval-freq", "16", ...where, ...tiny];
const steps = ["--set", "algo.diffusionSteps=4", "--set", "algo.sampleSteps=4"];

const metricsOf = (run: string) =>
  readFileSync(join(runs, run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number>);

beforeAll(async () => {
  await done("collect", "pendulum", "--agent", "random", "--episodes", "2", "--out", "data");
  await Promise.all([
    done("clone", "data", "--policy", "flow", "--name", "flow", ...cloning),
    done("clone", "data", "--policy", "diffusion", "--name", "noise", ...cloning, ...steps),
  ]);
  const reinflow = ["--method", "reinflow", "--name", "better", ...short, ...where, ...critic];
  const dppo = ["--method", "dppo", "--name", "dppo", ...short, ...where, ...critic];
  await Promise.all([
    done("finetune", "flow", ...reinflow, "--set", "train.saveFreq=300"),
    done("finetune", "noise", ...dppo, "--set", "algo.tunedSteps=2"),
  ]);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test("a fine-tuned flow inherits its chunks, its network and what it acted like", async () => {
  const config = readFileSync(join(runs, "better", "config.yaml"), "utf8");
  expect(config).toContain(`base: ${join(runs, "flow", "checkpoints", "16")}`);
  expect(config).toMatch(/width: 16 #/);
  expect(metricsOf("better").some((row) => "train/clip_fraction" in row)).toBe(true);
  expect(await done("eval", "better", "--runs", runs, "--episodes", "2")).toMatch(/mean_reward/);
});

test("a run that is interrupted goes on to the bit, without the run that it began with", async () => {
  cpSync(join(runs, "better"), join(runs, "copy"), { recursive: true });
  const meta = join(runs, "copy", "meta.json");
  const stopped = { ...JSON.parse(readFileSync(meta, "utf8")), status: "stopped" };
  writeFileSync(meta, JSON.stringify(stopped));
  await done("resume", "copy", "--runs", runs, "--from", "304");
  const numbers = (run: string) =>
    metricsOf(run).map((row) =>
      Object.entries(row).filter(([name]) => !name.startsWith("time/") && name !== "wallTime"),
    );
  expect(numbers("copy")).toEqual(numbers("better"));
});

test("a diffusion policy is fine-tuned by its last steps", () => {
  expect(existsSync(join(runs, "dppo", "checkpoints", "last"))).toBe(true);
  expect(metricsOf("dppo").some((row) => "train/clip_fraction" in row)).toBe(true);
});

test("a policy that a method can't go on with is refused by name", async () => {
  const other = await refused("finetune", "noise", "--method", "reinflow", "--runs", runs);
  expect(other).toContain("goes on with a policy of flow or shortcut");
  const wide = ["--set", "algo.width=32", "--name", "wide", ...short, ...where];
  const refusal = await refused("finetune", "flow", "--method", "reinflow", ...wide);
  expect(refusal).toContain("leave the settings of its chunks and its network as they were");
});
