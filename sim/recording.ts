// Recording: an episode as bytes, namely how it began and its float32 actions, with checksums on the way.
//
// episodes/*.rec. An episode is one section of chunks.ts: HEAD (JSON), STRT (how it began), then ACTS
// (first step, actions [K, A]) and HASH (step, checksum) in turn, then DONE (return, length, how it
// ended). Files may be concatenated, appended to and cut anywhere. readRecordings.ts reads it,
// replay.ts simulates it again.

import { checkActions } from "./actions.ts";
import { concatBytes, encodeChunk, sectionHead, viewOf } from "./chunks.ts";
import type { EnvsState } from "./env.ts";
import type { PhysicsVersion } from "./rapier.ts";
import type { RngState } from "./rng.ts";

export const recordingVersion = 1;

/** Where an episode comes from; given by whoever records it. */
export interface RecordingHeader {
  readonly task: string;
  /** The task's settings, beside its id; JSON. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly physics: PhysicsVersion;
  readonly seed: number;
  /** The env's index among all of the run: `firstEnv` of the world of one that replays it. */
  readonly slot: number;
  readonly actionSize: number;
  readonly policy: string;
  readonly gitCommit: string;
}

/**
 * How an episode began: the first one of env `slot` under the header's seed, or with a generator's state
 * before the reset, or at a saved state of a world of one.
 */
export type RecordingStart =
  | { readonly type: "seed" }
  | { readonly type: "generator"; readonly generator: RngState }
  | { readonly type: "state"; readonly state: EnvsState };

export interface Checksum {
  /** Control steps before it; 0 is after the reset. */
  readonly step: number;
  /** `worldHash` then. */
  readonly hash: string;
}

export interface Ending {
  /** Sum of the float32 rewards in float64. */
  readonly episodeReturn: number;
  readonly episodeLength: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

export interface Recording {
  readonly header: RecordingHeader;
  readonly start: RecordingStart;
  readonly actions: Float32Array; // [K, A]
  readonly checksums: readonly Checksum[];
  /** null where the file was cut before. */
  readonly ending: Ending | null;
}

export interface WriterOptions {
  /** Steps of actions in a chunk; a crash costs at most these. */
  readonly chunkSteps?: number;
}

/** Makes an episode's bytes while it runs; `take` returns those to append to the file. */
export class RecordingWriter {
  private readonly actionSize: number;
  private readonly actions: Float32Array;
  private readonly chunks: Uint8Array[];
  private numPending = 0;
  private numSteps = 0;
  private episodeReturn = 0;
  private ended = false;

  constructor(
    header: RecordingHeader,
    start: RecordingStart,
    { chunkSteps = 50 }: WriterOptions = {},
  ) {
    this.actionSize = header.actionSize;
    this.actions = new Float32Array(chunkSteps * header.actionSize);
    this.chunks = firstChunks(header, start);
  }

  /** One control step: the action as it was given to the env, and its reward. */
  add(action: ArrayLike<number>, reward: number): void {
    if (this.ended) throw new Error("this recording has ended");
    checkActions(action, 1, this.actionSize, "step", this.numSteps);
    if (!Number.isFinite(reward))
      throw new Error(`the reward of step ${this.numSteps} is ${reward}`);
    this.actions.set(action, this.numPending * this.actionSize);
    this.numPending++;
    this.numSteps++;
    this.episodeReturn += Math.fround(reward);
    if (this.numPending * this.actionSize >= this.actions.length) this.flush();
  }

  /** `worldHash` now; not after a step that ended the episode, when the next one has begun. */
  checksum(hash: string): void {
    this.flush();
    this.chunks.push(encodeChecksum({ step: this.numSteps, hash }));
  }

  /** The last chunk; `terminated` and `truncated` are both false where recording stopped before. */
  end({ terminated, truncated }: Pick<Ending, "terminated" | "truncated">): void {
    this.flush();
    const { episodeReturn, numSteps: episodeLength } = this;
    this.chunks.push(encodeEnding({ episodeReturn, episodeLength, terminated, truncated }));
    this.ended = true;
  }

  /** Whole chunks since the last call; fresh. */
  take(): Uint8Array {
    return concatBytes(this.chunks.splice(0));
  }

  private flush(): void {
    if (this.numPending === 0) return;
    const { numPending, numSteps, actionSize } = this;
    const rows = this.actions.subarray(0, numPending * actionSize);
    this.chunks.push(encodeActions(numSteps - numPending, rows));
    this.numPending = 0;
  }
}

/** A whole recording's bytes; equal to those of a writer but for how many steps a chunk has. */
export function encodeRecording(recording: Recording): Uint8Array {
  const { header, actions, ending } = recording;
  const { actionSize } = header;
  const parts = firstChunks(header, recording.start);
  let at = 0;
  const addActions = (end: number): void => {
    if (end > at)
      parts.push(encodeActions(at, actions.subarray(at * actionSize, end * actionSize)));
    at = end;
  };
  for (const checksum of recording.checksums) {
    addActions(checksum.step);
    parts.push(encodeChecksum(checksum));
  }
  addActions(actions.length / actionSize);
  if (ending) parts.push(encodeEnding(ending));
  return concatBytes(parts);
}

function firstChunks(header: RecordingHeader, start: RecordingStart): Uint8Array[] {
  const head = encodeChunk("HEAD", jsonBytes(header));
  return [sectionHead(recordingVersion), head, encodeChunk("STRT", encodeStart(start))];
}

function encodeActions(firstStep: number, actions: Float32Array): Uint8Array {
  const payload = new Uint8Array(4 + 4 * actions.length);
  const view = viewOf(payload);
  view.setUint32(0, firstStep, true);
  for (let i = 0; i < actions.length; i++) view.setFloat32(4 + 4 * i, actions[i]!, true);
  return encodeChunk("ACTS", payload);
}

function encodeChecksum({ step, hash }: Checksum): Uint8Array {
  const payload = new Uint8Array(8);
  const view = viewOf(payload);
  view.setUint32(0, step, true);
  view.setUint32(4, Number.parseInt(hash, 16), true);
  return encodeChunk("HASH", payload);
}

function encodeEnding({ episodeReturn, episodeLength, terminated, truncated }: Ending): Uint8Array {
  const payload = new Uint8Array(14);
  const view = viewOf(payload);
  view.setFloat64(0, episodeReturn, true);
  view.setUint32(8, episodeLength, true);
  payload[12] = terminated ? 1 : 0;
  payload[13] = truncated ? 1 : 0;
  return encodeChunk("DONE", payload);
}

/** Bytes of a saved state, for `decodeState` of readRecordings.ts. */
export function encodeState(state: EnvsState): Uint8Array {
  return encodeStart({ type: "state", state });
}

/** JSON's length, JSON without Rapier's bytes, these bytes. −0, which JSON's numbers lack, is the text "-0". */
function encodeStart(start: RecordingStart): Uint8Array {
  const json = jsonBytes(start, (key, value) => {
    if (key === "rapier") return null;
    return Object.is(value, -0) ? "-0" : value;
  });
  const rapier = start.type === "state" ? start.state.simulation.rapier : new Uint8Array(0);
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, json.length, true);
  return concatBytes([length, json, rapier]);
}

function jsonBytes(
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, replacer));
}
