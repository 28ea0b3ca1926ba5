// Levels of quadruped-rough: how high the hills are that a robot meets.
import { expect, test } from "vitest";
import { colliderOf } from "../../sim/colliders.ts";
import { Envs } from "../../sim/env.ts";
import { EpisodeRecorder, type RecordedEpisode } from "../../sim/episodeRecorder.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { replay } from "../../sim/replay.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask } from "../../tasks/index.ts";
import { hills } from "../../tasks/terrain.ts";

const physics = await loadPhysics();
const task = await createTask("quadruped-rough");
const levels = [0, 0.25, 0.5, 0.75, 1];
const height = 0.06; // m

/** Heights that rays from above find in the physics about a place on the x axis; and what the task reckons. */
function survey(center: number, near: number, far: number) {
  const ground = hills(height);
  const world = new physics.rapier.World({ x: 0, y: 0, z: -9.81 });
  world.createCollider(colliderOf(physics.rapier, ground.geom!));
  world.step();
  const rng = createRng(3);
  const found: number[] = [];
  const reckoned: number[] = [];
  for (let i = 0; i < 400; i++) {
    const distance = near + (far - near) * rng.uniform();
    const angle = 2 * Math.PI * rng.uniform();
    const [x, y] = [center + distance * Math.cos(angle), distance * Math.sin(angle)];
    const ray = new physics.rapier.Ray({ x, y, z: 1 }, { x: 0, y: 0, z: -1 });
    found.push(1 - world.castRay(ray, 2, true)!.timeOfImpact);
    reckoned.push(ground.heightAt(x, y));
  }
  world.free();
  return { found, reckoned };
}

const meanOf = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

test("the ground under the feet grows with the level, the same hills at other heights", () => {
  const { startOf } = hills(height);
  const hardest = survey(startOf(1), 1.5, 12).reckoned;
  for (const level of levels) {
    const { found, reckoned } = survey(startOf(level), 1.5, 12);
    expect(meanOf(found)).toBeCloseTo((level * height) / 2, 2.5);
    for (const [i, h] of reckoned.entries()) {
      expect(h).toBeCloseTo(level * hardest[i]!, 9);
      expect(Math.abs(found[i]! - h)).toBeLessThan(0.5 * level * height + 1e-5);
    }
    for (const h of survey(startOf(level), 0, 0.49).found) expect(h).toBeCloseTo(0, 5);
  }
  expect(startOf(0.6)).toBe(startOf(0.5));
  expect(startOf(1)).toBe(0);
});

test("an episode starts among the hills of its level, which its observations do not tell", () => {
  const starts = levels.map((level) => {
    const envs = new Envs(physics, task, { seed: 4 });
    envs.setLevel(level);
    const observations = [...envs.reset().observations];
    const [x] = envs.simulation.worlds[0]!.linkPositions;
    envs.free();
    return { x, observations };
  });
  for (const [i, { x, observations }] of starts.entries()) {
    expect(x).toBeCloseTo(hills(height).startOf(levels[i]!), 3);
    for (const [k, value] of observations.entries())
      expect(value).toBeCloseTo(starts.at(-1)!.observations[k]!, 4);
  }
  expect(new Set(starts.map(({ x }) => Math.round(x!))).size).toBe(5);
});

/** Random actions of a step, [robots, A]. */
function actionsOf(step: number, numEnvs: number): Float32Array {
  const rng = createRng(step);
  return Float32Array.from({ length: numEnvs * task.action.size }, () => 0.8 * rng.normal());
}

test("episodes of a level below 1 replay to the bit, and states go on", () => {
  const { build, version, wasmHash } = physics;
  const header = { physics: { build, version, wasmHash }, parameters: {}, seed: 5, policy: "x" };
  const envs = new Envs(physics, task, { seed: 5 });
  envs.setLevel(0.25);
  envs.reset();
  const options = { header: { ...header, gitCommit: "y" }, checksumEvery: 5 };
  const recorder = new EpisodeRecorder(envs, options);
  recorder.begin();
  const episodes: RecordedEpisode[] = [];
  const other = new Envs(physics, task, { seed: 6 });
  for (let step = 0; episodes.length < 2; step++) {
    if (step === 40) other.restore(structuredClone(envs.state()));
    const actions = actionsOf(step, 1);
    const { observations } = envs.step(actions);
    if (step >= 40) expect(other.step(actions).observations).toEqual(observations);
    episodes.push(...recorder.add(actions));
  }
  for (const { bytes } of episodes)
    expect(replay(physics, task, decodeRecording(bytes)).mismatch).toBe(null);
  recorder.dispose();
  envs.free();
  other.free();
});
