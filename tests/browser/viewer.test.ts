// The viewer's page in headless Chromium, with the real server, recordings and physics.

import { rmSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { createTask } from "../../tasks/index.ts";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { startViewer, type Viewer } from "../../viewer/server.ts";
import { Tracer } from "../../viewer/trace.ts";
import { record, runFolder } from "../viewer/folders.ts";
import { describeChromium } from "./describeChromium.ts";

const evil = '<img src=x onerror="document.title=1">';
const changes = { friction: 0.5, mass: 1.3, actions: "recorded" } as const;

/** Waits for what a busy machine may take a while to do. */
function eventually<T>(read: () => Promise<T> | T) {
  return expect.poll(read, { timeout: 20_000 });
}

describeChromium("the viewer's page", () => {
  let browser: Browser;
  let viewer: Viewer;
  let page: Page;
  let root: string;
  let episode: Uint8Array;
  let problems: string[];

  beforeAll(async () => {
    episode = await record("hopper", 60);
    root = runFolder(evil, episode);
    viewer = await startViewer({ path: root, port: 0 });
    browser = await launchChromium(softwareGl);
  });

  afterAll(async () => {
    await browser?.close();
    await viewer?.close();
    rmSync(root, { recursive: true });
  });

  beforeEach(async () => {
    problems = [];
    page = await browser.newPage({ viewport: { width: 480, height: 320 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
  });

  afterEach(async () => {
    await page.close();
    expect(problems).toEqual([]);
  });

  async function open(query = ""): Promise<void> {
    await page.goto(viewer.url + query);
    await eventually(() => evaluate("globalThis.salle?.episode?.finished === true")).toBe(true);
  }

  const evaluate = <T>(code: string): Promise<T> => page.evaluate(code) as Promise<T>;

  test("opens the newest episode, verifies every checksum and moves the robot", async () => {
    await open();
    await eventually(() => page.textContent("#state")).toMatch(/all \d+ checksums equal/);
    const recording = decodeRecording(episode);
    expect(await evaluate("salle.episode.numVerified")).toBe(recording.checksums.length);
    await evaluate("salle.player.playing = false; salle.seek(0)");
    const poses = "Array.from(salle.theatre.poses)";
    await evaluate("salle.player.playing = true");
    const before = await evaluate<number[]>(poses);
    await eventually(() => evaluate<number[]>(poses)).not.toEqual(before);
    expect(await page.textContent("#list")).not.toContain("undefined");
    expect(await page.title()).toBe("Salle"); // the run's name is text
  });

  test("every step and a fork with changes and a push have the bits of Node", async () => {
    await open();
    const tracer = new Tracer(
      await loadPhysics(),
      await createTask("hopper"),
      decodeRecording(episode),
    );
    const hashes = tracer.advance(1000).hashes;
    const there = "salle.episode.timeline";
    const all = `Array.from({ length: ${there}.count }, (_, i) => ${there}.hashAt(i))`;
    expect(await evaluate(all)).toEqual(hashes);
    tracer.branch(9, changes);
    tracer.push(0, [3, 0, 1]);
    const forked = tracer.advance(8).hashes;
    await evaluate(`{
      salle.panel.changes = ${JSON.stringify(changes)};
      salle.fork(9);
      salle.player.playing = false;
      salle.episode.push(0, [3, 0, 1]);
      salle.episode.advanceFork(17);
    }`);
    await eventually(() => evaluate(`${there}.count`)).toBe(18);
    expect((await evaluate<string[]>(all)).slice(10)).toEqual(forked);
    expect(forked).not.toEqual(hashes.slice(10, 18));
  });

  test("scrubs to a step, writes it into the address, and a link shows the same", async () => {
    await open();
    await evaluate("salle.player.playing = false; salle.seek(0.12)");
    await eventually(() => page.url()).toContain("t=0.12");
    const { search } = new URL(page.url());
    const poses = await evaluate("Array.from(salle.theatre.poses)");
    await open(search);
    await eventually(() => evaluate("salle.player.time")).toBeCloseTo(0.12, 6);
    await eventually(() => evaluate("Array.from(salle.theatre.poses)")).toEqual(poses);
  });

  test("keys step and play, and ? shows them", async () => {
    await open();
    await page.keyboard.press("ArrowRight");
    const { time, playing } = await evaluate<{ time: number; playing: boolean }>(
      "({ time: salle.player.time, playing: salle.player.playing })",
    );
    expect(playing).toBe(false);
    await page.keyboard.press("ArrowLeft");
    expect(await evaluate("salle.player.time")).toBeCloseTo(time - 0.02, 3);
    await page.keyboard.press("?");
    await eventually(() => page.isVisible("#help")).toBe(true);
    expect(await page.textContent("#help")).toContain("play or pause");
  });

  test("a phone sees all of it without scrolling sideways", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await open();
    expect(await evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    for (const tab of ["runs", "signals", "curves"]) {
      await page.click(`#tabs [data-tab=${tab}]`);
      expect(await evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    }
  });

  test("says what is wrong with a link to what is gone, and shows tasks without any run", async () => {
    await page.goto(`${viewer.url}?run=0123456789ab`);
    await eventually(() => page.textContent("#state")).toMatch(/not here any more/);
    await open("?task=pendulum-swingup-v0");
    expect(await page.textContent("#title")).toContain("pendulum-swingup-v0");
  });
});
