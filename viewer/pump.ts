// Pump: sends the newest poses of a training to those who watch, 60 times a second at most.
//
// A slot, not a queue: what a client cannot take now it never gets. Encoded once for all clients that
// watch equally many robots, or follow the same. Where clients are so many that sending takes more than its share of the
// trainer's processor, frames become fewer for all. Without clients there is no timer and no work.

import type { PoseMailbox } from "../sim/poseMailbox.ts";
import { headerBytes, signalFrame, signalKind, writeHeader } from "./protocol.ts";

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
  /** The robot whose signals it gets; null for none. */
  followed: number | null;
}

const period = 1000 / 60; // ms
const mostLoad = 0.03; // share of a core that sending may take
const longestPeriod = 100; // ms
const numRemembered = 8; // beats; the cheapest is what one costs, others waited for the processor
const mostBuffered = 256_000; // bytes that may wait in a socket before a frame is skipped

export class Pump {
  private readonly mailbox: PoseMailbox;
  private readonly watchers = new Set<Watcher>();
  private timer: NodeJS.Timeout | null = null;
  private sequence = 0;
  private busy = 0; // ms since `since`
  private since = performance.now();
  private readonly costs: number[] = []; // ms, of the last beats that sent
  private readonly last = new Map<number, Uint32Array>(); // episodes and steps last sent, by robots watched
  private readonly lastSignals = new Map<number, string>(); // episode and step last sent, by robot

  constructor(mailbox: PoseMailbox) {
    this.mailbox = mailbox;
  }

  add(outlet: Outlet, numRobots: number): Watcher {
    const watcher = {
      outlet,
      numRobots: Math.min(numRobots, this.mailbox.numRobots),
      sent: 0,
      dropped: 0,
      followed: null,
    };
    this.watchers.add(watcher);
    this.update();
    return watcher;
  }

  remove(watcher: Watcher): void {
    this.watchers.delete(watcher);
    this.update();
  }

  /** Sends a watcher the signals of one of its robots, or of none. */
  follow(watcher: Watcher, robot: number | null): void {
    watcher.followed = robot !== null && robot < watcher.numRobots ? robot : null;
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
    const followed = new Set([...this.watchers].map((watcher) => watcher.followed));
    for (const robot of this.lastSignals.keys()) {
      if (followed.has(robot)) continue;
      this.mailbox.follow(robot, false);
      this.lastSignals.delete(robot);
    }
    for (const robot of followed) {
      if (robot === null || this.lastSignals.has(robot)) continue;
      this.mailbox.follow(robot, true);
      this.lastSignals.set(robot, "");
    }
    if (this.watchers.size > 0 && !this.timer) this.wait();
    if (this.watchers.size === 0 && this.timer) {
      clearTimeout(this.timer);
      this.timer = null;
      this.last.clear();
    }
  }

  private wait(): void {
    const cost = this.costs.length > 0 ? Math.min(...this.costs) : 0;
    const pause = Math.min(longestPeriod, Math.max(period, cost / mostLoad));
    this.timer = setTimeout(() => {
      this.beat();
      if (this.watchers.size > 0) this.wait();
    }, pause);
    this.timer.unref(); // never keeps a finished training alive
  }

  private beat(): void {
    const begun = performance.now();
    const posesOf = once((numRobots) => this.encode(numRobots));
    const signalsOf = once((robot) => this.encodeSignals(robot));
    let numSent = 0;
    for (const watcher of this.watchers) {
      const { outlet, numRobots, followed } = watcher;
      if (outlet.bufferedAmount > mostBuffered) {
        watcher.dropped++;
        continue;
      }
      const signals = followed === null ? null : signalsOf(followed);
      if (signals) outlet.send(signals);
      const frame = posesOf(numRobots);
      if (!frame) continue;
      outlet.send(frame);
      watcher.sent++;
      numSent++;
    }
    const taken = performance.now() - begun;
    this.busy += taken;
    if (numSent === 0) return;
    this.costs.push(taken);
    if (this.costs.length > numRemembered) this.costs.shift();
  }

  /** A fresh frame, copied straight from the mailbox; null where nothing moved or no robot is there yet. */
  private encode(numRobots: number): Uint8Array | null {
    const { numLinks, controlDt } = this.mailbox;
    const width = 2 + 7 * numLinks; // of a robot, in 32-bit words
    const bytes = new Uint8Array(headerBytes + 4 * width * numRobots);
    const words = new Uint32Array(bytes.buffer, headerBytes);
    const floats = new Float32Array(bytes.buffer, headerBytes);
    const newest = new Uint32Array(2 * numRobots);
    for (let robot = 0; robot < numRobots; robot++) {
      const slot = this.mailbox.read(robot, floats, robot * width + 2);
      if (!slot) return null;
      words[robot * width] = newest[2 * robot] = slot.episode;
      words[robot * width + 1] = newest[2 * robot + 1] = slot.step;
    }
    const last = this.last.get(numRobots);
    if (last && newest.every((value, i) => value === last[i])) return null;
    this.last.set(numRobots, newest);
    const step = newest[1] ?? 0;
    const times = { simTime: step * controlDt, wallTime: Date.now() / 1000 };
    writeHeader(bytes, { sequence: this.sequence++, step, ...times });
    return bytes;
  }

  /** A fresh frame; null where the robot did not move or has left no signals yet. */
  private encodeSignals(robot: number): Uint8Array | null {
    const { numSignals, controlDt } = this.mailbox;
    const { bytes, words, row } = signalFrame(numSignals);
    const slot = this.mailbox.readSignals(robot, row, 0);
    if (!slot) return null;
    const { episode, step } = slot;
    const key = `${episode} ${step}`;
    if (this.lastSignals.get(robot) === key) return null;
    this.lastSignals.set(robot, key);
    words.set([episode, step]);
    const times = { simTime: step * controlDt, wallTime: Date.now() / 1000 };
    writeHeader(bytes, { sequence: this.sequence++, step, ...times }, signalKind, robot);
    return bytes;
  }
}

/** Asks `make` once for each key. */
function once<T>(make: (key: number) => T): (key: number) => T {
  const made = new Map<number, T>();
  return (key) => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key) as T;
  };
}
