import { appendFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createPoseMailbox } from "../../sim/poseMailbox.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask } from "../../tasks/index.ts";
import { subprotocol } from "../../viewer/protocol.ts";
import { RunFolder } from "../../viewer/runs.ts";
import { startViewer, type Viewer } from "../../viewer/server.ts";
import { runFolder } from "./folders.ts";

const name = "hopper__sac__7__<img src=x onerror=alert(1)>";
const roots: string[] = [];
const viewers: Viewer[] = [];

afterEach(async () => {
  for (const viewer of viewers.splice(0)) await viewer.close();
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

async function start(options: Partial<Parameters<typeof startViewer>[0]> = {}): Promise<Viewer> {
  const root = runFolder(name, Uint8Array.of(1, 2, 3));
  roots.push(root);
  const viewer = await startViewer({ path: root, port: 0, ...options });
  viewers.push(viewer);
  return viewer;
}

/** Status and body of a GET with these headers; `fetch` would set Host itself. */
function get(url: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => {
        body += part.toString("latin1");
      });
      response.on("end", () => resolve([response.statusCode ?? 0, body]));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Opens a socket; resolves with what it came to. */
function connect(
  url: string,
  { protocol = subprotocol, headers = {} }: { protocol?: string; headers?: Record<string, string> },
): Promise<{ readonly socket: WebSocket; readonly hello: Record<string, unknown> } | string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace("http", "ws").replace("/?", "/socket?"), protocol, {
      headers,
    });
    socket.on("message", (data) => resolve({ socket, hello: JSON.parse(data.toString()) }));
    socket.on("error", (error) => resolve(error.message));
    socket.on("close", (code, reason) => resolve(`${code} ${reason.toString()}`));
  });
}

async function greeted(url: string, role: string): Promise<WebSocket> {
  const found = await connect(url, {});
  if (typeof found === "string") throw new Error(found);
  expect(found.hello["role"]).toBe(role);
  return found.socket;
}

function closed(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.on("close", resolve));
}

const socketOf = (url: string): string => (url.includes("?") ? url : `${url}socket`);

describe("on the loopback", () => {
  test("lists runs with their facts and sends metrics from a cursor", async () => {
    const { url } = await start();
    const [run] = JSON.parse((await get(`${url}api/runs`))[1]);
    expect(run).toMatchObject({
      name,
      task: "hopper-hop-v0",
      algorithm: "sac",
      seed: 7,
      status: "running",
    });
    expect(run.episodes).toMatchObject([{ name: "eval-1.rec", bytes: 3 }]);
    const part = JSON.parse((await get(`${url}api/metrics/${run.id}?from=17`))[1]);
    expect(part).toEqual({ from: 17, to: 34, lines: '{"step":2,"a":2}\n' });
    expect(await get(`${url}api/episodes/${run.id}/eval-1.rec`)).toEqual([200, "\x01\x02\x03"]);
  });

  test("opens nothing that was not listed", async () => {
    const { url } = await start();
    const [{ id }] = JSON.parse((await get(`${url}api/runs`))[1]);
    for (const path of [
      `api/episodes/${id}/..%2Fconfig.yaml`,
      `api/episodes/${id}/%2Fetc%2Fpasswd`,
      "api/episodes/..%2F..%2Fetc/passwd",
      "api/metrics/__proto__",
      `api/metrics/${id}?from=-1`,
      "..%2f..%2f..%2fetc%2fpasswd",
      "%2e%2e/%2e%2e/package.json",
      "assets/..%5c..%5cpackage.json",
    ])
      expect((await get(url + path))[0], path).toBe(404);
  });

  test("refuses other hosts and origins, for pages, runs and sockets", async () => {
    const { url } = await start();
    const { host } = new URL(url);
    const rebound = { Host: "evil.example:80" };
    expect((await get(url, rebound))[0]).toBe(403);
    expect((await get(`${url}api/runs`, rebound))[0]).toBe(403);
    expect((await get(`${url}api/runs`, { Host: host, Origin: "http://evil.example" }))[0]).toBe(
      403,
    );
    expect((await get(`${url}api/runs`, { Host: host, Origin: "null" }))[0]).toBe(403);
    expect((await get(`${url}api/runs`, { Host: host, Origin: `http://${host}` }))[0]).toBe(200);
    for (const headers of [rebound, { Origin: "http://evil.example" }])
      expect(await connect(`${url}socket`, { headers })).toMatch(/403/);
  });

  test("closes on another subprotocol, on malformed and on oversized messages, and lives on", async () => {
    const { url } = await start();
    const found = await connect(`${url}socket`, { protocol: "salle.v0" });
    expect(found).toMatch(/protocol|1002/);
    const malformed = await greeted(`${url}socket`, "control");
    malformed.send("{");
    expect(await closed(malformed)).toBe(1003);
    const oversized = await greeted(`${url}socket`, "control");
    oversized.send(new Uint8Array(1_000_001));
    expect(await closed(oversized)).toBe(1009);
    expect((await get(`${url}api/runs`))[0]).toBe(200);
  });

  test("100,000 malformed messages, binary and text, close their sockets and nothing else", async () => {
    const { url } = await start();
    const rng = createRng(9);
    const pool = Uint8Array.from({ length: 65_536 }, () => Math.floor(256 * rng.uniform()));
    const bytes = (length: number): Uint8Array => {
      const from = Math.floor((pool.length - length) * rng.uniform());
      return pool.subarray(from, from + length);
    };
    const endings = new Map<number, number>();
    for (let i = 0; i < 400; i++) {
      const socket = await greeted(`${url}socket`, "control");
      const ending = closed(socket);
      for (let k = 0; k < 250; k++) {
        if (k === i % 4) socket.send('{"type":"subscribe","poses":true,"numRobots":64}');
        socket.send(bytes(Math.floor(300 * rng.uniform())), { binary: k % 2 === 0 });
      }
      const code = await ending;
      endings.set(code, (endings.get(code) ?? 0) + 1);
    }
    for (const code of endings.keys()) expect([1003, 1005, 1006, 1007]).toContain(code);
    expect((await get(`${url}api/runs`))[0]).toBe(200);
    expect(await connect(`${url}socket`, {})).toMatchObject({ hello: { type: "hello" } });
  });

  test("takes the next port where one is taken", async () => {
    const first = await start({ port: 18_080 });
    const second = await start({ port: 18_080 });
    expect(Number(new URL(second.url).port)).toBeGreaterThan(Number(new URL(first.url).port));
  });
});

test("elsewhere needs a token, and a link for watching may not stop a training", async () => {
  const task = await createTask("hopper");
  const mailbox = createPoseMailbox(task, 1);
  let numStops = 0;
  const live = { run: "r", task, mailbox, stop: () => numStops++ };
  let numPolicies = 0;
  const policyOf = async () => Uint8Array.of(++numPolicies);
  const viewer = await start({ host: "0.0.0.0", live, policyOf });
  mkdirSync(join(roots.at(-1)!, name, "checkpoints", "500"), { recursive: true });
  const at = viewer.url.replace("0.0.0.0", "127.0.0.1");
  const readAt = viewer.readUrl!.replace("0.0.0.0", "127.0.0.1");
  const bare = at.replace(/\?.*/, "");
  expect((await get(`${bare}api/runs`))[0]).toBe(403);
  expect((await get(`${bare}api/runs?token=wrong`))[0]).toBe(403);
  const token = new URL(at).searchParams.get("token");
  expect((await get(`${bare}api/runs`, { Authorization: `Bearer ${token}` }))[0]).toBe(200);
  expect(await connect(`${bare}socket`, {})).toMatch(/403/);
  const [{ id }] = JSON.parse((await get(`${bare}api/runs?token=${token}`))[1]);
  const readToken = new URL(readAt).searchParams.get("token");
  const policy = `${bare}api/policies/${id}/500?token=`;
  expect(await get(policy + readToken)).toEqual([403, "this link may only watch"]);
  expect(numPolicies).toBe(0);
  expect(await get(policy + token)).toEqual([200, "\x01"]);
  const reader = await greeted(socketOf(readAt), "read");
  const refused = new Promise<string>((resolve) => {
    reader.on("message", (data) => resolve(data.toString()));
  });
  reader.send('{"type":"control","action":"stop"}');
  expect(await refused).toMatch(/may only watch/);
  expect(numStops).toBe(0);
  reader.send('{"type":"push","link":0,"impulse":[0,0,9]}'); // the training's robots can't be pushed at all
  expect(await closed(reader)).toBe(1003);
  const owner = await greeted(socketOf(at), "control");
  owner.send('{"type":"control","action":"stop"}');
  await expect.poll(() => numStops).toBe(1);
});

test("a metrics file that was cut back to a checkpoint is read from its start", () => {
  const root = runFolder("run", null);
  roots.push(root);
  const runs = new RunFolder(root);
  const [{ id } = { id: "" }] = runs.list();
  const file = join(root, "run", "metrics.jsonl");
  expect(runs.metrics(id, 0)).toMatchObject({ from: 0, to: 34 });
  appendFileSync(file, '"a":3}\n');
  expect(runs.metrics(id, 34)).toEqual({ from: 34, to: 51, lines: '{"step":3,"a":3}\n' });
  truncateSync(file, 17);
  expect(runs.metrics(id, 51)).toEqual({ from: 0, to: 17, lines: '{"step":1,"a":1}\n' });
  writeFileSync(file, "");
  expect(runs.metrics(id, 0)).toEqual({ from: 0, to: 0, lines: "" });
});
