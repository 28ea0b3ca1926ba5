// An episode of random actions, for looking at a task before anything was trained.

import type { Physics } from "../sim/rapier.ts";
import type { Recording } from "../sim/recording.ts";
import { createRng } from "../sim/rng.ts";
import type { Task } from "../sim/task.ts";

const holdSteps = 4; // an action is held a while, so that heavy joints move too

/** As many steps as the task's episodes may last; where it ends before, the rest is what comes after. */
export function randomRecording(physics: Physics, task: Task, seed: number): Recording {
  const { size } = task.action;
  const rng = createRng(seed).split("actions");
  const actions = new Float32Array(task.maxEpisodeSteps * size);
  for (let at = 0; at < actions.length; at++) {
    const held = Math.floor(at / size) % holdSteps !== 0;
    actions[at] = held ? actions[at - size]! : 2 * rng.uniform() - 1;
  }
  const { build, version, wasmHash } = physics;
  const header = {
    task: task.id,
    parameters: {},
    physics: { build, version, wasmHash },
    seed,
    slot: 0,
    actionSize: size,
    policy: "random actions",
    gitCommit: "",
  };
  return { header, start: { type: "seed" }, actions, checksums: [], ending: null };
}
