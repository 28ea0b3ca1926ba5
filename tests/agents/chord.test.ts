// CHORD's mixture and the effective share of a minibatch, worked out by hand.

import { describe, expect, test } from "vitest";
import {
  type ChordConfig,
  chordLoss,
  chordSettings,
  chordWeight,
  effectiveShare,
  errorImitation,
  gaussianImitation,
  numDemonstrations,
  phi,
  scaledRate,
} from "../../agents/chord.ts";
import { grad } from "../../nn/gradient.ts";
import { mul, sum, type Tensor } from "../../nn/ops.ts";
import { array } from "../../nn/tree.ts";
import { evaluate, expectClose } from "../nn/evaluate.ts";

const configure = (overrides: Partial<ChordConfig>): ChordConfig => ({
  ...(Object.fromEntries(
    Object.entries(chordSettings).map(([key, schema]) => [key, schema.parse(undefined)]),
  ) as ChordConfig),
  ...overrides,
});

describe("the weight of demonstrations", () => {
  const weights = async (overrides: Partial<ChordConfig>, ...progress: number[]) => {
    const config = configure(overrides);
    const [all] = await evaluate(({ t }) => [chordWeight(t, config)], { t: array(progress) });
    return all!;
  };

  test("stays where nothing is said", async () => {
    expectClose(await weights({ chordPeak: 0.1 }, 0, 0.5, 1), [0.1, 0.1, 0.1]);
  });

  test("rises to its peak, then falls along a cosine to its valley", async () => {
    const falling = { chordPeak: 0.9, chordValley: 0.05, chordWarmUp: 0.2 };
    expectClose(await weights(falling, 0, 0.1, 0.2, 0.6, 1), [0, 0.45, 0.9, 0.475, 0.05]);
  });

  test("0 leaves the surrogate as it is, 1 is cloning alone", async () => {
    const [none, all] = await evaluate(
      ({ a, b, zero, one }) => [chordLoss(a, b, zero), chordLoss(a, b, one)],
      { a: array([0.3], []), b: array([7], []), zero: array([0], []), one: array([1], []) },
    );
    expectClose(none!, [0.3]);
    expectClose(all!, [7]);
  });

  test("demonstrations are their share of the whole minibatch", () => {
    expect(numDemonstrations(64, { chordShare: 0.2 })).toBe(16);
    expect(numDemonstrations(2, { chordShare: 0.2 })).toBe(1);
  });
});

describe("what a demonstrated action counts", () => {
  test("is a quarter at even odds, nothing for what is sure or out of reach, and moves no gradient", async () => {
    const [values, slope] = await evaluate(
      ({ p }) => [phi(p), grad((p: Tensor) => sum(mul(phi(p), p)))(p)],
      { p: array([0.5, 0, 1]) },
    );
    expectClose(values!, [0.25, 0, 0]);
    expectClose(slope!, [0.25, 0, 0]);
  });

  test("of a Gaussian: p = exp(−½ mean z²) times minus its log-density", async () => {
    const given = { m: array([0, 0], [1, 2]), s: array([0, 0], [1, 2]), a: array([1, 1], [1, 2]) };
    const loss = (chordWeighting: "phi" | "equal") =>
      evaluate(
        ({ m, s, a }) => [gaussianImitation({ mean: m, logStd: s }, a, { chordWeighting })],
        given,
      );
    const nats = 1 + Math.log(2 * Math.PI); // −log N(1; 0, 1) twice
    const p = Math.exp(-0.5);
    expectClose((await loss("equal"))[0]!, [nats]);
    expectClose((await loss("phi"))[0]!, [p * (1 - p) * nats]);
  });

  test("of a flow: the median error has even odds", async () => {
    const errors = array([0.1, 0.2, 0.4]);
    const [weighed, plain] = await evaluate(
      ({ e }) => [
        errorImitation(e, { chordWeighting: "phi" }),
        errorImitation(e, { chordWeighting: "equal" }),
      ],
      { e: errors },
    );
    const worth = [0.1, 0.2, 0.4].map((e) => {
      const p = 2 ** (-e / 0.2);
      return p * (1 - p) * e;
    });
    expectClose(plain!, [0.7 / 3]);
    expectClose(weighed!, [(worth[0]! + worth[1]! + worth[2]!) / 3]);
  });
});

test("a minibatch's effective share is 1 for equal ratios, 1 / B for one alone, whatever their scale", async () => {
  const shares = await Promise.all(
    [
      [2, 2, 2, 2],
      [0, 5, 0, 0],
      [1, 3],
      [10, 30],
    ].map(async (w) => (await evaluate(({ w }) => [effectiveShare(w)], { w: array(w) }))[0]!),
  );
  expectClose(shares.flat(), [1, 0.25, 0.8, 0.8]);
  const [scaled, plain] = await evaluate(
    ({ r, w }) => [
      scaledRate(r, w, { rateScaling: "ess" }),
      scaledRate(r, w, { rateScaling: "none" }),
    ],
    { r: array([1e-3], []), w: array([0, 5, 0, 0]) },
  );
  expectClose(scaled!, [5e-4]);
  expectClose(plain!, [1e-3]);
});
