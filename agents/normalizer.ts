// Normaliser: the running mean and standard deviation of what was observed, and (x − mean) / std.
//
// Welford's sums in float64, merged observation by observation. "warmUp" stops counting at `freeze`, so
// that the learner's inputs stop moving, as does "dataset" once it has seen all data; "running" counts on.

import type { EnvSpec, Mirror, OffPolicyConfig } from "./agent.ts";

/** Everything needed to go on, and what a policy needs to see as the trainer did. */
export interface NormalizerState {
  readonly count: number;
  readonly means: Float64Array; // [O]
  /** Sums of squared deviations from the mean, [O]. */
  readonly squares: Float64Array;
  readonly frozen: boolean;
}

export type NormalizerKind = OffPolicyConfig["normalizer"] | "dataset";

const leastStd = 0.05; // an element that hardly moved yet must not blow up when it does
const leastDataStd = 0.1; // nor one that is nearly constant in a dataset, when a policy leaves it
const largest = 10; // standard deviations; beyond, values are clipped

export class Normalizer {
  /** What `apply` subtracts and multiplies by, [O]; views. */
  readonly means: Float32Array;
  readonly scales: Float32Array;
  private readonly kind: NormalizerKind;
  private count = 0;
  private frozen: boolean;
  private readonly exactMeans: Float64Array;
  private readonly squares: Float64Array;
  private readonly mirror: Mirror | undefined;
  private readonly numPlain: number;

  /** The last `numPlain` elements are left as they are. */
  constructor(kind: NormalizerKind, size: number, mirror?: Mirror, numPlain = 0) {
    this.kind = kind;
    this.mirror = mirror;
    this.numPlain = numPlain;
    this.frozen = kind === "none";
    this.means = new Float32Array(size);
    this.scales = new Float32Array(size).fill(1);
    this.exactMeans = new Float64Array(size);
    this.squares = new Float64Array(size);
  }

  /** Counts N observations, [N, O]. */
  observe(observations: Float32Array): void {
    if (this.frozen) return;
    const { mirror } = this;
    const size = this.exactMeans.length;
    for (let row = 0; row < observations.length; row += size) {
      this.count++;
      for (let i = 0; i < size; i++) this.merge(i, observations[row + i]!);
      if (mirror === undefined) continue;
      this.count++;
      for (let i = 0; i < size; i++) {
        this.merge(i, mirror.signs[i]! * observations[row + mirror.indices[i]!]!);
      }
    }
    this.refresh();
  }

  /** The random steps, or the data, are over: a "warmUp" or "dataset" normaliser stays as it is from here on. */
  freeze(): void {
    if (this.kind === "warmUp" || this.kind === "dataset") this.frozen = true;
  }

  /** Standardises rows of observations into `out`, which may be the input. */
  apply(observations: Float32Array, out: Float32Array): void {
    const { means, scales } = this;
    if (this.kind === "none") {
      if (out !== observations) out.set(observations);
      return;
    }
    const size = means.length;
    for (let row = 0; row < observations.length; row += size) {
      for (let i = 0; i < size; i++) {
        const z = (observations[row + i]! - means[i]!) * scales[i]!;
        out[row + i] = z > largest ? largest : z < -largest ? -largest : z;
      }
    }
  }

  state(): NormalizerState {
    const { count, frozen } = this;
    return { count, frozen, means: this.exactMeans.slice(), squares: this.squares.slice() };
  }

  restore({ count, means, squares, frozen }: NormalizerState): void {
    if (means.length !== this.exactMeans.length)
      throw new Error(`a normaliser of ${this.means.length} elements, got ${means.length}`);
    this.count = count;
    this.frozen = frozen;
    this.exactMeans.set(means);
    this.squares.set(squares);
    if (this.kind !== "none") this.refresh();
  }

  /** Element i of the observation that was counted last. */
  private merge(i: number, value: number): void {
    const before = value - this.exactMeans[i]!;
    this.exactMeans[i]! += before / this.count;
    this.squares[i]! += before * (value - this.exactMeans[i]!);
  }

  private refresh(): void {
    if (this.count === 0) return;
    for (let i = 0; i < this.means.length - this.numPlain; i++) {
      this.means[i] = this.exactMeans[i]!;
      const std = Math.sqrt(this.squares[i]! / this.count);
      this.scales[i] = 1 / Math.max(std, this.kind === "dataset" ? leastDataStd : leastStd);
    }
  }
}

/** Of what an algorithm sees; a base policy's action at the end of it is left as it is. */
export function normalizerFor(
  kind: NormalizerKind,
  { observationSize, actionSize, mirror, observesBase }: EnvSpec,
): Normalizer {
  const numPlain = observesBase ? actionSize : 0;
  return new Normalizer(kind, observationSize, mirror?.observations, numPlain);
}
