// The same compiled programs in Node and in headless Chromium, where onnxruntime-web runs them.
//
// Both get the same state, batches and noise, value for value, so they differ only as their engines
// round and order sums.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { zeros } from "../../nn/tree.ts";
import { launchChromium } from "../../viewer/chromium.ts";
import {
  beyond,
  both,
  callsOf,
  compileBoth,
  euclidean,
  type Labs,
  labOf,
  resultsOf,
} from "./compare.ts";
import { describeChromium } from "./describeChromium.ts";
import { createLab, type Lab, programs } from "./lab.ts";
import { type Site, serveSite } from "./site.ts";

describeChromium("a compiled program in Chromium", () => {
  let browser: Browser;
  let site: Site;
  let page: Page; // a fresh one for each test, since a page has one pool of threads
  let labs: Labs;

  beforeAll(async () => {
    browser = await launchChromium();
    site = await serveSite("tests/browser/lab.ts");
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  beforeEach(async () => {
    page = await site.open(browser);
    labs = { inNode: createLab(), inPage: labOf(page) };
  });

  afterEach(() => page.close());

  // Where a unit's input is zero but for rounding, its slope is 0 or 1 as the last bit falls: there the
  // engines part, and Adam carries it along. On four sequences the networks of Node alone ended up to
  // 6e-4 apart when the start was moved by a last bit, and those of Chromium up to 9e-4 from Node's.
  test.each([
    [1, 256],
    [2, 64],
  ])(
    "makes 100 SAC updates with the losses of Node within 1e-4; threads %i, batch %i",
    async (threads, rows) => {
      const [first, ...others] = callsOf("update", rows, 100);
      await compileBoth(labs, "update", rows, { threads });
      const start = await both(labs, [first!]);
      expect(beyond(1e-4, start.got.outputs, start.wanted.outputs)).toEqual([]);
      expect(beyond(1e-4, start.got.state, start.wanted.state, euclidean)).toEqual([]);
      const end = await both(labs, others);
      expect(beyond(1e-4, end.got.outputs, end.wanted.outputs)).toEqual([]);
      const far = beyond(5e-3, end.got.state, end.wanted.state, euclidean);
      expect(far.filter((path) => !path.includes("Optimizer"))).toEqual([]);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    },
  );

  test("makes 100 updates of SAC's critics without kinks as in Node within 1e-4", async () => {
    await compileBoth(labs, "smooth", 256);
    const { got, wanted } = await both(labs, callsOf("smooth", 256, 100));
    expect(beyond(1e-4, got.outputs, wanted.outputs)).toEqual([]);
    expect(beyond(1e-4, got.state, wanted.state)).toEqual([]);
  });

  test("acts as in Node within 1e-5", async () => {
    for (const rows of [1, 64]) {
      await compileBoth(labs, "act", rows);
      const { got, wanted } = await both(labs, callsOf("act", rows, 5));
      expect(beyond(1e-5, got.outputs, wanted.outputs)).toEqual([]);
    }
  });

  test("hands out its state, takes it back and goes on from there", async () => {
    const { inPage } = labs;
    const start = programs.update.state();
    const calls = callsOf("update", 4, 2);
    await inPage.compile("update", 4, start, {});
    expect(beyond(0, await inPage.state(), start)).toEqual([]);
    const moved = await resultsOf(inPage, calls);
    expect(beyond(1e-4, moved.state, start)).not.toEqual([]);
    await inPage.load(start);
    expect(beyond(0, await inPage.state(), start)).toEqual([]);
    const again = await resultsOf(inPage, calls);
    expect(beyond(0, again.outputs, moved.outputs)).toEqual([]);
    expect(beyond(0, again.state, moved.state)).toEqual([]);
  });

  test("says in the page what it says in Node about inputs and states that do not fit", async () => {
    const { observations, ...rest } = callsOf("act", 4, 1)[0]!;
    const { actor } = programs.act.state();
    const state = { actor: { ...actor, layer0: { ...actor["layer0"]!, bias: zeros([3]) } } };
    const mistakes: ((lab: Lab) => Promise<unknown>)[] = [
      (lab) => lab.run([{ ...rest, observations: new Float32Array(5) }]),
      (lab) => lab.run([rest]),
      (lab) => lab.run([{ ...rest, observations: observations!, rewards: new Float32Array(4) }]),
      (lab) => lab.load(state),
    ];
    await compileBoth(labs, "act", 4);
    const { inNode, inPage } = labs;
    for (const mistake of mistakes) {
      const message = await messageOf(mistake(inNode));
      expect(message).toMatch(/"sacAct"/);
      expect(await messageOf(mistake(inPage))).toContain(message);
    }
    const cuda = inPage.compile("act", 4, programs.act.state(), { device: "cuda" });
    expect(await messageOf(cuda)).toMatch(/device "cuda" can't run this program: /);
  });
});

async function messageOf(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(
    () => undefined,
    (error: Error) => error,
  );
  return error?.message ?? "nothing was thrown";
}
