// The viewer's page in headless Chromium, with the real server, recordings and physics.

import { rmSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { concatBytes } from "../../sim/chunks.ts";
import { createPoseMailbox } from "../../sim/poseMailbox.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { createVecEnv } from "../../sim/vecEnv.ts";
import { createTask, taskSource } from "../../tasks/index.ts";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { startViewer, type Viewer } from "../../viewer/server.ts";
import { Tracer } from "../../viewer/trace.ts";
import { record, runFolder } from "../viewer/folders.ts";
import { describeChromium } from "./describeChromium.ts";

const evil = '<img src=x onerror="document.title=1">';
const changes = { friction: 0.5, mass: 1.3, actions: "recorded" } as const;

const there = "salle.episode.timeline";
const all = `Array.from({ length: ${there}.count }, (_, i) => ${there}.hashAt(i))`;

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
    for (const absent of [".picker", ".against"]) // one episode in the file, and no policy
      expect(await page.isVisible(absent)).toBe(false);
  });

  test("has the physics as a file, asks for it before its own code runs, and shows a robot", async () => {
    const asked: string[] = [];
    page.on("request", (request) => void asked.push(new URL(request.url()).pathname));
    let sent = 0;
    page.on("requestfinished", async (request) => {
      const closed = { responseBodySize: 0 }; // the page, at the test's end, while it was asked
      sent += (await request.sizes().catch(() => closed)).responseBodySize;
    });
    await page.goto(`${viewer.url}?task=hopper-hop-v0`);
    const shown = 'performance.getEntriesByName("salle: first robot").length';
    await eventually(() => evaluate(shown)).toBe(1);
    const first = (part: RegExp): number => asked.findIndex((path) => part.test(path));
    expect(first(/rapier3d-simd-compat-.*\.wasm$/)).toBeGreaterThan(0);
    expect(first(/trace\.worker/)).toBeGreaterThan(0);
    expect(first(/trace\.worker/)).toBeLessThan(first(/api\/runs/));
    await eventually(() => sent).toBeGreaterThan(500_000);
    expect(sent).toBeLessThan(1_500_000); // bytes, compressed
  });

  test("every step and a fork with changes and a push have the bits of Node", async () => {
    await open();
    const tracer = new Tracer(
      await loadPhysics(),
      await createTask("hopper"),
      decodeRecording(episode),
    );
    const hashes = tracer.advance(1000).hashes;
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

  test("the mouse takes hold of a forked robot and pulls it off its way", async () => {
    await open("?task=ant-run-v0");
    await evaluate("salle.fork(10)");
    await eventually(() => evaluate("salle.theatre.grabbable")).toBe(true);
    const box = (await page.locator("#canvas").boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    expect(await evaluate("salle.theatre.pull?.link")).toBe(0); // the torso is in the middle
    await page.mouse.move(x + 0.3 * box.width, y - 0.3 * box.height, { steps: 3 });
    const away = `{
      const { fork, recorded } = salle.episode;
      const rows = Array.from({ length: Math.min(fork.count, recorded.count) }, (_, step) => step);
      Math.max(...rows.map((step) => Math.abs(fork.row(step)[2] - recorded.row(step)[2])));
    }`;
    await eventually(() => evaluate<number>(away)).toBeGreaterThan(0.05); // m, upwards
    await page.mouse.up();
    expect(await evaluate("salle.theatre.pull")).toBeNull();
  });

  test("plots actions, torques and velocities by name, with the numbers of Node", async () => {
    await open();
    const task = await createTask("hopper");
    const tracer = new Tracer(await loadPhysics(), task, decodeRecording(episode));
    const { layout } = tracer;
    const { rows } = tracer.advance(1000);
    const column = (at: number, from: number): number[] =>
      Array.from(rows.filter((_, i) => i % layout.width === at)).slice(from);
    const plots = "salle.panel.signals.drawn";
    const numRows = rows.length / layout.width;
    const lengths = `${plots}.slice(0, 4).map(({ plot }) => plot.data[0].length)`;
    await eventually(() => evaluate(lengths)).toEqual([numRows - 1, numRows - 1, numRows, numRows]);
    const shown = await evaluate<{ title: string; names: string[]; lines: number[][] }[]>(
      `${plots}.map(({ title, names, plot }) =>
        ({ title, names, lines: plot.data.slice(1).map((line) => Array.from(line)) }))`,
    );
    const of = (title: string) => shown.find((each) => each.title.startsWith(title));
    expect(of("Actions")?.names).toEqual(task.action.names);
    expect(of("Actions")?.lines).toEqual(
      task.action.names.map((_, i) => column(layout.actions + i, 1)),
    );
    for (const [title, at] of [
      ["Torques", layout.torques],
      ["Velocities", layout.velocities],
    ] as const) {
      expect(of(title)?.names).toEqual(layout.joints);
      expect(of(title)?.lines).toEqual(layout.joints.map((_, j) => column(at + j, 0)));
    }
    await evaluate("salle.player.playing = false; salle.seek(0.5)");
    const offsets = `${plots}.filter(({ section }) => section.open).map(({ plot }) =>
      new DOMMatrix(plot.now.style.transform).e - plot.plot.valToPos(salle.player.time, "x"))`;
    for (const offset of await evaluate<number[]>(offsets)) expect(offset).toBeCloseTo(0, 3);
    await page.hover(`.joints td[title="${layout.joints[1]}"]`);
    await eventually(() => page.textContent("#panel summary:has-text('Torques')")).toContain(
      layout.joints[1]!,
    );
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

  test("shows a training while it goes on, and counts what comes", async () => {
    const task = await createTask("hopper");
    const { model, action } = task;
    const mailbox = createPoseMailbox(task, 4);
    const source = await taskSource("hopper");
    const env = await createVecEnv(source, { numEnvs: 4, seed: 1, poses: mailbox.buffer });
    let numStops = 0;
    const stop = (): void => void numStops++;
    const live = { run: evil, task, mailbox, status: () => "step 7", stop };
    const training = await startViewer({ path: root, port: 0, live });
    env.reset();
    const timer = setInterval(
      () => void env.step(new Float32Array(4 * action.size).fill(0.25)),
      20,
    );
    try {
      await page.goto(training.url);
      await eventually(() => page.textContent("#state")).toMatch(
        /time-lapse · 4 robots · step 7 · \d+ Hz/,
      );
      const poses = "Array.from(salle.liveStage.poses ?? [])";
      const before = await evaluate<number[]>(poses);
      expect(before.length).toBe(4 * model.links.length * 7);
      await eventually(() => evaluate<number[]>(poses)).not.toEqual(before);
      expect(mailbox.watching).toBe(true);
      // On this narrow page signals are below; they come because they are there, of the robot that is followed.
      const actions = "salle.panel.signals.drawn[1]?.plot.data";
      await eventually(() => evaluate(`${actions}?.[0].length ?? 0`)).toBeGreaterThan(5);
      expect(await evaluate(`${actions}[1].filter((value) => value !== null)`)).toContain(0.25);
      const followed = await evaluate<number>("salle.theatre.followed");
      expect([0, 1, 2, 3].filter((robot) => mailbox.isFollowed(robot))).toEqual([followed]);
      await page.keyboard.press(".");
      await eventually(() => mailbox.isFollowed((followed + 1) % 4)).toBe(true);
      expect(mailbox.isFollowed(followed)).toBe(false);
      await page.click("#tabs [data-tab=runs]");
      await eventually(() => [0, 1, 2, 3].some((robot) => mailbox.isFollowed(robot))).toBe(false);
      await page.click("#list >> text=follow");
      await eventually(() => page.textContent("#state")).toMatch(/all \d+ checksums equal/);
      page.on("dialog", (dialog) => void dialog.accept());
      await page.click("#list >> text=stop");
      await eventually(() => numStops).toBe(1);
      await page.goto("about:blank");
      await eventually(() => mailbox.watching).toBe(false);
    } finally {
      clearInterval(timer);
      await training.close();
      env.dispose();
    }
  });

  test("steps through the episodes of one file", async () => {
    const other = await record("hopper", 60, 4);
    const two = runFolder("two", concatBytes([episode, other]));
    const both = await startViewer({ path: two, port: 0 });
    try {
      await page.goto(both.url);
      await eventually(() => page.textContent(".picker")).toContain("episode 0 of 0–1");
      await page.click(".picker button:last-child");
      await eventually(() => evaluate("salle.episode?.finished === true")).toBe(true);
      await eventually(() => page.textContent(".picker")).toContain("episode 1 of 0–1");
      const [physics, task] = [await loadPhysics(), await createTask("hopper")];
      const { hashes } = new Tracer(physics, task, decodeRecording(other)).advance(1000);
      expect(await evaluate(all)).toEqual(hashes);
      await eventually(() => page.url()).toContain("n=1");
      expect(await page.isDisabled(".picker button:last-child")).toBe(true);
      await page.goto("about:blank");
    } finally {
      await both.close();
      rmSync(two, { recursive: true });
    }
  });

  test("says what is wrong with a link to what is gone, and shows tasks without any run", async () => {
    await page.goto(`${viewer.url}?run=0123456789ab`);
    await eventually(() => page.textContent("#state")).toMatch(/not here any more/);
    await open("?task=pendulum-swingup-v0");
    expect(await page.textContent("#title")).toContain("pendulum-swingup-v0");
  });
});
