// The page of a running server in headless Firefox, which has no WebGL: all of it but the picture.

import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPoseMailbox, type PoseMailbox } from "../../sim/poseMailbox.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { createVecEnv, type VecEnv } from "../../sim/vecEnv.ts";
import { createTask, taskSource } from "../../tasks/index.ts";
import { startViewer, type Viewer } from "../../viewer/server.ts";
import { Tracer } from "../../viewer/trace.ts";
import { record, runFolder } from "../viewer/folders.ts";
import { describeWith } from "./describeChromium.ts";
import { firefoxMissing } from "./firefox.ts";
import { type DrivenFirefox, driveFirefox } from "./marionette.ts";

const numRobots = 4;

describeWith(firefoxMissing, "a running server's page in Firefox", () => {
  let firefox: DrivenFirefox;
  let viewer: Viewer;
  let env: VecEnv;
  let mailbox: PoseMailbox;
  let timer: NodeJS.Timeout;
  let episode: Uint8Array;
  let root: string;

  beforeAll(async () => {
    episode = await record("hopper", 60);
    root = runFolder("hopping", episode);
    const task = await createTask("hopper");
    mailbox = createPoseMailbox(task, numRobots);
    const source = await taskSource("hopper");
    env = await createVecEnv(source, { numEnvs: numRobots, seed: 1, poses: mailbox.buffer });
    env.reset();
    timer = setInterval(() => void env.step(new Float32Array(numRobots * task.action.size)), 20);
    const live = { run: "hopping", task, mailbox, status: () => "step 7" };
    viewer = await startViewer({ path: root, port: 0, live });
    firefox = await driveFirefox("local");
    await firefox.open(viewer.url);
  });

  afterAll(async () => {
    clearInterval(timer);
    await firefox?.close();
    await viewer?.close();
    env?.dispose();
    rmSync(root, { recursive: true });
  });

  const evaluate = <T>(code: string): Promise<T> => firefox.evaluate(code) as Promise<T>;
  const textOf = (selector: string): Promise<string> =>
    evaluate(`document.querySelector(${JSON.stringify(selector)})?.textContent ?? ""`);

  /** Waits for what a busy machine may take a while to do. */
  function eventually<T>(read: () => Promise<T> | T) {
    return expect.poll(read, { timeout: 30_000 });
  }

  test("connects, and its status line counts the frames that come", async () => {
    await eventually(() => textOf("#state")).toMatch(
      /time-lapse · 4 robots · step 7 · [1-9]\d* Hz/,
    );
    const poses = "Array.from(salle.liveStage.poses ?? [])";
    const before = await evaluate<number[]>(poses);
    expect(before.length).toBe(numRobots * 7 * mailbox.numLinks);
    await eventually(() => evaluate<number[]>(poses)).not.toEqual(before);
    expect(mailbox.watching).toBe(true);
  });

  test("says that it can't draw, where that is so", async () => {
    const draws = "document.createElement('canvas').getContext('webgl2') !== null";
    const hidden = await evaluate<boolean>("document.getElementById('blind').hidden");
    expect(hidden).toBe(await evaluate<boolean>(draws));
  });

  test("has the curves of the run", async () => {
    await evaluate("salle.setView('curves')");
    await eventually(() => textOf("#curves h3")).toBe("a");
    const drawn = "document.querySelectorAll('#curves canvas').length";
    expect(await evaluate(drawn)).toBe(1);
  });

  test("opens an episode of the list and simulates it to the bits of Node", async () => {
    await eventually(() => textOf("#list .files .item")).toBe("eval-1");
    await evaluate("document.querySelector('#list .files .item').click()");
    await eventually(() => textOf("#state")).toMatch(/all \d+ checksums equal/);
    await eventually(() => mailbox.watching).toBe(false);
    const timeline = "salle.episode.timeline";
    const hashes = `Array.from({ length: ${timeline}.count }, (_, i) => ${timeline}.hashAt(i))`;
    const [physics, task] = [await loadPhysics(), await createTask("hopper")];
    const tracer = new Tracer(physics, task, decodeRecording(episode));
    expect(await evaluate(hashes)).toEqual(tracer.advance(1000).hashes);
  });
});
