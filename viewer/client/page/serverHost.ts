// The host of a page that a viewer's server sent: asks it over HTTP, with the token of the address.

import type { MetricsPart, RunSummary } from "../../runs.ts";
import { setHost } from "./host.ts";
import { takeWorker } from "./spareWorker.ts";

const token = new URLSearchParams(location.search).get("token");

setHost({
  socketUrl: socketUrl(),
  offersTasks: true,
  startWorker: takeWorker,
  runs: async () => (await (await get("api/runs")).json()) as RunSummary[],
  async episode(run, name) {
    const response = await get(`api/episodes/${run}/${encodeURIComponent(name)}`);
    return new Uint8Array(await response.arrayBuffer());
  },
  async metrics(run, from) {
    const response = await get(`api/metrics/${run}?from=${from}`, true);
    return response.ok ? ((await response.json()) as MetricsPart) : null;
  },
  async policy(run, step) {
    const response = await get(`api/policies/${run}/${step}`, true);
    if (!response.ok) throw new Error(`no policy of step ${step}: ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  },
});

function socketUrl(): string {
  const url = new URL("socket", location.href.replace(/[?#].*$/, ""));
  url.protocol = url.protocol.replace("http", "ws");
  if (token) url.searchParams.set("token", token);
  return url.href;
}

async function get(path: string, mayFail = false): Promise<Response> {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { headers });
  if (!response.ok && !mayFail) throw new Error(`${path} answered ${response.status}`);
  return response;
}
