// A simulating worker that is ready before it is asked for: loading the physics is what takes longest.

let spare: Worker | null = start();

/** A worker for one episode; the caller ends it. */
export function takeWorker(): Worker {
  const taken = spare ?? start();
  spare = null;
  return taken;
}

function start(): Worker {
  return new Worker(new URL("./trace.worker.ts", import.meta.url), { type: "module" });
}
