// What physics.test.ts does with a task, here in Node and, with this file as its script, in a page.

import { Envs } from "../../sim/env.ts";
import { loadPhysics, type PhysicsBuild } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask } from "../../tasks/index.ts";

/** Where a rollout went: checksums of the poses on the way, and the sum of all rewards. */
export interface Path {
  readonly wasmHash: string;
  readonly hashes: readonly string[];
  readonly totalReward: number;
}

/** A task's robot under random actions, with every reset on the way. */
export async function rollOut(
  taskName: string,
  build: PhysicsBuild,
  { numSteps, every }: { readonly numSteps: number; readonly every: number },
): Promise<Path> {
  const physics = await loadPhysics(build);
  const task = await createTask(taskName);
  const envs = new Envs(physics, task, { seed: 5 });
  const rng = createRng(5).split("actions");
  const action = new Float32Array(task.action.size);
  const hashes: string[] = [];
  let totalReward = 0;
  envs.reset();
  for (let step = 1; step <= numSteps; step++) {
    for (let i = 0; i < action.length; i++) action[i] = 2 * rng.uniform() - 1;
    totalReward += envs.step(action).rewards[0]!;
    if (step % every === 0) hashes.push(envs.simulation.hash());
  }
  return { wasmHash: physics.wasmHash, hashes, totalReward };
}

if (typeof window !== "undefined") Object.assign(globalThis, { rollOut });
