import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Envs } from "../../sim/env.ts";
import { EpisodeRecorder, type RecordedEpisode } from "../../sim/episodeRecorder.ts";
import { loadPhysics, type Physics, physicsBuilds } from "../../sim/rapier.ts";
import { decodeRecording, readRecordings } from "../../sim/readRecordings.ts";
import type { Recording, RecordingHeader } from "../../sim/recording.ts";
import { replay } from "../../sim/replay.ts";
import { createRng } from "../../sim/rng.ts";
import type { Task } from "../../sim/task.ts";
import { createVecEnv, type VecEnv } from "../../sim/vecEnv.ts";
import type { World } from "../../sim/world.ts";
import { createTask } from "../../tasks/index.ts";
import { hopTask, plainHop } from "./hopTask.ts";

const numEnvs = 6;
const source = { module: new URL("./hopTask.js", import.meta.url).href, name: "hopTask" };

function headerOf({ build, version, wasmHash }: Physics) {
  const physics = { build, version, wasmHash };
  return { physics, parameters: {}, seed: 3, policy: "uniform", gitCommit: "0123abc" };
}

function actionsOf(step: number): Float32Array {
  const rng = createRng(step);
  return Float32Array.from({ length: 3 * numEnvs }, () => 2.4 * rng.uniform() - 1.2);
}

function run(envs: Envs | VecEnv, recorder: EpisodeRecorder, from: number, to: number) {
  const episodes: RecordedEpisode[] = [];
  for (let step = from; step < to; step++) {
    const actions = actionsOf(step);
    envs.step(actions);
    episodes.push(...recorder.add(actions));
  }
  return episodes;
}

function expectReplays(physics: Physics, task: Task, recordings: readonly Recording[]): void {
  for (const recording of recordings) {
    expect(recording.checksums.length).toBeGreaterThanOrEqual(1);
    expect(replay(physics, task, recording).mismatch).toBe(null);
  }
}

test.each(physicsBuilds)(
  "later episodes of a shared world replay alone, build %s",
  async (build) => {
    const physics = await loadPhysics(build);
    const envs = new Envs(physics, hopTask, { numEnvs, seed: 3 });
    envs.reset();
    const header = headerOf(physics);
    const recorder = new EpisodeRecorder(envs, { header, envs: [1, 4], checksumEvery: 7 });
    recorder.begin();
    const episodes = run(envs, recorder, 0, 160);
    expect(new Set(episodes.map(({ env }) => env))).toEqual(new Set([1, 4]));
    expect(episodes.length).toBeGreaterThan(6);
    const recordings = episodes.map(({ bytes }) => decodeRecording(bytes));
    expectReplays(physics, hopTask, recordings);
    for (const [i, { ending }] of recordings.entries()) expect(episodes[i]).toMatchObject(ending!);
    envs.free();
  },
);

test("episodes of worker threads replay, at their levels and after a restored state", async () => {
  const physics = await loadPhysics();
  const env = await createVecEnv(source, { numEnvs, seed: 3, numWorkers: 2, robotsPerWorld: 2 });
  env.reset();
  const recorder = new EpisodeRecorder(env, { header: headerOf(physics), checksumEvery: 5 });
  recorder.begin();
  const episodes = run(env, recorder, 0, 60);
  env.setLevel(0.3);
  episodes.push(...run(env, recorder, 60, 100));
  const state = env.state();
  env.dispose();
  const other = await createVecEnv(source, { numEnvs, seed: 4, numWorkers: 2, robotsPerWorld: 2 });
  other.restore(state);
  expect(other.level).toBe(Math.fround(0.3));
  const again = new EpisodeRecorder(other, { header: headerOf(physics), checksumEvery: 5 });
  episodes.push(...run(other, again, 100, 180));
  other.dispose();
  const recordings = episodes.map(({ bytes }) => decodeRecording(bytes));
  expectReplays(physics, hopTask, recordings);
  const levels = recordings.map(({ header }) => header.parameters["level"]);
  expect(new Set(levels)).toEqual(new Set([1, Math.fround(0.3)]));
  const easier = recordings.find(({ header }) => header.parameters["level"] !== 1)!;
  const header: RecordingHeader = { ...easier.header, parameters: {} };
  expect(replay(physics, hopTask, { ...easier, header }).ok).toBe(false);
});

/** What is not finite, in a body's velocity, in all bodies', in a place, or in a force within the step. */
function lose({ assembly }: World, way: number): void {
  const { bodies } = assembly;
  const nothing = { x: Number.NaN, y: 0, z: 0 };
  if (way === 0) bodies.at(-1)!.setLinvel(nothing, false);
  else if (way === 1) for (const body of bodies) body.setAngvel(nothing, false);
  else if (way === 2) bodies[1]!.setTranslation({ ...nothing, x: Infinity }, false);
  else bodies[0]!.addForce(nothing, false);
}

test.each(physicsBuilds)(
  "a robot that the physics lost goes on like a fresh one, and disturbs no other, build %s",
  async (build) => {
    const physics = await loadPhysics(build);
    const envs = new Envs(physics, hopTask, { numEnvs, seed: 3 });
    envs.reset();
    const recorder = new EpisodeRecorder(envs, { header: headerOf(physics), checksumEvery: 5 });
    recorder.begin();
    const episodes: RecordedEpisode[] = [];
    for (let way = 0; way < 12; way++) {
      const from = 17 * way; // in the air and on the ground
      lose(envs.simulation.worlds[2 + (way % 2)]!, way % 4);
      const first = run(envs, recorder, from, from + 1);
      expect(envs.out.broken[2 + (way % 2)]).toBe(1);
      expect(first.map(({ env }) => env)).not.toContain(2 + (way % 2));
      episodes.push(...first, ...run(envs, recorder, from + 1, from + 17));
    }
    expect(envs.numBroken).toBe(12);
    for (const env of Array(numEnvs).keys())
      expect(episodes.filter((episode) => episode.env === env).length).toBeGreaterThan(4);
    const recordings = episodes.map(({ bytes }) => decodeRecording(bytes));
    expectReplays(physics, hopTask, recordings);
    envs.free();
  },
);

test("episodes of a robot whose feet and legs touch at several points replay", async () => {
  const physics = await loadPhysics();
  const task: Task = { ...(await createTask("humanoid-walk")), maxEpisodeSteps: 40 };
  const envs = new Envs(physics, task, { seed: 2 });
  envs.reset();
  const recorder = new EpisodeRecorder(envs, { header: headerOf(physics), checksumEvery: 5 });
  recorder.begin();
  const rng = createRng(200);
  const episodes: RecordedEpisode[] = [];
  for (let step = 0; step < 600; step++) {
    const actions = Float32Array.from({ length: task.action.size }, () => 2 * rng.uniform() - 1);
    envs.step(actions);
    episodes.push(...recorder.add(actions));
  }
  expect(episodes.length).toBeGreaterThan(15);
  expectReplays(
    physics,
    task,
    episodes.map(({ bytes }) => decodeRecording(bytes)),
  );
  envs.free();
});

test("what cannot replay alone is refused, what stands alone replays", async () => {
  const physics = await loadPhysics();
  const task: Task = { ...plainHop, settings: { actuation: "torques" } };
  const header = headerOf(physics);
  const shared = new Envs(physics, task, { numEnvs: 2, seed: 3 });
  expect(() => new EpisodeRecorder(shared, { header })).toThrow(
    "depends on the 2 that share its world",
  );
  const alone = new Envs(physics, task, { seed: 3 });
  alone.reset();
  const recorder = new EpisodeRecorder(alone, { header, checksumEvery: 5 });
  recorder.begin();
  const episodes: RecordedEpisode[] = [];
  for (let step = 0; step < 90; step++) {
    const actions = actionsOf(step).subarray(0, 3);
    alone.step(actions);
    episodes.push(...recorder.add(actions));
  }
  expect(episodes.length).toBeGreaterThan(1);
  for (const { bytes } of episodes)
    expect(replay(physics, task, decodeRecording(bytes)).mismatch).toBe(null);
  const [envs, every] = [[9], 0];
  expect(() => new EpisodeRecorder(alone, { header, envs })).toThrow("from 0 to 0, got 9");
  expect(() => new EpisodeRecorder(alone, { header, checksumEvery: every })).toThrow(
    "from 1, got 0",
  );
});

/** Until the file is so long. */
async function grown(child: ChildProcess, file: string, bytes: number): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the writer ended with ${child.exitCode}`);
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > bytes) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("a kill while writing leaves every finished episode readable, also after going on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "salle-recorder-"));
  const file = join(folder, "all.rec");
  const script = fileURLToPath(new URL("./recordingChild.js", import.meta.url));
  let before = 0;
  for (let round = 1; round <= 2; round++) {
    const child = spawn(process.execPath, [script, file], { stdio: "inherit" });
    const exit = new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)));
    await grown(child, file, before + 20_000);
    child.kill("SIGKILL");
    expect(await exit).toBe("SIGKILL");
    const { recordings, problems } = readRecordings(readFileSync(file));
    expect(problems.length).toBeLessThanOrEqual(round); // the last episode of each, at most
    const whole = recordings.filter(({ ending }) => ending !== null);
    expect(whole.length).toBeGreaterThan(5 * round);
    expectReplays(await loadPhysics(), hopTask, [whole[0]!, whole.at(-1)!]);
    before = statSync(file).size;
  }
  rmSync(folder, { recursive: true });
});
