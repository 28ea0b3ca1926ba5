// A process of its own with as many viewers as it is told, so that they don't share the trainer's threads.
// `node clients.js <url>`; it takes counts as messages and answers with the bytes that came meanwhile.

import { WebSocket } from "ws";
import { protocolVersion, subprotocol } from "../../viewer/protocol.ts";

const url = `${(process.argv[2] ?? "").replace("http", "ws")}socket`;
const sockets: WebSocket[] = [];
let numBytes = 0;
let numFrames = 0;

function add(): void {
  const socket = new WebSocket(url, subprotocol);
  sockets.push(socket);
  socket.on("message", (data: Buffer, isBinary) => {
    if (!isBinary) return;
    numBytes += data.length;
    numFrames++;
  });
  socket.on("open", () => {
    socket.send(JSON.stringify({ type: "hello", version: protocolVersion }));
    socket.send(JSON.stringify({ type: "subscribe", poses: true, numRobots: 64 }));
  });
  socket.on("error", () => undefined); // the server goes first
}

process.on("message", (count: number) => {
  process.send?.({ numBytes, numFrames });
  numBytes = numFrames = 0;
  while (sockets.length > count) sockets.pop()!.terminate();
  while (sockets.length < count) add();
});
process.on("disconnect", () => process.exit());
