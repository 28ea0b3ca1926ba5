import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRecordings } from "../../sim/readRecordings.ts";
import { encodeRecording } from "../../sim/recording.ts";
import { readMetrics } from "../../train/metrics.ts";
import { createRun, type Run, readEvaluations, resumeRun, runName } from "../../train/run.ts";
import { readMeta } from "../../train/runMeta.ts";
import { origin } from "./origin.ts";
import { temporaryFolder } from "./runs.ts";

const makeRun = (options = {}) =>
  createRun(join(temporaryFolder(), "a-run"), { config: "task: a\n", meta: origin }, options);

const step = (run: Run, at: number) => {
  run.log(at, { "rollout/ep_rew_mean": at / 3, ...(at >= 30 && { "train/late": at }) });
  if (at % 20 === 0) run.logEvaluation(at, { returns: [at, at + 0.5] });
  run.appendEpisode("evaluation", episode(at));
  if (at % 20 === 0) run.save(at, { at, w: Float32Array.of(at, -0) }, { best: at === 20 });
};

function episode(seed: number): Uint8Array {
  const { physics } = origin;
  const rest = { parameters: {}, slot: 0, actionSize: 1, policy: "p", gitCommit: "" };
  return encodeRecording({
    header: { task: "a", physics, seed, ...rest },
    start: { type: "seed" },
    actions: Float32Array.of(0.5),
    checksums: [],
    ending: { episodeReturn: seed, episodeLength: 1, terminated: true, truncated: false },
  });
}

/** A run's files without what a clock says. */
function contents(folder: string): Record<string, unknown> {
  const episodes = readRecordings(readFileSync(join(folder, "episodes", "evaluation.rec")));
  const timeless = (rows: readonly object[]) => rows.map((row) => ({ ...row, wallTime: 0 }));
  const csv = readFileSync(join(folder, "progress.csv"), "utf8").split("\n");
  const checkpoints = join(folder, "checkpoints");
  return {
    metrics: timeless(readMetrics(folder)),
    csv: csv.map((line) => line.split(",").filter((_, column) => column !== 1)),
    evaluations: timeless(readEvaluations(folder)),
    episodes,
    events: readFileSync(join(folder, "events.out.tfevents.salle")).length,
    checkpoints: readdirSync(checkpoints).sort(),
    pointers: ["last", "best"].map((name) => readFileSync(join(checkpoints, name), "utf8")),
  };
}

test("a run that was killed and resumed leaves the files of one that was not", () => {
  const whole = makeRun();
  for (let at = 10; at <= 60; at += 10) step(whole, at);
  whole.finish("finished");

  const killed = makeRun();
  for (let at = 10; at <= 50; at += 10) step(killed, at); // as if killed here
  const { run, checkpoint } = resumeRun(killed.folder, ["salle", "resume"]);
  expect(checkpoint?.step).toBe(40);
  expect(checkpoint?.state).toEqual({ at: 40, w: Float32Array.of(40, -0) });
  for (let at = 50; at <= 60; at += 10) step(run, at);
  run.finish("finished");
  expect(contents(run.folder)).toEqual(contents(whole.folder));
  expect(readMeta(run.folder)).toMatchObject({ status: "finished", resumed: [{ step: 40 }] });
});

test("half a row that a crash left is cut", () => {
  const run = makeRun();
  step(run, 20);
  const file = join(run.folder, "metrics.jsonl");
  writeFileSync(file, `${readFileSync(file, "utf8")}{"step":30,"wal`);
  expect(readMetrics(run.folder)).toHaveLength(1);
  resumeRun(run.folder, []).run.log(30, { a: 1 });
  expect(readMetrics(run.folder).map((row) => row.step)).toEqual([20, 30]);
});

test("a run without a checkpoint begins anew", () => {
  const run = makeRun();
  run.log(10, { a: 1 });
  const again = resumeRun(run.folder, []);
  expect(again.checkpoint).toBeNull();
  expect(readMetrics(run.folder)).toEqual([]);
});

test("progress.csv has every column, also those that appear late", () => {
  const run = makeRun();
  run.log(1, { a: 1 });
  run.log(2, { a: 2, "b,c": 0.1 });
  run.log(3, { a: Number.NaN });
  const lines = readFileSync(join(run.folder, "progress.csv"), "utf8").split("\n");
  const withoutTime = lines.map((line) => line.replace(/^(\d+),[\d.]+/, "$1,t"));
  expect(withoutTime).toEqual(['step,wallTime,a,"b,c"', "1,t,1,", "2,t,2,0.1", "3,t,NaN,", ""]);
  expect(readMetrics(run.folder)[2]!["a"]).toBeNaN();
});

test("only the newest checkpoints and the best are kept", () => {
  const run = makeRun({ keepCheckpoints: 2 });
  for (let at = 20; at <= 120; at += 20) step(run, at);
  expect(run.checkpoints.steps()).toEqual([20, 100, 120]);
  expect(run.load("best").step).toBe(20);
  expect(run.load("last").step).toBe(120);
  expect(() => run.load(40)).toThrow(/no checkpoint "40".*there are: 20, 100, 120/);
});

test("a step can be saved again", () => {
  const run = makeRun();
  run.save(5, { a: 1 });
  run.save(5, { a: 2 });
  expect(run.load("last").state).toEqual({ a: 2 });
  expect(readdirSync(join(run.folder, "checkpoints")).sort()).toEqual(["5", "last"]);
});

test("a corrupt checkpoint is refused with its name, and the newest whole one is offered", () => {
  const run = makeRun();
  step(run, 20);
  step(run, 40);
  const arrays = join(run.folder, "checkpoints", "40", "arrays-00000.safetensors");
  const bytes = readFileSync(arrays);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(arrays, bytes);
  const message =
    /checkpoint 40 in .* is corrupt: arrays-00000.safetensors.*20 is the newest whole/;
  expect(() => run.load("last")).toThrow(message);
  truncateSync(arrays, 10);
  expect(() => run.load("last")).toThrow(/has 10 bytes, expected/);
  expect(() => resumeRun(run.folder, [])).toThrow(message);
  expect(run.load(20).state).toMatchObject({ at: 20 });
  expect(resumeRun(run.folder, [], { from: 20 }).checkpoint?.step).toBe(20);
  expect(run.checkpoints.steps()).toEqual([20]);
});

test("the folder of a run that exists already is not touched", () => {
  const run = makeRun();
  const second = createRun(run.folder, { config: "", meta: origin });
  expect(second.folder).toBe(`${run.folder}-2`);
  expect(readFileSync(join(run.folder, "config.yaml"), "utf8")).toBe("task: a\n");
});

test("a folder that can't be made is named", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "file"), "");
  expect(() => createRun(join(folder, "file", "run"), { config: "", meta: origin })).toThrow(
    /can't make the folder .*run \(ENOTDIR\): name one that may be written to/,
  );
});

test("a run that another process has open is not resumed, one whose process died is", () => {
  const run = makeRun();
  const lock = join(run.folder, "lock");
  const { host } = JSON.parse(readFileSync(lock, "utf8"));
  writeFileSync(lock, JSON.stringify({ pid: 1, host }));
  expect(() => resumeRun(run.folder, [])).toThrow(/process 1 on .* has .* open/);
  writeFileSync(lock, JSON.stringify({ pid: 2 ** 22 + 1, host }));
  resumeRun(run.folder, []).run.finish("stopped", "by hand");
  expect(existsSync(lock)).toBe(false);
  expect(readMeta(run.folder)).toMatchObject({ status: "stopped", reason: "by hand" });
});

test("a run's name tells task, algorithm, seed and when it began", () => {
  const now = new Date("2026-03-04T05:06:07.890Z");
  expect(runName("hopper-hop-v0", "sac", 7, now)).toBe("hopper-hop-v0__sac__7__20260304-050607");
});

test.skipIf(!existsSync("/proc/self/fd"))("recordings that are over leave no file open", () => {
  const run = makeRun();
  const numOpen: number[] = [];
  for (let at = 1; at <= 3; at++) {
    run.appendEpisode(String(at), episode(at));
    run.save(at, { at });
    run.appendEpisode("1", episode(at));
    run.save(at, { at });
    numOpen.push(readdirSync("/proc/self/fd").length);
  }
  expect(new Set(numOpen).size).toBe(1);
  const again = readRecordings(readFileSync(join(run.folder, "episodes", "1.rec")));
  expect(again.recordings).toHaveLength(4);
  run.finish("finished");
});
