// Policies that act in the page: from a server's run, and in a file with the network off.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policyOf } from "../../cli/policyChild.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { createTask } from "../../tasks/index.ts";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { loadPolicyGraph } from "../../viewer/policyGraph.ts";
import { startViewer } from "../../viewer/server.ts";
import { Tracer } from "../../viewer/trace.ts";
import { salle } from "../cli/salle.ts";
import { untrainedRun } from "../train/runs.ts";
import { record } from "../viewer/folders.ts";
import { describeChromium } from "./describeChromium.ts";

const numSteps = 8; // of a fork
const forkStep = 4;

/** A run with a policy and a recorded episode. */
async function makeRun() {
  const { folder } = await untrainedRun(["normalizer=running", "actorHidden=[24, 16]"]);
  const episode = await record("hopper", 30);
  mkdirSync(join(folder, "episodes"), { recursive: true });
  writeFileSync(join(folder, "episodes", "eval-1.rec"), episode);
  return { folder, episode };
}

/** Hashes of a fork under the policy, as Node computes them from the policy's file. */
async function nodesFork(file: Uint8Array, episode: Uint8Array): Promise<readonly string[]> {
  const task = await createTask("hopper");
  const tracer = new Tracer(await loadPhysics(), task, decodeRecording(episode));
  tracer.advance(1000);
  const policy = loadPolicyGraph(file, task.observation.size, task.action.size);
  tracer.branch(forkStep, { friction: 1, mass: 1, actions: "policy" }, policy);
  return tracer.advance(numSteps).hashes;
}

/** Lets the open page's first policy act from a step on, with another beside it; both forks' hashes. */
async function pagesForks(page: Page): Promise<{ fork: string[]; rival: string[] }> {
  const eventually = (code: string) => expect.poll(() => page.evaluate(code), { timeout: 60_000 });
  await eventually("globalThis.salle?.episode?.finished === true").toBe(true);
  await eventually("document.querySelector('select[aria-label^=Actions]').options.length").toBe(3);
  await page.selectOption("select[aria-label^=Actions]", { index: 2 });
  await page.selectOption("select[aria-label^=Beside]", { index: 1 });
  await page.evaluate(`salle.fork(${forkStep})`);
  await eventually(`salle.episode.fork?.count > ${forkStep + numSteps}`).toBe(true);
  await eventually(`salle.duel.timeline?.count > ${forkStep + numSteps}`).toBe(true);
  const hashes = (of: string) =>
    page.evaluate(
      `Array.from({ length: ${numSteps} }, (_, i) => ${of}.hashAt(${forkStep + 1} + i))`,
    ) as Promise<string[]>;
  expect(await page.textContent("#state")).toMatch(/sac seed \d+, step 7 acts .* grey: sac/);
  return { fork: await hashes("salle.episode.fork"), rival: await hashes("salle.duel.timeline") };
}

describeChromium("a policy in the page", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(softwareGl);
  });

  afterAll(async () => await browser?.close());

  test("goes on from a step of a recorded episode with the bits of Node, beside another", async () => {
    const { folder, episode } = await makeRun();
    const wanted = await nodesFork(await policyOf(folder, 7), episode);
    const viewer = await startViewer({ path: folder, port: 0, policyOf });
    const page = await browser.newPage({ viewport: { width: 480, height: 320 } });
    try {
      await page.goto(viewer.url);
      const { fork, rival } = await pagesForks(page);
      expect(fork).toEqual(wanted);
      expect(rival).toEqual(wanted); // the same policy from the same instant
      const missing = await fetch(`${viewer.url}api/policies/0123456789ab/7`);
      expect(missing.status).toBe(404);
    } finally {
      await page.close();
      await viewer.close();
    }
  });

  test("does so in a file with the network off", async () => {
    const { folder, episode } = await makeRun();
    const file = join(folder, "page.html");
    const { output, errors } = await salle("export", "--html", folder, "--out", file);
    expect(errors).toBe("");
    expect(output).toContain("policy of step 7");
    const context = await browser.newContext({
      offline: true,
      viewport: { width: 480, height: 320 },
    });
    const page = await context.newPage();
    await page.goto(pathToFileURL(file).href);
    const { fork } = await pagesForks(page);
    expect(fork).toEqual(await nodesFork(await policyOf(folder, 7), episode));
    await context.close();
  });
});
