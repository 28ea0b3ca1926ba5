// The same bits in Node, Chromium and Firefox: 20,000 physics steps of walkers and of a hand, and recordings.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { worldHash } from "../../sim/checksum.ts";
import { Envs } from "../../sim/env.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { RecordingWriter } from "../../sim/recording.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask } from "../../tasks/index.ts";
import { launchChromium } from "../../viewer/chromium.ts";
import { describeChromium, describeWith } from "./describeChromium.ts";
import { type FirefoxPage, firefoxMissing, openFirefox } from "./firefox.ts";
import { grip, type Path, rollOut } from "./physicsLab.ts";
import { type Site, serveSite } from "./site.ts";

const length = { numSteps: 4000, every: 500 }; // 4 or 5 physics steps each
const gripLength = { numSteps: 20_000, every: 2500 };

/** Calls a function of physicsLab.ts in the page under test. */
type Call = (name: string, ...args: unknown[]) => Promise<unknown>;

let site: Site;
beforeAll(async () => {
  site = await serveSite("tests/browser/physicsLab.ts");
});
afterAll(() => site?.close());

const known = new Map<string, Promise<Path>>();

/** What Node gives; computed once for both browsers. */
function inNode(key: string, compute: () => Promise<Path>): Promise<Path> {
  const path = known.get(key) ?? compute();
  known.set(key, path);
  return path;
}

/** What a page must give, whichever browser shows it. */
function testPage(call: Call): void {
  test.each([
    ["ant-run", "simd"],
    ["ant-run", "compat"],
    ["quadruped-walk", "simd"],
    ["humanoid-walk", "simd"],
    ["hopper-hop", "deterministic"],
  ] as const)(
    "%s has the bits of Node, resets and rewards too, in the %s build",
    async (task, build) => {
      const here = await inNode(task + build, () => rollOut(task, build, length));
      expect(await call("rollOut", task, build, length)).toEqual(here);
      expect(new Set(here.hashes).size).toBe(here.hashes.length);
    },
  );

  test("a hand that grips has the bits of Node", async () => {
    const here = await inNode("grip", () => grip("simd", gripLength));
    expect(await call("grip", "simd", gripLength)).toEqual(here);
    expect(new Set(here.hashes).size).toBe(here.hashes.length);
  });

  test("a recording made in Node verifies, and not with another action in it", async () => {
    const bytes = await record("ant-run", 1);
    expect(await call("verify", [...bytes])).toMatchObject({ ok: true, mismatch: null });
    const other = await record("ant-run", 0.999);
    expect(await call("verify", [...other])).toMatchObject({ ok: false, firstMismatchStep: 10 });
  });
}

/** An episode's bytes; its actions are `factor` times those that the checksums come from. */
async function record(taskName: string, factor: number): Promise<Uint8Array> {
  const physics = await loadPhysics();
  const { build, version, wasmHash } = physics;
  const task = await createTask(taskName);
  const envs = new Envs(physics, task, { seed: 3 });
  envs.reset();
  const header = { task: task.id, parameters: {}, physics: { build, version, wasmHash }, seed: 3 };
  const rest = { slot: 0, actionSize: task.action.size, policy: "random", gitCommit: "" };
  const writer = new RecordingWriter({ ...header, ...rest }, { type: "seed" });
  const rng = createRng(3);
  for (let step = 0; step < 1000; step++) {
    if (step % 10 === 0) writer.checksum(worldHash(envs.simulation.worlds[0]!));
    const action = Float32Array.from({ length: task.action.size }, () => 2 * rng.uniform() - 1);
    const out = envs.step(action);
    writer.add(
      action.map((value) => factor * value),
      out.rewards[0]!,
    );
    const [terminated, truncated] = [out.terminated[0] === 1, out.truncated[0] === 1];
    if (!terminated && !truncated) continue;
    writer.end({ terminated, truncated });
    break;
  }
  envs.free();
  return writer.take();
}

describeChromium("physics in Chromium", () => {
  let browser: Browser;
  let call: Call;
  beforeAll(async () => {
    browser = await launchChromium();
    const page = await site.open(browser);
    call = (name, ...args) => page.evaluate(`${name}(...${JSON.stringify(args)})`);
  });
  afterAll(() => browser?.close());
  testPage((...given) => call(...given));
});

describeWith(firefoxMissing, "physics in Firefox", () => {
  let page: FirefoxPage;
  beforeAll(async () => {
    page = await openFirefox(site);
  });
  afterAll(() => page?.close());
  testPage((...given) => page.call(...given));
});
