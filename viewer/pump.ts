// Pump: sends the newest poses of a training to those who watch, 60 times a second at most.
//
// A slot, not a queue: what a client cannot take now it never gets. Encoded once for all clients that
// watch equally many robots. Without clients there is no timer and no work.

import type { PoseMailbox } from "../sim/poseMailbox.ts";
import { encodePoses } from "./protocol.ts";

/** The part of a socket that the pump needs. */
export interface Outlet {
  readonly bufferedAmount: number;
  send(bytes: Uint8Array): void;
}

export interface Watcher {
  readonly outlet: Outlet;
  readonly numRobots: number;
  /** Frames sent, and those that the client was too slow for. */
  sent: number;
  dropped: number;
}

const period = 1000 / 60; // ms
const mostBuffered = 256_000; // bytes that may wait in a socket before a frame is skipped

export class Pump {
  private readonly mailbox: PoseMailbox;
  private readonly watchers = new Set<Watcher>();
  private timer: NodeJS.Timeout | null = null;
  private sequence = 0;
  private busy = 0; // ms since `since`
  private since = performance.now();
  private lastSteps = "";

  constructor(mailbox: PoseMailbox) {
    this.mailbox = mailbox;
  }

  add(outlet: Outlet, numRobots: number): Watcher {
    const watcher = {
      outlet,
      numRobots: Math.min(numRobots, this.mailbox.numRobots),
      sent: 0,
      dropped: 0,
    };
    this.watchers.add(watcher);
    this.update();
    return watcher;
  }

  remove(watcher: Watcher): void {
    this.watchers.delete(watcher);
    this.update();
  }

  /** Share of this thread's time that went into sending since the last call. */
  load(): number {
    const now = performance.now();
    const share = this.busy / Math.max(1, now - this.since);
    this.busy = 0;
    this.since = now;
    return share;
  }

  stop(): void {
    this.watchers.clear();
    this.update();
  }

  private update(): void {
    this.mailbox.watchers = this.watchers.size;
    if (this.watchers.size > 0 && !this.timer) {
      this.timer = setInterval(() => this.beat(), period);
      this.timer.unref(); // never keeps a finished training alive
    }
    if (this.watchers.size === 0 && this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }

  private beat(): void {
    const begun = performance.now();
    const frames = new Map<number, Uint8Array | null>();
    for (const watcher of this.watchers) {
      if (watcher.outlet.bufferedAmount > mostBuffered) {
        watcher.dropped++;
        continue;
      }
      let frame = frames.get(watcher.numRobots);
      if (frame === undefined) {
        frame = this.encode(watcher.numRobots);
        frames.set(watcher.numRobots, frame);
      }
      if (!frame) continue;
      watcher.outlet.send(frame);
      watcher.sent++;
    }
    this.busy += performance.now() - begun;
  }

  /** null where nothing moved since the last frame, or no robot is there yet. */
  private encode(numRobots: number): Uint8Array | null {
    const { numLinks, controlDt } = this.mailbox;
    const poses = new Float32Array(numRobots * numLinks * 7);
    const episodes = new Uint32Array(numRobots);
    const steps = new Uint32Array(numRobots);
    for (let robot = 0; robot < numRobots; robot++) {
      const slot = this.mailbox.read(robot, poses, robot * numLinks * 7);
      if (!slot) return null;
      episodes[robot] = slot.episode;
      steps[robot] = slot.step;
    }
    const key = `${numRobots} ${episodes.join()} ${steps.join()}`;
    if (key === this.lastSteps) return null;
    this.lastSteps = key;
    const step = steps[0] ?? 0;
    return encodePoses({
      sequence: this.sequence++,
      simTime: step * controlDt,
      wallTime: Date.now() / 1000,
      step,
      episodes,
      steps,
      poses,
    });
  }
}
