// Headless Firefox without a driver: it opens one page, which does what the test asks and posts the result.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Site } from "./site.ts";

const names = ["firefox-esr", "firefox"];
const folders = ["/usr/bin", ...(process.env["PATH"] ?? "").split(delimiter)];

/** Why tests in Firefox can't run and what to do about it; undefined when they can. */
export const firefoxMissing: string | undefined =
  findFirefox() === undefined
    ? "no Firefox: apt-get install firefox-esr, or SALLE_FIREFOX names one"
    : undefined;

/** A page of a site in Firefox; ask one thing after another, and close it. */
export interface FirefoxPage {
  /** Calls a global function of the page's script. Arguments and result are JSON. */
  call(name: string, ...args: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

interface Answer {
  readonly result?: unknown;
  readonly error?: string;
}

/** A fresh profile would open pages about itself and ask the network for updates. */
export const preferences = {
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "toolkit.telemetry.enabled": false,
  "app.update.enabled": false,
  "app.normandy.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
  "browser.tabs.remote.autostart": true,
  "dom.ipc.processCount": 1,
};

/** Opens a site whose pages ask the address in `?ask=` what to do (site.ts). */
export async function openFirefox(site: Site, timeoutMs = 120_000): Promise<FirefoxPage> {
  const questions: string[] = [];
  const answers: ((answer: Answer) => void)[] = [];
  const server = createServer((request, response) => {
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (request.method === "GET") return void response.end(questions.shift() ?? "");
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      response.end();
      answers.shift()?.(JSON.parse(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const profile = mkdtempSync(join(tmpdir(), "salle-firefox-"));
  const firefox = start(profile, `${site.url}?ask=http://127.0.0.1:${port}/`);
  return {
    call(name, ...args) {
      questions.push(JSON.stringify({ name, args }));
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`Firefox has not answered for ${timeoutMs} ms`)),
          timeoutMs,
        );
        answers.push(({ result, error }) => {
          clearTimeout(timer);
          if (error === undefined) resolve(result);
          else reject(new Error(error));
        });
      });
    },
    close: () => stop(firefox, server, profile),
  };
}

function start(profile: string, url: string): ChildProcess {
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
  );
  writeFileSync(join(profile, "user.js"), lines.join("\n"));
  const executable = findFirefox();
  if (executable === undefined) throw new Error(firefoxMissing);
  const args = ["--headless", "--no-remote", "--profile", profile, url];
  return spawn(executable, args, { stdio: "ignore", env: { ...process.env, MOZ_HEADLESS: "1" } });
}

async function stop(firefox: ChildProcess, server: Server, profile: string): Promise<void> {
  const ended = new Promise<void>((resolve) => firefox.once("exit", () => resolve()));
  if (firefox.exitCode === null) {
    firefox.kill();
    await ended;
  }
  server.closeAllConnections();
  server.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** SALLE_FIREFOX, or the first Firefox that is installed. */
export function findFirefox(): string | undefined {
  const named = process.env["SALLE_FIREFOX"];
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`SALLE_FIREFOX wants the path of a Firefox, got "${named}"`);
  }
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}
