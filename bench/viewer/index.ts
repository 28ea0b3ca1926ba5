// The benchmark of the viewer: what its page weighs, how soon it shows a robot, what it costs a training.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumMissing, launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { startViewer } from "../../viewer/server.ts";
import type { BenchOptions } from "../main.ts";
import { atMost, type Report, type Row, row, type Target } from "../report.ts";
import { trainWatched } from "./training.ts";

const mostWeight = 2.5; // MB
const mostWait = 1000; // ms
const settling = 1500; // ms until a new window of the browser has drawn itself
const mostLoss = { 1: 2, 32: 5 } as const; // % of a training's speed, by viewers

/** Everything of `npm run bench -- viewer`. */
export async function benchViewer({ quick }: BenchOptions): Promise<Report> {
  const rows: Row[] = [];
  const targets: Target[] = [];
  const notes: string[] = ["viewers run on the machine that trains and take their share of it"];
  if (chromiumMissing === undefined) {
    const { weight, waits } = await openPages(quick ? 1 : 7);
    rows.push(row("page, compressed, physics included", "sent", [weight], "MB"));
    rows.push(row("first robot after opening, software GL", "cold cache", waits));
    const wait = rows.at(-1)!.median;
    targets.push(atMost("weight of the page", mostWeight, weight, " MB"));
    targets.push(atMost("time to the first robot", mostWait, wait, " ms"));
  } else notes.push(`the page was not opened: ${chromiumMissing}`);
  const viewed = await trainWatched(quick ? 1 : 5);
  for (const { numClients, stepsPerSecond, bytesPerSecond, framesPerSecond } of viewed) {
    const name = numClients === 1 ? "1 viewer" : `${numClients} viewers`;
    rows.push(row("PPO on the quadruped, 64 robots", name, stepsPerSecond, "steps/s"));
    if (numClients === 0) continue;
    rows.push(
      row(
        "stream of one of them",
        name,
        bytesPerSecond.map((bytes) => bytes / 1e3),
        "kB/s",
      ),
    );
    rows.push(row("frames of one of them", name, framesPerSecond, "Hz"));
  }
  const speed = (i: number): number => row("", "", viewed[i]!.stepsPerSecond).median;
  const loss = (i: number): number => 100 * (1 - speed(i) / speed(0));
  targets.push(atMost("cost of one viewer", mostLoss[1], loss(1), "%"));
  targets.push(atMost("cost of 32 viewers", mostLoss[32], loss(2), "%"));
  return { rows, targets, notes };
}

/** Opens the page several times with an empty cache. */
async function openPages(count: number): Promise<{ weight: number; waits: number[] }> {
  const root = mkdtempSync(join(tmpdir(), "salle-bench-"));
  const viewer = await startViewer({ path: root, port: 0 });
  const browser = await launchChromium(softwareGl);
  const waits: number[] = [];
  let weight = 0;
  for (let i = 0; i < count; i++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
    const page = await context.newPage();
    await page.waitForTimeout(settling);
    weight = 0;
    page.on("requestfinished", async (request) => {
      const { responseBodySize } = await request.sizes();
      weight += responseBodySize / 1e6;
    });
    await page.goto(`${viewer.url}?task=hopper-hop-v0`);
    const seen = 'performance.getEntriesByName("salle: first robot")[0]?.startTime ?? 0';
    let wait = 0;
    while (wait === 0) {
      await page.waitForTimeout(20); // asking takes time from what is measured
      wait = (await page.evaluate(seen)) as number;
    }
    waits.push(wait);
    await page.waitForTimeout(300);
    await context.close();
  }
  await browser.close();
  await viewer.close();
  rmSync(root, { recursive: true });
  return { weight, waits };
}
