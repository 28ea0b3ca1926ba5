// Reading recordings: bytes of recording.ts → episodes, as far as they are whole.

import { type Chunk, readSections, viewOf } from "./chunks.ts";
import type { EnvsState } from "./env.ts";
import {
  type Checksum,
  type Ending,
  type Recording,
  type RecordingHeader,
  type RecordingStart,
  recordingVersion,
} from "./recording.ts";
import type { RngState } from "./rng.ts";

/** Recordings of a file, as far as they are whole, and what was cut or corrupt, in words. */
export interface ReadRecordings {
  readonly recordings: readonly Recording[];
  readonly problems: readonly string[];
}

/** Every episode of a file; what is cut or corrupt is left out and named. */
export function readRecordings(bytes: Uint8Array): ReadRecordings {
  const recordings: Recording[] = [];
  const problems: string[] = [];
  for (const { chunks, problem, offset } of readSections(bytes, recordingVersion)) {
    const draft = new Draft();
    let wrong: string | null = null;
    for (const chunk of chunks) if (wrong === null) wrong = draft.add(chunk);
    const recording = draft.recording();
    if (recording) recordings.push(recording);
    const found = wrong ?? problem;
    if (found !== null) problems.push(found);
    else if (!recording?.ending)
      problems.push(
        `byte ${offset}: cut: this episode has no chunk ${recording ? "DONE" : "STRT"}`,
      );
  }
  return { recordings, problems };
}

/** The one whole episode of a file; throws where it is not exactly that. */
export function decodeRecording(bytes: Uint8Array): Recording {
  const { recordings, problems } = readRecordings(bytes);
  if (problems.length > 0) throw new Error(problems[0]);
  if (recordings.length !== 1) throw new Error(`expected one episode, got ${recordings.length}`);
  return recordings[0]!;
}

/** The state that `encodeState` of recording.ts wrote, of a world of one. */
export function decodeState(bytes: Uint8Array): EnvsState {
  const start = decodeStart(bytes);
  if (start?.type !== "state") throw new Error("expected a saved state of a world of one");
  return start.state;
}

/** A recording while its chunks are read. */
class Draft {
  private header: RecordingHeader | null = null;
  private start: RecordingStart | null = null;
  private readonly actions: number[] = [];
  private readonly checksums: Checksum[] = [];
  private ending: Ending | null = null;

  /** What is wrong with the chunk, in words. */
  add(chunk: Chunk): string | null {
    const problem = this.take(chunk);
    return problem === null ? null : `byte ${chunk.offset}: chunk ${chunk.name} ${problem}`;
  }

  recording(): Recording | null {
    const { header, start, checksums, ending } = this;
    if (!header || !start) return null;
    return { header, start, actions: Float32Array.from(this.actions), checksums, ending };
  }

  private take({ name, payload }: Chunk): string | null {
    if (this.ending) return "comes after the chunk DONE";
    if (name === "HEAD") return this.takeHeader(payload);
    if (!this.header) return "comes before the chunk HEAD";
    if (name === "STRT") return this.takeStart(payload);
    if (!this.start) return "comes before the chunk STRT";
    const view = viewOf(payload);
    if (name === "ACTS") return this.takeActions(view, this.header.actionSize);
    const numSteps = this.actions.length / this.header.actionSize;
    if (name === "HASH") return this.takeChecksum(view, numSteps);
    if (name === "DONE") return this.takeEnding(view, numSteps);
    return "is unknown; known: HEAD, STRT, ACTS, HASH, DONE";
  }

  private takeHeader(payload: Uint8Array): string | null {
    const header = parseJson(payload) as Partial<RecordingHeader> | undefined;
    if (!header || typeof header !== "object") return "is no JSON object";
    const { task, physics, seed, slot, actionSize, parameters } = header;
    if (typeof task !== "string" || typeof physics?.wasmHash !== "string")
      return "lacks task or physics";
    if (typeof parameters !== "object" || parameters === null) return "lacks parameters";
    for (const count of [seed, slot, actionSize])
      if (!Number.isSafeInteger(count)) return "needs whole numbers seed, slot and actionSize";
    if (actionSize! < 1) return `has an actionSize of ${actionSize}, expected at least 1`;
    this.header = header as RecordingHeader;
    return null;
  }

  private takeStart(payload: Uint8Array): string | null {
    const start = decodeStart(payload);
    if (!start) return "is no known start: seed, generator or state";
    this.start = start;
    return null;
  }

  private takeActions(view: DataView, actionSize: number): string | null {
    const numSteps = this.actions.length / actionSize;
    const rows = (view.byteLength - 4) / (4 * actionSize);
    if (!Number.isInteger(rows) || rows < 0)
      return `has ${view.byteLength} bytes, expected 4 + 4 × ${actionSize} a step`;
    const first = view.getUint32(0, true);
    if (first !== numSteps) return `begins with step ${first}, expected ${numSteps}`;
    for (let i = 0; i < rows * actionSize; i++) {
      const value = view.getFloat32(4 + 4 * i, true);
      if (!Number.isFinite(value))
        return `has ${value} in the action of step ${first + Math.floor(i / actionSize)}`;
      this.actions.push(value);
    }
    return null;
  }

  private takeChecksum(view: DataView, numSteps: number): string | null {
    if (view.byteLength !== 8) return `has ${view.byteLength} bytes, expected 8`;
    const step = view.getUint32(0, true);
    if (step !== numSteps) return `is of step ${step}, expected ${numSteps}`;
    this.checksums.push({ step, hash: view.getUint32(4, true).toString(16).padStart(8, "0") });
    return null;
  }

  private takeEnding(view: DataView, numSteps: number): string | null {
    if (view.byteLength !== 14) return `has ${view.byteLength} bytes, expected 14`;
    const episodeReturn = view.getFloat64(0, true);
    const episodeLength = view.getUint32(8, true);
    if (episodeLength !== numSteps) return `counts ${episodeLength} steps, expected ${numSteps}`;
    const terminated = view.getUint8(12) !== 0;
    this.ending = { episodeReturn, episodeLength, terminated, truncated: view.getUint8(13) !== 0 };
    return null;
  }
}

function decodeStart(payload: Uint8Array): RecordingStart | null {
  if (payload.length < 4) return null;
  const end = 4 + viewOf(payload).getUint32(0, true);
  const signed = (_: string, value: unknown) => (value === "-0" ? -0 : value);
  const start = parseJson(payload.subarray(4, end), signed) as RecordingStart | undefined;
  if (start?.type === "seed") return { type: "seed" };
  if (start?.type === "generator" && isGenerator(start.generator)) return start;
  if (start?.type !== "state" || !isState(start.state)) return null;
  const simulation = { ...start.state.simulation, rapier: payload.slice(end) };
  return { type: "state", state: { ...start.state, simulation } };
}

function isGenerator(value: Partial<RngState> | null | undefined): boolean {
  const { key, words } = value ?? {};
  if (!Array.isArray(words) || words.length !== 4) return false;
  return [key, ...words].every((word) => word === (word as number) >>> 0);
}

/** Whether it has the parts of a world of one; whether they fit the task, restoring them tells. */
function isState(value: Partial<EnvsState> | null | undefined): boolean {
  const { simulation, episodes, observations } = value ?? {};
  return (
    Array.isArray(simulation?.worlds) &&
    simulation.worlds.length === 1 &&
    Array.isArray(episodes) &&
    episodes.length === 1 &&
    Array.isArray(observations)
  );
}

/** undefined where it is no JSON. */
function parseJson(bytes: Uint8Array, reviver?: (key: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes), reviver);
  } catch {
    return undefined;
  }
}
