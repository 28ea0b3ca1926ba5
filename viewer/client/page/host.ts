// Host: where a page gets its runs, episodes and workers from: a server, or the page's own file.

import type { MetricsPart, RunSummary } from "../../runs.ts";
import type { EpisodeInput, FromWorker } from "./messages.ts";

export type { EpisodeFile, RunSummary } from "../../runs.ts";

export interface StartedWorker {
  readonly worker: Worker;
  /** What it has said so far, where it has opened the episode already; else null. */
  readonly told: readonly FromWorker[] | null;
}

export interface Host {
  /** Address of the server's socket; null where nothing can be live. */
  readonly socketUrl: string | null;
  /** Whether tasks of the registry can be tried with random actions. */
  readonly offersTasks: boolean;
  /** A worker that runs trace.worker.ts, for an episode. */
  startWorker(input: EpisodeInput): StartedWorker;
  runs(): Promise<readonly RunSummary[]>;
  /** Bytes of a recording; fresh. */
  episode(run: string, name: string): Promise<Uint8Array>;
  /** Rows of metrics.jsonl from a byte on; null where there are none. */
  metrics(run: string, from: number): Promise<MetricsPart | null>;
  /** A checkpoint's policy as an ONNX file. */
  policy(run: string, step: number): Promise<Uint8Array>;
}

let current: Host | null = null;

/** Names the host, once, before the page is put together. */
export function setHost(host: Host): void {
  current = host;
}

/** The page's host. */
export function host(): Host {
  if (!current) throw new Error("the page has no host yet");
  return current;
}

/** Rows of a run's metrics; asks only for what came since the last call. */
export class MetricsFeed {
  readonly rows: Record<string, number>[] = [];
  private readonly run: string;
  private cursor = 0;

  constructor(run: string) {
    this.run = run;
  }

  /** Whether rows came. */
  async update(): Promise<boolean> {
    const part = await host().metrics(this.run, this.cursor);
    if (!part) return false;
    if (part.from < this.cursor) this.rows.length = 0; // the run was cut back to a checkpoint
    this.cursor = part.to;
    const fresh = part.lines.split("\n").filter((line) => line !== "");
    for (const line of fresh) this.rows.push(JSON.parse(line) as Record<string, number>);
    return fresh.length > 0;
  }
}
