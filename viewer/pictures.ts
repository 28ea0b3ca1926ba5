// Pictures of tasks: drawn by the viewer's own scene in headless Chromium.

import type { Page } from "playwright-core";
import { launchChromium, softwareGl } from "./chromium.ts";
import type { PictureRequest, PicturesPage, SheetRequest } from "./client/pictures.ts";
import { pageFolder, serveFolder } from "./files.ts";

export type { PictureRequest, SheetRequest } from "./client/pictures.ts";

/** Draws pictures until it is closed; they come as the bytes of a file. */
export interface Painter {
  draw(request: PictureRequest): Promise<Buffer>;
  sheet(request: SheetRequest): Promise<Buffer>;
  close(): Promise<void>;
}

/** Starts a browser for pictures. */
export async function startPainter(): Promise<Painter> {
  const site = await serveFolder(pageFolder);
  const browser = await launchChromium(softwareGl);
  const page = await browser.newPage();
  await page.goto(`${site.url}pictures.html`);
  await page.waitForFunction("globalThis.pictures !== undefined");
  return {
    draw: (request) => ask(page, "draw", request),
    sheet: (request) => ask(page, "sheet", request),
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

async function ask(page: Page, name: keyof PicturesPage, request: unknown): Promise<Buffer> {
  const call = `pictures.${name}(${JSON.stringify(request)})`;
  return Buffer.from((await page.evaluate(call)) as string, "base64");
}
