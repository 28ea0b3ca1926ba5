// salle export --html: a run or a recording as one HTML file to send to somebody.

import { existsSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { sharePage } from "../viewer/share.ts";
import { print } from "./output.ts";
import { findRun } from "./runFolders.ts";

const muchMegabytes = 8; // more than many mail servers and chats take well

export interface PageOptions {
  readonly out?: string;
  readonly episodes: string;
  readonly runs: string;
}

/** Writes the page of a run, by path or name, or of a .rec file. */
export function exportPage(name: string, { out, episodes, runs }: PageOptions): void {
  const mostEpisodes = Number(episodes);
  if (!Number.isInteger(mostEpisodes) || mostEpisodes < 1)
    throw new Error(`--episodes wants a whole number from 1, got "${episodes}"`);
  const path = name.endsWith(".rec") && existsSync(name) ? name : findRun(name, runs);
  const { html, numEpisodes, numLeftOut } = sharePage(path, { mostEpisodes });
  const file = out ?? `${basename(path).replace(/\.rec$/, "")}.html`;
  writeFileSync(file, html);
  const megabytes = Buffer.byteLength(html) / 1e6;
  const older = numLeftOut > 0 ? ` (${numLeftOut} older ones left out: --episodes)` : "";
  print(`wrote ${file}: ${numEpisodes} recordings${older}, ${megabytes.toFixed(1)} MB`);
  if (megabytes > muchMegabytes)
    print(`that is large to send: --episodes ${Math.ceil(numEpisodes / 2)} takes fewer`);
}
