// What a soak of the viewer found: memory at its start and end, and where the training stood still.

import { atMost, type Report, type Row, row, type Target } from "../report.ts";

const stallFactor = 5; // a pause so many times the median one is a stall
const mostStalls = 0.5; // a minute, more with viewers than without
const mostHeap = 5; // MB more at the end than at the start
const mostRss = 60; // MB
const mostWait = 15; // s until a training has ended after Ctrl-C

/** Bytes that a process has. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly arrayBuffers: number;
}

/** A stretch of time in which viewers came and went, in s since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface LogRow {
  readonly step: number;
  readonly wallTime: number; // s since 1970
}

export interface Soaked {
  /** After each round's viewers have left. */
  readonly memory: readonly Memory[];
  readonly watched: readonly Span[];
  /** Frames that came, a second and viewer. */
  readonly rates: readonly number[];
  /** Rows of the run's metrics from the first round's begin to the last one's end. */
  readonly log: readonly LogRow[];
  readonly secondsToEnd: number;
}

interface Pauses {
  /** s between rows of metrics. */
  readonly alone: number[];
  readonly watched: number[];
}

/** Pauses that lie wholly with viewers or wholly without. */
export function pausesOf(log: readonly LogRow[], watched: readonly Span[]): Pauses {
  const pauses: Pauses = { alone: [], watched: [] };
  for (let i = 1; i < log.length; i++) {
    const [from, to] = [log[i - 1]!.wallTime, log[i]!.wallTime];
    const meets = watched.some((span) => from < span.to && to > span.from);
    const within = watched.some((span) => from >= span.from && to <= span.to);
    if (within) pauses.watched.push(to - from);
    else if (!meets) pauses.alone.push(to - from);
  }
  return pauses;
}

/** Its rows and targets. */
export function reportOf({ memory, watched, rates, log, secondsToEnd }: Soaked): Report {
  const { alone, watched: seen } = pausesOf(log, watched);
  if (alone.length === 0 || seen.length === 0)
    throw new Error("the training logged too seldom to compare: soak for longer");
  const limit = stallFactor * row("", "", alone).median;
  const stalls = (pauses: number[]) => pauses.filter((pause) => pause > limit).length;
  const minutes = (pauses: number[]) => pauses.reduce((sum, pause) => sum + pause, 0) / 60;
  const more = stalls(seen) / minutes(seen) - stalls(alone) / minutes(alone);
  const [first, last] = [memory[0]!, memory.at(-1)!];
  const rows: Row[] = [
    ...memoryRows("resident", "rss", memory),
    ...memoryRows("heap", "heapUsed", memory),
    ...memoryRows("array buffers", "arrayBuffers", memory),
    row("between rows of metrics", "nobody watches", alone, "s"),
    row("between rows of metrics", "viewers come and go", seen, "s"),
    row("longest of them", "nobody watches", [Math.max(...alone)], "s"),
    row("longest of them", "viewers come and go", [Math.max(...seen)], "s"),
    row("stalls", "nobody watches", [stalls(alone)], ""),
    row("stalls", "viewers come and go", [stalls(seen)], ""),
    row("frames of a viewer that reads", "1 to 12 viewers", rates, "Hz"),
    row("from Ctrl-C to the end", "5 viewers, one stalled", [secondsToEnd], "s"),
  ];
  const grown = (key: keyof Memory): number => Math.max(0, (last[key] - first[key]) / 1e6);
  const targets: Target[] = [
    atMost("growth of the heap", mostHeap, grown("heapUsed"), " MB"),
    atMost("growth of array buffers", mostHeap, grown("arrayBuffers"), " MB"),
    atMost("growth of resident memory", mostRss, grown("rss"), " MB"),
    atMost("stalls a minute that viewers add", mostStalls, more),
    atMost("from Ctrl-C to the end", mostWait, secondsToEnd, " s"),
  ];
  const notes = [
    `${watched.length} rounds; memory is after each, the first warms up and is the start`,
    `a stall is a pause over ${stallFactor} times the median with nobody watching`,
  ];
  return { rows, targets, notes };
}

function memoryRows(name: string, key: keyof Memory, memory: readonly Memory[]): Row[] {
  const sizes = memory.map((each) => each[key] / 1e6);
  const figures = { "at the start": sizes[0]!, "at the end": sizes.at(-1)! };
  return [...Object.entries(figures), ["at most", Math.max(...sizes)] as const].map(
    ([when, size]) => row(`memory of the training, ${name}`, when, [size], "MB"),
  );
}
