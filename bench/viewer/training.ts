// What viewers cost a training: steps a second without, with 1 and with 32 of them, in turns.

import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createPoseMailbox } from "../../sim/poseMailbox.ts";
import { createTask } from "../../tasks/index.ts";
import { resolveConfig } from "../../train/config.ts";
import { startTrainer } from "../../train/trainer.ts";
import { startViewer } from "../../viewer/server.ts";
import { benchOrigin } from "../origin.ts";
import type { Crowd, Received } from "./clients.ts";

const task = "quadruped-walk-v0";
const warmUp = 15; // s until programs are compiled and updates have begun
const window = 6; // s

export interface Viewed {
  readonly numClients: number;
  readonly stepsPerSecond: number[];
  /** Of one client. */
  readonly bytesPerSecond: number[];
  readonly framesPerSecond: number[];
}

/** Trains for about `warmUp` + 3 × `numRounds` × `window` seconds. */
export async function trainWatched(numRounds: number): Promise<Viewed[]> {
  const root = mkdtempSync(join(tmpdir(), "salle-bench-"));
  const sets = [
    "train.logFreq=100",
    "train.evalFreq=1e9",
    "train.saveFreq=1e9",
    "train.numEnvs=64",
  ];
  const config = await resolveConfig({ task, algorithm: "ppo", sets });
  const made = await createTask(task);
  const mailbox = createPoseMailbox(made, 64);
  const viewer = await startViewer({
    path: root,
    port: 0,
    live: { run: "bench", task: made, mailbox },
  });
  const clients = fork(new URL("./clients.js", import.meta.url), [viewer.url]);
  const steps: [time: number, step: number][] = [];
  const trainer = startTrainer(
    {
      config,
      folder: join(root, "run"),
      start: { type: "new", origin: benchOrigin },
      poses: mailbox.buffer,
    },
    {
      opened: () => undefined,
      report: ({ step }) => void steps.push([performance.now() / 1000, step]),
    },
  );
  await sleep(1000 * warmUp);
  const results: Viewed[] = [0, 1, 32].map((numClients) => {
    return { numClients, stepsPerSecond: [], bytesPerSecond: [], framesPerSecond: [] };
  });
  for (let round = 0; round < numRounds; round++)
    for (const viewed of results) await measure(viewed, clients, steps);
  trainer.stop();
  clients.disconnect();
  await trainer.result;
  await viewer.close();
  rmSync(root, { recursive: true });
  return results;
}

async function measure(
  viewed: Viewed,
  clients: ChildProcess,
  steps: readonly (readonly [time: number, step: number])[],
): Promise<void> {
  await tell(clients, viewed.numClients);
  await sleep(1000); // sockets open
  await tell(clients, viewed.numClients);
  const begun = performance.now() / 1000;
  await sleep(1000 * window);
  const { numBytes, numFrames } = await tell(clients, viewed.numClients);
  const within = steps.filter(([time]) => time >= begun);
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last || first === last)
    throw new Error("the training logged too seldom to measure");
  viewed.stepsPerSecond.push((last[1] - first[1]) / (last[0] - first[0]));
  const share = window * Math.max(1, viewed.numClients);
  viewed.bytesPerSecond.push(numBytes / share);
  viewed.framesPerSecond.push(numFrames / share);
}

/** Changes how many watch; resolves to what came meanwhile. */
export function tell(clients: ChildProcess, reading: number, stalled = 0): Promise<Received> {
  return new Promise((resolve) => {
    clients.once("message", (message) => resolve(message as Received));
    clients.send({ reading, stalled } satisfies Crowd);
  });
}
