// A run as one HTML file, opened from file:// with the network off, in Chromium and in Firefox.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { createTask } from "../../tasks/index.ts";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { Tracer } from "../../viewer/trace.ts";
import { salle } from "../cli/salle.ts";
import { record } from "../viewer/folders.ts";
import { describeChromium, describeWith } from "./describeChromium.ts";
import { firefoxMissing } from "./firefox.ts";
import { type DrivenFirefox, driveFirefox } from "./marionette.ts";

const evil =
  '</script><script>document.title="owned"</script><img src=x onerror="document.title=1">';
const name = 'a <b>run</b> "跳" &amp; <img src=x onerror=document.title=1>';
const small = { width: 480, height: 320 } as const; // pixels: software draws them
const changes = { friction: 0.5, mass: 1.3, actions: "recorded" } as const;
const folder = mkdtempSync(join(tmpdir(), "salle-share-"));
const file = join(folder, "page.html");
let episode: Uint8Array;

beforeAll(async () => {
  episode = await record("hopper", 60);
  const run = join(folder, name);
  mkdirSync(join(run, "episodes"), { recursive: true });
  const config = { task: evil, algorithm: evil, train: { seed: 7 } };
  writeFileSync(join(run, "config.yaml"), JSON.stringify(config));
  const rows = [1, 2, 3].map((step) => `${JSON.stringify({ step, [evil]: step })}\n`);
  writeFileSync(join(run, "metrics.jsonl"), rows.join(""));
  writeFileSync(join(run, "episodes", "eval-1.rec"), episode);
  const { code, output, errors } = await salle("export", "--html", run, "--out", file);
  expect(errors).toBe("");
  expect(code).toBe(0);
  expect(output).toMatch(/wrote .*page.html: 1 recordings, [12]\.\d MB/);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What Node computes: the recording's hashes, and those of a fork of step 9 with a push. */
async function nodesHashes() {
  const tracer = new Tracer(
    await loadPhysics(),
    await createTask("hopper"),
    decodeRecording(episode),
  );
  const recorded = tracer.advance(1000).hashes;
  tracer.branch(9, changes);
  tracer.push(0, [3, 0, 1]);
  return { recorded, forked: tracer.advance(8).hashes };
}

const shownHashes = `(() => {
  const { timeline } = salle.episode;
  return Array.from({ length: timeline.count }, (_, step) => timeline.hashAt(step));
})()`;
const fork = `(() => {
  salle.panel.changes = ${JSON.stringify(changes)};
  salle.fork(9);
  salle.player.playing = false;
  salle.episode.push(0, [3, 0, 1]);
  salle.episode.advanceFork(17);
})()`;

/** Simulates the page's episode and a fork of it, and compares all with Node; the page is open. */
async function expectNodesBits(evaluate: (code: string) => Promise<unknown>): Promise<void> {
  const eventually = (code: string) => expect.poll(() => evaluate(code), { timeout: 30_000 });
  await eventually("globalThis.salle?.episode?.finished === true").toBe(true);
  const { recorded, forked } = await nodesHashes();
  expect(await evaluate(shownHashes)).toEqual(recorded);
  await evaluate(fork);
  await eventually("salle.episode.timeline.count").toBe(18);
  expect(((await evaluate(shownHashes)) as string[]).slice(10)).toEqual(forked);
  expect(await evaluate("document.title")).toBe("Salle");
  expect(await evaluate("document.querySelectorAll('img, [onerror]').length")).toBe(0);
}

describeChromium("a run as a file in Chromium", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(softwareGl);
  });

  afterAll(async () => await browser?.close());

  test("plays and forks with the bits of Node, asks for nothing, and runs no run's words", async () => {
    const context = await browser.newContext({ offline: true, viewport: small });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await expectNodesBits((code) => page.evaluate(code));
    expect(await page.textContent("#list")).toContain(evil);
    await page.evaluate("salle.setView('curves')");
    await expect.poll(() => page.textContent("#curves h3"), { timeout: 30_000 }).toBe(evil);
    const elsewhere = requests.slice(1).filter((url) => !/^(blob|data):/.test(url));
    expect(elsewhere).toEqual([]);
    expect(problems).toEqual([]);
  });

  test("runs no script that was put into the file afterwards", async () => {
    const html = readFileSync(file, "utf8");
    const changed = join(folder, "changed.html");
    const script = "<script>globalThis.intruded = true</script>";
    writeFileSync(changed, html.replace("</body>", `${script}</body>`));
    const page = await browser.newPage({ viewport: small });
    await page.goto(pathToFileURL(changed).href);
    const unpacked = () => page.evaluate("globalThis.salleShared !== undefined");
    await expect.poll(unpacked, { timeout: 30_000 }).toBe(true);
    expect(await page.evaluate("globalThis.intruded")).toBeUndefined();
  });
});

describeWith(firefoxMissing, "a run as a file in Firefox", () => {
  let firefox: DrivenFirefox;

  beforeAll(async () => {
    firefox = await driveFirefox();
  });

  afterAll(async () => await firefox?.close());

  test("simulates and forks with the bits of Node, and says where it can't draw", async () => {
    await firefox.open(pathToFileURL(file).href);
    await expectNodesBits((code) => firefox.evaluate(code));
    const draws = "document.createElement('canvas').getContext('webgl2') !== null";
    const said = "document.getElementById('blind').textContent";
    if (await firefox.evaluate(draws)) expect(await firefox.evaluate(said)).toBe("");
    else expect(await firefox.evaluate(said)).toContain("no WebGL");
  });
});
