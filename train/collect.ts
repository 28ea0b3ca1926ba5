// Collecting: whole episodes of running envs, with their recordings, into a dataset.

import type { VecStep } from "../sim/env.ts";
import {
  EpisodeRecorder,
  type EpisodeRecorderOptions,
  type Recorded,
} from "../sim/episodeRecorder.ts";
import type { DatasetWriter } from "./datasetWriter.ts";
import type { StateSnapshot } from "./snapshots.ts";

const checksumEvery = 10; // steps; episodes may be short

/** What is collected from; its `out` is a whole step of all envs. */
export interface Collected extends Recorded {
  readonly out: VecStep;
}

export interface CollectOptions {
  readonly header: EpisodeRecorderOptions["header"];
  /** Each env's first episode alone; else all that end. */
  readonly firstOnly?: boolean;
  /** Simulator states to keep of an episode, from its recording; none where missing. */
  snapshotsOf?(recording: Uint8Array): readonly StateSnapshot[];
}

/** Writes each episode when it ends; one that the physics lost, or that was cut, is left out. */
export class EpisodeCollector {
  private readonly source: Collected;
  private readonly writer: DatasetWriter;
  private readonly options: CollectOptions;
  private readonly recorder: EpisodeRecorder;
  private readonly rows: Rows[];
  private readonly open: Set<number> | null;

  constructor(source: Collected, writer: DatasetWriter, options: CollectOptions) {
    const { task, numEnvs } = source;
    const { header, firstOnly } = options;
    this.source = source;
    this.writer = writer;
    this.options = options;
    this.recorder = new EpisodeRecorder(source, { header, checksumEvery });
    this.rows = Array.from(
      { length: numEnvs },
      () => new Rows(task.observation.size, task.action.size),
    );
    this.open = firstOnly ? new Set(this.rows.keys()) : null;
  }

  /** After a reset of all envs. */
  begin(): void {
    this.recorder.begin();
    for (const [env, rows] of this.rows.entries()) rows.begin(this.source.out.observations, env);
  }

  /** After a step, with the actions [N, A] it was given. */
  add(actions: Float32Array): void {
    const { out } = this.source;
    for (const [env, rows] of this.rows.entries()) rows.add(actions, out, env);
    const ended = new Map(this.recorder.add(actions).map((episode) => [episode.env, episode]));
    for (const [env, rows] of this.rows.entries()) {
      if (!out.terminated[env] && !out.truncated[env]) continue;
      const episode = ended.get(env);
      if (episode && (this.open === null || this.open.delete(env)))
        this.write(env, rows, episode.bytes);
      rows.begin(out.observations, env);
    }
  }

  dispose(): void {
    this.recorder.dispose();
  }

  private write(env: number, rows: Rows, recording: Uint8Array): void {
    const { out } = this.source;
    const { header, snapshotsOf } = this.options;
    this.writer.add({
      ...rows.take(),
      extras: {},
      recording,
      ...(snapshotsOf && { snapshots: snapshotsOf(recording) }),
      info: {
        success: out.successes[env] === 1,
        terminated: out.terminated[env] === 1,
        truncated: out.truncated[env] === 1,
        seed: header.seed,
        policy: header.policy,
      },
    });
  }
}

/** The rows of one env's running episode. */
export class Rows {
  private readonly observationSize: number;
  private readonly actionSize: number;
  private observations: number[] = [];
  private actions: number[] = [];
  private rewards: number[] = [];

  constructor(observationSize: number, actionSize: number) {
    this.observationSize = observationSize;
    this.actionSize = actionSize;
  }

  /** After its reset. */
  begin(observations: Float32Array, env: number): void {
    this.observations = [];
    this.actions = [];
    this.rewards = [];
    push(this.observations, observations, env, this.observationSize);
  }

  /** After a step with actions [N, A]. */
  add(actions: Float32Array, { nextObservations, rewards }: VecStep, env: number): void {
    push(this.observations, nextObservations, env, this.observationSize);
    push(this.actions, actions, env, this.actionSize);
    this.rewards.push(rewards[env]!);
  }

  /** All since `begin`; fresh. */
  take() {
    return {
      observations: Float32Array.from(this.observations), // [T + 1, O]
      actions: Float32Array.from(this.actions), // [T, A]
      rewards: Float32Array.from(this.rewards), // [T]
    };
  }
}

function push(target: number[], source: Float32Array, row: number, width: number): void {
  for (let i = row * width; i < (row + 1) * width; i++) target.push(source[i]!);
}
