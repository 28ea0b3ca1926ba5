// A thread that takes snapshots for one that waits: physics must not run where programs were compiled
// (sim/nursery.ts), and an episode should be whole on the disk before the next step.

import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import type { StateSnapshot } from "./snapshots.ts";

export interface SnapshotThreadData {
  readonly port: MessagePort;
  /** 1 when an answer is there. */
  readonly answered: Int32Array;
  readonly task: string;
  readonly every: number;
}

export type SnapshotAnswer =
  | { readonly type: "snapshots"; readonly snapshots: readonly StateSnapshot[] }
  | { readonly type: "error"; readonly message: string };

const patience = 600_000; // ms for one episode

export class SnapshotThread {
  private readonly port: MessagePort;
  private readonly answered = new Int32Array(new SharedArrayBuffer(4));
  private readonly worker: Worker;

  /** `every` control steps of a task; to be made before this thread compiles programs. */
  constructor(task: string, every: number) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const workerData: SnapshotThreadData = { port: port2, answered: this.answered, task, every };
    this.worker = new Worker(new URL("./snapshots.worker.js", import.meta.url), {
      workerData,
      transferList: [port2],
    });
    this.worker.unref();
  }

  /** Of a recorded episode; waits for them. */
  take(recording: Uint8Array): readonly StateSnapshot[] {
    Atomics.store(this.answered, 0, 0);
    this.port.postMessage(recording);
    if (Atomics.wait(this.answered, 0, 0, patience) === "timed-out")
      throw new Error(`no snapshots after ${patience / 1000} s of waiting`);
    const { message: answer } = receiveMessageOnPort(this.port) as { message: SnapshotAnswer };
    if (answer.type === "error") throw new Error(answer.message);
    return answer.snapshots;
  }

  dispose(): void {
    this.port.close();
    void this.worker.terminate();
  }
}
