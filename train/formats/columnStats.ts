// What LeRobot's stats.json says of a column: moments, ends and quantiles of every element.

/** Each array [W]. */
export interface ColumnStats {
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly count: readonly [number];
}

/** Sums over rows of a width, from which come moments and ends. */
export class StatsTally {
  readonly width: number;
  private readonly least: Float64Array;
  private readonly most: Float64Array;
  private readonly mean: Float64Array;
  private readonly squares: Float64Array; // of differences from the mean
  private count = 0;

  constructor(width: number) {
    this.width = width;
    this.least = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
    this.most = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
    this.mean = new Float64Array(width);
    this.squares = new Float64Array(width);
  }

  /** Rows [n, W], by Welford's update. */
  add(rows: ArrayLike<number>): void {
    const { width } = this;
    for (let at = 0; at < rows.length; at += width) {
      this.count++;
      for (let i = 0; i < width; i++) {
        const value = rows[at + i]!;
        const difference = value - this.mean[i]!;
        this.mean[i]! += difference / this.count;
        this.squares[i]! += difference * (value - this.mean[i]!);
        this.least[i] = Math.min(this.least[i]!, value);
        this.most[i] = Math.max(this.most[i]!, value);
      }
    }
  }

  stats(): ColumnStats {
    return {
      min: Array.from(this.least),
      max: Array.from(this.most),
      mean: Array.from(this.mean),
      std: Array.from(this.squares, (sum) => Math.sqrt(sum / this.count)),
      count: [this.count],
    };
  }
}

/** The quantiles that LeRobot names, of rows [n, W], each [W]; between two rows linearly. */
export function quantilesOf(rows: Float32Array, width: number): Record<string, number[]> {
  const numRows = rows.length / width;
  const columns = Array.from({ length: width }, (_, i) =>
    Float32Array.from({ length: numRows }, (_, row) => rows[row * width + i]!).sort(),
  );
  const names = { q01: 0.01, q10: 0.1, q50: 0.5, q90: 0.9, q99: 0.99 };
  return Object.fromEntries(
    Object.entries(names).map(([name, share]) => [name, columns.map((c) => quantile(c, share))]),
  );
}

function quantile(sorted: Float32Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}
