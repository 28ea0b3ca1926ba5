// The page of demonstrations with a cube to lift, in headless Chromium, and what tests ask of it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { createDemoHost } from "../../cli/demo.ts";
import { Dataset } from "../../finetune/dataset.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { replay } from "../../sim/replay.ts";
import { createTask } from "../../tasks/index.ts";
import { DatasetWriter, infoOfTask } from "../../train/datasetWriter.ts";
import { launchChromium, softwareGl } from "../../viewer/chromium.ts";
import { startViewer } from "../../viewer/server.ts";

export type DemoPage = Awaited<ReturnType<typeof openDemoPage>>;

const usual = { width: 900, height: 600 };

/** Opens the page, in a window of a size, with a script that runs before its own where there is one. */
export async function openDemoPage(viewport = usual, before = "") {
  const folder = mkdtempSync(join(tmpdir(), "salle-demo-"));
  const path = join(folder, "mine");
  const writer = await emptyDataset(path);
  const viewer = await startViewer({ path: folder, port: 0, demo: await host(writer) });
  const browser = await launchChromium(softwareGl);
  const page = await browser.newPage({ viewport });
  const problems = problemsOf(page);
  if (before) await page.addInitScript(before);
  await page.goto(viewer.url.replace("/?", "/demo.html?"));

  const evaluate = <T>(code: string): Promise<T> => page.evaluate(code) as Promise<T>;
  const phase = () => evaluate<string>("salleDemo.phase");
  const eventually = <T>(read: () => Promise<T> | T) => expect.poll(read, { timeout: 60_000 });
  return {
    page,
    url: viewer.url,
    /** Of the dataset. */
    path,
    /** What the page's console had to say. */
    problems,
    evaluate,
    phase,
    eventually,
    become: async (wanted: string) => await eventually(phase).toBe(wanted),
    /** Waits until the episode has so many steps more. */
    async pass(steps: number): Promise<void> {
      const until = (await evaluate<number>("salleDemo.timeline.count")) + steps;
      const isPast = `salleDemo.timeline.count >= ${until} || salleDemo.phase === "ended"`;
      await eventually(() => evaluate<boolean>(isPast)).toBe(true);
    },
    /** Where a link is: position 3, quaternion 4. */
    pose: (link: string) =>
      evaluate<number[]>(`(() => {
        const { timeline } = salleDemo;
        const at = timeline.layout.poses + 7 * timeline.layout.links.indexOf("${link}");
        return Array.from(timeline.row(timeline.count - 1).subarray(at, at + 7));
      })()`),
    async close(): Promise<void> {
      await browser.close();
      await viewer.close();
      writer.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The last episode of a dataset, which is as its recording has it, and whose recording comes again to the bit. */
export async function verifiedEpisode(path: string) {
  const dataset = new Dataset(path);
  const last = dataset.episodes.length - 1;
  const { info, actions } = dataset.episode(last);
  const recording = decodeRecording(dataset.recording(last)!);
  dataset.close();
  expect(info.policy).toBe("demo");
  expect(recording.actions).toEqual(actions);
  const verdict = replay(await loadPhysics(), await createTask("lift-cube"), recording);
  expect(verdict).toMatchObject({ ok: true });
  return { info, actions, recording };
}

async function emptyDataset(path: string): Promise<DatasetWriter> {
  return DatasetWriter.create(path, infoOfTask(await createTask("lift-cube"), {}));
}

async function host(writer: DatasetWriter) {
  const { build, version, wasmHash } = await loadPhysics();
  const physics = { build, version, wasmHash };
  const header = { physics, parameters: {}, policy: "demo", gitCommit: "" };
  return createDemoHost(await createTask("lift-cube"), writer, header, 41, 0);
}

function problemsOf(page: Page): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  return problems;
}
