// Checkpoints: a run's whole state at a step, in a folder that is there whole or not at all.
//
// checkpoints/<step>/ has state.json (everything but arrays), arrays-*.safetensors and manifest.json (size
// and SHA-256 of both kinds, and how long the run's logs were). It is written under another name, flushed
// and renamed; then the one-line files `last` and `best` are renamed into place.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type FileSeal,
  readArrays,
  sealOf,
  shard,
  writeArrays,
  writeSealed,
} from "./arrayFiles.ts";
import { flushFolder, isDiskFull, replaceFile } from "./files.ts";
import { packState, partsOf, type StateArray, unpackState } from "./plainState.ts";

export interface Manifest {
  readonly version: 1;
  readonly step: number;
  /** Whether its policy was the best until then. */
  readonly best: boolean;
  readonly files: Readonly<Record<string, FileSeal>>;
  /** Bytes of each of the run's growing files then; resuming cuts them back to it. */
  readonly logs: Readonly<Record<string, number>>;
}

export interface Checkpoint {
  readonly step: number;
  readonly manifest: Manifest;
  /** What was saved, or of it the parts that were asked for, in their places; fresh. */
  readonly state: unknown;
}

/** The newest, the best by evaluations, or the one that off-policy evaluation chose. */
export type Pointer = "last" | "best" | "ope";

/** Which checkpoint: one that a name stands for, or that of a step. */
export type CheckpointName = Pointer | number;

export interface CheckpointOptions {
  /** Newest ones that stay, beside the best. */
  readonly keep: number;
  /** Most bytes of one file of arrays. */
  readonly shardBytes: number;
}

export class Checkpoints {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Writes a checkpoint and then removes old ones; throws, with the others whole, where it can't. */
  save(
    state: unknown,
    about: Pick<Manifest, "step" | "best" | "logs">,
    { keep, shardBytes }: CheckpointOptions,
  ): void {
    const { step, best } = about;
    mkdirSync(this.folder, { recursive: true });
    const temporary = join(this.folder, `.new-${step}`);
    try {
      writeCheckpoint(temporary, state, about, shardBytes);
      this.publish(temporary, step);
      if (best) this.point("best", step); // first: a crash between the two must not leave none
      this.point("last", step);
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      throw this.diskError(error, step);
    }
    this.prune(keep);
  }

  /** Steps that have a checkpoint, oldest first; they may be corrupt. */
  steps(): number[] {
    if (!existsSync(this.folder)) return [];
    const names = readdirSync(this.folder).filter((name) => /^\d+$/.test(name));
    return names.map(Number).sort((a, b) => a - b);
  }

  /** The step that a name stands for; undefined where there is no such checkpoint. */
  find(name: CheckpointName): number | undefined {
    const steps = this.steps();
    if (typeof name === "number") return steps.includes(name) ? name : undefined;
    const path = join(this.folder, name);
    const step = existsSync(path) ? Number(readFileSync(path, "utf8")) : undefined;
    if (step !== undefined && steps.includes(step)) return step;
    return name === "last" ? steps.at(-1) : undefined;
  }

  /**
   * A checkpoint whose every file is as it was written, or the `parts` of its state, such as
   * "loop/normalizer". Throws where it is missing or corrupt, naming the file and the newest whole one.
   */
  load(name: CheckpointName, parts?: readonly string[]): Checkpoint {
    const step = this.find(name);
    if (step === undefined) {
      const known = this.steps().join(", ") || "none";
      throw new Error(`no checkpoint "${name}" in ${this.folder}; there are: ${known}`);
    }
    const problem = this.problem(step);
    if (problem !== null) {
      const whole = this.steps().findLast((other) => this.problem(other) === null);
      const advice = whole === undefined ? "no other is whole" : `${whole} is the newest whole one`;
      throw new Error(`checkpoint ${step} in ${this.folder} is corrupt: ${problem}; ${advice}`);
    }
    return readCheckpoint(join(this.folder, String(step)), parts);
  }

  /** What is wrong with the files of a step, in words; null where nothing is. */
  problem(step: number): string | null {
    try {
      const folder = join(this.folder, String(step));
      for (const [name, seal] of Object.entries(readManifest(folder).files)) {
        const { bytes, sha256 } = sealOf(join(folder, name));
        if (bytes !== seal.bytes) return `${name} has ${bytes} bytes, expected ${seal.bytes}`;
        if (sha256 !== seal.sha256) return `${name} has another SHA-256 than its manifest says`;
      }
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** What a checkpoint says of itself. */
  manifest(step: number): Manifest {
    return readManifest(join(this.folder, String(step)));
  }

  /** Removes the checkpoints after a step, old ones but for `keep`, and what a crash left behind. */
  cutAfter(step: number, keep: number): void {
    this.repair();
    const left = this.steps().filter((other) => other <= step);
    const whole = left.filter((other) => this.problem(other) === null);
    const best = whole.findLast((other) => this.manifest(other).best);
    this.repoint("best", best);
    this.repoint("last", whole.at(-1));
    for (const later of this.steps()) if (later > step) this.remove(later);
    this.prune(keep);
  }

  /** Brings back or clears away what a crash left between two names. */
  repair(): void {
    if (!existsSync(this.folder)) return;
    for (const name of readdirSync(this.folder)) {
      const path = join(this.folder, name);
      const replaced = /^\.old-(\d+)$/.exec(name);
      if (replaced && !existsSync(join(this.folder, replaced[1]!)))
        renameSync(path, join(this.folder, replaced[1]!));
      else if (/^\.(new|old|gone)-\d+$/.test(name)) rmSync(path, { recursive: true });
    }
  }

  private publish(temporary: string, step: number): void {
    const path = join(this.folder, String(step));
    const old = join(this.folder, `.old-${step}`);
    const replaces = existsSync(path);
    if (replaces) renameSync(path, old);
    renameSync(temporary, path);
    flushFolder(this.folder);
    if (replaces) rmSync(old, { recursive: true });
  }

  /** Has a name stand for a step. */
  point(name: Pointer, step: number): void {
    replaceFile(join(this.folder, name), `${step}\n`);
  }

  private repoint(name: Pointer, step: number | undefined): void {
    if (this.find(name) === step && existsSync(join(this.folder, name))) return;
    if (step === undefined) rmSync(join(this.folder, name), { force: true });
    else this.point(name, step);
  }

  private prune(keep: number): void {
    const named = [this.find("best"), this.find("ope")];
    const steps = this.steps();
    for (const step of steps.slice(0, Math.max(0, steps.length - keep)))
      if (!named.includes(step)) this.remove(step);
  }

  /** First under a name that nobody takes for a checkpoint: it goes at one instant. */
  private remove(step: number): void {
    const gone = join(this.folder, `.gone-${step}`);
    renameSync(join(this.folder, String(step)), gone);
    rmSync(gone, { recursive: true });
  }

  private diskError(error: unknown, step: number): unknown {
    if (!isDiskFull(error)) return error;
    const last = this.find("last");
    const rest = last === undefined ? "there is none yet" : `the last one, ${last}, is whole`;
    return new Error(
      `no space left on the disk for checkpoint ${step} in ${this.folder}; ${rest}: free some space or lower keepCheckpoints, then resume the run`,
      { cause: error },
    );
  }
}

function writeCheckpoint(
  folder: string,
  state: unknown,
  about: Pick<Manifest, "step" | "best" | "logs">,
  shardBytes: number,
): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const { json, arrays } = packState(state);
  const text = new TextEncoder().encode(JSON.stringify(json));
  const files: Record<string, FileSeal> = {};
  files["state.json"] = writeSealed(join(folder, "state.json"), [text]);
  for (const [i, group] of shard(arrays, shardBytes).entries()) {
    const name = `arrays-${String(i).padStart(5, "0")}.safetensors`;
    files[name] = writeArrays(join(folder, name), group);
  }
  const manifest: Manifest = { version: 1, ...about, files };
  const lines = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  writeSealed(join(folder, "manifest.json"), [lines]);
  flushFolder(folder);
}

function readManifest(folder: string): Manifest {
  const path = join(folder, "manifest.json");
  if (!existsSync(path)) throw new Error("manifest.json is missing");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  if (manifest.version !== 1)
    throw new Error(`manifest.json has version ${manifest.version}; known: 1`);
  return manifest;
}

function readCheckpoint(folder: string, parts: readonly string[] | undefined): Checkpoint {
  const manifest = readManifest(folder);
  const whole: unknown = JSON.parse(readFileSync(join(folder, "state.json"), "utf8"));
  const json = parts === undefined ? whole : partsOf(whole, parts);
  const arrays = new Map<string, StateArray>();
  const wanted = (name: string) =>
    parts === undefined || parts.some((part) => `${name}/`.startsWith(`${part}/`));
  for (const name of Object.keys(manifest.files)) {
    if (!name.endsWith(".safetensors")) continue;
    for (const [path, array] of readArrays(join(folder, name), wanted)) arrays.set(path, array);
  }
  const state = unpackState(json, (name) => arrays.get(name)!);
  return { step: manifest.step, manifest, state };
}
