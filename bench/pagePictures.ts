// `npm run pictures:pages -- <run>`: the pictures of the viewer's page in README and docs/viewer.md, of a run's newest
// recorded episode, in light and dark, by headless Chromium.

import { writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { policyOf } from "../cli/policyChild.ts";
import { launchChromium, softwareGl } from "../viewer/chromium.ts";
import { startViewer } from "../viewer/server.ts";

const size = { width: 1280, height: 800 }; // px
const seconds = 2.4; // of the episode, where it is shown
const run = process.argv[2];
if (run === undefined) throw new Error("which run? npm run pictures:pages -- <folder of a run>");

/** The page's own policy lets nobody wait within it. */
async function reached(page: Page, condition: string): Promise<void> {
  for (let i = 0; i < 1200; i++) {
    if (await page.evaluate(condition)) return;
    await page.waitForTimeout(100);
  }
  throw new Error(`the page did not come to: ${condition}`);
}

const viewer = await startViewer({ path: run, port: 0, policyOf });
const browser = await launchChromium(softwareGl);
try {
  for (const theme of ["light", "dark"] as const) {
    const page = await browser.newPage({ viewport: size, colorScheme: theme });
    await page.goto(viewer.url);
    await reached(page, "globalThis.salle?.episode?.finished === true");
    await page.evaluate("salle.player.playing = false");
    if (theme === "light")
      await page.keyboard.press("c"); // contacts
    else {
      await page.selectOption("select[aria-label='Actions of the fork']", { index: 1 }); // none
      await page.evaluate("salle.fork(100)");
      await reached(page, "salle.episode.fork?.count > 150");
    }
    await page.evaluate(`salle.player.playing = false; salle.player.time = ${seconds}`);
    await page.waitForTimeout(3000); // the camera comes to rest
    const picture = await page.screenshot({ type: "jpeg", quality: 72 });
    const file = `docs/pictures/viewer-${theme}.jpg`;
    writeFileSync(file, picture);
    console.log(`wrote ${file}: ${Math.round(picture.length / 1000)} kB`);
    await page.close();
  }
} finally {
  await browser.close();
  await viewer.close();
}
