// Demonstrations over HTTP: a page asks what to drive, and sends the recordings that somebody accepted.

import type { IncomingMessage, ServerResponse } from "node:http";
import { pageHeaders } from "./files.ts";
import type { Role } from "./guard.ts";

/** What a page is told of an episode that was kept, or why it was not. */
export type DemoReceipt =
  | {
      readonly type: "kept";
      readonly numEpisodes: number;
      readonly length: number;
      readonly episodeReturn: number;
      readonly success: boolean;
    }
  | { readonly type: "refused"; readonly reason: string };

/** A task to drive, and who keeps its episodes. */
export interface DemoHost {
  /** A recording without steps: the task, its files where it has some, the physics and the first seed. */
  readonly template: Uint8Array;
  /** Where episodes go, in words. */
  readonly place: string;
  readonly numEpisodes: () => number;
  /** Takes an episode's recording, which a page made: nothing of it is to be trusted. */
  save(recording: Uint8Array): Promise<DemoReceipt>;
}

const mostBytes = 1_000_000; // of an episode's recording

/** Answers what is asked below /api/demo. */
export async function answerDemo(
  request: IncomingMessage,
  response: ServerResponse,
  role: Role,
  { template, place, numEpisodes, save }: DemoHost,
): Promise<void> {
  const reply = (status: number, body: string | Buffer, type = "text/plain") => {
    const head = { ...pageHeaders, "Content-Type": type, "Cache-Control": "no-store" };
    response.writeHead(status, head).end(body);
  };
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const isGet = request.method === "GET";
  if (isGet && pathname === "/api/demo/template")
    return reply(200, Buffer.from(template), "application/octet-stream");
  if (isGet && pathname === "/api/demo")
    return reply(200, JSON.stringify({ place, numEpisodes: numEpisodes() }), "application/json");
  if (request.method !== "POST" || pathname !== "/api/demo/episodes")
    return reply(404, "not found");
  if (role !== "control") return reply(403, "this link may only watch");
  const body = await bodyOf(request);
  if (body === null) {
    response.once("finish", () => request.destroy()); // the rest is not read
    return reply(413, `an episode has at most ${mostBytes} bytes`);
  }
  const receipt = await save(body).catch((error: Error): DemoReceipt => {
    return { type: "refused", reason: error.message };
  });
  const status = receipt.type === "kept" ? 200 : 422;
  return reply(status, JSON.stringify(receipt), "application/json");
}

/** null where it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    bytes += (part as Buffer).length;
    if (bytes > mostBytes) return null;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}
