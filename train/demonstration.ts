// Demonstrations that come from outside: a recording is simulated here, and only what that gives is kept.

import type { Physics } from "../sim/rapier.ts";
import { decodeRecording } from "../sim/readRecordings.ts";
import { encodeRecording, type RecordingHeader } from "../sim/recording.ts";
import type { Task } from "../sim/task.ts";
import type { WrittenEpisode } from "./datasetWriter.ts";
import { relabelEpisode } from "./relabel.ts";

/** What a recording says of itself that is not the sender's to say. */
export type DemoHeader = Omit<RecordingHeader, "seed" | "slot" | "task" | "actionSize">;

/** The episode that a recording of one first start of a task is; throws where it comes otherwise. */
export function demonstratedEpisode(
  physics: Physics,
  task: Task,
  bytes: Uint8Array,
  header: DemoHeader,
): WrittenEpisode {
  const { start, header: said, actions, checksums } = decodeRecording(bytes);
  const { size } = task.action;
  if (said.task !== task.id) throw new Error(`wanted an episode of ${task.id}, got ${said.task}`);
  if (start.type !== "seed" || said.slot !== 0)
    throw new Error("wanted an episode that begins as a seed has it, in a world of one");
  if (said.actionSize !== size)
    throw new Error(`wanted actions of ${size} numbers, got ${said.actionSize}`);
  const numSteps = actions.length / size;
  if (numSteps < 1 || numSteps > task.maxEpisodeSteps)
    throw new Error(`wanted 1 to ${task.maxEpisodeSteps} steps, got ${numSteps}`);
  const { seed } = said;
  const ours = { ...header, task: task.id, seed, slot: 0, actionSize: size };
  const recording = encodeRecording({
    header: ours,
    start,
    actions,
    checksums,
    ending: unended(numSteps),
  });
  const about = { success: false, terminated: false, truncated: true, seed, policy: header.policy };
  const rows = { observations: new Float32Array(0), actions, rewards: new Float32Array(numSteps) };
  return relabelEpisode(
    physics,
    { from: task, to: task },
    { ...rows, extras: {}, recording, info: about },
  );
}

const unended = (episodeLength: number) => ({
  episodeReturn: 0,
  episodeLength,
  terminated: false,
  truncated: false,
});
