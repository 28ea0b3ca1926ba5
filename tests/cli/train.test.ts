// The main job as a user does it: train, look, judge, play, export, go on.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { salleIn } from "./salle.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-train-"));
const runs = join(folder, "runs");
const run = join(runs, "first");
const small = [
  ...["--runs", runs, "--num-envs", "4", "--eval-freq", "1000", "--set", "train.evalEpisodes=2"],
  ...["--set", "algo.actorHidden=[16]", "--set", "algo.criticHidden=[16]"],
  ...["--set", "algo.learningStarts=200", "--set", "algo.utdRatio=1/8"],
];

beforeAll(async () => {
  const named = ["--name", "first", "--total-timesteps", "2e3"];
  const trained = await salleIn(folder, "train", "hopper", ...named, ...small);
  expect(trained.errors).not.toContain("error");
  expect(trained.code).toBe(0);
  expect(trained.output).toContain(`salle eval ${run}`);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test("a training leaves a whole run, with its curve", () => {
  for (const file of [
    "config.yaml",
    "metrics.jsonl",
    "progress.csv",
    "evaluations.json",
    "curve.png",
  ])
    expect(existsSync(join(run, file)), file).toBe(true);
  expect(JSON.parse(readFileSync(join(run, "meta.json"), "utf8")).status).toBe("finished");
  expect(readdirSync(join(run, "episodes"))).toEqual(["000001000.rec", "000002000.rec"]);
});

test("its recorded evaluations are what a simulation of them gives, to the bit", async () => {
  const { code, output } = await salleIn(folder, "verify", run);
  expect(output).toContain("000002000.rec");
  expect(code).toBe(0);
});

test("eval and play report episodes of its policy and of agents that know nothing", async () => {
  const judged = await salleIn(folder, "eval", "first", "--runs", runs, "--episodes", "3");
  expect(judged.output).toMatch(/eval\/speed +-?[\d.e-]+ m\/s/);
  for (const agent of ["zero", "random"]) {
    const played = await salleIn(folder, "play", "hopper", "--agent", agent, "--episodes", "2");
    expect(played.output).toContain(`hopper-hop-v0: ${agent} agent`);
    expect(played.output.trim().split("\n")).toHaveLength(4);
  }
});

test.each([
  ["eval", "first", "--runs", runs],
  ["play", "first", "--runs", runs],
  ["play", "hopper", "--agent", "random"],
  ["play", "lift-cube", "--agent", "person"],
])("%s %s --record writes episodes that simulate again to the bit", async (command, ...args) => {
  const file = join(folder, `${command}-${args.join("-").replaceAll("/", "")}.rec`);
  const recorded = [command, ...args, "--episodes", "2", "--record", file];
  expect((await salleIn(folder, ...recorded)).output).toContain(`wrote ${file}`);
  const verified = await salleIn(folder, "verify", "--json", file);
  expect(verified.code).toBe(0);
  expect(JSON.parse(verified.output)).toMatchObject({
    verdicts: [{ ok: true }, { ok: true }],
    problems: [],
  });
  expect((await salleIn(folder, ...recorded)).errors).toContain("--record wants a new file");
});

test("play shows a task's scripted expert", async () => {
  const args = ["play", "lift-cube", "--agent", "expert", "--episodes", "2"];
  const { output } = await salleIn(folder, ...args);
  expect(output).toContain("lift-cube-v0: expert, 2 of 2 successful");
  expect(output.trim().split("\n")).toHaveLength(4);
});

test.each([
  [["train", "hoper"], 'did you mean "hopper"'],
  [["train"], "which task?"],
  [["train", "hopper", "--task", "ant"], "two tasks are named: hopper and ant"],
  [["train", "hopper", "--algo", "sca"], 'did you mean "sac"'],
  [["train", "hopper", "--set", "algo.discont=0.9"], 'did you mean "discount"'],
  [["train", "hopper", "--set", "algo.discount=2"], "algo.discount wants at most 1, got 2"],
  [["train", "hopper", "--num-envs", "none"], "train.numEnvs wants"],
  [["train", "hopper", "--config", "none.yaml"], "--config none.yaml"],
  [["resume", "first"], "has finished"],
  [["resume", "nothing"], 'no run "nothing"'],
  [["eval", "first", "--episodes", "0"], "--episodes wants a whole number from 1"],
  [["play", "hopper", "--agent", "good"], "--agent wants one of trained, zero, random"],
  [["play", "hopper", "--agent", "expert"], 'task "hopper-hop-v0" has no expert'],
])("%s is one clear line, and leaves nothing behind", async (args, message) => {
  const { code, errors } = await salleIn(folder, ...args, "--runs", runs);
  expect(code).toBe(1);
  expect(errors).toContain(message);
  expect(errors).not.toContain("    at ");
  expect(readdirSync(runs)).toEqual(["first"]);
});
