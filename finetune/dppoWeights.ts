// What each step back that DPPO trains counts, and how far its ratio may go.

interface Weights {
  readonly tunedSteps: number;
  readonly stepDiscount: number;
}

interface Ranges {
  readonly tunedSteps: number;
  readonly clipRange: number;
  readonly noisyClipRange: number;
  readonly clipRate: number;
}

/** What each trained step's advantage counts, the noisiest first. */
export function discountsOf({ tunedSteps, stepDiscount }: Weights): number[] {
  return Array.from({ length: tunedSteps }, (_, i) => stepDiscount ** (tunedSteps - 1 - i));
}

/** ε of each trained step, the noisiest first: base + (ε − base) (eʳᵗ − 1) / (eʳ − 1), t from 0 to 1. */
export function clipRanges(config: Ranges): number[] {
  const { tunedSteps, clipRange, noisyClipRange, clipRate } = config;
  return Array.from({ length: tunedSteps }, (_, i) => {
    const t = tunedSteps === 1 ? 1 : i / (tunedSteps - 1);
    const share = Math.expm1(clipRate * t) / Math.expm1(clipRate);
    return noisyClipRange + (clipRange - noisyClipRange) * share;
  });
}
