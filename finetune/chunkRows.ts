// Random rows of datasets for cloning: an observation and the chunk of actions that was taken from there on.
//
// A chunk that reaches over its episode's end repeats the last action, and the mask says so.

import type { RandomSource } from "../nn/noise.ts";
import type { Dataset } from "./dataset.ts";

/** Rows of a batch of B chunks. */
export interface ChunkColumns {
  readonly observations: Float32Array; // [B, O]
  readonly actions: Float32Array; // [B, H · A]
  /** 0 past the episode's end, [B, H]. */
  readonly mask: Float32Array;
}

/** Fresh arrays for B rows. */
export function createChunkColumns(
  size: number,
  widths: { readonly observationSize: number; readonly actionSize: number },
  chunkLength: number,
): ChunkColumns {
  return {
    observations: new Float32Array(size * widths.observationSize),
    actions: new Float32Array(size * chunkLength * widths.actionSize),
    mask: new Float32Array(size * chunkLength),
  };
}

/** Every step of some datasets, each equally likely. */
export class ChunkRows {
  readonly numSteps: number;
  private readonly sources: readonly Source[];

  constructor(datasets: readonly Dataset[]) {
    this.sources = datasets.map(sourceOf);
    this.numSteps = datasets.reduce((sum, { numSteps }) => sum + numSteps, 0);
    if (this.numSteps === 0) throw new Error("the data has no steps to clone");
  }

  /** Overwrites rows [from, to) of a batch. */
  fill(batch: ChunkColumns, [from, to]: readonly [number, number], random: RandomSource): void {
    for (let row = from; row < to; row++) {
      let step = random.integer(this.numSteps);
      let index = 0;
      while (step >= this.sources[index]!.dataset.numSteps)
        step -= this.sources[index++]!.dataset.numSteps;
      copyRow(this.sources[index]!, step, batch, row);
    }
  }
}

interface Source {
  readonly dataset: Dataset;
  /** Of each step: the one after the last of its episode, and its observation's row, [T]. */
  readonly ends: Int32Array;
  readonly observationRows: Int32Array;
}

function sourceOf(dataset: Dataset): Source {
  const ends = new Int32Array(dataset.numSteps);
  const observationRows = new Int32Array(dataset.numSteps);
  for (const [i, { length }] of dataset.episodes.entries()) {
    const { step, observation } = dataset.places[i]!;
    for (let t = 0; t < length; t++) {
      ends[step + t] = step + length;
      observationRows[step + t] = observation + t;
    }
  }
  return { dataset, ends, observationRows };
}

function copyRow(source: Source, step: number, batch: ChunkColumns, row: number): void {
  const { dataset, ends, observationRows } = source;
  const { observationSize, actionSize } = dataset.info;
  const { observations, actions, mask } = batch;
  dataset.observations.read(observationRows[step]!, 1, observations, row * observationSize);
  const chunkLength = (mask.length * observationSize) / observations.length;
  const numLeft = Math.min(chunkLength, ends[step]! - step);
  const first = row * chunkLength * actionSize;
  dataset.actions.read(step, numLeft, actions, first);
  for (let t = numLeft; t < chunkLength; t++) {
    const at = first + t * actionSize;
    actions.copyWithin(at, at - actionSize, at);
  }
  mask.fill(1, row * chunkLength, row * chunkLength + numLeft);
  mask.fill(0, row * chunkLength + numLeft, (row + 1) * chunkLength);
}
