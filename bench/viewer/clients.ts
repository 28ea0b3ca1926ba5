// A process of its own with as many viewers as it is told, so that they don't share the trainer's threads.
// `node clients.js <url> [pages]`; it takes crowds as messages and answers with what came meanwhile.
// With "pages" each also asks for the list of runs every two seconds, as a page does.

import { WebSocket } from "ws";
import { protocolVersion, subprotocol } from "../../viewer/protocol.ts";

/** How many are to be there. */
export interface Crowd {
  readonly reading: number;
  /** Those that subscribe and then take nothing more from their sockets. */
  readonly stalled: number;
}

/** What came since the crowd before. */
export interface Received {
  readonly numBytes: number;
  readonly numFrames: number;
}

const [, , page = "", manner] = process.argv;
const reading: WebSocket[] = [];
const stalled: WebSocket[] = [];
let numBytes = 0;
let numFrames = 0;

function join(stalls: boolean): WebSocket {
  const socket = new WebSocket(`${page.replace("http", "ws")}socket`, subprotocol);
  socket.on("message", (data: Buffer, isBinary) => {
    if (!isBinary) return;
    numBytes += data.length;
    numFrames++;
    if (stalls) socket.pause();
  });
  socket.on("open", () => {
    socket.send(JSON.stringify({ type: "hello", version: protocolVersion }));
    socket.send(JSON.stringify({ type: "subscribe", poses: true, numRobots: 64 }));
  });
  socket.on("error", () => undefined); // the server goes first
  return socket;
}

/** The oldest leave first. */
function resize(sockets: WebSocket[], count: number, stalls: boolean): void {
  while (sockets.length > count) sockets.shift()!.terminate();
  while (sockets.length < count) sockets.push(join(stalls));
}

async function askForRuns(): Promise<void> {
  const answer = await fetch(`${page}api/runs`).catch(() => null);
  await answer?.arrayBuffer().catch(() => undefined);
}

process.on("message", (crowd: Crowd) => {
  process.send?.({ numBytes, numFrames } satisfies Received);
  numBytes = numFrames = 0;
  resize(reading, crowd.reading, false);
  resize(stalled, crowd.stalled, true);
});
process.on("disconnect", () => process.exit());
if (manner === "pages")
  setInterval(() => {
    for (const _ of reading) void askForRuns();
  }, 2000);
