// A dataset in the viewer: its episodes are listed, simulated again to the bit, and a policy's actions at
// the recorded states are drawn beside the recorded ones.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { predictingCarry } from "../../cli/dataReplay.ts";
import { Dataset } from "../../finetune/dataset.ts";
import { loadPolicy, type Policy } from "../../train/policy.ts";
import { predictActions, predictedRows } from "../../train/predict.ts";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { startViewer, type Viewer } from "../../viewer/server.ts";
import { salleIn } from "../cli/salle.ts";
import { untrainedRun } from "../train/runs.ts";
import { describeChromium } from "./describeChromium.ts";

describeChromium("a dataset in the viewer", () => {
  let browser: Browser;
  let viewer: Viewer;
  let page: Page;
  let policy: Policy;
  let dataset: Dataset;
  const folder = mkdtempSync(join(tmpdir(), "salle-replay-"));
  const problems: string[] = [];

  beforeAll(async () => {
    const args = ["collect", "hopper", "--out", "hops", "--episodes"];
    expect((await salleIn(folder, ...args, "2", "--agent", "zero")).errors).toBe("");
    expect((await salleIn(folder, ...args, "3", "--agent", "random", "--append")).errors).toBe("");
    dataset = new Dataset(join(folder, "hops"));
    const run = await untrainedRun(
      ["actorHidden=[16]", "normalizer=running"],
      "sac",
      join(folder, "a-run"),
    );
    policy = await loadPolicy(run.folder, "last", { numRows: predictedRows });
    const carry = predictingCarry(dataset, policy, "<i>my run</i>");
    viewer = await startViewer({ path: join(folder, "hops"), port: 0, carry });
    browser = await launchChromium(softwareGl);
    page = await browser.newPage({ viewport: { width: 1200, height: 720 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    await page.goto(viewer.url);
  });

  afterAll(async () => {
    await browser?.close();
    await viewer?.close();
    await policy?.dispose();
    dataset?.close();
    rmSync(folder, { recursive: true });
    expect(problems).toEqual([]);
  });

  const evaluate = <T>(code: string): Promise<T> => page.evaluate(code) as Promise<T>;
  const eventually = <T>(read: () => Promise<T> | T) => expect.poll(read, { timeout: 30_000 });
  const finished = () => evaluate("globalThis.salle?.episode?.finished === true");

  test("lists its episodes with length and return, and opens the last one", async () => {
    await eventually(finished).toBe(true);
    const list = (await page.textContent("#list"))!;
    for (const [index, { length, policy: who }] of dataset.episodes.entries())
      expect(list).toContain(`${index}: ${who}, ${length} steps, return `);
    expect(list).toContain("dataset");
    expect(await evaluate("salle.episode.facts.numSteps")).toBe(dataset.episodes.at(-1)!.length);
  });

  test("an episode that is chosen matches its recording to the bit", async () => {
    await page.click('#list button:has-text("1: zero")');
    const { length } = dataset.episodes[1]!;
    await eventually(() => evaluate("salle.episode?.facts?.numSteps")).toBe(length);
    await eventually(finished).toBe(true);
    expect(await evaluate("salle.episode.mismatch")).toBeNull();
    expect(await evaluate<number>("salle.episode.numVerified")).toBeGreaterThan(0);
  });

  test("draws the policy's actions, and what was done less those, state by state", async () => {
    const of = (title: string) =>
      `salle.panel.signals.drawn.find(({ title }) => title === ${JSON.stringify(title)})?.plot`;
    await page.click('#list button:has-text("3: random")');
    const { length } = dataset.episodes[3]!;
    const [theirs, less] = [of("Actions of <i>my run</i>"), of("Actions less those")];
    await eventually(() => evaluate(`${less}?.data[0].length`)).toBe(length);
    const lines = (plot: string) =>
      evaluate<number[][]>(`${plot}.data.slice(1).map((line) => Array.from(line))`);
    const { actions, observations } = dataset.episode(3);
    const predicted = await predictActions(policy, observations);
    const columns = (numbers: Float32Array) =>
      [0, 1, 2].map((i) => Array.from(numbers).filter((_, at) => at % 3 === i));
    await eventually(() => lines(theirs)).toEqual(columns(predicted));
    const [done, wanted] = [columns(actions), columns(predicted)];
    expect(await lines(less)).toEqual(
      done.map((column, i) => column.map((value, t) => value - wanted[i]![t]!)),
    );
    expect(await page.textContent("#panel")).toContain("Actions of <i>my run</i>"); // as text
  });

  test("a prediction is the policy's answer to that state alone", async () => {
    const { observations, info } = dataset.episode(0);
    const predicted = await predictActions(policy, observations);
    const rows = new Float32Array(predictedRows * 11);
    const t = info.length - 1;
    rows.set(observations.subarray(t * 11, (t + 1) * 11), 33);
    const alone = await policy.act(rows, new Uint8Array(predictedRows).fill(1));
    expect(alone.slice(9, 12)).toEqual(predicted.slice(3 * t));
    expect(predicted).toHaveLength(3 * info.length);
  });
});
