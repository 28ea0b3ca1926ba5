// Roll out: what pictures show: a task's start, and an instant of an episode of random actions.

import { Envs } from "../../sim/env.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import type { Mark, Task } from "../../sim/task.ts";
import type { World } from "../../sim/world.ts";
import { poseStride } from "./scene/compose.ts";

export interface Instant {
  readonly poses: Float32Array; // [links, 7]
  readonly marks: readonly Mark[];
}

/** The robot after `numSteps` control steps of random actions, or before the episode's end. */
export async function rollOut(task: Task, numSteps: number, seed: number): Promise<Instant> {
  const envs = new Envs(await loadPhysics(), task, { seed });
  const world = envs.simulation.worlds[0]!;
  const rng = createRng(seed).split("actions");
  const action = new Float32Array(task.action.size);
  envs.reset();
  let instant = instantOf(task, world);
  for (let step = 0; step < numSteps; step++) {
    for (let i = 0; i < action.length; i++) action[i] = 2 * rng.uniform() - 1;
    const { terminated, truncated } = envs.step(action);
    if (terminated[0] || truncated[0]) break;
    instant = instantOf(task, world);
  }
  envs.free();
  return instant;
}

function instantOf(task: Task, world: World): Instant {
  const poses = new Float32Array(world.model.links.length * poseStride);
  writePoses(world, poses, 0);
  return { poses, marks: task.marks?.(world) ?? [] };
}

/** Writes the poses of a world's links, [links, 7], from float `at` on. */
export function writePoses(world: World, out: Float32Array, at: number): void {
  const { linkPositions, linkRotations } = world;
  for (let link = 0; link < world.model.links.length; link++) {
    const to = at + link * poseStride;
    for (let i = 0; i < 3; i++) out[to + i] = linkPositions[3 * link + i]!;
    for (let i = 0; i < 4; i++) out[to + 3 + i] = linkRotations[4 * link + i]!;
  }
}
