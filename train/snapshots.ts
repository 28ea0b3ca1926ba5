// Snapshots: simulator states at intervals of a recorded episode, to begin from again.
//
// They are taken from the recording, simulated again in a world of one: whoever collected it, in however
// large a world, a snapshot goes on to the bit as the episode did.

import { worldHash } from "../sim/checksum.ts";
import type { Envs } from "../sim/env.ts";
import type { Physics } from "../sim/rapier.ts";
import { decodeState } from "../sim/readRecordings.ts";
import { encodeState, type Recording } from "../sim/recording.ts";
import { startReplay } from "../sim/replay.ts";
import type { Task } from "../sim/task.ts";

/** A state before a control step; `decodeState` of sim/readRecordings.ts reads it. */
export interface StateSnapshot {
  readonly step: number;
  readonly bytes: Uint8Array;
}

/** States before step 0 and every `every` steps. Throws where the episode does not come again to the bit. */
export function takeSnapshots(
  physics: Physics,
  task: Task,
  recording: Recording,
  every: number,
): StateSnapshot[] {
  const { size } = task.action;
  const numSteps = recording.actions.length / size;
  const hashes = new Map(recording.checksums.map(({ step, hash }) => [step, hash]));
  const envs = startReplay(physics, task, recording, { autoReset: false });
  const snapshots: StateSnapshot[] = [];
  try {
    for (let step = 0; step < numSteps; step++) {
      checkState(envs, hashes.get(step), step);
      if (step % every === 0) snapshots.push({ step, bytes: encodeState(envs.state()) });
      envs.step(recording.actions.subarray(step * size, (step + 1) * size));
    }
    return snapshots;
  } finally {
    envs.free();
  }
}

/** Throws where the state has not the checksum that was recorded. */
export function checkState(envs: Envs, wanted: string | undefined, step: number): void {
  if (wanted === undefined) return;
  const hash = worldHash(envs.simulation.worlds[0]!);
  if (hash !== wanted)
    throw new Error(
      `after step ${step} the state has checksum ${hash}, recorded ${wanted}: \`salle verify\` says more`,
    );
}

/** A world of one at a snapshot of a recorded episode; whoever asked for it frees it. */
export function restoreSnapshot(
  physics: Physics,
  task: Task,
  recording: Recording,
  snapshot: Uint8Array,
): Envs {
  const start = { type: "state", state: decodeState(snapshot) } as const;
  return startReplay(physics, task, { ...recording, start }, { autoReset: false });
}
