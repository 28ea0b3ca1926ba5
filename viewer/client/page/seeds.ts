// Seeds: curves of runs that differ in their seed alone, as one line and a band.

/** One metric of one run. */
export interface Curve {
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** A mean with its lowest and highest, at common steps; NaN-free. */
export interface Band {
  readonly steps: readonly number[];
  readonly mean: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** The rows' metric where they have it. */
export function curveOf(rows: readonly Readonly<Record<string, number>>[], metric: string): Curve {
  const found = rows.filter((row) => Number.isFinite(row[metric]) && row[metric] !== null);
  return { steps: found.map((row) => row["step"]!), values: found.map((row) => row[metric]!) };
}

/** Exponential moving average, without the pull towards its first value; weight 0 changes nothing. */
export function smooth({ steps, values }: Curve, weight: number): Curve {
  let sum = 0;
  let total = 0;
  const smoothed = values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
  return { steps, values: smoothed };
}

/** Mean, lowest and highest over seeds at every step that one has; a run counts within its own steps. */
export function bandOf(curves: readonly Curve[]): Band {
  const filled = curves.filter(({ steps }) => steps.length > 0);
  const steps = [...new Set(filled.flatMap((curve) => curve.steps))].sort((a, b) => a - b);
  const rows = steps.map((step) => {
    return filled.map((curve) => valueAt(curve, step)).filter((value) => value !== null);
  });
  return {
    steps,
    mean: rows.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
    low: rows.map((values) => Math.min(...values)),
    high: rows.map((values) => Math.max(...values)),
  };
}

function valueAt({ steps, values }: Curve, step: number): number | null {
  let low = 0;
  let high = steps.length - 1;
  if (step < steps[0]! || step > steps[high]!) return null;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (steps[middle]! <= step) low = middle;
    else high = middle;
  }
  const span = steps[high]! - steps[low]!;
  const share = span > 0 ? (step - steps[low]!) / span : 0;
  return values[low]! + share * (values[high]! - values[low]!);
}
