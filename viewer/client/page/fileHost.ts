// The host of a page that is one file: everything is in it, and its first script has unpacked that.

import type { SharedRuns } from "../../shareFormat.ts";
import { setHost } from "./host.ts";

declare global {
  /** What the file's first script (shareFormat.ts) leaves for this one. */
  var salleShared: { readonly runs: SharedRuns; readonly worker: string };
}

const { runs, worker } = globalThis.salleShared;

setHost({
  socketUrl: null,
  offersTasks: false,
  startWorker: () => ({ worker: new Worker(worker), told: null }),
  runs: async () => runs.summaries,
  async episode(run, name) {
    const text = runs.episodes[run]?.[name];
    if (text === undefined) throw new Error(`this file has no episode ${name} of that run`);
    return bytesOf(text);
  },
  async metrics(run, from) {
    const lines = runs.metrics[run];
    if (lines === undefined) return null;
    return { from, to: lines.length, lines: lines.slice(from) };
  },
  async policy(run, step) {
    const text = runs.policies[run]?.[step];
    if (text === undefined) throw new Error(`this file has no policy of step ${step}`);
    return bytesOf(text);
  },
});

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
