// Shard: a block of a vectorised environment's rows, in as many worlds as asked, over shared memory.

import type { MessagePort } from "node:worker_threads";
import { createVecStep, Envs, type EnvsState, type VecStep } from "./env.ts";
import { PosePoster } from "./poseMailbox.ts";
import type { Physics, PhysicsBuild } from "./rapier.ts";
import type { Task } from "./task.ts";

/**
 * Where a thread finds a task: an export of a module, or what it returns for these arguments. A registry's
 * task is `{ module: new URL("../tasks/index.js", import.meta.url).href, name: "createTask", args: ["hopper"] }`.
 */
export interface TaskSource {
  /** An absolute URL, since sim/ may not know tasks/. */
  readonly module: string;
  readonly name: string;
  /** Structured-cloneable; [] where missing. */
  readonly args?: readonly unknown[];
}

/** Which rows, and how they are spread over worlds. */
export interface ShardPlan {
  /** A PoseMailbox's buffer, where somebody may want to watch. */
  readonly poses?: SharedArrayBuffer | undefined;
  readonly firstEnv: number;
  readonly numEnvs: number;
  readonly robotsPerWorld: number;
  readonly seed: number;
}

/** The arrays of all rows, each over a part of one shared buffer. */
export interface VecMemory {
  readonly buffer: SharedArrayBuffer;
  readonly actions: Float32Array; // [N, A]
  /** 1 for every env whose checksums are wanted, [N]. */
  readonly watched: Uint8Array;
  readonly out: VecStep;
  /** A row for each worker: ticket, done, status. */
  readonly control: Int32Array; // [W, 3]
}

/** What a worker is born with. */
export interface WorkerData {
  readonly buffer: SharedArrayBuffer;
  /** Requests come and answers go here, each before its ticket. */
  readonly port: MessagePort;
  readonly numRows: number;
  readonly numWorkers: number;
  readonly index: number;
  readonly task: TaskSource;
  readonly build: PhysicsBuild;
  readonly plan: ShardPlan;
}

/** A saved state of a world of one, and the env that goes on from it. */
export interface Placement {
  readonly env: number;
  readonly state: EnvsState;
}

/** What a worker is told before its ticket; a ticket alone means a step. */
export type WorkerRequest =
  | { readonly type: "reset"; readonly seed?: number | undefined }
  | { readonly type: "begin"; readonly envs: readonly number[] }
  | { readonly type: "place"; readonly placements: readonly Placement[] }
  | { readonly type: "level"; readonly level: number }
  | { readonly type: "state" }
  | { readonly type: "restore"; readonly worlds: readonly EnvsState[] };

export const controlWidth = 3;
export const [ticketAt, doneAt, statusAt] = [0, 1, 2];
export const [statusFine, statusFailed] = [0, 1];

/** The task of a source; throws where the module has no such export. */
export async function loadTask({ module, name, args = [] }: TaskSource): Promise<Task> {
  const exported = (await import(/* @vite-ignore */ module)) as Record<string, unknown>;
  const found = exported[name];
  const task = typeof found === "function" ? await found(...args) : found;
  if (typeof task !== "object" || task === null || !("controlDt" in task))
    throw new Error(`export "${name}" of ${module} is no task and makes none`);
  return task as Task;
}

/** Lays the arrays of N rows and W workers over a buffer; a new one where none is given. */
export function layOut(
  task: Task,
  numRows: number,
  numWorkers: number,
  given?: SharedArrayBuffer,
): VecMemory {
  const numActions = numRows * task.action.size;
  const example = createVecStep(task, numRows);
  const arrays = Object.values(example) as Column[];
  const outSize = arrays.reduce((sum, { byteLength }) => sum + aligned(byteLength), 0);
  const controlSize = 4 * controlWidth * numWorkers;
  const outAt = aligned(controlSize + 4 * numActions + numRows);
  const buffer = given ?? new SharedArrayBuffer(outAt + outSize);
  let at = outAt;
  const entries = Object.entries(example).map(([key, array]) => {
    const Columns = (array as Column).constructor as ColumnType;
    const view = new Columns(buffer, at, array.length);
    if (!given) view.set(array);
    at += aligned(array.byteLength);
    return [key, view];
  });
  return {
    buffer,
    control: new Int32Array(buffer, 0, controlWidth * numWorkers),
    actions: new Float32Array(buffer, controlSize, numActions),
    watched: new Uint8Array(buffer, controlSize + 4 * numActions, numRows),
    out: Object.fromEntries(entries) as VecStep,
  };
}

type Column = VecStep[keyof VecStep];
type ColumnType = new (buffer: SharedArrayBuffer, at: number, length: number) => Column;

export class Shard {
  private readonly worlds: readonly Envs[];
  private readonly actions: readonly Float32Array[];
  private readonly poster: PosePoster | null;
  private readonly plan: ShardPlan;

  constructor(physics: Physics, task: Task, { actions, out, watched }: VecMemory, plan: ShardPlan) {
    this.plan = plan;
    const { firstEnv, numEnvs, robotsPerWorld, seed } = plan;
    const worlds: Envs[] = [];
    const rows: Float32Array[] = [];
    for (let at = 0; at < numEnvs; at += robotsPerWorld) {
      const first = firstEnv + at;
      const count = Math.min(robotsPerWorld, numEnvs - at);
      const numRows = out.rewards.length;
      const part = rowsOf(out, first, count, numRows);
      const asked = watched.subarray(first, first + count);
      const options = { numEnvs: count, firstEnv: first, seed, out: part, watched: asked };
      worlds.push(new Envs(physics, task, options));
      const { size } = task.action;
      rows.push(actions.subarray(first * size, (first + count) * size));
    }
    this.worlds = worlds;
    this.actions = rows;
    this.poster = plan.poses ? new PosePoster(plan.poses, worlds, firstEnv) : null;
  }

  reset(seed?: number): void {
    for (const envs of this.worlds) envs.reset(seed);
  }

  /** Begins an episode in those of a run's envs that are the shard's. */
  begin(envs: readonly number[]): void {
    for (const env of envs) {
      const [world, row] = this.find(env);
      world?.begin(row);
    }
  }

  /** Goes on from saved states in those of a run's envs that are the shard's. */
  place(placements: readonly Placement[]): void {
    for (const { env, state } of placements) this.find(env)[0]?.place(state);
  }

  step(): void {
    for (let i = 0; i < this.worlds.length; i++) this.worlds[i]!.step(this.actions[i]!);
    this.poster?.post(this.actions);
  }

  setLevel(level: number): void {
    for (const envs of this.worlds) envs.setLevel(level);
  }

  /** By world. */
  state(): EnvsState[] {
    return this.worlds.map((envs) => envs.state());
  }

  restore(states: readonly EnvsState[]): void {
    if (states.length !== this.worlds.length)
      throw new Error(`the state of ${states.length} worlds does not fit ${this.worlds.length}`);
    for (const [i, envs] of this.worlds.entries()) envs.restore(states[i]!);
  }

  free(): void {
    for (const envs of this.worlds) envs.free();
  }

  /** The world of one of a run's envs, undefined where it is another shard's, and the env's row in it. */
  private find(env: number): [world: Envs | undefined, row: number] {
    const { firstEnv, numEnvs, robotsPerWorld } = this.plan;
    const row = env - firstEnv;
    const isMine = row >= 0 && row < numEnvs;
    return [
      isMine ? this.worlds[Math.floor(row / robotsPerWorld)] : undefined,
      row % robotsPerWorld,
    ];
  }
}

/** Views of some rows of every array. */
export function rowsOf(out: VecStep, first: number, count: number, numRows: number): VecStep {
  const entries = Object.entries(out).map(([key, array]: [string, Column]) => {
    const width = array.length / numRows;
    return [key, array.subarray(first * width, (first + count) * width)];
  });
  return Object.fromEntries(entries) as VecStep;
}

function aligned(numBytes: number): number {
  return Math.ceil(numBytes / 8) * 8;
}

/** Throws where an environment may not have so many envs, workers or robots a world. */
export function checkCounts(
  counts: Readonly<{ numEnvs: number; numWorkers?: number; robotsPerWorld?: number }>,
): void {
  const { numEnvs, numWorkers = 0, robotsPerWorld = 1 } = counts;
  const check = (name: string, value: number, low: number, high: number): void => {
    if (!Number.isInteger(value) || value < low || value > high)
      throw new Error(`${name} is a whole number from ${low} to ${high}, got ${value}`);
  };
  check("numEnvs", numEnvs, 1, 65536);
  check("numWorkers", numWorkers, 0, numEnvs);
  check("robotsPerWorld", robotsPerWorld, 1, 65536);
}

/** Blocks of rows whose sizes differ by one at most. */
export function planShards(
  numEnvs: number,
  count: number,
  most: number,
  seed: number,
): ShardPlan[] {
  return Array.from({ length: count }, (_, w) => {
    const firstEnv = Math.floor((w * numEnvs) / count);
    const share = Math.floor(((w + 1) * numEnvs) / count) - firstEnv;
    return { firstEnv, numEnvs: share, robotsPerWorld: Math.min(most, share), seed };
  });
}

/** How many robots each of a shard's worlds has. */
export function robotsByWorld({ numEnvs, robotsPerWorld }: ShardPlan): number[] {
  const numWorlds = Math.ceil(numEnvs / robotsPerWorld);
  return Array.from({ length: numWorlds }, (_, i) =>
    Math.min(robotsPerWorld, numEnvs - i * robotsPerWorld),
  );
}
