// Boxes: Gymnasium's spaces of numbers between bounds, as Minari writes them, and actions that come from one.

/** From a box's actions a to [−1, 1]: (a − centre) / halfRange. */
export interface ActionScale {
  readonly centre: readonly number[];
  readonly halfRange: readonly number[];
}

/** A space of `size` float32 numbers within ±bound, in Python's JSON: it writes Infinity. */
export function boxJson(size: number, bound: "Infinity" | "1.0"): string {
  const list = (value: string) => `[${new Array(size).fill(value).join(", ")}]`;
  const ends = `"low": ${list(`-${bound}`)}, "high": ${list(bound)}`;
  return `{"type": "Box", "dtype": "float32", "shape": [${size}], ${ends}}`;
}

/** How actions of a space become ours; null where they are ours already, or the space has no bounds. */
export function actionScaleOf(space: string | undefined, size: number): ActionScale | null {
  const box = parseBox(space);
  if (!box) return null;
  const { low, high } = box;
  const isOurs = low.every((value) => value === -1) && high.every((value) => value === 1);
  if (isOurs || low.length !== size || high.length !== size) return null;
  const centre = low.map((value, i) => (value + high[i]!) / 2);
  const halfRange = low.map((value, i) => (high[i]! - value) / 2);
  const isBounded = halfRange.every((value) => Number.isFinite(value) && value > 0);
  return isBounded ? { centre, halfRange } : null;
}

/** Fresh actions [T, A], clipped to [−1, 1]; the same array where there is nothing to scale. */
export function scaleActions(actions: Float32Array, scale: ActionScale | null): Float32Array {
  if (scale === null) return actions;
  const { centre, halfRange } = scale;
  return actions.map((action, i) => {
    const axis = i % centre.length;
    return Math.min(1, Math.max(-1, (action - centre[axis]!) / halfRange[axis]!));
  });
}

function parseBox(space: string | undefined): { low: number[]; high: number[] } | undefined {
  if (typeof space !== "string") return undefined;
  try {
    const json = space.replaceAll(/-?Infinity|NaN/g, "null");
    const { type, low, high } = JSON.parse(json) as { type: string; low: unknown; high: unknown };
    if (type !== "Box" || !Array.isArray(low) || !Array.isArray(high)) return undefined;
    const numbers = (list: unknown[]) => list.map((value) => Number(value ?? Number.NaN));
    return { low: numbers(low), high: numbers(high) };
  } catch {
    return undefined;
  }
}
