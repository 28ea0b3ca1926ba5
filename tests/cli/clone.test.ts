// Cloning as a user does it: a dataset, a run, what becomes of it, and data that are refused.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandsIn } from "./salle.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-clone-"));
const { done, refused } = commandsIn(folder);
const runs = join(folder, "runs");
const where = ["--runs", runs, "--set", "train.evalEpisodes=2"];
const short = ["--total-timesteps", "32", "--eval-freq", "16", "--set", "train.saveFreq=16"];
const mlp = ["--policy", "mlp", "--set", "algo.hidden=[16]"];
const act = ["--policy", "act", "--set", "algo.width=8", "--set", "algo.temporalEnsemble=0.1"];
const kept = ["--set", "algo.validationShare=0.25"];

/** Rows of metrics without what differs by the clock. */
const metricsOf = (run: string) =>
  readFileSync(join(runs, run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => Object.entries(JSON.parse(line) as Record<string, number>))
    .map((row) => row.filter(([name]) => !name.startsWith("time/") && name !== "wallTime"))
    .map((row) => Object.fromEntries(row));

beforeAll(async () => {
  await done("collect", "pendulum", "--agent", "random", "--episodes", "4", "--out", "data");
  await Promise.all([
    done("clone", "data", ...mlp, "--name", "mlp", ...kept, ...short, ...where),
    done("clone", "data", ...act, "--name", "act", ...kept, ...short, ...where),
  ]);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test.each(["mlp", "act"])(
  "a clone is judged by episodes and by rows that it never saw: %s",
  async (run) => {
    const judged = metricsOf(run).filter((row) => "eval/success_rate" in row);
    expect(judged.length).toBe(2);
    for (const row of judged) expect(Number.isFinite(row["eval/validation_loss"])).toBe(true);
    expect(await done("eval", run, "--runs", runs, "--episodes", "2")).toMatch(/mean_reward/);
  },
  60_000,
);

test("a run that is interrupted goes on to the bit", async () => {
  cpSync(join(runs, "mlp"), join(runs, "copy"), { recursive: true });
  const meta = join(runs, "copy", "meta.json");
  const stopped = { ...JSON.parse(readFileSync(meta, "utf8")), status: "stopped" };
  writeFileSync(meta, JSON.stringify(stopped));
  await done("resume", "copy", "--runs", runs, "--from", "16");
  expect(metricsOf("copy")).toEqual(metricsOf("mlp"));
}, 60_000);

test("a clone collects, and its file gives chunks and says so", async () => {
  await done("collect", "mlp", "--runs", runs, "--episodes", "1", "--out", "again");
  await done("export", "mlp", "--runs", runs, "--onnx", "mlp.onnx");
  const file = readFileSync(join(folder, "mlp.onnx"), "latin1");
  expect(file).toMatch(/chunk_length[\s\S]{0,8}4/);
}, 60_000);

test("data that can't be cloned are refused before there is a run", async () => {
  const broken = join(folder, "broken");
  cpSync(join(folder, "data"), broken, { recursive: true });
  const actions = readFileSync(join(broken, "actions.f32"));
  actions.writeFloatLE(Number.NaN, 40);
  writeFileSync(join(broken, "actions.f32"), actions);
  const before = readdirSync(runs);
  expect(await refused("clone", "broken", ...mlp, ...where)).toMatch(
    /actions.f32: row 10, row 10 of episode 0, is not finite/,
  );
  expect(await refused("clone", "data", "--policy", "nobody", ...where)).toMatch(
    /unknown policy "nobody"; known: act, diffusion, flow, mlp, shortcut/,
  );
  expect(await refused("clone", "nowhere", ...mlp, ...where)).toMatch(/nowhere is no dataset/);
  expect(await refused("clone", "data", ...mlp, "--filter", "success", ...where)).toMatch(
    /none of the data's 4 episodes is successful/,
  );
  expect(readdirSync(runs)).toEqual(before);
}, 60_000);
