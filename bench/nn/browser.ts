// How fast the compiled SAC programs are in headless Chromium. Alone: node dist/bench/nn/browser.js [--quick]
//
// Each number of threads has a page of its own, since a page has one pool of threads.

import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { type Site, serveSite } from "../../tests/browser/site.ts";
import { launchChromium } from "../../viewer/chromium.ts";
import type {} from "./browserPage.ts"; // declares browserBench

export interface BrowserRow {
  readonly name: string;
  /** Median of the calls, in milliseconds. */
  readonly ms: number;
}

/** Milliseconds of a SAC update and of acting for one observation; throws when there is no Chromium. */
export async function measureBrowser({ quick }: { quick: boolean }): Promise<BrowserRow[]> {
  const browser = await launchChromium();
  try {
    const site = await serveSite("bench/nn/browserPage.ts");
    try {
      const rows: BrowserRow[] = [];
      for (const threads of [1, 2]) {
        rows.push(...(await measurePage(browser, site, threads, quick)));
      }
      return rows;
    } finally {
      await site.close();
    }
  } finally {
    await browser.close();
  }
}

async function measurePage(
  browser: Browser,
  site: Site,
  threads: number,
  quick: boolean,
): Promise<BrowserRow[]> {
  const page = await site.open(browser);
  const milliseconds = quick ? 500 : 4000;
  const of = `${threads} thread${threads === 1 ? "" : "s"}`;
  const rows: BrowserRow[] = [];
  for (const repeats of quick ? [1] : [1, 8]) {
    const times = await page.evaluate(
      ([threads, repeats, milliseconds]) => browserBench.update(threads, repeats, milliseconds),
      [threads, repeats, milliseconds] as const,
    );
    const calls = repeats === 1 ? "" : `, ${repeats} updates a call`;
    rows.push({ name: `SAC update, batch 256, ${of}${calls}`, ms: median(times) });
  }
  const times = await page.evaluate(
    ([threads, milliseconds]) => browserBench.act(threads, milliseconds),
    [threads, milliseconds / 4] as const,
  );
  rows.push({ name: `act, 1 observation, ${of}`, ms: median(times) });
  await page.close();
  return rows;
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1]!;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.table(await measureBrowser({ quick: process.argv.includes("--quick") }));
}
