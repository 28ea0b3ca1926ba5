// Server of the viewer: pages, runs and recordings over HTTP, a live training over a WebSocket.
//
// `startViewer({ path: "runs" })` shows what is on the disk. A training adds itself with
// `live: { run, task, mailbox }`, where `mailbox` is a PoseMailbox that its physics threads write
// (sim/poseMailbox.ts); nothing here is awaited by the trainer or keeps its process alive.

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { planRobot } from "../sim/plan.ts";
import type { PoseMailbox } from "../sim/poseMailbox.ts";
import { signalLayout } from "../sim/signals.ts";
import type { Task } from "../sim/task.ts";
import { answerDemo, type DemoHost } from "./demo.ts";
import { closeServer, pageFolder, pageHeaders, sendFile } from "./files.ts";
import { type Access, isLoopback, loopbackHosts, type Role, roleOf } from "./guard.ts";
import {
  type ClientMessage,
  clientMessage,
  mostPayload,
  parseMessage,
  protocolVersion,
  type ServerMessage,
  subprotocol,
} from "./protocol.ts";
import { Pump, type Watcher } from "./pump.ts";
import { type Carry, RunFolder } from "./runs.ts";

/** A training that goes on in this process. */
export interface LiveTraining {
  /** The run's name. */
  readonly run: string;
  readonly task: Task;
  readonly mailbox: PoseMailbox;
  /** What the status line says of it now; asked for once a second while somebody watches. */
  readonly status?: () => string;
  /** Called when somebody with the control role presses Stop. */
  readonly stop?: () => void;
}

export interface ViewerOptions {
  /** A folder of runs, a run or a .rec file. */
  readonly path: string;
  /** 127.0.0.1 where missing; any other needs the token of the printed address. */
  readonly host?: string;
  /** The first port to try; 8080 where missing. 0 takes any. */
  readonly port?: number;
  readonly live?: LiveTraining;
  /** The policy of a run's checkpoint as an ONNX file; without it none can act in the page. */
  readonly policyOf?: (folder: string, step: number) => Promise<Uint8Array>;
  /** Makes a recording's bytes fit for a page, as cli/carryTasks.ts does; as they are where missing. */
  readonly carry?: Carry;
  /** What may be driven at /demo.html; then a token is needed on the loopback too. */
  readonly demo?: DemoHost;
}

export interface Viewer {
  /** For those who may stop a training; has the token where one is needed. */
  readonly url: string;
  /** For those who may only watch; null on the loopback. */
  readonly readUrl: string | null;
  close(): Promise<void>;
}

const numPorts = 50; // tried one after another

/** Starts to serve; resolves when the port is open. */
export async function startViewer(options: ViewerOptions): Promise<Viewer> {
  const { path, host = "127.0.0.1", port = 8080, live, policyOf, carry, demo } = options;
  const access = accessOf(host, demo !== undefined);
  const runs = new RunFolder(path);
  const pump = live ? new Pump(live.mailbox) : null;
  const server = createServer((request, response) => {
    answer(request, response, { access, runs, policyOf, carry, demo }).catch(() =>
      response.destroy(),
    );
  });
  const sockets = serveSockets(server, access, live ?? null, pump);
  const taken = await listen(server, host, port);
  const at = `http://${isLoopback(host) ? "127.0.0.1" : host}:${taken}/`;
  const tokened = (token: string | null) => (token === null ? at : `${at}?token=${token}`);
  return {
    url: tokened(access.controlToken),
    readUrl: access.readToken === null ? null : tokened(access.readToken),
    async close() {
      pump?.stop();
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await closeServer(server);
    },
  };
}

function accessOf(host: string, alwaysToken: boolean): Access {
  const local = isLoopback(host);
  if (local && !alwaysToken) return { controlToken: null, readToken: null, hosts: loopbackHosts };
  const token = (): string => randomBytes(18).toString("base64url");
  return { controlToken: token(), readToken: token(), hosts: local ? loopbackHosts : null };
}

/** Opens the first free port from this one on. */
async function listen(server: Server, host: string, port: number): Promise<number> {
  for (let tried = port; tried < port + numPorts; tried++) {
    const failure = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      server.once("error", resolve);
      server.listen(tried, host, () => {
        server.off("error", resolve);
        resolve(null);
      });
    });
    if (!failure) return (server.address() as AddressInfo).port;
    if (failure.code !== "EADDRINUSE") throw failure;
  }
  throw new Error(`ports ${port} to ${port + numPorts - 1} are taken; name another with --port`);
}

interface Served {
  readonly access: Access;
  readonly runs: RunFolder;
  readonly policyOf: ViewerOptions["policyOf"];
  readonly carry: ViewerOptions["carry"];
  readonly demo: ViewerOptions["demo"];
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { access, runs, policyOf, carry, demo }: Served,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const forDemo = demo !== undefined && /^\/api\/demo(\/|$)/.test(pathname);
  if (request.method !== "GET" && request.method !== "HEAD" && !forDemo)
    return send(response, 405, "get only");
  const isPage = !pathname.startsWith("/api/");
  // The page itself holds no secrets, and its scripts carry no token; hosts and origins still count.
  const role = roleOf(request, isPage ? { ...access, controlToken: null } : access);
  if (!role) return send(response, 403, "forbidden: wrong host, origin or token");
  if (forDemo) return await answerDemo(request, response, role, demo);
  if (isPage) return await sendFile(pageFolder, request, response);
  const [, , what, id = "", name = ""] = pathname.split("/").map(decodeURIComponent);
  if (what === "runs" && id === "") return send(response, 200, JSON.stringify(runs.list()), json);
  if (what === "metrics") {
    const from = Number(searchParams.get("from") ?? 0);
    const part = Number.isSafeInteger(from) && from >= 0 ? runs.metrics(id, from) : null;
    return part
      ? send(response, 200, JSON.stringify(part), json)
      : send(response, 404, "no metrics");
  }
  if (what === "evaluations") return send(response, 200, runs.evaluations(id) ?? "[]", json);
  if (what === "policies") {
    // Making one takes a second of a processor: those who may only watch can't ask for it.
    if (role !== "control") return send(response, 403, "this link may only watch");
    const folder = runs.withCheckpoint(id, Number(name));
    if (!folder || !policyOf) return send(response, 404, "not found");
    const policy = await policyOf(folder, Number(name)).catch((error: Error) => error);
    if (policy instanceof Error) return send(response, 500, policy.message);
    return send(response, 200, Buffer.from(policy), "application/octet-stream");
  }
  const bytes = what === "episodes" ? runs.recording(id, name) : null;
  if (bytes) {
    const carried = carry ? Buffer.from(await carry(bytes)) : bytes;
    return send(response, 200, carried, "application/octet-stream");
  }
  return send(response, 404, "not found");
}

const json = "application/json";

function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  type = "text/plain",
): void {
  response.writeHead(status, { ...pageHeaders, "Content-Type": type, "Cache-Control": "no-store" });
  response.end(body);
}

function serveSockets(
  server: Server,
  access: Access,
  live: LiveTraining | null,
  pump: Pump | null,
): WebSocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: mostPayload,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  server.on("upgrade", (request, socket, head) => {
    const role = roleOf(request, access);
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (!role || pathname !== "/socket") {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (open) => talk(open, role, live, pump, sockets));
  });
  return sockets;
}

/** One client's conversation. */
function talk(
  socket: WebSocket,
  role: Role,
  live: LiveTraining | null,
  pump: Pump | null,
  sockets: WebSocketServer,
): void {
  const say = (message: ServerMessage): void => socket.send(JSON.stringify(message));
  if (socket.protocol !== subprotocol) {
    socket.close(1002, `this server speaks ${subprotocol}, the page "${socket.protocol}"`);
    return;
  }
  let watcher: Watcher | null = null;
  const status = setInterval(() => {
    if (!watcher || !pump || socket.bufferedAmount > 0) return;
    const { sent, dropped } = watcher;
    const training = live?.status?.() ?? "";
    say({
      type: "status",
      sent,
      dropped,
      numClients: sockets.clients.size,
      load: pump.load(),
      training,
    });
  }, 1000);
  status.unref();
  const leave = (): void => {
    if (watcher) pump?.remove(watcher);
    watcher = null;
  };
  const take = (message: ClientMessage): void => {
    if (message.type === "hello") {
      if (message.version !== protocolVersion)
        socket.close(1002, `protocol ${protocolVersion} here, ${message.version} in the page`);
    } else if (message.type === "subscribe") {
      leave();
      if (message.poses && pump) watcher = pump.add(socket, message.numRobots);
    } else if (message.type === "follow") {
      if (watcher) pump?.follow(watcher, message.robot);
    } else if (role === "control") live?.stop?.();
    else say({ type: "refused", reason: "this link may only watch" });
  };
  socket.on("message", (data, isBinary) => {
    const message = isBinary ? null : parseMessage(clientMessage, data.toString());
    if (message) take(message);
    else socket.close(1003, "not a message of this protocol");
  });
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    clearInterval(status);
    leave();
  });
  say({ type: "hello", version: protocolVersion, role, live: live && describe(live) });
}

function describe({ run, task, mailbox }: LiveTraining) {
  const { numRobots, controlDt } = mailbox;
  const { id, model } = task;
  const signals = signalLayout(task, planRobot(model));
  return { run, task: id, model, signals, numRobots, controlDt };
}
