// The thread of snapshotThread.ts.

import { workerData } from "node:worker_threads";
import { loadPhysics, physicsBuildNamed } from "../sim/rapier.ts";
import { decodeRecording } from "../sim/readRecordings.ts";
import { createTask } from "../tasks/index.ts";
import { takeSnapshots } from "./snapshots.ts";
import type { SnapshotAnswer, SnapshotThreadData } from "./snapshotThread.ts";

const { port, answered, task, every } = workerData as SnapshotThreadData;

port.on("message", async (bytes: Uint8Array) => {
  const answer = await answerTo(bytes);
  port.postMessage(answer);
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
});

async function answerTo(bytes: Uint8Array): Promise<SnapshotAnswer> {
  try {
    const recording = decodeRecording(bytes);
    const physics = await loadPhysics(physicsBuildNamed(recording.header.physics.build));
    const snapshots = takeSnapshots(physics, await createTask(task), recording, every);
    return { type: "snapshots", snapshots };
  } catch (error) {
    return { type: "error", message: error instanceof Error ? error.message : String(error) };
  }
}
