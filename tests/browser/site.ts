// A page under test: bundled by the repository's vite.config.ts and served on this machine only.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build, preview } from "vite";

const root = fileURLToPath(new URL("../../../", import.meta.url)); // this file runs from dist/tests/browser
const shared = { root, configFile: join(root, "vite.config.ts"), logLevel: "error" } as const;

/** A served bundle. */
export interface Site {
  readonly url: string;
  /** A fresh page in which the bundle has run; throws with the page's error when that failed. */
  open(browser: Browser): Promise<Page>;
  close(): Promise<void>;
}

/** Bundles the module at `entry`, a path from the repository's root, and serves a page that runs it. */
export async function serveSite(entry: string): Promise<Site> {
  const outDir = mkdtempSync(join(tmpdir(), "salle-site-"));
  await build({
    ...shared,
    build: {
      outDir,
      emptyOutDir: false,
      rolldownOptions: {
        input: join(root, entry),
        output: { entryFileNames: "assets/entry.js" },
      },
    },
  });
  writeFileSync(join(outDir, "index.html"), html);
  const server = await preview({
    ...shared,
    build: { outDir },
    preview: { host: "127.0.0.1", port: 0, strictPort: false },
  });
  const url = server.resolvedUrls!.local[0]!;
  return {
    url,
    open: (browser) => open(browser, url),
    async close() {
      await server.close();
      rmSync(outDir, { recursive: true });
    },
  };
}

const html = `<!doctype html>
<title>Salle</title>
<link rel="icon" href="data:," />
<script type="module">
  globalThis.ready = import("./assets/entry.js").then(() => "ready");
</script>
`;

async function open(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(url);
  await page.evaluate("ready");
  return page;
}
