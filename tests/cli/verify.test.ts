import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { concatBytes } from "../../sim/chunks.ts";
import { Envs } from "../../sim/env.ts";
import { EpisodeRecorder } from "../../sim/episodeRecorder.ts";
import { loadPhysics, type PhysicsBuild, physicsBuilds } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { encodeRecording, type Recording } from "../../sim/recording.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask } from "../../tasks/index.ts";
import { salle } from "./salle.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-verify-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two episodes of one robot of three, falling under random actions. */
async function record(build: PhysicsBuild, name: string, level: number): Promise<Uint8Array[]> {
  const { version, wasmHash, ...physics } = await loadPhysics(build);
  const task = await createTask(name);
  const envs = new Envs({ ...physics, version, wasmHash }, task, { numEnvs: 3, seed: 4 });
  if (task.hasLevels) envs.setLevel(level);
  envs.reset();
  const physicsVersion = { build, version, wasmHash };
  const recorder = new EpisodeRecorder(envs, {
    header: { physics: physicsVersion, parameters: {}, seed: 4, policy: "x", gitCommit: "y" },
    envs: [1],
    checksumEvery: 5,
  });
  recorder.begin();
  const episodes: Uint8Array[] = [];
  const rng = createRng(1);
  while (episodes.length < 2) {
    const actions = Float32Array.from({ length: 3 * task.action.size }, () => rng.normal());
    envs.step(actions);
    episodes.push(...recorder.add(actions).map(({ bytes }) => bytes));
  }
  recorder.dispose();
  envs.free();
  return episodes;
}

let episodes: Uint8Array[];
beforeAll(async () => {
  episodes = await record("simd", "hopper-hop", 1);
});

function write(name: string, ...parts: readonly Uint8Array[]): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, concatBytes(parts));
  return file;
}

function changed(change: (recording: Recording) => Recording): Uint8Array {
  return encodeRecording(change(decodeRecording(episodes[0]!)));
}

test("a run's episodes of all builds and of a level match to the bit", async () => {
  write("run/episodes/hopper.rec", ...episodes);
  for (const build of physicsBuilds.slice(1))
    write(`run/episodes/${build}.rec`, ...(await record(build, "humanoid-walk", 0.5)));
  const { code, output } = await salle("verify", join(folder, "run"));
  expect(output).toContain("6 of 6 episodes match to the bit.");
  expect(output).toMatch(/✓ .*hopper\.rec #1: hopper-hop-v0, \d+ steps, return [-\d.]+: matches/);
  expect(code).toBe(0);
});

test("a changed return, action and level are found, and the rest still told", async () => {
  const better = changed((recording) => {
    const { ending } = recording;
    return { ...recording, ending: { ...ending!, episodeReturn: ending!.episodeReturn + 1e-9 } };
  });
  const other = changed((recording) => {
    return { ...recording, actions: recording.actions.map((u, i) => (i === 1 ? 0.5 * u : u)) };
  });
  const file = write("claims.rec", better, other, episodes[1]!);
  const { code, output } = await salle("verify", "--json", file);
  expect(code).toBe(1);
  const { verdicts, problems } = JSON.parse(output);
  expect(problems).toEqual([]);
  expect(verdicts.map(({ ok }: { ok: boolean }) => ok)).toEqual([false, false, true]);
  expect(verdicts[0].problem).toContain("episodeReturn is");
  expect(verdicts[1].problem).toMatch(/after step 5: the state has checksum \w+, recorded \w+/);
});

test("other physics, unknown tasks and builds are named", async () => {
  const header = (change: object) =>
    changed((recording) => ({ ...recording, header: { ...recording.header, ...change } }));
  const { physics } = decodeRecording(episodes[0]!).header;
  const file = write(
    "foreign.rec",
    header({ physics: { ...physics, wasmHash: "abcd" } }),
    header({ physics: { ...physics, build: "fast" } }),
    header({ task: "hoper-hop-v0" }),
    header({ actionSize: 1 }),
  );
  const { code, output } = await salle("verify", file);
  expect(code).toBe(1);
  expect(output).toContain("recorded with physics wasmHash abcd, got ");
  expect(output).toContain('unknown physics build "fast"; known: simd, compat, deterministic');
  expect(output).toContain('unknown task "hoper-hop-v0"; did you mean "hopper-hop-v0"?');
  expect(output).toContain("recorded with actions of 1 numbers, task takes 3");
  expect(output).toContain("0 of 4 episodes match");
});

test("cut, corrupt, empty and foreign files fail, with what is whole still told", async () => {
  const [first, second] = episodes as [Uint8Array, Uint8Array];
  const damaged = second.slice();
  damaged[damaged.length - 3]! ^= 4;
  const files = [
    write("cut.rec", first, second.subarray(0, second.length - 9)),
    write("damaged.rec", first, damaged),
    write("empty.rec"),
    write("text.rec", new TextEncoder().encode("this is no recording")),
  ];
  const { code, output } = await salle("verify", ...files);
  expect(code).toBe(1);
  expect(output).toMatch(/✗ .*cut\.rec: byte \d+: cut: chunk DONE takes/);
  expect(output).toMatch(/✗ .*damaged\.rec: byte \d+: corrupt: chunk DONE has CRC-32/);
  expect(output).toMatch(/✗ .*empty\.rec: is empty, expected a recording/);
  expect(output).toMatch(/✗ .*text\.rec: byte 0: expected a recording's first bytes/);
  expect(output).toMatch(/✓ .*cut\.rec #0: .*: matches/);
  expect(output).toContain("its end is cut: matches");
});

test("a folder without recordings and a path that is not there are errors", async () => {
  mkdirSync(join(folder, "bare/episodes"), { recursive: true });
  const bare = await salle("verify", join(folder, "bare"));
  expect(bare.code).toBe(1);
  expect(bare.errors).toMatch(/^error: no recordings in ".*bare": expected .rec files there or in/);
  const none = await salle("verify", join(folder, "none"));
  expect(none.code).toBe(1);
  expect(none.errors).toMatch(/^error: there is no ".*none": expected a \.rec file or a run's/);
});

test("finds a robot's own file again by its URL, and runs no module unasked", async () => {
  const robot = fileURLToPath(new URL("../../tasks/reacher.xml", import.meta.url));
  const found = join(folder, "file.rec");
  writeFileSync(found, (await record("simd", robot, 0))[0]!);
  const verified = await salle("verify", found);
  expect(verified.output).toContain("1 of 1 episodes match to the bit");
  expect(verified.code).toBe(0);
  const module = join(folder, "own.mjs");
  writeFileSync(
    module,
    `export const createTask = async (id, salle) =>
      salle.genericTask(id, (await salle.loadRobotFile(new URL(${JSON.stringify(pathToFileURL(robot).href)}))).model);`,
  );
  const made = join(folder, "module.rec");
  writeFileSync(made, (await record("simd", module, 0))[0]!);
  const refused = await salle("verify", made);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(
    /its task is made by "file:.*own\.mjs"; if you trust that, say --task/,
  );
  expect((await salle("verify", made, "--task", module)).code).toBe(0);
});
