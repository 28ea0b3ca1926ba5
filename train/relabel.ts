// Relabelling: the same movements under another task's rewards and ends.
//
// Each recorded episode is simulated under both tasks at once, and after every step all poses and velocities
// must be equal to the bit: so a task to relabel with has the same robot, reset and actions. Where the new
// task ends an episode sooner the rest is left out; where it would have gone on, the episode is truncated.

import { worldHash } from "../sim/checksum.ts";
import type { Envs } from "../sim/env.ts";
import type { Physics } from "../sim/rapier.ts";
import { decodeRecording } from "../sim/readRecordings.ts";
import { encodeState, type Recording, RecordingWriter } from "../sim/recording.ts";
import { startReplay } from "../sim/replay.ts";
import type { Task } from "../sim/task.ts";
import { Rows } from "./collect.ts";
import type { WrittenEpisode } from "./datasetWriter.ts";
import { checkState, type StateSnapshot } from "./snapshots.ts";

const checksumEvery = 25; // steps

/** The task that an episode was recorded with, and the one whose rewards it gets. */
export interface TaskPair {
  readonly from: Task;
  readonly to: Task;
}

/** Throws where the episode has no recording, or moves otherwise under either task. */
export function relabelEpisode(
  physics: Physics,
  { from, to }: TaskPair,
  episode: WrittenEpisode,
): WrittenEpisode {
  if (!episode.recording) throw new Error("it has no recording to simulate again");
  const recording = decodeRecording(episode.recording);
  if (!sameBits(recording.actions, episode.actions))
    throw new Error("its actions are not those of its recording");
  const renamed = { ...recording, header: headerUnder(to, recording) };
  const envs = [
    startReplay(physics, from, recording, { autoReset: false }),
    startReplay(physics, to, renamed, { autoReset: false }),
  ] as const;
  try {
    return new Relabelling(envs, renamed, episode).run();
  } finally {
    for (const each of envs) each.free();
  }
}

function headerUnder({ id, source, hasLevels }: Task, { header }: Recording): Recording["header"] {
  const { source: _, level = 1, ...rest } = header.parameters;
  const parameters = {
    ...rest,
    ...(source !== undefined && { source }),
    ...(hasLevels && { level }),
  };
  return { ...header, task: id, parameters };
}

/** One episode on its way. */
class Relabelling {
  private readonly old: Envs;
  private readonly envs: Envs;
  private readonly recording: Recording;
  private readonly episode: WrittenEpisode;
  private readonly rows: Rows;
  private readonly writer: RecordingWriter;
  private readonly snapshots: StateSnapshot[] = [];

  constructor([old, envs]: readonly [Envs, Envs], recording: Recording, episode: WrittenEpisode) {
    this.old = old;
    this.envs = envs;
    this.recording = recording;
    this.episode = episode;
    this.rows = new Rows(envs.task.observation.size, envs.task.action.size);
    this.writer = new RecordingWriter(recording.header, recording.start);
  }

  run(): WrittenEpisode {
    const { envs, rows, writer } = this;
    const { actions, checksums } = this.recording;
    const { size } = envs.task.action;
    const numSteps = actions.length / size;
    const hashes = new Map(checksums.map(({ step, hash }) => [step, hash]));
    rows.begin(envs.out.observations, 0);
    for (let step = 0; ; ) {
      checkState(this.old, hashes.get(step), step);
      this.compare(step);
      this.keep(step);
      const action = actions.subarray(step * size, (step + 1) * size);
      this.old.step(action);
      const { rewards, terminated, truncated, broken } = envs.step(action);
      if (broken[0]) throw new Error(`the physics lost the robot in step ${step}`);
      writer.add(action, rewards[0]!);
      rows.add(action, envs.out, 0);
      step++;
      if (terminated[0]! + truncated[0]! === 0 && step < numSteps) continue;
      this.compare(step);
      return this.finish(step);
    }
  }

  private compare(step: number): void {
    const [wanted, got] = [this.old, this.envs].map((each) =>
      worldHash(each.simulation.worlds[0]!),
    );
    if (wanted !== got)
      throw new Error(
        `after step ${step} poses differ under ${this.envs.task.id}: a task to relabel with has the same robot, reset and actions as ${this.old.task.id}`,
      );
  }

  /** Checksums and snapshots before a step. */
  private keep(step: number): void {
    if (step % checksumEvery === 0)
      this.writer.checksum(worldHash(this.envs.simulation.worlds[0]!));
    if (this.episode.snapshots?.some((snapshot) => snapshot.step === step))
      this.snapshots.push({ step, bytes: encodeState(this.envs.state()) });
  }

  private finish(length: number): WrittenEpisode {
    const { successes, terminated, truncated } = this.envs.out;
    const ends = { terminated: terminated[0] === 1, truncated: truncated[0] === 1 };
    this.writer.end(ends);
    const { info, rewards, extras, snapshots } = this.episode;
    const parts = Object.entries(extras).map(([name, values]) => {
      const width = values.length / rewards.length;
      return [name, values.slice(0, length * width)] as const;
    });
    return {
      ...this.rows.take(),
      extras: Object.fromEntries(parts),
      recording: this.writer.take(),
      ...(snapshots && { snapshots: this.snapshots }),
      info: {
        ...info,
        success: successes[0] === 1,
        terminated: ends.terminated,
        truncated: !ends.terminated,
      },
    };
  }
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
