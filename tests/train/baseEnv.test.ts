import { expect, test } from "vitest";
import { createRng } from "../../sim/rng.ts";
import { createVecEnv } from "../../sim/vecEnv.ts";
import { BaseEnv, type BasePolicy } from "../../train/baseEnv.ts";
import { plainEnv } from "../../train/trainEnv.ts";
import { taskSource } from "./memoryRun.ts";

const numEnvs = 3;

/** A base whose every action is the number of times that it was asked in the episode, over 1000. */
function counting(actionSize: number): BasePolicy {
  const counts = new Int32Array(numEnvs);
  return {
    async act(_observations, begins, rows) {
      const actions = new Float32Array(numEnvs * actionSize);
      for (let env = 0; env < numEnvs; env++) {
        if (begins?.[env]) counts[env] = 0;
        actions.fill(counts[env]! / 1000, env * actionSize, (env + 1) * actionSize);
        if (rows === undefined || rows[env]) counts[env]!++;
      }
      return actions;
    },
    state: () => counts.slice(),
    restore: (state) => counts.set(state as Int32Array),
    dispose: async () => {},
  };
}

async function open(task: string) {
  const env = plainEnv(await createVecEnv(taskSource(task), { numEnvs, seed: 3 }));
  return new BaseEnv(env, counting(env.actionSize));
}

/** The base's counts at the end of rows of [o, a_b]. */
function counts(env: BaseEnv, rows: Float32Array): number[] {
  const width = env.observationSize;
  return Array.from({ length: numEnvs }, (_, i) => Math.round(1000 * rows[(i + 1) * width - 1]!));
}

/** Steps with random actions; yields what each step gave, with the base's counts. */
async function roam(env: BaseEnv, numSteps: number, seed: number) {
  const rng = createRng(seed);
  const actions = new Float32Array(numEnvs * env.actionSize);
  const steps = [];
  for (let t = 0; t < numSteps; t++) {
    for (let i = 0; i < actions.length; i++) actions[i] = 2 * rng.uniform() - 1;
    env.send(actions);
    const { observations, nextObservations, terminated, truncated } = await env.receive();
    steps.push({
      observations: observations.slice(),
      now: counts(env, observations),
      next: counts(env, nextObservations),
      terminated: terminated.slice(),
      truncated: truncated.slice(),
    });
  }
  return steps;
}

test.each([
  ["hopper-hop", "terminated", 150],
  ["lift-cube", "truncated", 130],
] as const)(
  "on %s the base begins anew where an episode is %s, and nowhere else",
  async (task, end, length) => {
    const env = await open(task);
    await env.reset();
    expect(counts(env, env.observations)).toEqual([0, 0, 0]);
    let last = [0, 0, 0];
    let numEnds = 0;
    for (const { now, next, terminated, truncated } of await roam(env, length, 5)) {
      for (let i = 0; i < numEnvs; i++) {
        const ended = terminated[i]! + truncated[i]! > 0;
        expect(next[i]).toBe(last[i]! + 1); // the true successor's, also at the end
        expect(now[i]).toBe(ended ? 0 : next[i]);
        if ((end === "terminated" ? terminated : truncated)[i]) numEnds++;
      }
      last = now;
    }
    expect(numEnds).toBeGreaterThan(2);
    await env.dispose();
  },
);

test("envs and base go on from a saved state as if never interrupted", async () => {
  const env = await open("hopper-hop");
  await env.reset();
  await roam(env, 40, 1);
  const saved = structuredClone(env.state());
  const rest = await roam(env, 60, 2);
  const other = await open("hopper-hop");
  await other.restore(saved);
  expect(other.observations.some((x) => x !== 0)).toBe(true);
  expect(await roam(other, 60, 2)).toEqual(rest);
  await Promise.all([env.dispose(), other.dispose()]);
});

test("a robot's mirror shows the base's action as it shows actions", async () => {
  const env = await open("ant-run");
  const { observations, actions } = env.mirror!;
  const size = env.observationSize - env.actionSize;
  expect(observations.indices).toHaveLength(env.observationSize);
  expect(observations.indices.slice(size)).toEqual(actions.indices.map((i) => size + i));
  expect(observations.signs.slice(size)).toEqual(actions.signs);
  await env.dispose();
});
