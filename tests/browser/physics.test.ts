import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../../viewer/chromium.ts";
import { describeChromium } from "./describeChromium.ts";
import { type Path, rollOut } from "./physicsLab.ts";
import { type Site, serveSite } from "./site.ts";

// 20,000 physics steps: 4 or 5 a control step.
const length = { numSteps: 4000, every: 500 };

describeChromium("physics in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    site = await serveSite("tests/browser/physicsLab.ts");
    browser = await launchChromium();
    page = await site.open(browser);
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test.each([
    ["ant-run", "simd"],
    ["ant-run", "compat"],
    ["quadruped-walk", "simd"],
    ["humanoid-walk", "simd"],
    ["hopper-hop", "deterministic"],
  ] as const)(
    "%s has the bits of Node, resets and rewards too, in the %s build",
    async (task, build) => {
      const here = await rollOut(task, build, length);
      const argument = JSON.stringify([task, build, length]);
      const there = (await page.evaluate(`rollOut(...${argument})`)) as Path;
      expect(there).toEqual(here);
      expect(new Set(here.hashes).size).toBe(here.hashes.length);
    },
  );
});
