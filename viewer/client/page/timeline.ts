// Timeline: the rows of an episode as they come in, and what lies between two of them.

import type { Mark } from "../../../sim/task.ts";
import { contactWidth, type TraceChunk, type TraceLayout } from "../../trace.ts";
import type { SignalRows } from "./signals.ts";

const trailEvery = 2; // rows

export class Timeline implements SignalRows {
  readonly layout: TraceLayout;
  readonly controlDt: number;
  /** Rows that are there; row k is after k control steps. */
  count = 0;
  /** The first row at which the episode had ended; null where it has not. */
  endedAt: number | null = null;
  private rows: Float32Array;
  private readonly contacts: Float32Array[] = [];
  private readonly marks: (readonly Mark[])[] = [];
  private readonly hashes: string[] = [];

  constructor(layout: TraceLayout, controlDt: number, capacity = 256) {
    this.layout = layout;
    this.controlDt = controlDt;
    this.rows = new Float32Array(capacity * layout.width);
  }

  /** The same up to and with a row, to go on otherwise. */
  branch(step: number): Timeline {
    const copy = new Timeline(this.layout, this.controlDt, step + 512);
    copy.rows.set(this.rows.subarray(0, (step + 1) * this.layout.width));
    copy.contacts.push(...this.contacts.slice(0, step + 1));
    copy.marks.push(...this.marks.slice(0, step + 1));
    copy.hashes.push(...this.hashes.slice(0, step + 1));
    copy.count = step + 1;
    return copy;
  }

  append({ first, rows, contacts, numContacts, marks, hashes, ended }: TraceChunk): void {
    if (first !== this.count) return; // of another fork
    const { width } = this.layout;
    const needed = this.count * width + rows.length;
    if (needed > this.rows.length) {
      const larger = new Float32Array(Math.max(needed, 2 * this.rows.length));
      larger.set(this.rows);
      this.rows = larger;
    }
    this.rows.set(rows, this.count * width);
    let at = 0;
    for (const number of numContacts) {
      this.contacts.push(contacts.subarray(at, at + number * contactWidth));
      at += number * contactWidth;
    }
    this.marks.push(...marks);
    this.hashes.push(...hashes);
    this.count += numContacts.length;
    if (ended) this.endedAt ??= this.count - 1;
  }

  /** Seconds from the first row to the last. */
  get duration(): number {
    return Math.max(0, this.count - 1) * this.controlDt;
  }

  /** The row at or before a time. */
  stepAt(time: number): number {
    return Math.max(0, Math.min(this.count - 1, Math.floor(time / this.controlDt + 1e-6)));
  }

  row(step: number): Float32Array {
    const { width } = this.layout;
    return this.rows.subarray(step * width, (step + 1) * width);
  }

  contactsAt(step: number): Float32Array {
    return this.contacts[step] ?? new Float32Array(0);
  }

  marksAt(step: number): readonly Mark[] {
    return this.marks[step] ?? [];
  }

  hashAt(step: number): string | undefined {
    return this.hashes[step];
  }

  /** Writes the links' poses at a time, between two rows where it lies between them, [links, 7]. */
  posesAt(time: number, out: Float32Array): void {
    if (this.count === 0) return;
    const step = this.stepAt(time);
    const next = Math.min(this.count - 1, step + 1);
    const share = Math.min(1, Math.max(0, time / this.controlDt - step));
    const { poses } = this.layout;
    interpolatePoses(this.row(step), this.row(next), poses, share, out);
  }

  /** Where the centre of mass was up to a row, x, y, z of every second row; fresh. */
  trail(step: number): Float32Array {
    const { center } = this.layout;
    const points = new Float32Array(3 * (Math.floor(step / trailEvery) + 1));
    for (let i = 0; i < points.length / 3; i++) {
      const row = this.row(i * trailEvery);
      for (let k = 0; k < 3; k++) points[3 * i + k] = row[center + k]!;
    }
    return points;
  }

  /** The times of the rows from `firstRow` on, and `numLines` columns of theirs from `at` on; fresh. */
  lines(at: number, numLines: number, firstRow: number): Float64Array[] {
    const { width } = this.layout;
    const length = Math.max(0, this.count - firstRow);
    const column = (of: (step: number) => number): Float64Array =>
      Float64Array.from({ length }, (_, k) => of(firstRow + k));
    return [
      column((step) => step * this.controlDt),
      ...Array.from({ length: numLines }, (_, i) =>
        column((step) => this.rows[step * width + at + i]!),
      ),
    ];
  }
}

/** Poses between two, `share` of the way; both begin at float `at`. */
export function interpolatePoses(
  from: Float32Array,
  to: Float32Array,
  at: number,
  share: number,
  out: Float32Array,
): void {
  for (let i = 0; i < out.length; i += 7) {
    const a = at + i;
    for (let k = 0; k < 3; k++) out[i + k] = from[a + k]! + share * (to[a + k]! - from[a + k]!);
    let dot = 0;
    for (let k = 3; k < 7; k++) dot += from[a + k]! * to[a + k]!;
    const sign = dot < 0 ? -1 : 1;
    let norm = 0;
    for (let k = 3; k < 7; k++) {
      const value = (1 - share) * from[a + k]! + share * sign * to[a + k]!;
      out[i + k] = value;
      norm += value * value;
    }
    const scale = 1 / Math.sqrt(norm);
    for (let k = 3; k < 7; k++) out[i + k] = out[i + k]! * scale;
  }
}
