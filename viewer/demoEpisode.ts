// An episode that somebody drives: a world of one, an action at a time, and its recording.
//
// Runs in a page's worker and in Node alike, to the same bits.

import type { Physics } from "../sim/rapier.ts";
import { type RecordingHeader, RecordingWriter } from "../sim/recording.ts";
import type { Task } from "../sim/task.ts";
import { type TraceChunk, Tracer } from "./trace.ts";

const checksumEvery = 25; // steps

/** What a step came to. */
export interface DemoStep {
  readonly chunk: TraceChunk;
  /** Whether the state is a success. */
  readonly success: boolean;
}

export class DemoEpisode {
  readonly tracer: Tracer;
  /** After the reset. */
  readonly first: TraceChunk;
  numSteps = 0;
  private readonly writer: RecordingWriter;
  private readonly action: Float32Array;
  private ended = false;

  /** Begins as the header's seed has it. */
  constructor(physics: Physics, task: Task, header: RecordingHeader) {
    const start = { type: "seed" } as const;
    const recording = { header, start, actions: new Float32Array(0), checksums: [], ending: null };
    this.tracer = new Tracer(physics, task, recording);
    const { size } = task.action;
    this.action = new Float32Array(size);
    this.writer = new RecordingWriter(header, start);
    this.first = this.tracer.advance(1);
    this.writer.checksum(this.first.hashes[0]!);
    const hand = { begin() {}, act: () => this.action, baseAction: null, path: () => null };
    this.tracer.branch(0, { friction: 1, mass: 1, actions: "policy" }, hand);
  }

  /** One control step; null once the episode has ended. */
  step(action: ArrayLike<number>): DemoStep | null {
    if (this.ended) return null;
    const { tracer, writer } = this;
    this.action.set(action);
    const chunk = tracer.advance(1);
    this.numSteps++;
    this.ended = chunk.ended;
    writer.add(this.action, chunk.rows[tracer.layout.reward]!);
    if (!this.ended && this.numSteps % checksumEvery === 0) writer.checksum(chunk.hashes[0]!);
    return { chunk, success: tracer.task.success?.(tracer.world) ?? false };
  }

  /** The episode so far as a recording; nothing may follow. */
  recording(): Uint8Array {
    this.ended = true;
    this.writer.end({ terminated: false, truncated: false });
    return this.writer.take();
  }

  free(): void {
    this.tracer.free();
  }
}
