// PoseMailbox: the newest poses of a few robots in shared memory, for whoever watches a training.
//
// Each robot has a slot guarded by a sequence number that is odd while it is written: a writer never
// waits, a reader tries again. While nobody watches, `watching` is one read of shared memory.

import type { Envs } from "./env.ts";
import type { World } from "./world.ts";

const headLength = 8; // int32: watchers, robots, links, controlDt in µs, four spare
const slotHead = 4; // int32: sequence, episode, step, spare
const [watchersAt, robotsAt, linksAt, periodAt] = [0, 1, 2, 3];
const poseWidth = 7;

/** A robot's newest state. */
export interface MailboxSlot {
  readonly episode: number;
  readonly step: number;
}

export class PoseMailbox {
  readonly buffer: SharedArrayBuffer;
  readonly numRobots: number;
  readonly numLinks: number;
  /** s */
  readonly controlDt: number;
  private readonly head: Int32Array;
  private readonly ints: Int32Array;
  private readonly floats: Float32Array;
  private readonly slotLength: number;

  /** Over a buffer that `createPoseMailbox` made, in any thread. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.head = new Int32Array(buffer, 0, headLength);
    this.numRobots = this.head[robotsAt]!;
    this.numLinks = this.head[linksAt]!;
    this.controlDt = this.head[periodAt]! / 1e6;
    this.ints = new Int32Array(buffer, 4 * headLength);
    this.floats = new Float32Array(buffer, 4 * headLength);
    this.slotLength = slotHead + this.numLinks * poseWidth;
  }

  /** Whether anybody looks; writers skip all work while this is false. */
  get watching(): boolean {
    return Atomics.load(this.head, watchersAt) > 0;
  }

  set watchers(count: number) {
    Atomics.store(this.head, watchersAt, count);
  }

  /** Leaves a robot's poses; only the thread that steps it may call this. */
  write(robot: number, { linkPositions, linkRotations }: World, slot: MailboxSlot): void {
    if (robot >= this.numRobots) return;
    const at = robot * this.slotLength;
    Atomics.add(this.ints, at, 1);
    this.ints[at + 1] = slot.episode;
    this.ints[at + 2] = slot.step;
    for (let link = 0; link < this.numLinks; link++) {
      const to = at + slotHead + link * poseWidth;
      for (let i = 0; i < 3; i++) this.floats[to + i] = linkPositions[3 * link + i]!;
      for (let i = 0; i < 4; i++) this.floats[to + 3 + i] = linkRotations[4 * link + i]!;
    }
    Atomics.add(this.ints, at, 1);
  }

  /** Copies a robot's poses, [links, 7], to float `to` of `out`; null where none were whole. */
  read(robot: number, out: Float32Array, to: number): MailboxSlot | null {
    const at = robot * this.slotLength;
    for (let tries = 0; tries < 4; tries++) {
      const before = Atomics.load(this.ints, at);
      if (before === 0) return null;
      if (before % 2 !== 0) continue;
      const slot = { episode: this.ints[at + 1]!, step: this.ints[at + 2]! };
      out.set(this.floats.subarray(at + slotHead, at + this.slotLength), to);
      if (Atomics.load(this.ints, at) === before) return slot;
    }
    return null;
  }
}

/** A mailbox for the first `numRobots` robots of a training. */
export function createPoseMailbox(
  numRobots: number,
  numLinks: number,
  controlDt: number,
): PoseMailbox {
  const length = headLength + numRobots * (slotHead + numLinks * poseWidth);
  const buffer = new SharedArrayBuffer(4 * length);
  const head = new Int32Array(buffer, 0, headLength);
  head.set([0, numRobots, numLinks, Math.round(controlDt * 1e6)]);
  return new PoseMailbox(buffer);
}

/** Posts the robots of one thread's worlds after every step that somebody watches. */
export class PosePoster {
  private readonly mailbox: PoseMailbox;
  private readonly worlds: readonly Envs[];
  private readonly firstEnv: number;
  private readonly episodes: Int32Array;
  private readonly steps: Int32Array;

  constructor(buffer: SharedArrayBuffer, worlds: readonly Envs[], firstEnv: number) {
    this.mailbox = new PoseMailbox(buffer);
    this.worlds = worlds;
    this.firstEnv = firstEnv;
    const numEnvs = worlds.reduce((sum, envs) => sum + envs.numEnvs, 0);
    const numPosted = Math.max(0, Math.min(numEnvs, this.mailbox.numRobots - firstEnv));
    this.episodes = new Int32Array(numPosted);
    this.steps = new Int32Array(numPosted);
  }

  post(): void {
    const { watching } = this.mailbox;
    let at = 0;
    for (const { out, simulation } of this.worlds) {
      for (let i = 0; i < simulation.worlds.length && at < this.steps.length; i++, at++) {
        const ended = out.terminated[i]! + out.truncated[i]! > 0;
        if (ended) this.episodes[at]!++;
        this.steps[at] = ended ? 0 : this.steps[at]! + 1;
        if (!watching) continue;
        const slot = { episode: this.episodes[at]!, step: this.steps[at]! };
        this.mailbox.write(this.firstEnv + at, simulation.worlds[i]!, slot);
      }
    }
  }
}
