// A cube lifted by key presses in the page of demonstrations: what is saved is an episode of the dataset that
// verifies to the bit; what is discarded is nowhere. What others send is refused.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDemoHost } from "../../cli/demo.ts";
import { Dataset } from "../../finetune/dataset.ts";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { replay } from "../../sim/replay.ts";
import { createTask } from "../../tasks/index.ts";
import { DatasetWriter } from "../../train/datasetWriter.ts";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { startViewer, type Viewer } from "../../viewer/server.ts";
import { describeChromium } from "./describeChromium.ts";

/**
 * Code that presses keys in the page, looking at the robot between frames as a person would: over the cube,
 * down, fingers shut, up. So it keeps up with the page's time however busy the machine is.
 */
const liftByKeys = `new Promise((resolve) => {
  const held = new Set();
  const fire = (type, key, shiftKey) =>
    window.dispatchEvent(new KeyboardEvent(type, { key, shiftKey, cancelable: true }));
  const hold = (keys, shiftKey) => {
    for (const key of [...held]) if (!keys.includes(key)) (held.delete(key), fire("keyup", key, shiftKey));
    for (const key of keys) if (!held.has(key)) (held.add(key), fire("keydown", key, shiftKey));
  };
  let shutAt = null;
  const look = () => {
    const { timeline, phase } = salleDemo;
    if (phase === "ended") return (hold([], false), resolve(timeline.count));
    requestAnimationFrame(look);
    const { links, poses } = timeline.layout;
    const row = timeline.row(timeline.count - 1);
    const at = (name) => row.slice(poses + 7 * links.indexOf(name), poses + 7 * links.indexOf(name) + 3);
    const [hand, cube] = [at("hand"), at("cube")];
    const [x, y, z] = [cube[0] - hand[0], cube[1] - hand[1], cube[2] - hand[2] + 0.205];
    const press = (key) => (fire("keydown", key, false), fire("keyup", key, false));
    if (shutAt !== null) {
      const steps = timeline.count - shutAt;
      hold(steps > 8 ? ["w"] : [], false);
      if (steps < 18 || cube[2] > 0.03) return;
      press("f"); // it slipped: open, and once more
      shutAt = null;
    }
    const keys = [];
    if (Math.abs(x) > 0.01) keys.push(x > 0 ? "ArrowDown" : "ArrowUp");
    if (Math.abs(y) > 0.01) keys.push(y > 0 ? "ArrowRight" : "ArrowLeft");
    const isNear = Math.abs(x) < 0.02 && Math.abs(y) < 0.02;
    if (z < -0.006 && (isNear || z < -0.1)) keys.push("s");
    if (keys.length > 0) return hold(keys, Math.max(Math.abs(x), Math.abs(y)) < 0.05 && z > -0.1);
    press("f");
    shutAt = timeline.count;
  };
  look();
})`;

describeChromium("the page of demonstrations", () => {
  let browser: Browser;
  let viewer: Viewer;
  let page: Page;
  let physics: Physics;
  let writer: DatasetWriter;
  const folder = mkdtempSync(join(tmpdir(), "salle-demo-"));
  const path = join(folder, "mine");
  const problems: string[] = [];

  beforeAll(async () => {
    physics = await loadPhysics();
    const task = await createTask("lift-cube");
    writer = DatasetWriter.create(path, {
      task: task.id,
      parameters: {},
      observationSize: task.observation.size,
      actionSize: task.action.size,
      controlDt: task.controlDt,
      extras: {},
      provenance: {},
    });
    const { build, version, wasmHash } = physics;
    const about = { build, version, wasmHash };
    const header = { physics: about, parameters: {}, policy: "demo", gitCommit: "" };
    const demo = await createDemoHost(task, writer, header, 41, 0);
    viewer = await startViewer({ path: folder, port: 0, demo });
    browser = await launchChromium(softwareGl);
    page = await browser.newPage({ viewport: { width: 900, height: 600 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    await page.goto(viewer.url.replace("/?", "/demo.html?"));
  });

  afterAll(async () => {
    await browser?.close();
    await viewer?.close();
    writer?.close();
    rmSync(folder, { recursive: true });
  });

  const evaluate = <T>(code: string): Promise<T> => page.evaluate(code) as Promise<T>;
  const phase = () => evaluate<string>("salleDemo.phase");
  const eventually = <T>(read: () => Promise<T> | T) => expect.poll(read, { timeout: 60_000 });
  const become = async (wanted: string) => await eventually(phase).toBe(wanted);

  const handX = () =>
    evaluate<number>(`(() => {
      const { timeline } = salleDemo;
      const { links, poses } = timeline.layout;
      return timeline.row(timeline.count - 1)[poses + 7 * links.indexOf("hand")];
    })()`);

  /** Holds a key as long as a number of steps takes. */
  async function hold(key: string, steps: number): Promise<void> {
    const until = (await evaluate<number>("salleDemo.timeline.count")) + steps;
    await page.keyboard.down(key);
    await eventually(() =>
      evaluate<boolean>(`salleDemo.timeline.count >= ${until} || salleDemo.phase === "ended"`),
    ).toBe(true);
    await page.keyboard.up(key);
  }

  test("waits for a key, and says which there are", async () => {
    await become("ready");
    const panel = await page.textContent("#panel");
    for (const words of ["shift along x", "fingers", "save the episode", "discard it"])
      expect(panel).toContain(words);
    expect(await evaluate("salleDemo.timeline.count")).toBe(1);
    await eventually(() => page.textContent("#state")).toContain("press a key");
  });

  test("keys move the hand in their direction, at the task's own speed", async () => {
    const before = await handX();
    const begun = performance.now();
    await hold("ArrowDown", 10);
    const seconds = (performance.now() - begun) / 1000;
    expect(await phase()).toBe("driving");
    expect((await handX()) - before).toBeGreaterThan(0.05); // of 12 cm that it was told
    expect(seconds).toBeGreaterThan(0.4); // 10 steps of 0.05 s
    expect(await page.textContent("#state")).toMatch(/ of 6 s/);
  });

  test("backspace discards, and another start comes", async () => {
    const seed = await evaluate<number>("salleDemo.seed");
    await page.keyboard.press("Backspace");
    await become("ready");
    expect(await evaluate("salleDemo.seed")).toBe(seed + 1);
    await page.keyboard.press("r");
    await become("ready");
    expect(await evaluate("salleDemo.numEpisodes")).toBe(0);
  });

  test("a cube that keys lifted is saved, and verifies to the bit", async () => {
    await evaluate(liftByKeys);
    await become("ended");
    expect(await evaluate("salleDemo.success")).toBe(true);
    await page.keyboard.press("Space");
    await become("ready");
    await eventually(() => page.textContent("#state")).toMatch(
      /saved: \d+ steps, return 1\.00, a success/,
    );
    const dataset = new Dataset(path);
    expect(dataset.episodes).toHaveLength(1);
    const { info, actions } = dataset.episode(0);
    expect(info).toMatchObject({
      success: true,
      terminated: true,
      episodeReturn: 1,
      policy: "demo",
    });
    const recording = decodeRecording(dataset.recording(0)!);
    expect(recording.actions).toEqual(actions);
    expect(new Set(actions).size).toBeGreaterThan(3);
    expect(replay(physics, await createTask("lift-cube"), recording)).toMatchObject({ ok: true });
    expect(recording.ending!.terminated).toBe(true);
    dataset.close();
  });

  test("refuses who has no token, what is too long, and recordings that are none", async () => {
    const token = new URL(viewer.url).searchParams.get("token")!;
    const url = new URL("/api/demo/episodes", viewer.url).href;
    const post = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
      fetch(url, { method: "POST", body, headers });
    const bearer = { Authorization: `Bearer ${token}` };
    expect((await post(new Uint8Array(10), {})).status).toBe(403);
    const foreign = await post(new Uint8Array(10), { ...bearer, Origin: "http://evil.example" });
    expect(foreign.status).toBe(403);
    expect((await post(new Uint8Array(1_000_001), bearer)).status).toBe(413);
    const refused = await post(new Uint8Array(100), bearer);
    expect(refused.status).toBe(422);
    expect((await refused.json()).reason).toMatch(/expected a recording's first bytes/);
    expect((await fetch(new URL("/api/demo", viewer.url))).status).toBe(403);
    expect(new Dataset(path).episodes).toHaveLength(1);
    expect(problems).toEqual([]);
  });
});
