// A million control steps, and ten thousand resets and more, leave memory as it was.
import { expect, test } from "vitest";
import { Envs } from "../../sim/env.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import type { Task } from "../../sim/task.ts";
import { createTask } from "../../tasks/index.ts";

const mebibyte = 2 ** 20;
const mostPages = 2 * 2 ** 16; // of WebAssembly memory: one longer list than ever before
const mostGrowth = 24 * mebibyte; // of the process: collectors are lazy

/** Steps all envs until `numSteps` in all are done; returns how many episodes ended. */
function run(envs: Envs, numSteps: number): number {
  const rng = createRng(1);
  const { numEnvs } = envs;
  const actions = new Float32Array(numEnvs * envs.task.action.size);
  let numResets = 0;
  for (let step = 0; step < numSteps; step += numEnvs) {
    for (let i = 0; i < actions.length; i++) actions[i] = 2 * rng.uniform() - 1;
    const { terminated, truncated } = envs.step(actions);
    for (let i = 0; i < numEnvs; i++) numResets += terminated[i]! + truncated[i]!;
  }
  return numResets;
}

test.each([
  ["pendulum-swingup", 8, { maxEpisodeSteps: 50 }, 1_000_000, 10_000],
  ["hopper-hop", 8, {}, 250_000, 10_000],
  ["humanoid-walk", 1, { maxEpisodeSteps: 4 }, 40_000, 10_000], // built anew at each reset
] as const)("memory stays flat: %s, %i a world", async (name, numEnvs, more, numSteps, least) => {
  const physics = await loadPhysics();
  const task: Task = { ...(await createTask(name)), ...more };
  const envs = new Envs(physics, task, { numEnvs, seed: 1 });
  envs.reset();
  run(envs, numSteps / 5);
  const wasm = physics.memory.buffer.byteLength;
  const resident = process.memoryUsage().rss;
  const numResets = run(envs, numSteps);
  expect(numResets).toBeGreaterThanOrEqual(least);
  expect(physics.memory.buffer.byteLength - wasm).toBeLessThanOrEqual(mostPages);
  expect(process.memoryUsage().rss - resident).toBeLessThan(mostGrowth);
  expect(envs.numBroken).toBe(0);
  envs.free();
});
