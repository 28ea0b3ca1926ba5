// The threads that a vectorised environment's shards run in: workers, or the caller's own.

import type { EnvsState } from "./env.ts";
import { openNursery } from "./nursery.ts";
import { loadPhysics, type PhysicsBuild } from "./rapier.ts";
import {
  controlWidth,
  doneAt,
  Shard,
  type ShardPlan,
  statusAt,
  statusFailed,
  type TaskSource,
  ticketAt,
  type VecMemory,
  type WorkerData,
  type WorkerRequest,
} from "./shard.ts";
import type { Task } from "./task.ts";

/** Runs one shard: every `begin` is followed by an `end`. */
export interface VecThread {
  readonly plan: ShardPlan;
  /** Starts what is requested; null is a step with the actions in shared memory. */
  begin(request: WorkerRequest | null): void;
  /** Waits until that is done. */
  end(): VecAnswer;
  dispose(): void;
}

export interface VecAnswer {
  /** The states of the shard's worlds, where they were asked for. */
  readonly states: readonly EnvsState[];
  /** The error's stack where the thread threw: it is of no use any more. */
  readonly failure: string | null;
}

/** A shard in the caller's thread. A poisoned instance cannot be replaced there, so errors are thrown. */
export async function startLocal(
  task: Task,
  build: PhysicsBuild,
  memory: VecMemory,
  plan: ShardPlan,
): Promise<VecThread> {
  const shard = new Shard(await loadPhysics(build), task, memory, plan);
  let states: readonly EnvsState[] = [];
  const begin = (request: WorkerRequest | null): void => {
    states = [];
    if (!request) shard.step();
    else if (request.type === "reset") shard.reset(request.seed);
    else if (request.type === "begin") shard.begin(request.envs);
    else if (request.type === "place") shard.place(request.placements);
    else if (request.type === "level") shard.setLevel(request.level);
    else if (request.type === "restore") shard.restore(request.worlds);
    else states = shard.state();
  };
  return { plan, begin, end: () => ({ states, failure: null }), dispose: () => shard.free() };
}

export interface WorkerOptions {
  readonly memory: VecMemory;
  readonly task: TaskSource;
  readonly build: PhysicsBuild;
  readonly numWorkers: number;
  /** ms to wait for a thread before it counts as hung. */
  readonly timeout: number;
}

/** Starts worker threads; an environment keeps one of these, to replace a worker while it may not wait. */
export type StartWorker = (index: number, plan: ShardPlan) => VecThread;

/** Node's alone: a browser's pages use the caller's thread. */
export async function workerStarter(options: WorkerOptions): Promise<StartWorker> {
  const { MessageChannel, receiveMessageOnPort } = await import("node:worker_threads");
  const nursery = await openNursery();
  const { memory, task, build, numWorkers, timeout } = options;
  const { control, buffer } = memory;
  const numRows = memory.out.rewards.length;
  return (index, plan) => {
    const row = index * controlWidth;
    Atomics.store(control, row + doneAt, Atomics.load(control, row + ticketAt));
    const { port1: ours, port2: port } = new MessageChannel();
    const workerData = { buffer, numRows, numWorkers, index, task, build, plan };
    const url = new URL("./vecEnv.worker.js", import.meta.url);
    const endWorker = nursery.start(url, workerData satisfies Omit<WorkerData, "port">, port);
    const begin = (request: WorkerRequest | null): void => {
      if (request) ours.postMessage(request);
      Atomics.add(control, row + ticketAt, 1);
      Atomics.notify(control, row + ticketAt);
    };
    const end = (): VecAnswer => {
      waitFor(control, index, timeout);
      const message: unknown = receiveMessageOnPort(ours)?.message;
      if (Atomics.load(control, row + statusAt) === statusFailed)
        return { states: [], failure: String(message) };
      return { states: (message ?? []) as readonly EnvsState[], failure: null };
    };
    const dispose = (): void => {
      ours.close();
      endWorker();
    };
    return { plan, begin, end, dispose };
  };
}

function waitFor(control: Int32Array, index: number, timeout: number): void {
  const row = index * controlWidth;
  const ticket = Atomics.load(control, row + ticketAt);
  for (;;) {
    const done = Atomics.load(control, row + doneAt);
    if (done === ticket) return;
    if (Atomics.wait(control, row + doneAt, done, timeout) === "timed-out")
      throw new Error(`worker ${index} has not answered for ${timeout} ms`);
  }
}
