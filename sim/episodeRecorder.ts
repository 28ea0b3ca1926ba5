// EpisodeRecorder: turns episodes of running envs into recordings, whole ones at a time.
//
// It is told of every step, and gives the bytes of episodes that ended. Appended to a file with one write
// each, they survive a kill: readers leave out what was cut. An episode that was running when recording
// began is left out, and so is one that the physics lost. Recordings replay in a world of one; where a
// robot's path depends on how many share its world (actuation "torques"), that wants worlds of one here too.

import { checksumOf, startOf, type VecStep } from "./env.ts";
import { type Ending, type RecordingHeader, RecordingWriter } from "./recording.ts";
import { physicsDefaults } from "./settings.ts";
import type { Task } from "./task.ts";

/** What is recorded from: an `Envs` or a `VecEnv`. */
export interface Recorded {
  readonly task: Task;
  readonly numEnvs: number;
  readonly robotsPerWorld: number;
  readonly out: VecStep;
  readonly watched: Uint8Array;
}

export interface EpisodeRecorderOptions {
  /** All that recordings say of where they come from, beside what is known here. */
  readonly header: Omit<RecordingHeader, "task" | "slot" | "actionSize">;
  /** Index of the first env among all of the run: the `firstEnv` of an `Envs`; 0 where missing. */
  readonly firstEnv?: number;
  /** Which envs; all where missing. */
  readonly envs?: readonly number[];
  /** Steps from one checksum to the next; 25 where missing. */
  readonly checksumEvery?: number;
}

/** A whole episode. */
export interface RecordedEpisode extends Ending {
  readonly env: number;
  /** To append to a file with one write. */
  readonly bytes: Uint8Array;
}

export class EpisodeRecorder {
  private readonly source: Recorded;
  private readonly options: EpisodeRecorderOptions;
  private readonly envs: readonly number[];
  private readonly running = new Map<number, Running>();

  /** Asks the envs for checksums, until `dispose`. */
  constructor(source: Recorded, options: EpisodeRecorderOptions) {
    const { envs = Array.from({ length: source.numEnvs }, (_, i) => i), checksumEvery = 25 } =
      options;
    checkWorlds(source);
    for (const env of envs) {
      if (!Number.isInteger(env) || env < 0 || env >= source.numEnvs)
        throw new Error(`an env to record is from 0 to ${source.numEnvs - 1}, got ${env}`);
    }
    if (!Number.isInteger(checksumEvery) || checksumEvery < 1)
      throw new Error(`checksumEvery is a whole number from 1, got ${checksumEvery}`);
    this.source = source;
    this.options = { ...options, checksumEvery };
    this.envs = envs;
    for (const env of envs) source.watched[env] = 1;
  }

  /** After a reset of all envs: their episodes are recorded from here. */
  begin(): void {
    for (const env of this.envs) this.start(env);
  }

  /** After a step, with the actions [N, A] it was given; the chosen envs' episodes that ended in it. */
  add(actions: Float32Array): RecordedEpisode[] {
    const ended: RecordedEpisode[] = [];
    const { terminated, truncated, broken } = this.source.out;
    for (const env of this.envs) {
      const episode = broken[env] ? undefined : this.running.get(env);
      if (episode) this.addStep(episode, env, actions);
      if (!terminated[env] && !truncated[env]) continue;
      if (episode) ended.push(this.finish(episode, env));
      this.start(env).checksum(checksumOf(this.source.out, env));
    }
    return ended;
  }

  /** Wants no more checksums. */
  dispose(): void {
    for (const env of this.envs) this.source.watched[env] = 0;
    this.running.clear();
  }

  private start(env: number): RecordingWriter {
    const { task, out } = this.source;
    const { header, firstEnv = 0 } = this.options;
    const { source } = task;
    const level = task.hasLevels ? { level: out.levels[env]! } : {};
    const writer = new RecordingWriter(
      {
        ...header,
        task: task.id,
        parameters: { ...header.parameters, ...(source !== undefined && { source }), ...level },
        slot: firstEnv + env,
        actionSize: task.action.size,
      },
      { type: "generator", generator: startOf(out, env) },
    );
    this.running.set(env, { writer, numSteps: 0, episodeReturn: 0 });
    return writer;
  }

  private addStep(episode: Running, env: number, actions: Float32Array): void {
    const { task, out } = this.source;
    const { size } = task.action;
    episode.writer.add(actions.subarray(env * size, (env + 1) * size), out.rewards[env]!);
    episode.numSteps++;
    episode.episodeReturn += out.rewards[env]!;
    const over = out.terminated[env]! + out.truncated[env]! > 0;
    if (!over && episode.numSteps % this.options.checksumEvery! === 0)
      episode.writer.checksum(checksumOf(out, env));
  }

  private finish({ writer, numSteps, episodeReturn }: Running, env: number): RecordedEpisode {
    const { out } = this.source;
    const [terminated, truncated] = [out.terminated[env] === 1, out.truncated[env] === 1];
    writer.end({ terminated, truncated });
    const bytes = writer.take();
    return { env, bytes, episodeReturn, episodeLength: numSteps, terminated, truncated };
  }
}

interface Running {
  readonly writer: RecordingWriter;
  numSteps: number;
  episodeReturn: number;
}

function checkWorlds({ task, robotsPerWorld }: Recorded): void {
  const { actuation = physicsDefaults.actuation } = task.settings ?? {};
  if (actuation === "torques" && robotsPerWorld > 1)
    throw new Error(
      `with actuation "torques" a robot's path depends on the ${robotsPerWorld} that share its world: to record, use robotsPerWorld 1`,
    );
}
