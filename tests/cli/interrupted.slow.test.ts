// What a user meets when a training ends before its time: killed, interrupted, twice open, diverged, out of disk.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { createRng } from "../../sim/rng.ts";
import { Checkpoints } from "../../train/checkpoint.ts";
import { readMetrics } from "../../train/metrics.ts";
import { readMeta } from "../../train/runMeta.ts";
import { salleIn } from "./salle.ts";

const main = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "salle-interrupted-"));
afterAll(() => rmSync(folder, { recursive: true }));

const set = (...pairs: string[]) => pairs.flatMap((pair) => ["--set", pair]);
const small = [
  ...["pendulum-swingup", "--num-envs", "4", "--eval-freq", "2000"],
  ...set("logFreq=500", "saveFreq=1000", "evalEpisodes=1", "learningStarts=500"),
  ...set("actorHidden=[16]", "criticHidden=[16]", "batchSize=32", "utdRatio=1/16"),
];
const trainArgs = (name: string, ...more: string[]) => ["train", ...small, "--name", name, ...more];
const pathOf = (name: string) => join(folder, "runs", name);

interface Running {
  readonly child: ChildProcess;
  /** Everything that it has said so far. */
  said(): string;
  /** Resolves once it has said something like this; rejects where it ends before. */
  until(pattern: RegExp): Promise<void>;
  readonly ended: Promise<number | null>;
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder });
  let text = "";
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const listen = (chunk: Buffer) => {
    text += chunk;
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => pattern.test(text) && resolve();
      child.stdout.on("data", look);
      child.stderr.on("data", look);
      look();
      void ended.then(() => reject(new Error(`it ended before ${pattern}: ${text}`)));
    });
  return { child, said: () => text, until, ended };
}

/** A run's rows without what a clock says. */
function timeless(name: string): object[] {
  return readMetrics(pathOf(name)).map((row) =>
    Object.fromEntries(
      Object.entries(row).filter(([key]) => key !== "wallTime" && !key.startsWith("time/")),
    ),
  );
}

test("a training killed at 20 random moments and resumed has the numbers of one that was not, to the bit", async () => {
  const steps = ["--total-timesteps", "40000"];
  const whole = await salleIn(folder, ...trainArgs("whole", ...steps));
  expect(whole.code).toBe(0);
  const rng = createRng(3);
  let running = start(...trainArgs("killed", ...steps));
  let reached = 0;
  for (let i = 0; i < 20; i++) {
    if (i % 4 === 0) await running.until(/steps\/s/); // it learns; else it starts, or reads its checkpoint
    await new Promise((resolve) => setTimeout(resolve, 1500 * rng.uniform())); // ms
    running.child.kill("SIGKILL");
    await running.ended;
    expect(readMeta(pathOf("killed")).status).toBe("running"); // else a kill met no training
    const last = new Checkpoints(join(pathOf("killed"), "checkpoints")).find("last") ?? 0;
    expect(last).toBeGreaterThanOrEqual(reached);
    reached = last;
    running = start("resume", "killed");
  }
  expect(await running.ended).toBe(0);
  expect(timeless("killed")).toEqual(timeless("whole"));
  const resumedAt = readMeta(pathOf("killed")).resumed.map(({ step }) => step);
  expect(Math.max(...resumedAt)).toBeGreaterThan(0);
});

test("Ctrl-C saves and says how to go on; a second quits at once; meanwhile nobody else has the run", async () => {
  const running = start(...trainArgs("stopped"));
  await running.until(/steps\/s/);
  const other = await salleIn(folder, "resume", "stopped");
  expect(other.errors).toMatch(/^error: process \d+ on .* has .*stopped open; end it/);
  expect(other.code).toBe(1);
  running.child.kill("SIGINT");
  expect(await running.ended).toBe(130);
  expect(running.said()).toContain("stopping after this step, and saving; Ctrl-C again quits");
  expect(running.said()).toMatch(/go on +salle resume runs.stopped/);
  const { step } = new Checkpoints(join(pathOf("stopped"), "checkpoints")).load("last");
  const again = start("resume", "stopped");
  await again.until(new RegExp(`in runs.stopped, from step ${step < 10_000 ? step : ""}`));
  again.child.kill("SIGINT");
  again.child.kill("SIGTERM"); // another signal: two of one kind may arrive as one
  expect(await again.ended).toBe(130);
  expect(existsSync(join(pathOf("stopped"), "checkpoints", "last"))).toBe(true);
});

test("a damaged checkpoint is refused by its file's name, and the one before goes on", async () => {
  const { code } = await salleIn(folder, ...trainArgs("damaged", "--total-timesteps", "4000"));
  expect(code).toBe(0);
  const meta = join(pathOf("damaged"), "meta.json");
  writeFileSync(meta, readFileSync(meta, "utf8").replace('"finished"', '"stopped"'));
  const arrays = join(pathOf("damaged"), "checkpoints", "4000", "arrays-00000.safetensors");
  const bytes = readFileSync(arrays);
  const flipped = bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 4 : byte));
  for (const [content, problem] of [
    [flipped, "has another SHA-256 than its manifest says"],
    [bytes.subarray(0, 99), `has 99 bytes, expected ${bytes.length}`],
    [null, "no such file"],
  ] as const) {
    if (content === null) rmSync(arrays);
    else writeFileSync(arrays, content);
    const refused = await salleIn(folder, "resume", "damaged");
    expect(refused.code).toBe(1);
    expect(refused.errors).toMatch(/^error: checkpoint 4000 in .* is corrupt: .*arrays-00000/);
    expect(refused.errors).toContain(problem);
    expect(refused.errors).toContain("3000 is the newest whole one");
  }
  expect((await salleIn(folder, "resume", "damaged", "--from", "3000")).code).toBe(0);
  expect(readMetrics(pathOf("damaged")).at(-1)!.step).toBe(4000);
});

test("a loss that is not finite ends the run with its name, and the last good checkpoint stays", async () => {
  const wild = set("initialAlpha=1e38", "learningStarts=1500"); // its product with an entropy is infinite
  const { code, errors } = await salleIn(folder, ...trainArgs("wild", ...wild));
  expect(errors).toMatch(
    /error: training diverged: train\/\w+ is (NaN|-?Infinity) after \d+ updates/,
  );
  expect(code).toBe(1);
  expect(readMeta(pathOf("wild"))).toMatchObject({ status: "failed" });
  const rows = readMetrics(pathOf("wild"));
  const { step } = new Checkpoints(join(pathOf("wild"), "checkpoints")).load("last");
  expect(step).toBeGreaterThan(0);
  expect(step).toBeLessThanOrEqual(rows.at(-1)!.step);
});

/** Mounts a small file system, which only root may; null where it can't. */
function smallDisk(): string | null {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], { stdio: "pipe" });
  } catch (error) {
    if (process.env["CI"]) throw error;
    return null;
  }
  onTestFinished(() => void execFileSync("umount", ["-l", disk]));
  return disk;
}

test("a full disk ends the run with what to do, and the last checkpoint is whole", async (context) => {
  const disk = smallDisk();
  if (disk === null) return context.skip("mounting a small disk takes root");
  const many = [...set("keepCheckpoints=1000"), "--runs", disk];
  const { code, errors } = await salleIn(folder, ...trainArgs("full", ...many));
  expect(errors).toMatch(/error: no space left on the disk for .*free some/);
  expect(code).toBe(1);
  const { step } = new Checkpoints(join(disk, "full", "checkpoints")).load("last");
  expect(step).toBeGreaterThan(0);
  expect(existsSync(join(disk, "full", "lock"))).toBe(false);
});
