// A simulating worker that is ready before it is asked for, and already at work where the address names a
// task: loading the physics is what takes longest, and the page's own code has not come yet.

import { readAddress } from "./address.ts";
import type { StartedWorker } from "./host.ts";
import type { EpisodeInput, FromWorker } from "./messages.ts";

interface Spare {
  readonly worker: Worker;
  /** What it simulates. */
  readonly input: EpisodeInput;
  readonly told: FromWorker[];
}

/** What the page opens first where that needs no server. */
function firstInput(): EpisodeInput | null {
  const { run, task, seed } = readAddress(location.search);
  return run === null && task !== null ? { type: "random", task, seed } : null;
}

let spare: Worker | Spare | null = begin(firstInput());

/** A worker for one episode; the caller ends it. */
export function takeWorker(input: EpisodeInput): StartedWorker {
  const taken = spare;
  spare = null;
  if (taken instanceof Worker) return { worker: taken, told: null };
  if (!taken) return { worker: start(), told: null };
  const { worker, told } = taken;
  if (JSON.stringify(taken.input) === JSON.stringify(input)) return { worker, told };
  worker.terminate();
  return { worker: start(), told: null };
}

function begin(input: EpisodeInput | null): Worker | Spare {
  if (input === null) return start();
  // A message would wait until this thread has run the page's own code.
  const worker = start(JSON.stringify(input));
  const told: FromWorker[] = [];
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => void told.push(data);
  return { worker, input, told };
}

function start(name = ""): Worker {
  return new Worker(new URL("./trace.worker.ts", import.meta.url), { type: "module", name });
}
