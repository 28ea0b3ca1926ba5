// What the page asks the server for.

import type { MetricsPart, RunSummary } from "../../runs.ts";

export type { EpisodeFile, RunSummary } from "../../runs.ts";

const token = new URLSearchParams(location.search).get("token");

/** The address of the server's socket. */
export function socketUrl(): string {
  const url = new URL("socket", location.href.replace(/[?#].*$/, ""));
  url.protocol = url.protocol.replace("http", "ws");
  if (token) url.searchParams.set("token", token);
  return url.href;
}

export async function fetchRuns(): Promise<RunSummary[]> {
  return (await (await get("api/runs")).json()) as RunSummary[];
}

export async function fetchEpisode(run: string, name: string): Promise<Uint8Array> {
  const response = await get(`api/episodes/${run}/${encodeURIComponent(name)}`);
  return new Uint8Array(await response.arrayBuffer());
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
    const response = await get(`api/metrics/${this.run}?from=${this.cursor}`, true);
    if (!response.ok) return false;
    const { from, to, lines } = (await response.json()) as MetricsPart;
    if (from < this.cursor) this.rows.length = 0; // the run was cut back to a checkpoint
    this.cursor = to;
    const fresh = lines.split("\n").filter((line) => line !== "");
    for (const line of fresh) this.rows.push(JSON.parse(line) as Record<string, number>);
    return fresh.length > 0;
  }
}

async function get(path: string, mayFail = false): Promise<Response> {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { headers });
  if (!response.ok && !mayFail) throw new Error(`${path} answered ${response.status}`);
  return response;
}
