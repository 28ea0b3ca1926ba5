import { describe, expect, test } from "vitest";
import { exp, log } from "../../sim/math.ts";
import { createRng } from "../../sim/rng.ts";

const numDraws = 1_000_000;

/** Mean, variance, skewness and kurtosis. */
function moments(draw: () => number): [number, number, number, number] {
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < numDraws; i++) {
    let power = 1;
    const x = draw();
    for (let order = 0; order < 4; order++) {
      power *= x;
      sums[order]! += power;
    }
  }
  const [m1, m2, m3, m4] = sums.map((sum) => sum / numDraws) as [number, number, number, number];
  const variance = m2 - m1 * m1;
  const third = m3 - 3 * m1 * m2 + 2 * m1 ** 3;
  const fourth = m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 ** 4;
  return [m1, variance, third / variance ** 1.5, fourth / variance ** 2];
}

/** Distribution function of the standard normal, by its Taylor and continued fraction. */
function normalCdf(x: number): number {
  if (x < 0) return 1 - normalCdf(-x);
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let n = 3; n < 100; n += 2) {
      term *= (x * x) / n;
      sum += term;
    }
    return 0.5 + density * sum;
  }
  let fraction = x;
  for (let n = 60; n >= 1; n--) fraction = x + n / fraction;
  return 1 - density / fraction;
}

describe("the distributions", () => {
  // Tolerances are five standard errors of a million draws.
  test("uniform has the moments of the uniform distribution and stays in [0, 1)", () => {
    const rng = createRng(1);
    let low = 1;
    let high = 0;
    const [mean, variance, skewness, kurtosis] = moments(() => {
      const x = rng.uniform();
      low = Math.min(low, x);
      high = Math.max(high, x);
      return x;
    });
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.0015);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.0004);
    expect(Math.abs(skewness)).toBeLessThan(0.01);
    expect(Math.abs(kurtosis - 1.8)).toBeLessThan(0.01);
    expect(low).toBeGreaterThanOrEqual(0);
    expect(high).toBeLessThan(1);
  });

  test("normal has the moments of the standard normal", () => {
    const rng = createRng(2);
    const [mean, variance, skewness, kurtosis] = moments(() => rng.normal());
    expect(Math.abs(mean)).toBeLessThan(0.005);
    expect(Math.abs(variance - 1)).toBeLessThan(0.0071);
    expect(Math.abs(skewness)).toBeLessThan(0.0123);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.0245);
  });

  test("normal follows the normal distribution function, body and tails", () => {
    const rng = createRng(3);
    const draws = Float64Array.from({ length: numDraws }, () => rng.normal()).sort();
    let distance = 0;
    for (let i = 0; i < numDraws; i++) {
      const p = normalCdf(draws[i]!);
      distance = Math.max(distance, Math.abs(p - i / numDraws), Math.abs(p - (i + 1) / numDraws));
    }
    expect(distance).toBeLessThan(1.95 / Math.sqrt(numDraws)); // Kolmogorov and Smirnov, p = 0.001
    for (const edge of [3, 3.442619855899, 4]) {
      const expected = numDraws * (1 - normalCdf(edge));
      for (const sign of [-1, 1]) {
        const count = draws.filter((x) => sign * x > edge).length;
        expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
      }
    }
  });

  test.each([2, 3, 6, 7, 10, 1000])("integer is equally likely below %i", (bound) => {
    const rng = createRng(4);
    const counts = new Float64Array(bound);
    for (let i = 0; i < numDraws; i++) counts[rng.integer(bound)]! += 1;
    const expected = numDraws / bound;
    const chi2 = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    const freedom = bound - 1;
    expect(Math.abs(chi2 - freedom)).toBeLessThan(5 * Math.sqrt(2 * freedom) + 10);
  });

  test("integer is unbiased where a remainder of 2³² would favour small values", () => {
    const rng = createRng(5);
    const bound = 3 * 2 ** 30; // plain remainders would draw the lowest third twice as often
    let low = 0;
    for (let i = 0; i < numDraws; i++) if (rng.integer(bound) < 2 ** 30) low++;
    expect(Math.abs(low / numDraws - 1 / 3)).toBeLessThan(0.0025);
  });
});

describe("streams", () => {
  const draw = (rng: ReturnType<typeof createRng>, count = 5) =>
    Array.from({ length: count }, () => rng.bits());

  test("a seed's bits never change", () => {
    expect(draw(createRng(1))).toEqual([3421527613, 4222085574, 498198555, 4056930953, 2645651767]);
    expect(draw(createRng(2 ** 40 + 1))).toEqual([
      738092734, 1940603910, 945029231, 1035803151, 2125664132,
    ]);
    expect(draw(createRng(1).split("actor"))).toEqual([
      1606116678, 1850893781, 3206863912, 2078985663, 3999009160,
    ]);
    const rng = createRng(1);
    expect(Array.from({ length: 4 }, () => rng.normal())).toEqual([
      1.2539840339861668, -1.4274478545560458, 0.2462784831322385, -2.509182558782906,
    ]);
  });

  test("equal seeds repeat, others differ", () => {
    expect(draw(createRng(7), 100)).toEqual(draw(createRng(7), 100));
    const firsts = Array.from({ length: 10_000 }, (_, seed) => createRng(seed - 5000).bits());
    expect(new Set(firsts).size).toBeGreaterThan(9_990);
  });

  test("a split depends on seed and name alone", () => {
    const parent = createRng(7);
    const before = draw(parent.split("env"));
    draw(parent, 1000);
    expect(draw(parent.split("env"))).toEqual(before);
    expect(draw(parent.split("env").split("0"))).not.toEqual(before);
    expect(draw(createRng(8).split("env"))).not.toEqual(before);
  });

  test("splitting draws nothing from the parent", () => {
    const [plain, split] = [createRng(7), createRng(7)];
    split.split("env");
    expect(draw(split)).toEqual(draw(plain));
  });

  test("parent and splits are uncorrelated", () => {
    const parent = createRng(9);
    const streams = [parent, parent.split("0"), parent.split("1"), parent.split("2")];
    const rows = streams.map((rng) => Float64Array.from({ length: 100_000 }, () => rng.normal()));
    for (let i = 0; i < rows.length; i++) {
      for (let j = 0; j < i; j++) {
        const product = rows[i]!.reduce((sum, x, k) => sum + x * rows[j]![k]!, 0) / 100_000;
        expect(Math.abs(product)).toBeLessThan(0.016); // five standard errors
      }
    }
  });

  test("restore goes on where state was taken, through JSON", () => {
    const rng = createRng(11);
    for (let i = 0; i < 1000; i++) rng.normal();
    const saved = JSON.parse(JSON.stringify(rng.state()));
    const mixed = (from: typeof rng) => [
      ...Array.from({ length: 100 }, () => [from.normal(), from.uniform(), from.integer(10)]),
      from.split("x").bits(),
    ];
    const expected = mixed(rng);
    const other = createRng(0);
    other.restore(saved);
    expect(mixed(other)).toEqual(expected);
  });

  test("a seed that is no whole number is refused", () => {
    expect(() => createRng(0.5)).toThrow("a seed is a whole number, got 0.5");
    expect(() => createRng(Number.NaN)).toThrow("whole number");
  });
});

describe("portable exp and log", () => {
  const ulps = (a: number, b: number) => (a === b ? 0 : Math.abs(a - b) / (Math.abs(b) * 2 ** -52));

  test("exp is within 2 units in the last place of Math.exp", () => {
    let worst = 0;
    for (let i = -70_000; i <= 70_000; i++) {
      const x = i * 0.01 + 1e-4 * Math.sin(i);
      worst = Math.max(worst, ulps(exp(x), Math.exp(x)));
    }
    expect(worst).toBeLessThanOrEqual(2);
  });

  test("log is within 2 units in the last place of Math.log", () => {
    let worst = 0;
    for (let i = 0; i < 100_000; i++) {
      const x = 2 ** ((i - 50_000) / 50) * (1 + 1e-3 * Math.sin(i));
      worst = Math.max(worst, ulps(log(x), Math.log(x)));
      const near = 1 + (i - 50_000) * 1e-6;
      worst = Math.max(worst, ulps(log(near), Math.log(near)));
    }
    expect(worst).toBeLessThanOrEqual(2);
  });

  test("the ends of the range", () => {
    expect([exp(-800), exp(800), exp(0), exp(Number.NaN)]).toEqual([0, Infinity, 1, Number.NaN]);
    expect([log(0), log(-1), log(1), log(Infinity)]).toEqual([-Infinity, Number.NaN, 0, Infinity]);
  });
});
