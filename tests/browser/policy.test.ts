// An exported policy in headless Chromium, where onnxruntime-web runs the file as any page could.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadPolicy } from "../../train/policy.ts";
import { policyMetadata, policyOnnx } from "../../train/policyFile.ts";
import { launchChromium } from "../../viewer/chromium.ts";
import { observationRows, untrainedRun } from "../train/runs.ts";
import { describeChromium } from "./describeChromium.ts";
import { type Site, serveSite } from "./site.ts";

type Act = (file: number[], obs: number[], numRows: number) => Promise<number[]>;

describeChromium("an exported policy in Chromium", () => {
  let browser: Browser;
  let site: Site;

  beforeAll(async () => {
    browser = await launchChromium();
    site = await serveSite("tests/browser/policyLab.ts");
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test("acts as the trainer's policy does within 1e-5", async () => {
    const run = await untrainedRun(["normalizer=running", "actorHidden=[24, 16]"]);
    const numRows = 32;
    const policy = await loadPolicy(run.folder, "last", { numRows });
    const rows = observationRows(numRows, policy.task.observation.size);
    const { bytes } = await policyOnnx(policy, policyMetadata(policy));
    const wanted = await policy.act(rows);
    const page = await site.open(browser);
    const got = await page.evaluate(
      ([file, obs, count]) => (globalThis as unknown as { act: Act }).act(file, obs, count),
      [[...bytes], [...rows], numRows] as Parameters<Act>,
    );
    expect(got).toHaveLength(wanted.length);
    const worst = wanted.reduce((most, x, i) => Math.max(most, Math.abs(x - got[i]!)), 0);
    expect(worst).toBeLessThan(1e-5);
    expect(Math.max(...got) - Math.min(...got)).toBeGreaterThan(1e-4); // they say something
    await policy.dispose();
  });
});
