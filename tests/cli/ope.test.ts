// salle ope and salle finetune --ope, from the command line.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { salleIn } from "./salle.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-ope-"));
afterAll(() => rmSync(folder, { recursive: true }));
const sets = [
  "algo.actorHidden=[8]",
  "algo.criticHidden=[8]",
  "algo.batchSize=16",
  "train.evalEpisodes=1",
  "train.saveFreq=160",
].flatMap((set) => ["--set", set]);
const learning = ["--data", "data", "--method", "iql", "--offline-updates", "300"];
const quick = ["--num-envs", "2", "--eval-freq", "160", ...sets];

beforeAll(async () => {
  const collecting = ["--agent", "random", "--episodes", "3", "--out", "data"];
  expect((await salleIn(folder, "collect", "pendulum", ...collecting)).errors).toBe("");
  const flags = ["--name", "kept", "--ope", ...quick];
  const { code, output } = await salleIn(folder, "finetune", ...learning, ...flags);
  expect(code).toBe(0);
  expect(output).toMatch(/chose step \d+, estimated at/);
}, 180_000);

interface Written {
  readonly chosen: number;
  readonly judged: readonly { step: number; estimate: number; truth: number | null }[];
}

const written = () =>
  JSON.parse(readFileSync(join(folder, "runs/kept/ope.json"), "utf8")) as Written;

test("all checkpoints are kept, judged, and the one of the greatest estimate has a name", async () => {
  const { chosen, judged } = written();
  expect(judged.map(({ step }) => step)).toEqual([160, 300]);
  const estimates = judged.map(({ estimate }) => estimate);
  expect(judged.find(({ step }) => step === chosen)!.estimate).toBe(Math.max(...estimates));
  // The run's own evaluations are the truth beside it.
  const evaluations = JSON.parse(
    readFileSync(join(folder, "runs/kept/evaluations.json"), "utf8"),
  ) as { step: number; returns: number[] }[];
  expect(judged.map(({ truth }) => truth)).toEqual(evaluations.map(({ returns }) => returns[0]));
  const { output } = await salleIn(
    folder,
    "eval",
    "kept",
    "--episodes",
    "1",
    "--checkpoint",
    "ope",
  );
  expect(output).toContain(`policy of step ${chosen},`);
}, 60_000);

test("the simulator says more where it is asked, and estimates stay to the bit", async () => {
  const before = written();
  const { code, output } = await salleIn(folder, "ope", "kept", "--episodes", "2");
  expect(code).toBe(0);
  expect(output).toContain("SharpeRatio@k");
  const after = written();
  expect(after.judged.map(({ estimate }) => estimate)).toEqual(
    before.judged.map(({ estimate }) => estimate),
  );
  expect(after.judged.map(({ truth }) => truth)).not.toEqual(before.judged.map((x) => x.truth));
}, 120_000);

test("what can't be judged is refused with a word", async () => {
  const fails = async (...args: string[]) => (await salleIn(folder, ...args)).errors;
  const single = [
    "--name",
    "single",
    ...quick,
    "--set",
    "train.saveFreq=1e9",
    "--eval-freq",
    "300",
  ];
  await salleIn(folder, "finetune", ...learning, ...single);
  expect(await fails("ope", "single")).toContain("wanted two checkpoints or more");
  expect(await fails("ope", "kept", "--updates", "0")).toContain("--updates wants a whole number");
  expect(await fails("ope", "kept", "--data", "none")).toContain("none is no dataset");
  const acting = ["--agent", "random", "--episodes", "1", "--out", "other"];
  await salleIn(folder, "collect", "cartpole-swingup", ...acting);
  const other = "has episodes of cartpole-swingup-v0";
  expect(await fails("ope", "kept", "--data", "other")).toContain(other);
  expect(await fails("finetune", "--method", "iql", "--ope")).toContain("name a dataset");
}, 120_000);
