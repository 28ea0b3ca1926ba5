// A policy of two parts in the page: a correction at every step of a base that draws chunks.

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
import { loadPagePolicy } from "../../viewer/pagePolicy.ts";
import { startViewer } from "../../viewer/server.ts";
import { Tracer } from "../../viewer/trace.ts";
import { salle } from "../cli/salle.ts";
import { temporaryFolder, untrainedRun } from "../train/runs.ts";
import { record } from "../viewer/folders.ts";
import { describeChromium } from "./describeChromium.ts";

const numSteps = 8; // of a fork: two chunks of the base
const forkStep = 4;

/** A ResFiT run on a flow that chooses six actions and takes four, with a recorded episode. */
async function makeRun() {
  const sets = ["actorHidden=[16]", "criticHidden=[16]", "seed=2"];
  const { folder } = await untrainedRun(sets, "residual");
  const chunks = ["width=16", "chunkLength=6", "executed=4", "seed=5"];
  await untrainedRun(chunks, "flow", join(folder, "base"));
  const episode = await record("hopper", 30);
  mkdirSync(join(folder, "episodes"), { recursive: true });
  writeFileSync(join(folder, "episodes", "eval-1.rec"), episode);
  return { folder, episode };
}

/** What Node makes of it: hashes of a fork, and what the base would do in each state. */
async function inNode(file: Uint8Array, episode: Uint8Array) {
  const task = await createTask("hopper");
  const tracer = new Tracer(await loadPhysics(), task, decodeRecording(episode));
  tracer.advance(1000);
  const load = () => loadPagePolicy(file, task.observation.size, task.action.size);
  const { actions, ofBase } = tracer.answers(load());
  const fan = tracer.fan(forkStep, load())!;
  tracer.branch(forkStep, { friction: 1, mass: 1, actions: "policy" }, load());
  const { hashes } = tracer.advance(numSteps);
  tracer.free();
  return { hashes, ofBase, fan, first: [...actions].filter((_, i) => i % task.action.size === 0) };
}

async function pagesFork(page: Page): Promise<unknown> {
  const eventually = (code: string) => expect.poll(() => page.evaluate(code), { timeout: 60_000 });
  await eventually("globalThis.salle?.episode?.finished === true").toBe(true);
  const acting = "select[aria-label='Actions of the fork']";
  await eventually(`document.querySelector("${acting}").options.length`).toBe(3);
  await page.selectOption(acting, { index: 2 });
  await page.evaluate(`salle.fork(${forkStep})`);
  await eventually(`salle.episode.fork?.count > ${forkStep + numSteps}`).toBe(true);
  const hashAt = `salle.episode.fork.hashAt(${forkStep + 1} + i)`;
  return await page.evaluate(`Array.from({ length: ${numSteps} }, (_, i) => ${hashAt})`);
}

describeChromium("a correction of a policy of chunks", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(softwareGl);
  });

  afterAll(async () => await browser?.close());

  test("acts in a fork with the bits of Node; against it stands its base", async () => {
    const { folder, episode } = await makeRun();
    const wanted = await inNode(await policyOf(folder, 7), episode);
    expect(wanted.ofBase).toBe(true);
    const viewer = await startViewer({ path: folder, port: 0, policyOf });
    const page = await browser.newPage({ viewport: { width: 480, height: 480 } });
    try {
      await page.goto(viewer.url);
      const eventually = (code: string) =>
        expect.poll(() => page.evaluate(code), { timeout: 60_000 });
      await eventually("globalThis.salle?.episode?.finished === true").toBe(true);
      await eventually("document.querySelector('.against select').options.length").toBe(2);
      await page.selectOption(".against select", { index: 1 });
      const lines =
        "salle.panel.signals.drawn.slice(-2).map(({ plot }) => Array.from(plot.data[1]))";
      const asked = async () => ((await page.evaluate(lines)) as number[][])[0]!;
      const base = wanted.first.slice(0, -1); // the last state is acted on by nobody
      await expect.poll(async () => (await asked()).length, { timeout: 60_000 }).toBe(base.length);
      expect(await asked()).toEqual(base);
      expect(await page.textContent("#panel")).toContain("base of residual seed 2, step 7");
      // While the episode stands still: where each of the flow's four steps would lead from here.
      await page.evaluate("salle.player.playing = false");
      await page.evaluate(`salle.player.time = ${forkStep} * salle.episode.facts.controlDt + 1e-6`);
      const fan =
        "salle.theatre.overlays.fan.children.map(({ geometry }) => Array.from(geometry.attributes.position.array))";
      expect(wanted.fan.paths).toHaveLength(4);
      await eventually(fan).toEqual(wanted.fan.paths.map((path) => [...path]));
      expect(await pagesFork(page)).toEqual(wanted.hashes);
      await eventually(`${fan}.length`).toBe(0);
    } finally {
      await page.close();
      await viewer.close();
    }
  });

  test("is in the page that is exported, with its base", async () => {
    const { folder, episode } = await makeRun();
    const { hashes } = await inNode(await policyOf(folder, 7), episode);
    const html = join(temporaryFolder(), "run.html");
    const { code, errors } = await salle("export", folder, "--html", "--out", html);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    const page = await browser.newPage({ viewport: { width: 480, height: 320 } });
    await page.context().setOffline(true);
    try {
      await page.goto(pathToFileURL(html).href);
      expect(await pagesFork(page)).toEqual(hashes);
    } finally {
      await page.context().setOffline(false);
      await page.close();
    }
  });
});
