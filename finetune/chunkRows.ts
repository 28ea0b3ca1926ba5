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

/** Every step of some datasets' episodes, each equally likely. */
export class ChunkRows {
  readonly numSteps: number;
  private readonly sources: readonly Source[];

  /** Of the episodes that `keeps` names, by dataset and episode; of all where missing. */
  constructor(
    datasets: readonly Dataset[],
    keeps: (dataset: number, episode: number) => boolean = () => true,
  ) {
    this.sources = datasets.map((dataset, i) => sourceOf(dataset, (episode) => keeps(i, episode)));
    this.numSteps = this.sources.reduce((sum, { steps }) => sum + steps.length, 0);
    if (this.numSteps === 0) throw new Error("the data has no steps to clone");
  }

  /** Overwrites rows [from, to) of a batch. */
  fill(batch: ChunkColumns, [from, to]: readonly [number, number], random: RandomSource): void {
    for (let row = from; row < to; row++) {
      let place = random.integer(this.numSteps);
      let index = 0;
      while (place >= this.sources[index]!.steps.length)
        place -= this.sources[index++]!.steps.length;
      copyRow(this.sources[index]!, place, batch, row);
    }
  }
}

/** The steps of a dataset that are drawn from, [T]. */
interface Source {
  readonly dataset: Dataset;
  readonly steps: Int32Array;
  /** Of each: the step after the last of its episode, and its observation's row. */
  readonly ends: Int32Array;
  readonly observationRows: Int32Array;
}

function sourceOf(dataset: Dataset, keeps: (episode: number) => boolean): Source {
  const { episodes, places } = dataset;
  const kept = [...episodes.keys()].filter(keeps);
  const size = kept.reduce((sum, i) => sum + episodes[i]!.length, 0);
  const steps = new Int32Array(size);
  const ends = new Int32Array(size);
  const observationRows = new Int32Array(size);
  let at = 0;
  for (const i of kept) {
    const { step, observation } = places[i]!;
    const { length } = episodes[i]!;
    for (let t = 0; t < length; t++, at++) {
      steps[at] = step + t;
      ends[at] = step + length;
      observationRows[at] = observation + t;
    }
  }
  return { dataset, steps, ends, observationRows };
}

function copyRow(source: Source, place: number, batch: ChunkColumns, row: number): void {
  const { dataset, steps, ends, observationRows } = source;
  const { observationSize, actionSize } = dataset.info;
  const { observations, actions, mask } = batch;
  const step = steps[place]!;
  dataset.observations.read(observationRows[place]!, 1, observations, row * observationSize);
  const chunkLength = (mask.length * observationSize) / observations.length;
  const numLeft = Math.min(chunkLength, ends[place]! - step);
  const first = row * chunkLength * actionSize;
  dataset.actions.read(step, numLeft, actions, first);
  for (let t = numLeft; t < chunkLength; t++) {
    const at = first + t * actionSize;
    actions.copyWithin(at, at - actionSize, at);
  }
  mask.fill(1, row * chunkLength, row * chunkLength + numLeft);
  mask.fill(0, row * chunkLength + numLeft, (row + 1) * chunkLength);
}
