// Videos and pictures that the viewer's page makes, read back by a browser.

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { frameTime } from "../../viewer/client/page/capture.ts";
import { startViewer } from "../../viewer/server.ts";
import { renderVideo, type Video } from "../../viewer/video.ts";
import { salle } from "../cli/salle.ts";
import { record, runFolder } from "../viewer/folders.ts";
import { describeChromium } from "./describeChromium.ts";

const size = { width: 161, height: 120 } as const;

interface Played {
  readonly duration: number; // s
  readonly width: number;
  readonly height: number;
  /** Largest difference of a colour between the first and the last frame, of 255. */
  readonly change: number;
}

describeChromium("a video", () => {
  let browser: Browser;
  let root: string;

  beforeAll(async () => {
    root = runFolder("run", await record("hopper", 40));
    browser = await launchChromium(softwareGl);
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(root, { recursive: true });
  });

  async function play(page: Page, { bytes, extension }: Video): Promise<Played> {
    const play = `(async () => {
      const bytes = Uint8Array.from(atob("${bytes.toString("base64")}"), (c) => c.charCodeAt(0));
      const video = document.createElement("video");
      video.src = URL.createObjectURL(new Blob([bytes], { type: "video/${extension}" }));
      video.muted = true;
      const ready = (name) => new Promise((resolve, reject) => {
        video.addEventListener(name, resolve, { once: true });
        video.onerror = () => reject(new Error(video.error.message));
      });
      await ready("loadeddata");
      const { duration, videoWidth: width, videoHeight: height } = video;
      const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
      const frame = async (time) => {
        const done = ready("seeked");
        video.currentTime = time;
        await done;
        context.drawImage(video, 0, 0);
        return context.getImageData(0, 0, width, height).data;
      };
      const first = await frame(0.001);
      let change = 0;
      // A busy browser says that it has sought before it shows what it found.
      for (let tries = 0; tries < 20 && change < 60; tries++) {
        const last = await frame(duration - 0.01 - 1e-4 * tries);
        change = first.reduce((most, value, i) => Math.max(most, Math.abs(value - last[i])), 0);
        if (change < 60) await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return { duration, width, height, change };
    })()`;
    return (await page.evaluate(play)) as Played;
  }

  test("of a recorded episode has its length, the size that was asked for, and motion", async () => {
    const video = await renderVideo({ path: root, theme: "light", ...size });
    const page = await browser.newPage();
    const played = await play(page, video);
    await page.close();
    const [width, height] = [160, 120]; // even
    expect(played).toMatchObject({ width, height });
    expect(played.duration).toBeCloseTo(numFrames(await numSteps()) * 0.02, 2);
    expect(played.change).toBeGreaterThan(60);
  });

  async function numSteps(): Promise<number> {
    const { decodeRecording } = await import("../../sim/readRecordings.ts");
    const { actions, header } = decodeRecording(await record("hopper", 40));
    return actions.length / header.actionSize;
  }

  /** Presses the page's button, and plays what it saves. */
  async function playSaved(page: Page): Promise<Played> {
    const [video] = await Promise.all([
      page.waitForEvent("download"),
      page.click("#panel >> text=video"),
    ]);
    expect(video.suggestedFilename()).toMatch(/^hopper-hop-v0-eval-1\.(mp4|webm)$/);
    const extension = video.suggestedFilename().endsWith("mp4") ? "mp4" : "webm";
    const blank = await browser.newPage();
    const played = await play(blank, { bytes: readFileSync(await video.path()), extension });
    await blank.close();
    return played;
  }

  test("is saved from a page that is a file of the disk, without a network", async () => {
    const file = join(root, "page.html");
    const [run = ""] = readdirSync(root);
    expect((await salle("export", "--html", join(root, run), "--out", file)).errors).toBe("");
    const context = await browser.newContext({
      offline: true,
      viewport: { width: 900, height: 300 },
    });
    const page = await context.newPage();
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector("#state.good", { timeout: 120_000 });
    const { duration, change } = await playSaved(page);
    expect(change).toBeGreaterThan(60);
    expect(duration).toBeCloseTo(numFrames(await numSteps()) * 0.02, 2);
    await context.close();
  });

  test("and a picture are saved by the page's buttons under the episode's name", async () => {
    const viewer = await startViewer({ path: root, port: 0 });
    const page = await browser.newPage({ viewport: { width: 900, height: 300 } });
    try {
      await page.goto(viewer.url);
      await page.waitForSelector("#state.good", { timeout: 120_000 });
      const [picture] = await Promise.all([
        page.waitForEvent("download"),
        page.click("#panel >> text=picture"),
      ]);
      expect(picture.suggestedFilename()).toBe("hopper-hop-v0-eval-1.png");
      const bytes = readFileSync(await picture.path());
      expect(bytes.subarray(1, 4).toString()).toBe("PNG");
      expect(bytes.length).toBeGreaterThan(5_000); // an empty picture is under 1 kB
      expect((await playSaved(page)).change).toBeGreaterThan(60);
      expect(await page.evaluate("salle.recording")).toBeNull();
    } finally {
      await page.close();
      await viewer.close();
    }
  });
});

/** A frame for each row: one after the reset and one after every step. */
function numFrames(numSteps: number): number {
  return numSteps + 1;
}

test("a video's frames fall on whole steps, at most 60 a second", () => {
  expect(frameTime(0.02, 1)).toBeCloseTo(0.02, 12);
  expect(frameTime(0.005, 1)).toBeCloseTo(0.02, 12);
  expect(frameTime(0.02, 0.5)).toBeCloseTo(0.04, 12);
  expect(frameTime(0.02, 4)).toBeCloseTo(0.02, 12);
  expect(1 / frameTime(0.004, 1)).toBeLessThanOrEqual(60);
});
