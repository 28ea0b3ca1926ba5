// Temporal ensembling: every step asks for a chunk, and acts by the mean of what all chunks so far say of it.
//
// Zhao et al. 2023, arXiv:2304.13705: weights exp(−m i), i = 0 for the oldest. The chunks come one after another,
// so that sums for the H steps ahead are all that must be kept.

/** Everything needed to go on; plain data. */
export interface ChunkEnsembleState {
  readonly sums: Float32Array; // [N, H, A]
  readonly weights: Float32Array; // [N, H]
  readonly counts: Int32Array; // [N, H]
}

export class ChunkEnsemble {
  private readonly decay: number;
  private readonly chunkLength: number;
  private readonly actionSize: number;
  private readonly sums: Float32Array;
  private readonly weights: Float32Array;
  private readonly counts: Int32Array;

  constructor(
    numRows: number,
    sizes: { readonly chunkLength: number; readonly actionSize: number; readonly decay: number },
  ) {
    const { chunkLength, actionSize, decay } = sizes;
    this.decay = decay;
    this.chunkLength = chunkLength;
    this.actionSize = actionSize;
    this.sums = new Float32Array(numRows * chunkLength * actionSize);
    this.weights = new Float32Array(numRows * chunkLength);
    this.counts = new Int32Array(numRows * chunkLength);
  }

  /** Forgets a row's chunks. */
  drop(row: number): void {
    const { chunkLength, actionSize, sums, weights, counts } = this;
    const [from, to] = [row * chunkLength, (row + 1) * chunkLength];
    sums.fill(0, from * actionSize, to * actionSize);
    weights.fill(0, from, to);
    counts.fill(0, from, to);
  }

  /** Takes a row's new chunk [H · A], writes this step's action and goes on to the next step. */
  next(row: number, chunk: Float32Array, out: Float32Array): void {
    const { chunkLength, actionSize, sums, weights, counts, decay } = this;
    const [first, last] = [row * chunkLength, (row + 1) * chunkLength - 1];
    for (let step = 0; step < chunkLength; step++) {
      const weight = Math.exp(-decay * counts[first + step]!++);
      weights[first + step]! += weight;
      for (let i = 0; i < actionSize; i++)
        sums[(first + step) * actionSize + i]! += weight * chunk[step * actionSize + i]!;
    }
    for (let i = 0; i < actionSize; i++) out[i] = sums[first * actionSize + i]! / weights[first]!;
    sums.copyWithin(first * actionSize, (first + 1) * actionSize, (last + 1) * actionSize);
    sums.fill(0, last * actionSize, (last + 1) * actionSize);
    weights.copyWithin(first, first + 1, last + 1);
    counts.copyWithin(first, first + 1, last + 1);
    weights[last] = 0;
    counts[last] = 0;
  }

  state(): ChunkEnsembleState {
    const { sums, weights, counts } = this;
    return { sums: sums.slice(), weights: weights.slice(), counts: counts.slice() };
  }

  restore({ sums, weights, counts }: ChunkEnsembleState): void {
    this.sums.set(sums);
    this.weights.set(weights);
    this.counts.set(counts);
  }
}
