// Making a policy better as a user does it: demonstrations, a base, a run that corrects it, and what of it lasts.

import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandsIn } from "./salle.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-finetune-"));
const { done, refused } = commandsIn(folder);
const runs = join(folder, "runs");
const data = join(folder, "demos");
const short = ["--runs", runs, "--num-envs", "4", "--set", "train.evalEpisodes=2"];
const tiny = ["--set", "algo.actorHidden=[8]", "--set", "algo.criticHidden=[8]"];
const early = ["--set", "algo.learningStarts=100", "--set", "algo.utdRatio=1/8"];
const correcting = [...short, ...tiny, ...early, "--set", "algo.criticWarmUp=8"];

beforeAll(async () => {
  const train = ["--name", "base", "--total-timesteps", "200", ...short, ...tiny, ...early];
  await Promise.all([
    done("train", "lift-cube", ...train),
    done("collect", "lift-cube", "--agent", "person", "--episodes", "4", "--out", data),
  ]);
  const run = ["--name", "better", "--total-timesteps", "800", "--data", data];
  await done("finetune", "base", "--method", "residual", ...run, ...correcting);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test("a run that corrects a base keeps it: judged, recorded and gone on with when the base is gone", async () => {
  const config = readFileSync(join(runs, "better", "config.yaml"), "utf8");
  expect(config).toContain(`base: ${join(runs, "base", "checkpoints", "200")}`);
  expect(config).toContain(data);
  renameSync(join(runs, "base"), join(folder, "away"));
  const where = ["--runs", runs, "--episodes", "2"];
  expect(await done("eval", "better", ...where, "--record", join(folder, "a.rec"))).toMatch(
    /success_rate/,
  );
  await done("verify", join(folder, "a.rec"));
  const meta = join(runs, "better", "meta.json");
  const stopped = { ...JSON.parse(readFileSync(meta, "utf8")), status: "stopped" };
  writeFileSync(meta, JSON.stringify(stopped));
  await done("resume", "better", "--runs", runs);
  renameSync(join(folder, "away"), join(runs, "base"));
}, 60_000);

test("its file takes the base's action behind the observation, and its page has both", async () => {
  const file = join(folder, "policy.onnx");
  expect(await done("export", "better", "--runs", runs, "--onnx", file)).toMatch(
    /corrects a base: obs ends with that policy's action, 5 numbers/,
  );
  expect(readFileSync(file).includes("base_action_size")).toBe(true);
  const page = join(folder, "page.html");
  expect(await done("export", "better", "--runs", runs, "--html", "--out", page)).toMatch(
    /, policy of step \d+, /,
  );
}, 60_000);

test("a run that corrects can itself be corrected", async () => {
  const method = ["--method", "residual", "--name", "best"];
  const run = [...method, "--total-timesteps", "200", ...correcting];
  await done("finetune", "better", ...run);
  expect(existsSync(join(runs, "best", "base", "base", "checkpoints"))).toBe(true);
  await done("eval", "best", "--runs", runs, "--episodes", "1");
}, 60_000);

test("what does not fit is refused before anything begins", async () => {
  const other = join(folder, "other");
  cpSync(data, other, { recursive: true });
  const info = JSON.parse(readFileSync(join(other, "dataset.json"), "utf8"));
  writeFileSync(join(other, "dataset.json"), JSON.stringify({ ...info, task: "open-drawer-v0" }));
  const residual = ["--method", "residual", "--runs", runs];
  expect(await refused("finetune", "base", ...residual, "--data", other)).toMatch(
    /is of task open-drawer-v0, and this run is of lift-cube-v0/,
  );
  expect(await refused("finetune", "--data", data, ...residual)).toMatch(
    /begins with another run.s policy/,
  );
  expect(await refused("finetune", ...residual)).toMatch(/begin with which\? name a run/);
  expect(await refused("finetune", "base", "--method", "sac", "--runs", runs)).toMatch(
    /begins with nothing: salle train --algo sac/,
  );
  expect(await refused("finetune", "nobody", ...residual)).toMatch(/nobody/);
  expect(await refused("finetune", "base", ...residual, "--checkpoint", "7")).toMatch(
    /no checkpoint "7" to begin from; there are: 200/,
  );
  expect(existsSync(join(runs, "lift-cube-v0__residual__1"))).toBe(false);
}, 60_000);
