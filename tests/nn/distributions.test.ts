import { describe, expect, test } from "vitest";
import {
  boundLogStd,
  type Gaussian,
  gaussianEntropy,
  gaussianKl,
  gaussianLogProb,
  gaussianOf,
  sampleGaussian,
  sampleTanhGaussian,
  tanhGaussianLogProb,
  tanhGaussianLogProbOf,
  tanhGaussianMode,
} from "../../nn/distributions.ts";
import { grad } from "../../nn/gradient.ts";
import { mul, square, sub, sum, type Tensor } from "../../nn/ops.ts";
import { array } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { evaluate, expectClose, mean, midpoints, normals } from "./evaluate.ts";

const mu = 0.3;
const logStd = -0.5;

/** One-dimensional Gaussians, `count` times the same. */
function gaussian(mean: number, logStd: number, count = 1) {
  const column = (x: number) => array(new Float32Array(count).fill(x), [count, 1]);
  return { mean: column(mean), logStd: column(logStd) };
}

describe("log standard deviations", () => {
  const raw = { raw: array([-30, -1, 0, 1, 30]) };

  test("are clipped, without gradient beyond the bounds", async () => {
    const bound = { kind: "clip", low: -2, high: 0.5 } as const;
    const [values, slopes] = await evaluate(
      ({ raw }) => [boundLogStd(raw, bound), grad((x: Tensor) => sum(boundLogStd(x, bound)))(raw)],
      raw,
    );
    expectClose(values!, [-2, -1, 0, 0.5, 0.5], 1e-6);
    expect(slopes).toEqual([0, 1, 1, 0, 0]);
  });

  test("are mapped by tanh onto the interval, 0 to its middle", async () => {
    const bound = { kind: "tanh", low: -5, high: 2 } as const;
    const [values] = await evaluate(({ raw }) => [boundLogStd(raw, bound)], raw);
    const wanted = [-30, -1, 0, 1, 30].map((x) => -1.5 + 3.5 * Math.tanh(x));
    expectClose(values!, wanted, 1e-6);
  });

  test("are the second half of a network's outputs", async () => {
    const bound = { kind: "clip", low: -9, high: 9 } as const;
    const [means, logStds] = await evaluate(
      ({ x }) => {
        const { mean, logStd } = gaussianOf(x, bound);
        return [mean, logStd];
      },
      { x: array([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]) },
    );
    expect([means, logStds]).toEqual([
      [1, 2, 5, 6],
      [3, 4, 7, 8],
    ]);
  });
});

describe("the Gaussian", () => {
  const p = { mean: array([1, -1], [1, 2]), logStd: array([0, Math.log(2)]) };
  const q = { mean: array([0, 2], [1, 2]), logStd: array([Math.log(3), 0]) };

  test("has its density, entropy, divergence and samples, worked out by hand", async () => {
    const given = { p, q, x: array([2, 3], [1, 2]), noise: array([0.5, -1], [1, 2]) };
    const [logProb, entropy, kl, self, sample] = await evaluate(
      ({ p, q, x, noise }) => [
        gaussianLogProb(p, x),
        gaussianEntropy(p),
        gaussianKl(p, q),
        gaussianKl(p, p),
        sampleGaussian(p, noise),
      ],
      given,
    );
    const log2Pi = Math.log(2 * Math.PI);
    expectClose(logProb!, [-0.5 - 2 - Math.LN2 - log2Pi], 1e-6);
    expectClose(entropy!, [1 + log2Pi + Math.LN2], 1e-6);
    const first = Math.log(3) + (1 + 1) / 18 - 0.5;
    const second = -Math.LN2 + (4 + 9) / 2 - 0.5;
    expectClose(kl!, [first + second], 1e-6);
    expectClose(self!, [0], 1e-6);
    expectClose(sample!, [1.5, -3], 1e-6);
  });

  test("integrates to 1", async () => {
    const xs = midpoints(-6, 6, 4000);
    const given = { g: gaussian(mu, logStd, 4000), x: array(xs, [4000, 1]) };
    const [logProbs] = await evaluate(({ g, x }) => [gaussianLogProb(g, x)], given);
    expect(12 * mean(logProbs!.map(Math.exp))).toBeCloseTo(1, 4);
  });
});

describe("the tanh Gaussian", () => {
  // Card sac.md, section 8, tests 1 to 5.
  test("has the card's value at u = 1.2, for scales 1 and 0.4, by every way to it", async () => {
    const std = Math.exp(logStd);
    const given = { g: gaussian(mu, logStd), u: array([1.2], [1, 1]) };
    const noise = array([(1.2 - mu) / std], [1, 1]);
    const ways = await evaluate(
      ({ g, u, noise }) =>
        [1, 0.4].flatMap((scale) => {
          const [actions, logProbs] = sampleTanhGaussian(g, noise, scale);
          return [
            actions,
            logProbs,
            tanhGaussianLogProb(g, u, scale),
            tanhGaussianLogProbOf(g, actions, scale),
            tanhGaussianMode(g, scale),
          ];
        }),
      { ...given, noise },
    );
    const mode = Math.tanh(mu);
    const unscaled = [0.8336546, -0.3324647, -0.3324647, -0.3324647, mode];
    const scaled = [0.4 * 0.8336546, 0.583826, 0.583826, 0.583826, 0.4 * mode];
    expectClose(ways.flat(), [...unscaled, ...scaled], 2e-6);
  });

  test.each([1, 0.4])("integrates to 1 over its actions at scale %f", async (scale) => {
    const count = 100_000;
    const given = {
      g: gaussian(mu, logStd, count),
      a: array(midpoints(-scale, scale, count), [count, 1]),
    };
    const [logProbs] = await evaluate(
      ({ g, a }) => [tanhGaussianLogProbOf(g, a, scale)],
      given,
      2e-4, // atanh near ±1
    );
    expect(Math.abs(2 * scale * mean(logProbs!.map(Math.exp)) - 1)).toBeLessThan(1e-4);
  });

  test("of N(0, 1) has entropy 0.66980 by quadrature and by sampling", async () => {
    const count = 20_000;
    const g = gaussian(0, 0, count);
    const us = midpoints(-8, 8, count);
    const given = { g, u: array(us, [count, 1]), noise: normals(createRng(1), [count, 1]) };
    const [logProbs, sampled] = await evaluate(
      ({ g, u, noise }) => [tanhGaussianLogProb(g, u), sampleTanhGaussian(g, noise)[1]],
      given,
    );
    const weight = (u: number) => (16 * Math.exp(-0.5 * u * u)) / Math.sqrt(2 * Math.PI);
    expect(mean(logProbs!.map((x, i) => -x * weight(us[i]!)))).toBeCloseTo(0.6698, 4);
    expect(Math.abs(mean(sampled!) + 0.6698)).toBeLessThan(0.01);
  });

  test("is exact in the tails, with finite gradients", async () => {
    const us = [8, -8, 50, -50];
    const given = { g: gaussian(0, 0, 4), u: array(us, [4, 1]) };
    const [logProbs, slopes] = await evaluate(({ g, u }) => {
      const value = (u: Tensor) => tanhGaussianLogProb(g, u);
      return [value(u), grad((u: Tensor) => sum(value(u)))(u)];
    }, given);
    const far = -1250 - 0.5 * Math.log(2 * Math.PI) + 100 - 2 * Math.LN2;
    expectClose(logProbs!, [-18.30523, -18.30523, far, far], 1e-6);
    expectClose(slopes!, [-6, 6, -48, 48], 1e-4);
  });

  test("has the slopes of its float64 formula, in u, mean and logStd", async () => {
    const points = [-2.5, -0.4, 0.1, 1.7].map((u) => [u, 0.3, -0.7] as const);
    const column = (k: number) =>
      array(
        points.map((point) => point[k]!),
        [4, 1],
      );
    const [u, mean, logStd] = await evaluate(
      ({ g, u }) => {
        const slopes = grad((x: Gaussian & { u: Tensor }) => sum(tanhGaussianLogProb(x, x.u)));
        const at = slopes({ ...g, u });
        return [at.u, at.mean, at.logStd];
      },
      { g: { mean: column(1), logStd: column(2) }, u: column(0) },
    );
    const h = 1e-5;
    const slope = (k: number) =>
      points.map((point) => {
        const moved = (step: number) =>
          plainLogProb(
            ...(point.map((x, i) => x + (i === k ? step : 0)) as [number, number, number]),
          );
        return (moved(h) - moved(-h)) / (2 * h);
      });
    expectClose(u!, slope(0), 1e-5);
    expectClose(mean!, slope(1), 1e-5);
    expectClose(logStd!, slope(2), 1e-5);
  });

  test("carries gradients from sampled actions to mean and logStd", async () => {
    const count = 2000;
    const rng = createRng(3);
    const noise = normals(rng, [count, 1]);
    const [byMean, byLogStd] = await evaluate(
      ({ mean, logStd, noise }) => {
        const loss = (x: Gaussian) => {
          const [actions] = sampleTanhGaussian(x, noise);
          return mul(sum(square(sub(actions, 0.2))), 1 / count);
        };
        const at = grad(loss)({ mean, logStd });
        return [at.mean, at.logStd];
      },
      { mean: array([mu]), logStd: array([logStd]), noise },
    );
    const loss = (m: number, l: number) =>
      mean(Array.from(noise.data, (e) => (Math.tanh(m + Math.exp(l) * e) - 0.2) ** 2));
    const h = 1e-5;
    expectClose(byMean!, [(loss(mu + h, logStd) - loss(mu - h, logStd)) / (2 * h)], 1e-4);
    expectClose(byLogStd!, [(loss(mu, logStd + h) - loss(mu, logStd - h)) / (2 * h)], 1e-4);
  });

  test("clips given actions to ±(1 − 10⁻⁶), so that data at the bounds stay finite", async () => {
    const given = { g: gaussian(0, 0, 3), a: array([1, -1, 7], [3, 1]) };
    const [logProbs] = await evaluate(({ g, a }) => [tanhGaussianLogProbOf(g, a)], given, 1e-3);
    const u = Math.atanh(Math.fround(1 - 1e-6));
    const wanted = plainLogProb(u, 0, 0);
    expectClose(logProbs!, [wanted, wanted, wanted], 1e-3);
  });

  test("sums over the action's dimensions", async () => {
    const given = {
      g: { mean: array([0.1, -0.2], [1, 2]), logStd: array([-1, 0.3], [1, 2]) },
      u: array([0.5, -1], [1, 2]),
    };
    const [logProbs] = await evaluate(({ g, u }) => [tanhGaussianLogProb(g, u, 0.5)], given);
    const wanted = plainLogProb(0.5, 0.1, -1) + plainLogProb(-1, -0.2, 0.3) - 2 * Math.log(0.5);
    expectClose(logProbs!, [wanted], 1e-6);
  });
});

/** log N(u; mean, std) − log(1 − tanh²u) in float64, straight from the definition. */
function plainLogProb(u: number, mean: number, logStd: number): number {
  const z = (u - mean) / Math.exp(logStd);
  return -0.5 * z * z - logStd - 0.5 * Math.log(2 * Math.PI) - Math.log(1 - Math.tanh(u) ** 2);
}
