// What a writer leaves behind that is killed at any moment.

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createRng } from "../../sim/rng.ts";
import { Checkpoints } from "../../train/checkpoint.ts";
import { readMetrics } from "../../train/metrics.ts";
import { resumeRun } from "../../train/run.ts";
import { temporaryFolder } from "./runs.ts";

const script = fileURLToPath(new URL("./writer.js", import.meta.url));
const numKills = 20;
const numFloats = 100_000;

test(`after each of ${numKills} kills at random moments the newest checkpoint is whole`, async () => {
  const folder = join(temporaryFolder(), "run");
  const rng = createRng(5);
  let before = 0;
  let numInTheMiddle = 0;
  for (let i = 0; i < numKills; i++) {
    const child = spawn(process.execPath, [script, folder, String(numFloats)]);
    await firstWords(child);
    await new Promise((resolve) => setTimeout(resolve, 300 * rng.uniform()));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("exit", resolve));
    const checkpoints = new Checkpoints(join(folder, "checkpoints"));
    if (checkpoints.steps().length === 0) continue;
    const { step, state } = checkpoints.load("last");
    expect(state).toEqual(stateAt(step));
    expect(step).toBeGreaterThanOrEqual(before);
    if (step >= 5) expect(checkpoints.load("best").step % 5).toBe(0);
    if (readdirSync(checkpoints.folder).some((name) => /^\.new-/.test(name))) numInTheMiddle++;
    before = step;
  }
  expect(before).toBeGreaterThan(0);
  expect(numInTheMiddle).toBeGreaterThan(0); // else no kill met a write
  const { run } = resumeRun(folder, []);
  expect(readMetrics(folder).map(({ step }) => step)).toEqual(upTo(before));
  const episodes = readFileSync(join(folder, "episodes", "e.rec"));
  expect([...episodes]).toEqual(upTo(before).map((step) => step & 255));
  expect(readdirSync(run.checkpoints.folder).filter((name) => name.startsWith("."))).toEqual([]);
});

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

function stateAt(step: number): unknown {
  const arrays = [0, 1, 2].map((i) => new Float32Array(numFloats).fill(step + i));
  return { step, arrays };
}

/** Resolves when a child has said something; rejects with its complaints where it ends before. */
function firstWords(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let complaints = "";
    child.stderr!.on("data", (text) => {
      complaints += text;
    });
    child.stdout!.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the writer ended with ${code}: ${complaints}`)));
  });
}
