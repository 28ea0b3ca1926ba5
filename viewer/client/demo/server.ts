// The server as the page of demonstrations sees it: what to drive, and where episodes go.

import { readRecordings } from "../../../sim/readRecordings.ts";
import type { DemoReceipt } from "../../demo.ts";

const token = new URLSearchParams(location.search).get("token");
const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};

export class DemoServer {
  template = new Uint8Array(0);
  place = "";
  numEpisodes = 0;

  /** Asks what there is to drive; the first seed. */
  async open(): Promise<number> {
    const about = (await (await get("api/demo")).json()) as { place: string; numEpisodes: number };
    this.place = about.place;
    this.numEpisodes = about.numEpisodes;
    this.template = new Uint8Array(await (await get("api/demo/template")).arrayBuffer());
    const [recording] = readRecordings(this.template).recordings;
    if (!recording) throw new Error("the server sent no task");
    return recording.header.seed;
  }

  /** Sends an episode to be kept. */
  async save(recording: Uint8Array): Promise<DemoReceipt> {
    const body = recording.slice();
    const response = await fetch("api/demo/episodes", { method: "POST", headers, body });
    if (response.ok || response.status === 422) return (await response.json()) as DemoReceipt;
    return { type: "refused", reason: await response.text() };
  }
}

async function get(path: string): Promise<Response> {
  const response = await fetch(path, { headers });
  if (!response.ok)
    throw new Error(`${path} answered ${response.status}: open the printed address`);
  return response;
}
