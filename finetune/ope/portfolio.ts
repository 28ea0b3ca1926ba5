// How well an estimator chooses: the policies that it ranks best, as a portfolio, by what they are truly worth.
//
// Kiyohara et al. 2024, "Towards Assessing and Benchmarking Risk-Return Tradeoff of Off-Policy Evaluation"
// (SCOPE-RL): SharpeRatio@k = max(0, best@k − J(behaviour)) / std@k.

/** What the k policies that an estimator ranks best are worth. */
export interface Portfolio {
  readonly k: number;
  readonly best: number;
  readonly worst: number;
  readonly mean: number;
  /** With k − 1 in the denominator. */
  readonly std: number;
  /** Infinite where all k are worth the same and beat the behaviour policy; 0 where none does. */
  readonly sharpeRatio: number;
  /** Share of them that is worth less than the threshold. */
  readonly violationRate: number;
}

export interface PortfolioOptions {
  /** True value of the policy that made the data. */
  readonly behavior: number;
  /** What a policy must be worth to be safe; the behaviour's value where missing. */
  readonly threshold?: number;
}

/** Indices from the best estimate to the worst; equal ones keep their order. */
export function ranked(estimates: readonly number[]): number[] {
  return estimates.map((_, i) => i).sort((a, b) => estimates[b]! - estimates[a]!);
}

/** The portfolios of k = 2 to all; duplicates of one policy should be left out before. */
export function portfolios(
  estimates: readonly number[],
  truths: readonly number[],
  { behavior, threshold = behavior }: PortfolioOptions,
): Portfolio[] {
  if (estimates.length !== truths.length || estimates.length < 2)
    throw new Error(
      `wanted an estimate and a true value of two policies or more, got ${estimates.length} and ${truths.length}`,
    );
  const order = ranked(estimates).map((i) => truths[i]!);
  return order.slice(1).map((_, i) => {
    const top = order.slice(0, i + 2);
    const mean = meanOf(top);
    const std = Math.sqrt(top.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (top.length - 1));
    const [best, worst] = [Math.max(...top), Math.min(...top)];
    const gain = Math.max(0, best - behavior);
    const violationRate = top.filter((x) => x < threshold).length / top.length;
    const sharpeRatio = gain === 0 ? 0 : gain / std;
    return { k: top.length, best, worst, mean, std, sharpeRatio, violationRate };
  });
}

/** How estimates compare with true values, over all policies. */
export interface Accuracy {
  readonly meanSquaredError: number;
  /** Spearman's; 1 where they rank alike. */
  readonly rankCorrelation: number;
  /** The best true value minus that of the policy ranked first. */
  readonly regret: number;
}

export function accuracyOf(estimates: readonly number[], truths: readonly number[]): Accuracy {
  const errors = estimates.map((x, i) => (x - truths[i]!) ** 2);
  const [a, b] = [placesOf(estimates), placesOf(truths)];
  return {
    meanSquaredError: meanOf(errors),
    rankCorrelation: correlation(a, b),
    regret: Math.max(...truths) - truths[ranked(estimates)[0]!]!,
  };
}

/** Bounds of a mean by resampling: the middle `share` of means of draws with replacement. */
export function bootstrapInterval(
  values: readonly number[],
  random: { integer(bound: number): number },
  { share = 0.95, numDraws = 1000 }: { readonly share?: number; readonly numDraws?: number } = {},
): readonly [low: number, high: number] {
  const draw = () => meanOf(values.map(() => values[random.integer(values.length)]!));
  const means = Array.from({ length: numDraws }, draw).sort((x, y) => x - y);
  const at = (q: number) => means[Math.min(numDraws - 1, Math.floor(q * numDraws))]!;
  return [at((1 - share) / 2), at((1 + share) / 2)];
}

/** Each value's place among all, equal ones sharing theirs. */
function placesOf(values: readonly number[]): number[] {
  return values.map((x) => {
    const below = values.filter((y) => y < x).length;
    const equal = values.filter((y) => y === x).length;
    return below + (equal - 1) / 2;
  });
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [meanOf(a), meanOf(b)];
  const covariance = meanOf(a.map((x, i) => (x - ma) * (b[i]! - mb)));
  const spread = (xs: readonly number[], m: number) =>
    Math.sqrt(meanOf(xs.map((x) => (x - m) ** 2)));
  const scale = spread(a, ma) * spread(b, mb);
  return scale === 0 ? 0 : covariance / scale;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
