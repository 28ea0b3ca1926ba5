// What observations and actions look like: boxes of float32 numbers, element by element.

export interface Space {
  readonly size: number;
  /** Bounds of every element; ±Infinity where there are none. */
  readonly low: number;
  readonly high: number;
  /** One name an element, with its unit: "torso height [m]". */
  readonly names: readonly string[];
}

/** Elements without bounds. */
export function unboundedSpace(names: readonly string[]): Space {
  const high = Number.POSITIVE_INFINITY;
  return { size: names.length, low: -high, high, names };
}

/** Elements in [−1, 1], as all actions are. */
export function unitSpace(names: readonly string[]): Space {
  return { size: names.length, low: -1, high: 1, names };
}
