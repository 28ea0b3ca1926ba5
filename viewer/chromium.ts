// Headless Chromium for pictures, tests and benchmarks; the one door to Playwright.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];
const folders = ["/usr/bin", ...(process.env["PATH"] ?? "").split(delimiter)];

// Without these Chromium keeps asking the network for things that no test needs.
const quiet = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Flags that draw WebGL without a graphics card. */
export const softwareGl = [
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];

/** Why browser tests can't run and what to do about it; undefined when they can. */
export const chromiumMissing: string | undefined =
  findChromium() === undefined
    ? "no Chromium: apt-get install chromium, or SALLE_CHROMIUM names one"
    : undefined;

/** A headless Chromium that the caller closes; `flags` come after the usual ones. */
export function launchChromium(flags: readonly string[] = ["--disable-gpu"]): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(chromiumMissing);
  return chromium.launch({ executablePath, args: [...quiet, ...flags] });
}

/** SALLE_CHROMIUM, or the first Chromium that is installed. */
function findChromium(): string | undefined {
  const named = process.env["SALLE_CHROMIUM"];
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`SALLE_CHROMIUM wants the path of a Chromium, got "${named}"`);
  }
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}
