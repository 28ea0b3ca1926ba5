// A million control steps and tens of thousands of resets leave memory as it was, but for what Rapier keeps.
import { expect, test } from "vitest";
import { Envs } from "../../sim/env.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import type { Task } from "../../sim/task.ts";
import { createTask } from "../../tasks/index.ts";

const numEnvs = 8;
const mebibyte = 2 ** 20;
const mostGrowth = 24 * mebibyte; // of the process: collectors are lazy

/** Steps all envs until `numSteps` in all are done; returns how many episodes ended. */
function run(envs: Envs, numSteps: number): number {
  const rng = createRng(1);
  const actions = new Float32Array(numEnvs * envs.task.action.size);
  let numResets = 0;
  for (let step = 0; step < numSteps; step += numEnvs) {
    for (let i = 0; i < actions.length; i++) actions[i] = 2 * rng.uniform() - 1;
    const { terminated, truncated } = envs.step(actions);
    for (let i = 0; i < numEnvs; i++) numResets += terminated[i]! + truncated[i]!;
  }
  return numResets;
}

// Rapier's own lists grow by some bytes for each collider or joint that is removed.
test.each([
  ["pendulum-swingup", { maxEpisodeSteps: 50 }, 1_000_000, 10_000, 0],
  ["hopper-hop", {}, 100_000, 10_000, 256],
  ["humanoid-walk", {}, 20_000, 400, 4096], // joints, too, are made anew
] as const)("memory stays flat: %s", async (name, more, numSteps, leastResets, bytesAReset) => {
  const physics = await loadPhysics();
  const task: Task = { ...(await createTask(name)), ...more };
  const envs = new Envs(physics, task, { numEnvs, seed: 1 });
  envs.reset();
  run(envs, numSteps / 5);
  const wasm = physics.memory.buffer.byteLength;
  const resident = process.memoryUsage().rss;
  const numResets = run(envs, numSteps);
  expect(numResets).toBeGreaterThan(leastResets);
  const growth = physics.memory.buffer.byteLength - wasm;
  expect(growth).toBeLessThanOrEqual(bytesAReset * numResets);
  expect(process.memoryUsage().rss - resident).toBeLessThan(mostGrowth);
  expect(envs.numBroken).toBe(0);
  envs.free();
});
