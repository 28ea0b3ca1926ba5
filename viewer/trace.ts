// Trace: everything to see of an episode, found by simulating its recording again, and forks of it.
//
// Runs in a tab's worker and in Node alike, to the same bits. A step's numbers are one row of floats;
// row 0 is after the reset, row k after k control steps.

import { worldHash } from "../sim/checksum.ts";
import type { Envs, EnvsState } from "../sim/env.ts";
import { scaleFriction, scaleMasses } from "../sim/randomize.ts";
import type { Physics } from "../sim/rapier.ts";
import type { Recording } from "../sim/recording.ts";
import { startReplay } from "../sim/replay.ts";
import { type SignalLayout, signalLayout, writeJoints, writeStep } from "../sim/signals.ts";
import type { Mark, Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import type { PagePolicy } from "./pagePolicy.ts";

/** Where the numbers of a row lie: those of its signals, and what else is seen. */
export interface TraceLayout extends SignalLayout {
  readonly poses: number; // 7 a link
  readonly center: number; // of mass, 3
  readonly links: readonly string[];
}

/** Numbers a contact has: position 3, normal 3, force, link. */
export const contactWidth = 8;

/** Rows that follow each other. */
export interface TraceChunk {
  readonly first: number;
  readonly rows: Float32Array; // [steps, width]
  /** Of all the chunk's rows, one after another. */
  readonly contacts: Float32Array; // [contacts, 8]
  readonly numContacts: Uint16Array; // [steps]
  readonly marks: readonly (readonly Mark[])[]; // [steps]
  readonly hashes: readonly string[]; // [steps]
  /** Whether the episode had ended. */
  readonly ended: boolean;
}

/** What a fork changes from the recorded episode. */
export interface ForkChanges {
  readonly friction: number; // factor on every geom of the robot
  readonly mass: number; // factor on every link
  /**
   * What the drives get from there on: the rest of the recording and then nothing, nothing, or what a
   * policy says.
   */
  readonly actions: "recorded" | "zero" | "policy";
}

/** What a policy would have done. */
export interface Answers {
  readonly actions: Float32Array; // [rows, A]
  /** Whether these are the actions of the base that it corrects. */
  readonly ofBase: boolean;
}

/** The ways of one link under several chunks, the one that is chosen last. */
export interface Fan {
  readonly link: number;
  /** Points x, y, z one after another, in m. */
  readonly paths: readonly Float32Array[];
}

const stateEvery = 50; // steps between saved states

interface Fork {
  readonly changes: ForkChanges;
  readonly policy: PagePolicy | null;
}

export class Tracer {
  readonly layout: TraceLayout;
  readonly numSteps: number;
  /** Checksums of the recording that were equal, and the first thing that was not, in words. */
  numVerified = 0;
  mismatch: string | null = null;
  private readonly recording: Recording;
  private readonly envs: Envs;
  private readonly states = new Map<number, EnvsState>();
  private readonly wanted: ReadonlyMap<number, string>;
  private readonly width: number;
  private readonly hashes: string[] = [];
  private readonly returns: number[] = [];
  private readonly observed: Float32Array[] = []; // of the recorded episode, by row
  private step = 0;
  private episodeReturn = 0;
  private ended = false;
  private fork: Fork | null = null;
  private action: Float32Array; // that led here

  constructor(physics: Physics, task: Task, recording: Recording) {
    this.recording = recording;
    this.width = task.action.size;
    this.numSteps = recording.actions.length / this.width;
    this.envs = startReplay(physics, task, recording, { autoReset: false });
    this.layout = layoutOf(task, this.world);
    this.action = new Float32Array(this.width);
    this.wanted = new Map(recording.checksums.map(({ step, hash }) => [step, hash]));
  }

  get task(): Task {
    return this.envs.task;
  }

  get world(): World {
    return this.envs.simulation.worlds[0]!;
  }

  /** Rows of the recorded episode that there are. */
  get numTraced(): number {
    return this.hashes.length;
  }

  /** Whether nothing more will come. */
  get done(): boolean {
    return this.fork === null && this.step > this.numSteps;
  }

  /** The next rows, `count` of them at most; fresh. */
  advance(count: number): TraceChunk {
    const first = this.step;
    const limit = this.fork ? count : Math.min(count, this.numSteps + 1 - first);
    const rows = new Float32Array(Math.max(0, limit) * this.layout.width);
    const contacts: number[] = [];
    const numContacts = new Uint16Array(Math.max(0, limit));
    const marks: Mark[][] = [];
    const hashes: string[] = [];
    for (let i = 0; i < limit; i++) {
      this.reach();
      this.write(rows.subarray(i * this.layout.width, (i + 1) * this.layout.width));
      numContacts[i] = this.addContacts(contacts);
      marks.push(this.envs.task.marks?.(this.world) ?? []);
      hashes.push(this.check());
      this.step++;
    }
    const { ended } = this;
    return {
      first,
      rows,
      contacts: Float32Array.from(contacts),
      numContacts,
      marks,
      hashes,
      ended,
    };
  }

  /**
   * Goes back to a step that was simulated, and on from there with changes; returns the state's hash.
   * The policy is the one that acts where the changes say so.
   */
  branch(step: number, changes: ForkChanges, policy: PagePolicy | null = null): string {
    const from = Math.floor(step / stateEvery) * stateEvery;
    const state = this.states.get(from);
    if (!state || !(step < this.hashes.length))
      throw new Error(`step ${step} is not simulated yet, got ${this.hashes.length} steps`);
    this.fork = null; // until then the actions are the recorded ones
    this.envs.restore(state);
    for (let at = from; at < step; at++) this.envs.step(this.actionOf(at));
    const hash = worldHash(this.world);
    if (hash !== this.hashes[step])
      throw new Error(`step ${step} came to ${hash} again, expected ${this.hashes[step]}`);
    change(this.world, changes);
    this.episodeReturn = this.returns[step]!;
    this.ended = false;
    policy?.begin();
    this.fork = { changes, policy };
    this.step = step + 1;
    return hash;
  }

  /** What a policy, or the base that it corrects, would do in each state of the episode so far, [rows, A]; fresh. */
  answers(policy: PagePolicy): Answers {
    const actions = new Float32Array(this.observed.length * this.width);
    policy.begin();
    for (const [row, observations] of this.observed.entries()) {
      const acted = policy.act(observations);
      actions.set(policy.baseAction ?? acted, row * this.width);
    }
    return { actions, ofBase: policy.baseAction !== null };
  }

  /**
   * Where each chunk that led to a policy's choice would take the robot from a step of the recorded episode; null where
   * the policy chooses at once.
   */
  fan(step: number, policy: PagePolicy): Fan | null {
    if (this.fork || !(step < this.hashes.length))
      throw new Error(`step ${step} is not simulated yet, got ${this.hashes.length} steps`);
    policy.begin();
    policy.act(this.observed[step]!);
    const chunks = policy.path();
    if (chunks === null) return null;
    this.envs.restore(this.states.get(Math.floor(step / stateEvery) * stateEvery)!);
    for (let at = step - (step % stateEvery); at < step; at++) this.envs.step(this.actionOf(at));
    const start = this.envs.state();
    return fanOf(chunks.map((chunk) => this.follow(start, chunk)));
  }

  /** Positions of all links, at a state and after each action of a chunk until the episode would end. */
  private follow(start: EnvsState, chunk: Float32Array): Float32Array[] {
    this.envs.restore(start);
    const places = [Float32Array.from(this.world.linkPositions)];
    for (let at = 0; at < chunk.length; at += this.width) {
      const { terminated, truncated } = this.envs.step(chunk.subarray(at, at + this.width));
      places.push(Float32Array.from(this.world.linkPositions));
      if (terminated[0]! + truncated[0]! > 0) break;
    }
    return places;
  }

  /** An impulse in N s on a link of the fork, before its next step. */
  push(link: number, impulse: readonly [number, number, number]): void {
    if (!this.fork) throw new Error("only a fork can be pushed");
    this.world.push(link, impulse);
  }

  free(): void {
    this.envs.free();
  }

  /** Brings the world to this.step. */
  private reach(): void {
    if (this.step === 0) return;
    this.action = this.actionOf(this.step - 1);
    const { rewards, terminated, truncated } = this.envs.step(this.action);
    this.episodeReturn += rewards[0]!;
    this.ended ||= terminated[0]! + truncated[0]! > 0;
  }

  private actionOf(step: number): Float32Array {
    const { actions = "recorded" } = this.fork?.changes ?? {};
    if (actions === "policy" && this.fork?.policy)
      return this.fork.policy.act(this.envs.out.observations);
    if (actions !== "recorded" || step >= this.numSteps) return new Float32Array(this.width);
    return this.recording.actions.subarray(step * this.width, (step + 1) * this.width);
  }

  private check(): string {
    const hash = worldHash(this.world);
    if (this.fork) return hash;
    this.hashes.push(hash);
    this.returns.push(this.episodeReturn);
    this.observed.push(this.envs.out.observations.slice());
    if (this.step % stateEvery === 0) this.states.set(this.step, this.envs.state());
    const wanted = this.wanted.get(this.step);
    if (wanted === hash) this.numVerified++;
    else if (wanted !== undefined)
      this.mismatch ??= `step ${this.step} has checksum ${hash}, recorded ${wanted}`;
    return hash;
  }

  private write(row: Float32Array): void {
    const { layout, world } = this;
    const { out } = this.envs;
    const { linkPositions, linkRotations } = world;
    for (let link = 0; link < layout.links.length; link++) {
      const at = layout.poses + 7 * link;
      for (let i = 0; i < 3; i++) row[at + i] = linkPositions[3 * link + i]!;
      for (let i = 0; i < 4; i++) row[at + 3 + i] = linkRotations[4 * link + i]!;
    }
    writeJoints(row, 0, layout, world);
    row.set(centerOf(world), layout.center);
    if (this.step === 0) return;
    const { action, episodeReturn } = this;
    writeStep(row, 0, layout, { action, terms: out.terms, reward: out.rewards[0]!, episodeReturn });
  }

  private addContacts(into: number[]): number {
    const all = this.world.contacts.all().filter(({ force }) => force > 0);
    for (const { position, normal, force, link } of all)
      into.push(...position, ...normal, force, link);
    return all.length;
  }
}

/** The ways of the link whose ends lie farthest apart: a hand rather than the base of its arm. */
function fanOf(runs: readonly (readonly Float32Array[])[]): Fan {
  const ends = runs.map((places) => places.at(-1)!);
  const numLinks = ends[0]!.length / 3;
  const spread = (link: number) => {
    const along = (i: number) => ends.map((end) => end[3 * link + i]!);
    const widths = [0, 1, 2].map((i) => Math.max(...along(i)) - Math.min(...along(i)));
    return Math.hypot(...widths);
  };
  const links = Array.from({ length: numLinks }, (_, link) => link);
  const link = links.reduce((a, b) => (spread(b) > spread(a) ? b : a), 0);
  const of = (places: Float32Array) => [...places.subarray(3 * link, 3 * link + 3)];
  return { link, paths: runs.map((places) => Float32Array.from(places.flatMap(of))) };
}

/** Factors on what the robot is now: its episode may have drawn others than the model's. */
function change(world: World, { friction, mass }: ForkChanges): void {
  if (friction !== 1) scaleFriction(world, friction * world.frictionScale);
  if (mass !== 1) scaleMasses(world, mass * world.massScale);
}

/** Where a task's numbers lie in a row. */
export function layoutOf(task: Task, { model, plan }: World): TraceLayout {
  const links = model.links.map(({ name }) => name);
  const signals = signalLayout(task, plan, 7 * links.length);
  return { ...signals, width: signals.width + 3, poses: 0, center: signals.width, links };
}

function centerOf({ plan, linkCenters }: World): number[] {
  const center = [0, 0, 0];
  let total = 0;
  for (const [link, body] of plan.bodyOfLink.entries()) {
    const { mass } = plan.bodies[body]!.inertial;
    total += mass;
    for (let i = 0; i < 3; i++) center[i]! += mass * linkCenters[3 * link + i]!;
  }
  return center.map((sum) => sum / total);
}
