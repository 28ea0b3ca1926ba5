// The nursery's thread: starts worker threads for a thread that should not do it itself (nursery.ts).

import { parentPort, Worker } from "node:worker_threads";
import type { NurseryRequest } from "./nursery.ts";

const workers = new Map<number, Worker>();

parentPort!.on("message", (request: NurseryRequest) => {
  if (request.type === "end") {
    void workers.get(request.id)?.terminate();
    workers.delete(request.id);
    return;
  }
  const { id, url, workerData, port } = request;
  const worker = new Worker(new URL(url), {
    workerData: { ...workerData, port },
    transferList: [port],
  });
  worker.unref();
  workers.set(id, worker);
});
