// Open episode: the viewer's own page in headless Chromium with a recorded episode in it.

import type { Page } from "playwright-core";
import { launchChromium, softwareGl } from "./chromium.ts";
import type { Carry } from "./runs.ts";
import { startViewer } from "./server.ts";

export interface EpisodeRequest {
  /** A folder of runs, a run or a .rec file. */
  readonly path: string;
  /** What to open, as the page's address has it: `?run=…&episode=…`, `?task=…&seed=…`; the newest where missing. */
  readonly query?: string;
  readonly theme: "light" | "dark";
  readonly width: number;
  readonly height: number;
  /** As the server's (ViewerOptions). */
  readonly carry?: Carry;
}

/** Calls with a page that has opened an episode, and ends page, browser and server. */
export async function withEpisode<T>(
  { path, query = "", theme, width, height, carry }: EpisodeRequest,
  use: (page: Page) => Promise<T>,
): Promise<T> {
  const viewer = await startViewer({ path, port: 0, ...(carry && { carry }) });
  const browser = await launchChromium(softwareGl);
  try {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
    await page.goto(viewer.url + query);
    while (!(await page.evaluate("globalThis.salle?.episode != null")))
      await page.waitForTimeout(50);
    return await use(page);
  } finally {
    await browser.close();
    await viewer.close();
  }
}

/** The file that a promise of `{ bytes, type }` in the page, as code, comes to. */
export async function fileOf(
  page: Page,
  promise: string,
): Promise<{ readonly bytes: Buffer; readonly type: string }> {
  const call = `${promise}.then(async ({ bytes, type }) => {
    const reader = new FileReader();
    const read = new Promise((resolve) => (reader.onload = resolve));
    reader.readAsDataURL(new Blob([bytes]));
    await read;
    return [type, reader.result.slice(reader.result.indexOf(",") + 1)];
  })`;
  const [type, base64] = (await page.evaluate(call)) as [string, string];
  return { bytes: Buffer.from(base64, "base64"), type };
}
