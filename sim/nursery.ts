// Nursery: where physics threads are born, whatever their parent has done to its floating-point unit.
//
// ONNX Runtime flushes denormal numbers to zero in the thread that first used it, and a thread inherits
// that from the one that starts it. Rapier's handles are denormal numbers, and results must not depend on
// who computed them. So one thread, started while the parent is still as it was born, starts the others.

import type { MessagePort, Worker } from "node:worker_threads";

export type NurseryRequest =
  | {
      readonly type: "start";
      readonly id: number;
      readonly url: string;
      readonly workerData: object;
      /** Becomes part of the worker's data. */
      readonly port: MessagePort;
    }
  | { readonly type: "end"; readonly id: number };

/** Starts workers on behalf of this thread. */
export interface Nursery {
  /** Returns what ends the worker. */
  start(url: URL, workerData: object, port: MessagePort): () => void;
}

let nursery: Promise<Nursery> | undefined;

/** This thread's nursery, started at the first call: before the thread's first compiled program. */
export function openNursery(): Promise<Nursery> {
  nursery ??= createNursery();
  return nursery;
}

/** Whether this thread computes with denormal numbers, as all of JavaScript should. */
export function keepsDenormals(): boolean {
  const smallest = new Float64Array([Number.MIN_VALUE]); // in memory, lest a compiler folds it
  return smallest[0]! * 1 > 0;
}

/** Throws where physics would go wrong in this thread. */
export function checkDenormals(): void {
  if (keepsDenormals()) return;
  throw new Error(
    "this thread flushes denormal numbers to zero, as threads do that have compiled a program; " +
      "create environments before programs, or step them in workers (numWorkers)",
  );
}

async function createNursery(): Promise<Nursery> {
  checkDenormals();
  const threads = await import("node:worker_threads");
  const thread: Worker = new threads.Worker(new URL("./nursery.worker.js", import.meta.url));
  thread.unref();
  let numStarted = 0;
  return {
    start(url, workerData, port) {
      const id = numStarted++;
      const request: NurseryRequest = { type: "start", id, url: url.href, workerData, port };
      thread.postMessage(request, [port]);
      return () => thread.postMessage({ type: "end", id } satisfies NurseryRequest);
    },
  };
}
