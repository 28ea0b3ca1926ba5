// Policies that act in the page: from a server's run, and in a file with the network off.

import { cpSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policyOf } from "../../cli/policyChild.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { startReplay } from "../../sim/replay.ts";
import { createTask } from "../../tasks/index.ts";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { loadPagePolicy } from "../../viewer/pagePolicy.ts";
import { startViewer } from "../../viewer/server.ts";
import { Tracer } from "../../viewer/trace.ts";
import { salle } from "../cli/salle.ts";
import { temporaryFolder, untrainedRun } from "../train/runs.ts";
import { record } from "../viewer/folders.ts";
import { describeChromium } from "./describeChromium.ts";

const numSteps = 8; // of a fork
const forkStep = 4;

/** A run with a policy and a recorded episode. */
async function makeRun(seed = 1) {
  const sets = ["normalizer=running", "actorHidden=[24, 16]", `train.seed=${seed}`];
  const { folder } = await untrainedRun(sets);
  const episode = await record("hopper", 30);
  mkdirSync(join(folder, "episodes"), { recursive: true });
  writeFileSync(join(folder, "episodes", "eval-1.rec"), episode);
  return { folder, episode };
}

/** Hashes of a fork under the policy, as Node computes them from the policy's file. */
async function nodesFork(
  file: Uint8Array,
  episode: Uint8Array,
  count = numSteps,
): Promise<readonly string[]> {
  const task = await createTask("hopper");
  const tracer = new Tracer(await loadPhysics(), task, decodeRecording(episode));
  tracer.advance(1000);
  const policy = loadPagePolicy(file, task.observation.size, task.action.size);
  tracer.branch(forkStep, { friction: 1, mass: 1, actions: "policy" }, policy);
  return tracer.advance(count).hashes;
}

/** Two runs with policies of their own, in a folder of runs; the second is the newer one. */
async function makeRuns() {
  const made = [await makeRun(1), await makeRun(2)];
  const root = temporaryFolder();
  const folders = made.map(({ folder }, i) => {
    const path = join(root, `run-${i}`);
    cpSync(folder, path, { recursive: true });
    utimesSync(path, 1e9 + i, 1e9 + i);
    return path;
  });
  const [first = "", second = ""] = folders;
  return { root, first, second, episode: made[0]!.episode };
}

const hashesOf = (of: string, count = numSteps): string =>
  `Array.from({ length: ${count} }, (_, i) => ${of}.hashAt(${forkStep + 1} + i))`;

/** Drags the robot across the picture with the mouse. */
async function drag(page: Page): Promise<void> {
  const box = (await page.locator("#canvas").boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const found = `(() => {
    const { theatre } = salle;
    const [x, y, z] = theatre.poses;
    const at = theatre.hall.rig.target.clone().set(x, y, z).project(theatre.hall.rig.camera);
    return [at.x, at.y];
  })()`;
  const [across = 0, up = 0] = (await page.evaluate(found)) as number[];
  await page.mouse.move(x + (across * box.width) / 2, y - (up * box.height) / 2);
  await page.mouse.down();
  await page.mouse.move(x, y - 0.4 * box.height, { steps: 5 });
}

/** Lets the open page's first policy act from a step on, with another beside it; both forks' hashes. */
async function pagesForks(page: Page): Promise<{ fork: string[]; rival: string[] }> {
  const eventually = (code: string) => expect.poll(() => page.evaluate(code), { timeout: 60_000 });
  await eventually("globalThis.salle?.episode?.finished === true").toBe(true);
  const acting = "select[aria-label='Actions of the fork']";
  await eventually(`document.querySelector("${acting}").options.length`).toBe(3);
  await page.selectOption(acting, { index: 2 });
  await page.selectOption("select[aria-label^=Beside]", { index: 1 });
  await page.evaluate(`salle.fork(${forkStep})`);
  await eventually(`salle.episode.fork?.count > ${forkStep + numSteps}`).toBe(true);
  await eventually(`salle.duel.timeline?.count > ${forkStep + numSteps}`).toBe(true);
  expect(await page.textContent("#state")).toMatch(/sac seed \d+, step 7 acts .* grey: sac/);
  return {
    fork: (await page.evaluate(hashesOf("salle.episode.fork"))) as string[],
    rival: (await page.evaluate(hashesOf("salle.duel.timeline"))) as string[],
  };
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

  test("of another run goes beside it from the same instant, and they can be swapped", async () => {
    const { root, first, second, episode } = await makeRuns();
    const wanted = [
      await nodesFork(await policyOf(second, 7), episode),
      await nodesFork(await policyOf(first, 7), episode),
    ];
    expect(wanted[0]).not.toEqual(wanted[1]);
    const viewer = await startViewer({ path: root, port: 0, policyOf });
    const page = await browser.newPage({ viewport: { width: 480, height: 320 } });
    const eventually = (code: string) =>
      expect.poll(() => page.evaluate(code), { timeout: 60_000 });
    const both = async () => [
      await page.evaluate(hashesOf("salle.episode.fork")),
      await page.evaluate(hashesOf("salle.duel.timeline")),
    ];
    const there = `Math.min(salle.episode.fork?.count ?? 0, salle.duel.timeline?.count ?? 0) > ${forkStep + numSteps}`;
    try {
      await page.goto(viewer.url);
      await eventually("globalThis.salle?.episode?.finished === true").toBe(true);
      await page.selectOption('select[aria-label="Actions of the fork"]', {
        label: "sac seed 2, step 7",
      });
      await page.selectOption("select[aria-label^=Beside]", { label: "sac seed 1, step 7" });
      await page.evaluate(`salle.fork(${forkStep})`);
      await eventually(there).toBe(true);
      expect(await both()).toEqual(wanted);
      await page.evaluate("document.querySelector('.fork button').click()");
      await eventually("salle.panel.rival.label").toBe("sac seed 2, step 7");
      await eventually(there).toBe(true);
      await expect.poll(both, { timeout: 60_000 }).toEqual(wanted.reverse());
    } finally {
      await page.close();
      await viewer.close();
    }
  });

  test("is asked what it would have done in each state, and plots that and the difference", async () => {
    const { folder, episode } = await makeRun();
    const task = await createTask("hopper");
    const recording = decodeRecording(episode);
    const file = await policyOf(folder, 7);
    const policy = loadPagePolicy(file, task.observation.size, task.action.size);
    const envs = startReplay(await loadPhysics(), task, recording, { autoReset: false });
    const { size } = task.action;
    const wanted: number[] = [];
    for (let at = 0; at < recording.actions.length; at += size) {
      wanted.push(policy.act(envs.out.observations)[0]!);
      envs.step(recording.actions.subarray(at, at + size));
    }
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
      await eventually(`${lines}[1].length`).toBe(wanted.length);
      await eventually(`${lines}[0].length`).toBe(wanted.length);
      const [asked, rest] = (await page.evaluate(lines)) as number[][];
      expect(asked).toEqual(wanted);
      const done = wanted.map((_, k) => recording.actions[k * size]!);
      expect(rest).toEqual(done.map((value, k) => value - wanted[k]!));
      expect(await page.textContent("#panel")).toContain("Actions of sac seed 1, step 7");
      await page.selectOption(".against select", { index: 0 });
      await eventually("salle.panel.signals.drawn.length").toBe(5);
    } finally {
      await page.close();
      await viewer.close();
    }
  });

  test("and the one beside it are pushed alike by the mouse", async () => {
    const { folder, episode } = await makeRun();
    const viewer = await startViewer({ path: folder, port: 0, policyOf });
    const page = await browser.newPage({ viewport: { width: 480, height: 320 } });
    try {
      await page.goto(viewer.url);
      await pagesForks(page); // one policy twice
      await page.evaluate("salle.player.playing = false; salle.fork(4); salle.player.speed = 0.5");
      await expect.poll(() => page.evaluate("salle.theatre.grabbable")).toBe(true);
      await drag(page);
      const count = "salle.duel.timeline?.count ?? 0";
      await expect.poll(() => page.evaluate(count), { timeout: 60_000 }).toBeGreaterThan(40);
      await page.mouse.up();
      const numRows = 30;
      const fork = await page.evaluate(hashesOf("salle.episode.fork", numRows));
      expect(await page.evaluate(hashesOf("salle.duel.timeline", numRows))).toEqual(fork);
      const still = await nodesFork(await policyOf(folder, 7), episode, numRows);
      expect(fork).not.toEqual(still);
      expect(await page.textContent("#state")).toContain("push both alike");
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
