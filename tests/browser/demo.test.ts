// A cube lifted by key presses in the page of demonstrations: what is saved is an episode of the dataset that
// verifies to the bit; what is discarded is nowhere. What others send is refused.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Dataset } from "../../finetune/dataset.ts";
import { type DemoPage, openDemoPage, verifiedEpisode } from "./demoPage.ts";
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
  let demo: DemoPage;

  beforeAll(async () => {
    demo = await openDemoPage();
  });
  afterAll(() => demo?.close());

  /** Holds a key as long as a number of steps takes. */
  async function hold(key: string, steps: number): Promise<void> {
    await demo.page.keyboard.down(key);
    await demo.pass(steps);
    await demo.page.keyboard.up(key);
  }

  test("waits for a key, and says which there are", async () => {
    const { become, page, evaluate, eventually } = demo;
    await become("ready");
    const panel = await page.textContent("#panel");
    for (const words of ["shift along x", "fingers", "save the episode", "discard it"])
      expect(panel).toContain(words);
    expect(await evaluate("salleDemo.timeline.count")).toBe(1);
    await eventually(() => page.textContent("#state")).toContain("press a key");
  });

  test("keys move the hand in their direction, at the task's own speed", async () => {
    const { page, phase, pose } = demo;
    const [before] = await pose("hand");
    const begun = performance.now();
    await hold("ArrowDown", 10);
    const seconds = (performance.now() - begun) / 1000;
    expect(await phase()).toBe("driving");
    expect((await pose("hand"))[0]! - before!).toBeGreaterThan(0.05); // of 12 cm that it was told
    expect(seconds).toBeGreaterThan(0.4); // 10 steps of 0.05 s
    expect(await page.textContent("#state")).toMatch(/ of 6 s/);
  });

  test("backspace discards, and another start comes", async () => {
    const { page, evaluate, become } = demo;
    const seed = await evaluate<number>("salleDemo.seed");
    await page.keyboard.press("Backspace");
    await become("ready");
    expect(await evaluate("salleDemo.seed")).toBe(seed + 1);
    await page.keyboard.press("r");
    await become("ready");
    expect(await evaluate("salleDemo.numEpisodes")).toBe(0);
  });

  test("a cube that keys lifted is saved, and verifies to the bit", async () => {
    const { page, path, evaluate, become, eventually } = demo;
    await evaluate(liftByKeys);
    await become("ended");
    expect(await evaluate("salleDemo.success")).toBe(true);
    await page.keyboard.press("Space");
    await become("ready");
    await eventually(() => page.textContent("#state")).toMatch(
      /saved: \d+ steps, return 1\.00, a success/,
    );
    const { info, actions, recording } = await verifiedEpisode(path);
    expect(info).toMatchObject({ success: true, terminated: true, episodeReturn: 1 });
    expect(new Set(actions).size).toBeGreaterThan(3);
    expect(recording.ending!.terminated).toBe(true);
  });

  test("refuses who has no token, what is too long, and recordings that are none", async () => {
    const { path, problems } = demo;
    const token = new URL(demo.url).searchParams.get("token")!;
    const url = new URL("/api/demo/episodes", demo.url).href;
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
    expect((await fetch(new URL("/api/demo", demo.url))).status).toBe(403);
    expect(new Dataset(path).episodes).toHaveLength(1);
    expect(problems).toEqual([]);
  });
});
