// The soak of the viewer: a real training, with viewers that join, leave and stall.
//
// `salle train --viz` runs as its user runs it. A third of each round nobody watches; then up to 12 viewers come
// and go, a second each, and one stops reading what it is sent. What a round leaves behind is a leak.

import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createRng, type Rng } from "../../sim/rng.ts";
import type { BenchOptions } from "../main.ts";
import type { Report } from "../report.ts";
import { type LogRow, type Memory, reportOf, type Soaked, type Span } from "./soakReport.ts";
import { tell } from "./training.ts";

const dist = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const longestRound = 60; // s
const fewestRounds = 4;
const quiet = 1 / 3; // of a round nobody watches
const mostViewers = 12;

/** Everything of `npm run bench -- viewer --soak [minutes]`. */
export async function soakViewer({ soak: minutes = 10 }: BenchOptions): Promise<Report> {
  if (!(minutes >= 2)) throw new Error(`--soak wants minutes, 2 at least, got ${minutes}`);
  const runs = mkdtempSync(join(tmpdir(), "salle-soak-"));
  const training = train(runs);
  try {
    return reportOf(await soak(training, runs, minutes));
  } finally {
    training.kill("SIGKILL"); // it has ended unless something failed
    rmSync(runs, { recursive: true });
  }
}

async function soak(training: ChildProcess, runs: string, minutes: number): Promise<Soaked> {
  const url = await addressOf(training);
  const clients = fork(new URL("./clients.js", import.meta.url), [url, "pages"]);
  const numRounds = Math.max(fewestRounds, Math.round((60 * minutes) / longestRound));
  const seconds = (60 * minutes) / numRounds;
  const rng = createRng(1);
  const memory: Memory[] = [];
  const watched: Span[] = [];
  const rates: number[] = [];
  while (readLog(runs).length < 5) {
    await sleep(1000); // programs are compiled
    await memoryOf(training); // throws where it has ended
  }
  const begun = Date.now() / 1000;
  for (let round = 0; round < numRounds; round++) {
    await sleep(1000 * quiet * seconds);
    const from = Date.now() / 1000;
    rates.push(await crowd(clients, Math.round((1 - quiet) * seconds), rng));
    watched.push({ from, to: Date.now() / 1000 });
    await sleep(1000); // sockets close
    memory.push(await memoryOf(training));
  }
  const ended = Date.now() / 1000;
  const log = readLog(runs).filter(({ wallTime }) => wallTime >= begun && wallTime <= ended);
  await tell(clients, 4, 1);
  await sleep(2000);
  const secondsToEnd = await interrupt(training);
  clients.disconnect();
  return { memory, watched, rates, log, secondsToEnd };
}

/** Viewers for some seconds, one of them stalled; all have left at the end. Frames a second and viewer. */
async function crowd(clients: ChildProcess, seconds: number, rng: Rng): Promise<number> {
  let reading = 1;
  let frames = 0;
  let viewerSeconds = 0;
  await tell(clients, reading, 1);
  for (let second = 0; second < seconds; second++) {
    await sleep(1000);
    viewerSeconds += reading;
    const by = Math.floor(rng.uniform() * 7) - 3;
    reading = Math.max(1, Math.min(mostViewers, reading + by));
    frames += (await tell(clients, reading, 1)).numFrames;
  }
  frames += (await tell(clients, 0, 0)).numFrames;
  return frames / viewerSeconds;
}

function train(runs: string): ChildProcess {
  const args = ["train", "quadruped", "--algo", "ppo", "--num-envs", "64", "--viz"];
  const sets = ["train.logFreq=2000", "train.evalFreq=1e9", "train.totalTimesteps=1e9"];
  const probe = new URL("./memoryProbe.js", import.meta.url).href;
  return fork(
    join(dist, "cli/main.js"),
    [...args, "--runs", runs, "--name", "soak", ...sets.flatMap((set) => ["--set", set])],
    { execArgv: ["--import", probe], stdio: ["ignore", "ignore", "pipe", "ipc"] },
  );
}

/** Waits until it has printed where it is seen. */
function addressOf(training: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    training.stderr!.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      const url = /watch it at (\S+)/.exec(text)?.[1];
      if (url) resolve(url);
    });
    training.once("exit", (code) => reject(new Error(`the training ended with ${code}: ${text}`)));
  });
}

function memoryOf(training: ChildProcess): Promise<Memory> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error("the training has ended during the soak"));
    if (training.exitCode !== null) return ended();
    training.once("exit", ended);
    training.once("message", (memory) => {
      training.off("exit", ended);
      resolve(memory as Memory);
    });
    training.send("memory");
  });
}

/** s until it has ended. */
async function interrupt(training: ChildProcess): Promise<number> {
  const begun = performance.now();
  const ended = new Promise<number | null>((resolve) => training.once("exit", resolve));
  training.kill("SIGINT");
  const code = await ended;
  if (code !== 130) throw new Error(`the training wanted to end with code 130, got ${code}`);
  return (performance.now() - begun) / 1000;
}

function readLog(runs: string): LogRow[] {
  const lines = (): string => readFileSync(join(runs, "soak", "metrics.jsonl"), "utf8");
  try {
    const whole = lines().split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line) as LogRow);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
