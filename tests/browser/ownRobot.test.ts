// Recordings of a robot that only its owner's disk has: in the served page and in one that was sent.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { carryTasks } from "../../cli/carryTasks.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { encodeRecording } from "../../sim/recording.ts";
import { createTask } from "../../tasks/index.ts";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { startViewer, type Viewer } from "../../viewer/server.ts";
import { Tracer } from "../../viewer/trace.ts";
import { salle } from "../cli/salle.ts";
import { record } from "../viewer/folders.ts";
import { ownRobot } from "../viewer/ownRobot.ts";
import { describeChromium } from "./describeChromium.ts";

const { folder, task } = ownRobot();
const run = join(folder, "runs", "my-walker__sac__1");
const shared = join(folder, "page.html");
const small = { width: 480, height: 320 } as const; // pixels: software draws them
const shownHashes = `(() => {
  const { timeline } = salle.episode;
  return Array.from({ length: timeline.count }, (_, step) => timeline.hashAt(step));
})()`;

describeChromium("a robot of one's own", () => {
  let browser: Browser;
  let viewer: Viewer;
  let hashes: readonly string[];

  beforeAll(async () => {
    const episode = await record(task, 60);
    mkdirSync(join(run, "episodes"), { recursive: true });
    const source = pathToFileURL(task).href;
    writeFileSync(join(run, "config.yaml"), JSON.stringify({ task: source, algorithm: "sac" }));
    writeFileSync(join(run, "episodes", "eval-1.rec"), episode);
    const recording = decodeRecording(episode);
    const tracer = new Tracer(await loadPhysics(), await createTask(task), recording);
    hashes = tracer.advance(1000).hashes;
    viewer = await startViewer({ path: join(folder, "runs"), port: 0, carry: carryTasks });
    browser = await launchChromium(softwareGl);
  });

  afterAll(async () => {
    await browser?.close();
    await viewer?.close();
    rmSync(folder, { recursive: true });
  });

  async function opened(url: string, offline: boolean): Promise<Page> {
    const context = await browser.newContext({ offline, viewport: small });
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  async function expectNodesBits(page: Page): Promise<void> {
    const finished = () => page.evaluate("globalThis.salle?.episode?.finished === true");
    await expect.poll(finished, { timeout: 30_000 }).toBe(true);
    expect(await page.evaluate(shownHashes)).toEqual(hashes);
    expect(hashes.length).toBeGreaterThan(20);
    const state = () => page.textContent("#state");
    await expect.poll(state, { timeout: 30_000 }).toMatch(/all \d+ checksums equal/);
  }

  test("plays from a viewer with the bits of Node, and the page learns no path", async () => {
    const page = await opened(viewer.url, false);
    await expectNodesBits(page);
    const asked = `fetch("api/runs").then(async (response) => {
      const text = await response.text();
      const [{ id, task }] = JSON.parse(text);
      const episode = await (await fetch("api/episodes/" + id + "/eval-1.rec")).text();
      return { task, told: text + episode };
    })`;
    const { task: shown, told } = (await page.evaluate(asked)) as { task: string; told: string };
    expect(shown).toBe("my-walker.json");
    expect(told).toContain("<mujoco");
    expect(told).not.toContain("secret-place");
    await page.close();
  });

  test("plays from one file without a network, and the file holds no path", async () => {
    const { code, errors } = await salle("export", "--html", run, "--out", shared);
    expect(errors).toBe("");
    expect(code).toBe(0);
    const html = readFileSync(shared, "utf8");
    const packed = /id="salle-runs">([^<]+)</.exec(html)![1]!;
    const { episodes, ...rest } = JSON.parse(
      gunzipSync(Buffer.from(packed, "base64")).toString(),
    ) as { episodes: Record<string, Record<string, string>> };
    const files = Object.values(episodes).flatMap((each) => Object.values(each));
    const told = [JSON.stringify(rest), ...files.map((text) => atob(text))].join("\n");
    expect(told).toContain("<mujoco");
    expect(told).not.toContain("secret-place");
    const page = await opened(pathToFileURL(shared).href, true);
    await expectNodesBits(page);
    await page.close();
  });

  test("that a program makes is refused, and the page says why", async () => {
    const recording = decodeRecording(readFileSync(join(run, "episodes", "eval-1.rec")));
    const parameters = { source: "file:///home/secret-place/mine.mjs" };
    const header = { ...recording.header, parameters };
    const path = join(folder, "program.rec");
    writeFileSync(path, encodeRecording({ ...recording, header }));
    const other = await startViewer({ path, port: 0, carry: carryTasks });
    try {
      const page = await opened(other.url, false);
      const state = () => page.textContent("#state");
      await expect
        .poll(state, { timeout: 30_000 })
        .toMatch(/made by "mine\.mjs", which is a program: a page runs none/);
      await page.close();
    } finally {
      await other.close();
    }
  });
});
