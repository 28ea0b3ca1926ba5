// PoseMailbox: the newest poses of a few robots in shared memory, for whoever watches a training.
//
// Each robot has a slot guarded by a sequence number that is odd while it is written: a writer never
// waits, a reader tries again. While nobody watches, `watching` is one read of shared memory. Robots that
// somebody follows leave their signals (sim/signals.ts) beside their poses.

import type { Envs } from "./env.ts";
import { planRobot } from "./plan.ts";
import { type SignalLayout, signalLayout, writeJoints, writeStep } from "./signals.ts";
import type { Task } from "./task.ts";
import type { World } from "./world.ts";

const headLength = 8; // int32: watchers, robots, links, controlDt in µs, floats of a row of signals, three spare
const slotHead = 4; // int32: sequence, episode, step, following
const [watchersAt, robotsAt, linksAt, periodAt, signalsAt] = [0, 1, 2, 3, 4];
const followingAt = 3;
const [unfollowed, asked, following] = [0, 1, 2]; // following: the slot has signals
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
  /** Floats of a row of signals. */
  readonly numSignals: number;
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
    this.numSignals = this.head[signalsAt]!;
    this.ints = new Int32Array(buffer, 4 * headLength);
    this.floats = new Float32Array(buffer, 4 * headLength);
    this.slotLength = slotHead + this.numLinks * poseWidth + this.numSignals;
  }

  /** Whether anybody looks; writers skip all work while this is false. */
  get watching(): boolean {
    return Atomics.load(this.head, watchersAt) > 0;
  }

  set watchers(count: number) {
    Atomics.store(this.head, watchersAt, count);
  }

  /** Asks for a robot's signals, or no more. */
  follow(robot: number, on: boolean): void {
    const at = robot * this.slotLength + followingAt;
    Atomics.store(this.ints, at, on ? asked : unfollowed);
  }

  /** Whether somebody asks for a robot's signals. */
  isFollowed(robot: number): boolean {
    return Atomics.load(this.ints, robot * this.slotLength + followingAt) !== unfollowed;
  }

  /** Leaves a robot's poses, and its signals where there are some; only the thread that steps it may call this. */
  write(
    robot: number,
    { linkPositions, linkRotations }: World,
    slot: MailboxSlot,
    signals: Float32Array | null = null,
  ): void {
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
    if (signals) {
      this.floats.set(signals, at + slotHead + this.numLinks * poseWidth);
      Atomics.compareExchange(this.ints, at + followingAt, asked, following);
    }
    Atomics.add(this.ints, at, 1);
  }

  /** Copies a robot's poses, [links, 7], to float `to` of `out`; null where none were whole. */
  read(robot: number, out: Float32Array, to: number): MailboxSlot | null {
    return this.copy(robot, 0, this.numLinks * poseWidth, out, to);
  }

  /** Copies the signals of a robot that is followed to float `to` of `out`; null where none were whole. */
  readSignals(robot: number, out: Float32Array, to: number): MailboxSlot | null {
    const state = Atomics.load(this.ints, robot * this.slotLength + followingAt);
    if (state !== following) return null; // what is there may be from long ago
    return this.copy(robot, this.numLinks * poseWidth, this.numSignals, out, to);
  }

  private copy(
    robot: number,
    from: number,
    count: number,
    out: Float32Array,
    to: number,
  ): MailboxSlot | null {
    const at = robot * this.slotLength;
    const first = at + slotHead + from;
    for (let tries = 0; tries < 4; tries++) {
      const before = Atomics.load(this.ints, at);
      if (before === 0) return null;
      if (before % 2 !== 0) continue;
      const slot = { episode: this.ints[at + 1]!, step: this.ints[at + 2]! };
      out.set(this.floats.subarray(first, first + count), to);
      if (Atomics.load(this.ints, at) === before) return slot;
    }
    return null;
  }
}

/** A mailbox for the first `numRobots` robots of a training. */
export function createPoseMailbox(task: Task, numRobots: number): PoseMailbox {
  const numLinks = task.model.links.length;
  const numSignals = signalLayout(task, planRobot(task.model)).width;
  const length = headLength + numRobots * (slotHead + numLinks * poseWidth + numSignals);
  const buffer = new SharedArrayBuffer(4 * length);
  const head = new Int32Array(buffer, 0, headLength);
  head.set([0, numRobots, numLinks, Math.round(task.controlDt * 1e6), numSignals]);
  return new PoseMailbox(buffer);
}

/** Posts the robots of one thread's worlds after every step that somebody watches. */
export class PosePoster {
  private readonly mailbox: PoseMailbox;
  private readonly worlds: readonly Envs[];
  private readonly firstEnv: number;
  private readonly episodes: Int32Array;
  private readonly steps: Int32Array;
  private readonly returns: Float64Array;
  private readonly layout: SignalLayout;
  private readonly signals: Float32Array;

  constructor(buffer: SharedArrayBuffer, worlds: readonly Envs[], firstEnv: number) {
    this.mailbox = new PoseMailbox(buffer);
    this.worlds = worlds;
    this.firstEnv = firstEnv;
    const numEnvs = worlds.reduce((sum, envs) => sum + envs.numEnvs, 0);
    const numPosted = Math.max(0, Math.min(numEnvs, this.mailbox.numRobots - firstEnv));
    this.episodes = new Int32Array(numPosted);
    this.steps = new Int32Array(numPosted);
    this.returns = new Float64Array(numPosted);
    const [{ task, simulation }] = worlds as [Envs];
    this.layout = signalLayout(task, simulation.worlds[0]!.plan);
    this.signals = new Float32Array(this.layout.width);
  }

  /** `actions` are those of each world's robots. */
  post(actions: readonly Float32Array[]): void {
    const { watching } = this.mailbox;
    let at = 0;
    for (const [w, envs] of this.worlds.entries()) {
      const { out, numEnvs } = envs;
      for (let i = 0; i < numEnvs && at < this.steps.length; i++, at++) {
        const ended = out.terminated[i]! + out.truncated[i]! > 0;
        if (ended) this.episodes[at]!++;
        this.steps[at] = ended ? 0 : this.steps[at]! + 1;
        this.returns[at] = ended ? 0 : this.returns[at]! + out.rewards[i]!;
        if (!watching) continue;
        const robot = this.firstEnv + at;
        const slot = { episode: this.episodes[at]!, step: this.steps[at]! };
        const world = envs.simulation.worlds[i]!;
        const signals = this.mailbox.isFollowed(robot)
          ? this.signalsOf(envs, i, actions[w]!, at)
          : null;
        this.mailbox.write(robot, world, slot, signals);
      }
    }
  }

  /** Of the world's robot i: its joints, and the step that led there; a view, valid until the next call. */
  private signalsOf(
    { out, task, simulation }: Envs,
    i: number,
    actions: Float32Array,
    at: number,
  ): Float32Array {
    const { signals, layout } = this;
    signals.fill(0);
    writeJoints(signals, 0, layout, simulation.worlds[i]!);
    if (this.steps[at] === 0) return signals; // the step led to the end of the episode before
    const part = (of: Float32Array, width: number): Float32Array =>
      of.subarray(i * width, (i + 1) * width);
    writeStep(signals, 0, layout, {
      action: part(actions, task.action.size).map((value) => Math.min(1, Math.max(-1, value))),
      terms: part(out.terms, task.rewardTerms.length),
      reward: out.rewards[i]!,
      episodeReturn: this.returns[at]!,
    });
    return signals;
  }
}
