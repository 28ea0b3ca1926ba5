import { expect, test } from "vitest";
import { Envs } from "../../sim/env.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import { ticketAt, type VecMemory } from "../../sim/shard.ts";
import { createVecEnv, type TaskSource, type VecEnv } from "../../sim/vecEnv.ts";
import { hopTask, panicAction } from "./hopTask.ts";

const module = new URL("./hopTask.js", import.meta.url).href;
const source: TaskSource = { module, name: "hopTask" };
const numEnvs = 6;

function actionsOf(step: number): Float32Array {
  const rng = createRng(step);
  return Float32Array.from({ length: 3 * numEnvs }, () => 2.4 * rng.uniform() - 1.2);
}

/** Every number of some steps; the environment must have been reset. */
function rollout(env: VecEnv, from: number, to: number): number[][] {
  return Array.from({ length: to - from }, (_, i) => {
    const { finished, ...arrays } = env.step(actionsOf(from + i));
    const ends = finished.flatMap((end) => Object.values(end).map(Number));
    return [...Object.values(arrays).flatMap((array) => [...array]), ...ends];
  });
}

test("results do not depend on workers or worlds, and repeat to the bit", async () => {
  const runs: number[][][] = [];
  const settings = [
    { numWorkers: 0 },
    { numWorkers: 1 },
    { numWorkers: 2 },
    { numWorkers: 2 },
    { numWorkers: 4, robotsPerWorld: 1 },
  ];
  for (const more of settings) {
    const env = await createVecEnv(source, { numEnvs, seed: 3, ...more });
    const first = [...env.reset()];
    runs.push([first, ...rollout(env, 0, 200)]);
    env.dispose();
  }
  for (const run of runs.slice(1)) expect(run).toEqual(runs[0]);
});

test("a reset with a seed begins as an environment that was made with it", async () => {
  const env = await createVecEnv(source, { numEnvs, seed: 3, numWorkers: 2 });
  env.reset();
  const first = rollout(env, 0, 60);
  expect(rollout(env, 0, 60)).not.toEqual(first);
  env.reset(3);
  expect(rollout(env, 0, 60)).toEqual(first);
  env.reset(4);
  expect(rollout(env, 0, 60)).not.toEqual(first);
  env.dispose();
});

test.each([0, 2])("some envs begin anew alone, with %i workers", async (numWorkers) => {
  const env = await createVecEnv(source, { numEnvs, seed: 3, numWorkers, robotsPerWorld: 2 });
  const other = await createVecEnv(source, { numEnvs, seed: 3 });
  const { size } = hopTask.observation;
  env.reset();
  other.reset();
  for (let step = 0; step < 3; step++) {
    env.step(actionsOf(step));
    other.step(actionsOf(step));
  }
  env.begin([1, 4]);
  const rows = (from: VecEnv, which: readonly number[]) =>
    which.map((i) => [...from.observations.subarray(i * size, (i + 1) * size)]);
  expect(rows(env, [0, 2, 3, 5])).toEqual(rows(other, [0, 2, 3, 5]));
  expect(rows(env, [1, 4])).not.toEqual(rows(other, [1, 4]));
  expect(env.state().episodeLengths).toEqual([3, 0, 3, 3, 0, 3]);
  expect(env.state().episodeReturns[4]).toBe(0);
  env.step(actionsOf(3));
  other.step(actionsOf(3));
  expect(rows(env, [0, 2, 3, 5])).toEqual(rows(other, [0, 2, 3, 5]));
  env.dispose();
  other.dispose();
});

test.each([0, 2])("some envs go on from saved states, with %i workers", async (numWorkers) => {
  const plan = { numEnvs, seed: 3, robotsPerWorld: 1 };
  const env = await createVecEnv(source, { ...plan, numWorkers });
  const other = await createVecEnv(source, plan);
  const { size } = hopTask.observation;
  env.reset();
  other.reset();
  for (let step = 0; step < 7; step++) other.step(actionsOf(step));
  const { worlds } = other.state();
  env.place([
    { env: 4, state: worlds[2]! },
    { env: 1, state: worlds[2]! },
  ]);
  const row = (from: VecEnv, i: number) => [
    ...from.observations.subarray(i * size, (i + 1) * size),
  ];
  const repeated = new Float32Array(3 * numEnvs);
  for (let step = 0; step < 5; step++) {
    for (const i of [1, 4]) expect(row(env, i)).toEqual(row(other, 2));
    for (let i = 0; i < repeated.length; i++) repeated[i] = actionsOf(step)[i % 3]!;
    env.step(repeated);
    other.step(repeated);
  }
  expect(env.state().episodeLengths).toEqual([5, 12, 5, 5, 12, 5]);
  // What is drawn after the end is the env's own.
  env.begin([1, 4]);
  expect(row(env, 1)).not.toEqual(row(env, 4));
  env.dispose();
  other.dispose();
});

test("states are placed in worlds of one alone", async () => {
  const env = await createVecEnv(source, { numEnvs, seed: 3, robotsPerWorld: 2 });
  env.reset();
  expect(() => env.place([])).toThrow(/worlds of one.*2 robots: set robotsPerWorld to 1/);
  env.dispose();
});

test("a step is that of Envs, and finished episodes add up", async () => {
  const env = await createVecEnv(source, { numEnvs, seed: 3, numWorkers: 2 });
  const envs = new Envs(await loadPhysics(), hopTask, { numEnvs, seed: 3 });
  expect(env.reset()).toEqual(envs.reset().observations);
  const rewards = new Float64Array(numEnvs);
  let numEnds = 0;
  for (let step = 0; step < 100; step++) {
    const { finished, ...arrays } = env.step(actionsOf(step));
    expect(arrays).toEqual(envs.step(actionsOf(step)));
    for (let i = 0; i < numEnvs; i++) rewards[i]! += arrays.rewards[i]!;
    for (const { env: i, episodeReturn, episodeLength, terminated } of finished) {
      expect(episodeReturn).toBe(rewards[i]);
      expect(episodeLength).toBeLessThanOrEqual(hopTask.maxEpisodeSteps);
      expect(terminated).toBe(arrays.terminated[i] === 1);
      rewards[i] = 0;
      numEnds++;
    }
  }
  expect(numEnds).toBeGreaterThan(5);
  env.dispose();
});

test.each([0, 2])("state and restore continue to the bit with %i workers", async (numWorkers) => {
  const options = { numEnvs, numWorkers, robotsPerWorld: 3 };
  const env = await createVecEnv(source, { ...options, seed: 3 });
  env.reset();
  rollout(env, 0, 50);
  const state = structuredClone(env.state());
  const wanted = rollout(env, 50, 120);
  const other = await createVecEnv(source, { ...options, seed: 4 });
  other.restore(state);
  expect(rollout(other, 50, 120)).toEqual(wanted);
  const narrow = await createVecEnv(source, { numEnvs, robotsPerWorld: 2, seed: 3 });
  expect(() => narrow.restore(state)).toThrow(
    "the state of worlds of 3,3 robots does not fit worlds of 2,2,2",
  );
  for (const each of [env, other, narrow]) each.dispose();
});

test("a poisoned worker is replaced, its envs begin anew, and the others do not notice", async () => {
  const run = async () => {
    const env = await createVecEnv(source, { numEnvs, seed: 3, numWorkers: 2 });
    const sound = await createVecEnv(source, { numEnvs, seed: 3, numWorkers: 2 });
    env.reset();
    sound.reset();
    rollout(env, 0, 10);
    rollout(sound, 0, 10);
    const before = env.observations.slice(36);
    const actions = actionsOf(10);
    actions[3 * 4] = panicAction;
    const { finished, ...out } = env.step(actions);
    const wanted = sound.step(actionsOf(10));
    expect([...out.broken]).toEqual([0, 0, 0, 1, 1, 1]);
    expect([...out.truncated.slice(3), ...out.terminated.slice(3)]).toEqual([1, 1, 1, 0, 0, 0]);
    expect(finished.filter(({ broken }) => broken).map((end) => end.env)).toEqual([3, 4, 5]);
    expect([...out.rewards.slice(3)]).toEqual([0, 0, 0]);
    expect(out.nextObservations.slice(36)).toEqual(before);
    expect(out.observations.slice(36)).not.toEqual(before);
    expect(out.observations.slice(0, 36)).toEqual(wanted.observations.slice(0, 36));
    expect(env.numReplaced).toBe(1);
    expect(env.lastFailure).toContain("unreachable");
    const rest = rollout(env, 11, 80);
    const others = rollout(sound, 11, 80);
    for (const [t, row] of rest.entries())
      expect(row.slice(0, 36)).toEqual(others[t]!.slice(0, 36));
    env.dispose();
    sound.dispose();
    return rest;
  };
  expect(await run()).toEqual(await run());
});

test("a worker that fails again and again ends the run with its error", async () => {
  const env = await createVecEnv(source, { numEnvs, seed: 3, numWorkers: 2 });
  env.reset();
  const actions = actionsOf(0);
  actions[0] = panicAction;
  env.step(actions);
  env.step(actions);
  expect(() => env.step(actions)).toThrow(/^worker 0 failed 3 times in a row: .*unreachable/);
  env.dispose();
});

test("actions of another size or not finite are refused; large ones are clamped", async () => {
  const env = await createVecEnv(source, { numEnvs, seed: 3, numWorkers: 2 });
  expect(() => env.step(actionsOf(0))).toThrow("this environment is new, expected ready");
  env.reset();
  expect(() => env.step(new Float32Array(3))).toThrow(
    "actions for 6 envs of 3 numbers are 18 numbers, got 3",
  );
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const actions = actionsOf(0);
    actions[7] = value;
    expect(() => env.step(actions)).toThrow(
      `number 1 of the action of env 2 is ${value}, expected a finite one`,
    );
  }
  const large = [...env.step(new Float32Array(18).fill(9)).observations];
  const other = await createVecEnv(source, { numEnvs, seed: 3 });
  other.reset();
  expect(large).toEqual([...other.step(new Float32Array(18).fill(1)).observations]);
  env.dispose();
  expect(() => env.reset()).toThrow("this environment is disposed, expected new or ready");
  other.dispose();
});

test("a task comes from a module's function with arguments; a wrong name is an error", async () => {
  const made: TaskSource = { module, name: "createHop", args: [5] };
  const env = await createVecEnv(made, { numEnvs: 2, seed: 1, numWorkers: 2 });
  env.reset();
  for (let step = 1; step < 5; step++) expect(env.step(new Float32Array(6)).finished).toEqual([]);
  expect(env.step(new Float32Array(6)).finished.map((end) => end.episodeLength)).toEqual([5, 5]);
  env.dispose();
  await expect(createVecEnv({ module, name: "none" }, { numEnvs: 1, seed: 1 })).rejects.toThrow(
    `export "none" of ${module} is no task and makes none`,
  );
  await expect(createVecEnv(source, { numEnvs: 2, seed: 1, numWorkers: 3 })).rejects.toThrow(
    "numWorkers is a whole number from 0 to 2, got 3",
  );
});

test("a worker that is woken late, or for nothing, does not step again", async () => {
  const env = await createVecEnv(source, { numEnvs, seed: 3, numWorkers: 1 });
  const sound = await createVecEnv(source, { numEnvs, seed: 3 });
  env.reset();
  sound.reset();
  const { control } = (env as unknown as { memory: VecMemory }).memory;
  for (let step = 0; step < 10; step++) {
    Atomics.notify(control, ticketAt);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const out = env.step(actionsOf(step));
    expect(out.observations).toEqual(sound.step(actionsOf(step)).observations);
  }
  env.dispose();
  sound.dispose();
});
