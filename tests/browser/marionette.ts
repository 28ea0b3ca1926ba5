// Headless Firefox driven by Marionette, its own protocol: any page, also one of file://, with no network
// but this machine's.
//
// Messages are JSON after their length and a colon: [0, id, command, parameters] there and
// [1, id, error, result] back.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFirefox, firefoxMissing, preferences } from "./firefox.ts";

/** A page in Firefox. */
export interface DrivenFirefox {
  open(url: string): Promise<void>;
  /** The value of an expression of the page's globals; it must be JSON. */
  evaluate(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

/** "none", or "local": what this machine serves. */
export type Network = "none" | "local";

// Every connection goes to a proxy that is not there.
const offline = {
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "marionette.port": 0, // any that is free
};

/** Starts Firefox with no network, or with this machine's alone. */
export async function driveFirefox(network: Network = "none"): Promise<DrivenFirefox> {
  const executable = findFirefox();
  if (executable === undefined) throw new Error(firefoxMissing);
  const profile = mkdtempSync(join(tmpdir(), "salle-firefox-"));
  const proxied = { "network.proxy.allow_hijacking_localhost": network === "none" };
  const lines = Object.entries({ ...preferences, ...offline, ...proxied }).map(
    ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
  );
  writeFileSync(join(profile, "user.js"), lines.join("\n"));
  const args = ["--headless", "--no-remote", "--marionette", "--profile", profile, "about:blank"];
  const firefox = spawn(executable, args, {
    stdio: "ignore",
    env: { ...process.env, MOZ_HEADLESS: "1" },
  });
  const link = new Link(connect(await portOf(profile), "127.0.0.1"));
  await link.greeted;
  await link.ask("WebDriver:NewSession", {});
  return {
    open: async (url) => void (await link.ask("WebDriver:Navigate", { url })),
    async evaluate(expression) {
      const script = `return JSON.stringify(${expression})`;
      const answer = await link.ask("WebDriver:ExecuteScript", { script, args: [] });
      const { value } = answer as { readonly value: string | null };
      return value === null ? undefined : JSON.parse(value);
    },
    close: () => stop(firefox, link, profile),
  };
}

/** Firefox writes the port that it listens on into its profile. */
async function portOf(profile: string): Promise<number> {
  const file = join(profile, "MarionetteActivePort");
  for (let tried = 0; tried < 600; tried++) {
    const port = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    if (port > 0) return port;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("Firefox has opened no port for Marionette within 60 s");
}

async function stop(firefox: ChildProcess, link: Link, profile: string): Promise<void> {
  const ended = new Promise<void>((resolve) => firefox.once("exit", () => resolve()));
  link.close();
  if (firefox.exitCode === null) {
    firefox.kill();
    await ended;
  }
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** One connection: questions and their answers, in turn. */
class Link {
  readonly greeted: Promise<void>;
  private readonly socket: Socket;
  private readonly waiting = new Map<number, Waiting>();
  private greet: () => void = () => undefined;
  private received = Buffer.alloc(0);
  private lastId = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    this.greeted = new Promise((resolve) => {
      this.greet = resolve;
    });
    socket.on("data", (data) => this.take(data));
    socket.on("error", (error) => this.fail(error));
    socket.on("close", () => this.fail(new Error("Firefox has closed the connection")));
  }

  ask(command: string, parameters: object): Promise<unknown> {
    const id = ++this.lastId;
    const text = JSON.stringify([0, id, command, parameters]);
    this.socket.write(`${Buffer.byteLength(text)}:${text}`);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  close(): void {
    this.socket.destroy();
  }

  private take(data: Buffer): void {
    this.received = Buffer.concat([this.received, data]);
    for (;;) {
      const colon = this.received.indexOf(":");
      const length = Number(this.received.subarray(0, Math.max(0, colon)));
      if (colon < 0 || this.received.length < colon + 1 + length) return;
      const end = colon + 1 + length;
      this.answer(JSON.parse(this.received.toString("utf8", colon + 1, end)));
      this.received = this.received.subarray(end);
    }
  }

  private answer(message: unknown): void {
    if (!Array.isArray(message)) {
      this.greet(); // the first says who speaks
      return;
    }
    const [, id, error, result] = message as [number, number, { message: string } | null, unknown];
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
