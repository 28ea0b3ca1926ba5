// A crash at every single change of the disk, one after the other: from the n-th on, all of them fail, as
// if the process had been killed there. Also while a run is resumed.

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Checkpoints } from "../../train/checkpoint.ts";
import { readMetrics } from "../../train/metrics.ts";
import { createRun, type Run, readEvaluations, resumeRun } from "../../train/run.ts";
import { origin } from "./origin.ts";
import { temporaryFolder } from "./runs.ts";

const changes = [
  "writeSync",
  "renameSync",
  "rmSync",
  "mkdirSync",
  "openSync",
  "truncateSync",
  "ftruncateSync",
  "writeFileSync",
] as const;

/** Calls `work`; whatever changes the disk from call `n` on throws instead. Whether it came so far. */
function crashAt(n: number, work: () => void): boolean {
  const originals = changes.map((name) => [name, fs[name]] as const);
  const table = fs as unknown as Record<string, unknown>;
  let count = 0;
  for (const [name, original] of originals)
    table[name] = (...args: never[]) => {
      if (++count >= n) throw new Error("crash");
      return (original as (...args: never[]) => unknown)(...args);
    };
  syncBuiltinESMExports();
  try {
    work();
  } catch (error) {
    if (count < n) throw error; // no crash of ours
  } finally {
    for (const [name, original] of originals) table[name] = original;
    syncBuiltinESMExports();
  }
  return count >= n;
}

function trainTo(run: Run, from: number, to: number): void {
  for (let step = from; step <= to; step++) {
    run.log(step, { "a/b": step, [`late/${step}`]: step });
    run.logEvaluation(step, { returns: [step] });
    run.appendEpisode("e", Uint8Array.of(step));
    run.save(step, { step, w: new Float32Array(9).fill(step) }, { best: step % 2 === 0 });
  }
}

const lastStep = 4;
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

function expectWhole(folder: string): void {
  const checkpoints = new Checkpoints(join(folder, "checkpoints"));
  if (checkpoints.steps().length === 0) return;
  const { step, state } = checkpoints.load("last");
  expect(state).toEqual({ step, w: new Float32Array(9).fill(step) });
  if (step < 2) return;
  const best = checkpoints.load("best").step; // that of `last`, or of one that was about to be
  expect([step - (step % 2), step + 1]).toContain(best);
}

function expectFinished(folder: string): void {
  expectWhole(folder);
  expect(readMetrics(folder).map(({ step }) => step)).toEqual(upTo(lastStep));
  expect(readEvaluations(folder).map(({ step }) => step)).toEqual(upTo(lastStep));
  expect([...fs.readFileSync(join(folder, "episodes", "e.rec"))]).toEqual(upTo(lastStep));
  const names = fs.readdirSync(join(folder, "checkpoints")).sort();
  expect(names).toEqual(["3", "4", "best", "last"]);
}

function goOn(folder: string): void {
  const { run, checkpoint } = resumeRun(folder, []);
  trainTo(run, (checkpoint?.step ?? 0) + 1, lastStep);
  run.close();
}

test("a crash at any change of the disk while training leaves whole checkpoints and can be resumed", () => {
  let numCrashes = 0;
  for (let n = 1; ; n++) {
    const run = createRun(join(temporaryFolder(), "run"), { config: "", meta: origin });
    if (!crashAt(n, () => trainTo(run, 1, lastStep))) break;
    numCrashes++;
    expectWhole(run.folder);
    goOn(run.folder);
    expectFinished(run.folder);
  }
  expect(numCrashes).toBeGreaterThan(100);
});

/** The change of the disk before which step 4 has its folder but `last` still names 3. */
function findPublished(): number {
  for (let n = 1; n < 200; n++) {
    const run = createRun(join(temporaryFolder(), "run"), { config: "", meta: origin });
    trainTo(run, 1, 3);
    crashAt(n, () => trainTo(run, 4, 4));
    if (run.checkpoints.steps().includes(4) && run.checkpoints.find("last") === 3) return n;
  }
  throw new Error("no crash leaves a checkpoint that nothing points at");
}

test("so does a crash at any change of the disk while resuming", () => {
  const published = findPublished();
  let numCrashes = 0;
  for (let n = 1; ; n++) {
    const run = createRun(join(temporaryFolder(), "run"), { config: "", meta: origin });
    trainTo(run, 1, 3);
    crashAt(published, () => trainTo(run, 4, 4)); // 4 is there, and `last` still names 3
    const crashed = crashAt(n, () => void resumeRun(run.folder, []));
    expectWhole(run.folder);
    if (!crashed) break;
    numCrashes++;
    goOn(run.folder);
    expectFinished(run.folder);
  }
  expect(numCrashes).toBeGreaterThan(8);
});
