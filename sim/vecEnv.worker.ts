// A worker thread of vecEnv.ts: waits for a ticket, does one thing with its shard, says that it is done.

import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { loadPhysics } from "./rapier.ts";
import {
  controlWidth,
  doneAt,
  layOut,
  loadTask,
  Shard,
  statusAt,
  statusFailed,
  statusFine,
  ticketAt,
  type VecMemory,
  type WorkerData,
  type WorkerRequest,
} from "./shard.ts";

const {
  buffer,
  port,
  numRows,
  numWorkers,
  index,
  task: source,
  build,
  plan,
} = workerData as WorkerData;
const control = new Int32Array(buffer, 0, controlWidth * numWorkers);
const row = index * controlWidth;

/** Answers one ticket after another; after a failure it answers no more, since the WASM is poisoned. */
async function serve(): Promise<void> {
  let ticket = Atomics.load(control, row + doneAt);
  let shard: Shard | null = null;
  for (;;) {
    ticket = nextTicket(ticket);
    try {
      shard ??= await createShard();
      answer(shard);
      finish(ticket, statusFine);
    } catch (error) {
      port.postMessage(error instanceof Error ? (error.stack ?? error.message) : String(error));
      finish(ticket, statusFailed);
      return;
    }
  }
}

/**
 * Sleeps until there is another ticket. A wake-up alone is none: its `notify` may come late, when the
 * ticket that it tells of was seen before the wait and has long been answered.
 */
function nextTicket(last: number): number {
  while (Atomics.load(control, row + ticketAt) === last)
    Atomics.wait(control, row + ticketAt, last);
  return Atomics.load(control, row + ticketAt);
}

async function createShard(): Promise<Shard> {
  const task = await loadTask(source);
  const memory: VecMemory = layOut(task, numRows, numWorkers, buffer);
  return new Shard(await loadPhysics(build), task, memory, plan);
}

function answer(shard: Shard): void {
  const request = receiveMessageOnPort(port)?.message as WorkerRequest | undefined;
  if (!request) shard.step();
  else if (request.type === "reset") shard.reset(request.seed);
  else if (request.type === "begin") shard.begin(request.envs);
  else if (request.type === "place") shard.place(request.placements);
  else if (request.type === "level") shard.setLevel(request.level);
  else if (request.type === "restore") shard.restore(request.worlds);
  else port.postMessage(shard.state());
}

function finish(ticket: number, status: number): void {
  Atomics.store(control, row + statusAt, status);
  Atomics.store(control, row + doneAt, ticket);
  Atomics.notify(control, row + doneAt);
}

await serve();
