// How long a user waits: seconds from `salle train <robot>` to the first learning step.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readMetrics } from "../../train/metrics.ts";

const program = new URL("../../cli/main.js", import.meta.url).pathname;
const longestWait = 60; // s

/** Starts the command with the robot's own settings, and ends it once an update is logged. */
export async function secondsToLearning(robot: string, runs: string): Promise<number> {
  const started = Date.now() / 1000;
  const name = `startup-${robot}-${started}`;
  const flags = ["--set", "train.logFreq=1", "--runs", runs, "--name", name];
  const child = spawn(process.execPath, [program, "train", robot, ...flags], { stdio: "ignore" });
  const ended = once(child, "exit");
  const kill = (): void => void child.kill("SIGKILL");
  process.on("exit", kill);
  try {
    while (Date.now() / 1000 < started + longestWait) {
      await sleep(100);
      if (child.exitCode !== null)
        throw new Error(`salle train ${robot} ended with ${child.exitCode}`);
      const learnt = readMetrics(join(runs, name)).find((row) => row["train/n_updates"]! > 0);
      if (learnt) return learnt.wallTime - started;
    }
    throw new Error(`salle train ${robot} learnt nothing within ${longestWait} s`);
  } finally {
    process.off("exit", kill);
    kill();
    await ended;
  }
}
