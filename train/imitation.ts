// Demonstrations beside an on-policy learner's minibatches: random rows of the run's data, and draws.

import type { EnvSpec } from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import type { DemonstrationBatch } from "../agents/rows.ts";
import { ChunkRows, createChunkColumns } from "../finetune/chunkRows.ts";
import type { Dataset } from "../finetune/dataset.ts";
import type { Rng } from "../sim/rng.ts";
import { checkWidths } from "./dataRows.ts";

export class Imitation {
  private readonly rows: ChunkRows;
  private readonly normalizer: Normalizer;
  private readonly batch: DemonstrationBatch<Float32Array>;
  private readonly size: number;

  /** Batches of `size` rows; observations as the policy sees them. */
  constructor(
    datasets: readonly Dataset[],
    normalizer: Normalizer,
    spec: EnvSpec,
    { size, chunkLength }: { readonly size: number; readonly chunkLength: number },
  ) {
    if (datasets.length === 0)
      throw new Error(
        "chordPeak above 0 wants demonstrations: name a dataset, --data datasets/<name>",
      );
    checkWidths(datasets, spec);
    this.rows = new ChunkRows(datasets);
    this.normalizer = normalizer;
    this.size = size;
    this.batch = {
      ...createChunkColumns(size, spec, chunkLength),
      normals: new Float32Array(size * chunkLength * spec.actionSize),
      uniforms: new Float32Array(size),
    };
  }

  /** The next rows; to be used before the next call. */
  next(rng: Rng): DemonstrationBatch<Float32Array> {
    const { batch, normalizer, rows, size } = this;
    rows.fill(batch, [0, size], rng);
    normalizer.apply(batch.observations, batch.observations);
    for (let i = 0; i < batch.normals.length; i++) batch.normals[i] = rng.normal();
    for (let i = 0; i < size; i++) batch.uniforms[i] = rng.uniform();
    return batch;
  }
}
