// Videos of recorded episodes, drawn and encoded by the viewer's own page in headless Chromium.

import { launchChromium, softwareGl } from "./chromium.ts";
import type { VideoOptions } from "./client/page/capture.ts";
import type { Carry } from "./runs.ts";
import { startViewer } from "./server.ts";

export interface VideoRequest extends VideoOptions {
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

export interface Video {
  readonly bytes: Buffer;
  readonly extension: "mp4" | "webm";
}

/** Simulates an episode again and films it at its own exact times. */
export async function renderVideo(request: VideoRequest): Promise<Video> {
  const { path, query = "", theme, carry, ...options } = request;
  const { width, height } = options;
  const viewer = await startViewer({ path, port: 0, ...(carry && { carry }) });
  const browser = await launchChromium(softwareGl);
  try {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
    await page.goto(viewer.url + query);
    while (!(await page.evaluate("globalThis.salle?.episode != null")))
      await page.waitForTimeout(50);
    const call = `salleVideo(${JSON.stringify(options)}).then(async ({ bytes, type }) => {
      const reader = new FileReader();
      const read = new Promise((resolve) => (reader.onload = resolve));
      reader.readAsDataURL(new Blob([bytes]));
      await read;
      return [type, reader.result.slice(reader.result.indexOf(",") + 1)];
    })`;
    const [type, base64] = (await page.evaluate(call)) as [string, string];
    const extension = type === "video/mp4" ? "mp4" : "webm";
    return { bytes: Buffer.from(base64, "base64"), extension };
  } finally {
    await browser.close();
    await viewer.close();
  }
}
