// Categorical critics, mirror images and delayed actors, against cases worked out by hand.

import { describe, expect, test } from "vitest";
import { bellmanProjection, edgeMass } from "../../agents/categorical.ts";
import { fastSac } from "../../agents/fastSac.ts";
import { fastTd3 } from "../../agents/fastTd3.ts";
import { mirrored } from "../../agents/mirror.ts";
import { td3 } from "../../agents/td3.ts";
import type { Tensor } from "../../nn/ops.ts";
import { array, isNdArray, leaves, type NdArray, type Tree } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import {
  bitsOf,
  compileAny,
  compileUpdate,
  disagreements,
  randomBatch,
  scalarOf,
  settingsOf,
  spec,
} from "./support.ts";

/** What a function makes of arrays. */
async function evaluated(
  fn: (...inputs: Tensor[]) => Tensor,
  ...inputs: NdArray[]
): Promise<number[]> {
  const program = await compileAny((_: unknown, given: Tensor[]) => [{}, fn(...given)], {
    state: {},
    inputs,
  });
  const result = (await program.run(inputs)) as unknown as NdArray;
  await program.dispose();
  return [...result.data];
}

function expectNear(got: readonly number[], wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  for (const [i, x] of wanted.entries()) expect(got[i]).toBeCloseTo(x, 6);
}

describe("histograms of returns", () => {
  const support = { low: -1, high: 1, numAtoms: 3 };

  test("are moved by reward and discount and projected, at edges and on atoms too", async () => {
    const rows = [
      { reward: 0.25, discount: 0.5, wanted: [0, 0.25, 0.75] },
      { reward: 0.25, discount: 0, wanted: [0, 0.75, 0.25] }, // terminated
      { reward: -0.5, discount: 0.5, wanted: [0, 1, 0] }, // on an atom
      { reward: 7, discount: 0.5, wanted: [0, 0, 1] },
      { reward: -7, discount: 0.5, wanted: [1, 0, 0] },
    ];
    const got = await evaluated(
      (probs, rewards, discounts) => bellmanProjection(probs, { rewards, discounts }, support),
      array(
        rows.flatMap(() => [0, 0, 1]),
        [rows.length, 3],
      ),
      array(rows.map(({ reward }) => reward)),
      array(rows.map(({ discount }) => discount)),
    );
    expectNear(
      got,
      rows.flatMap(({ wanted }) => wanted),
    );
  });

  test("of several critics each keep their own mass", async () => {
    const got = await evaluated(
      (probs, rewards, discounts) => bellmanProjection(probs, { rewards, discounts }, support),
      array([0, 0, 1, 1, 0, 0], [2, 1, 3]),
      array([0.25]),
      array([0.5]),
    );
    expectNear(got, [0, 0.25, 0.75, 0.25, 0.75, 0]);
  });

  test("tell how much lies on the outermost atoms", async () => {
    const probs = array([0.1, 0.7, 0.2, 0, 0.5, 0.5], [2, 3]);
    expect((await evaluated(edgeMass, probs))[0]).toBeCloseTo(0.4, 6);
  });
});

/** Settings under which critics that know one atom are told apart. */
const narrow = { numAtoms: 3, valueLow: -1, valueHigh: 1, batchSize: 4, mirrorImages: false };

/** One update's mean target, where target critics 0 and 1 are sure of the atoms −1 and 1. */
async function meanTarget(
  algorithm: typeof fastSac | typeof fastTd3,
  initialAlpha = 1e-9,
): Promise<number> {
  const hidden = { actorHidden: [8], criticHidden: [8] };
  const config = settingsOf(algorithm as never, { ...narrow, ...hidden, initialAlpha });
  const fresh = algorithm.init(spec, config as never, createRng(1));
  const { kernel, bias } = fresh.critics.layer1!;
  const sure = array([50, 0, 0, 0, 0, 50], bias.shape); // [2, 1, 3]
  const layer1 = { kernel: array(new Float32Array(kernel.data.length), kernel.shape), bias: sure };
  const state = { ...fresh, targetCritics: { ...fresh.critics, layer1 } };
  const program = await compileUpdate(algorithm as never, config as never, { state });
  const given = randomBatch(4);
  given.batch.rewards.fill(0.1);
  given.batch.discounts.fill(0.5);
  const still = new Float32Array(4 * spec.actionSize);
  const noise =
    algorithm === fastSac ? { actions: still, nextActions: still } : { smoothing: still };
  const q = scalarOf(await program.run({ ...given, noise }), "train/q_mean");
  await program.dispose();
  return q;
}

test("FastTD3's target is the critic that expects less", async () => {
  expect(await meanTarget(fastTd3)).toBeCloseTo(0.1 - 0.5, 5);
});

test("FastSAC's critics each have their own target", async () => {
  expect(await meanTarget(fastSac)).toBeCloseTo(0.1, 5);
});

test("FastSAC takes the entropy's cost off the reward", async () => {
  // The head of zeros is N(0, exp(−2.5)²) for both actions, here at its mode.
  const logProb = 2 * (2.5 - 0.5 * Math.log(2 * Math.PI));
  expect(await meanTarget(fastSac, 0.1)).toBeCloseTo(0.1 - 0.5 * 0.1 * logProb, 5);
});

describe("mirror images", () => {
  const { observations, actions } = spec.mirror!;

  test("of mirror images are the originals", async () => {
    const x = array([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]);
    expect(await evaluated((x) => mirrored(x, observations), x)).toEqual([
      2, 1, -3, 4, 6, 5, -7, 8,
    ]);
    expect(await evaluated((x) => mirrored(mirrored(x, observations), observations), x)).toEqual([
      ...x.data,
    ]);
    const a = array([1, 2], [1, 2]);
    expect(await evaluated((a) => mirrored(mirrored(a, actions), actions), a)).toEqual([1, 2]);
  });

  test("teach FastSAC as the same rows and noise without them would", async () => {
    const base = settingsOf(fastSac as never, { actorHidden: [8], criticHidden: [8], numAtoms: 5 });
    const one = { ...base, batchSize: 4 };
    const two = { ...base, batchSize: 8, mirrorImages: false };
    const rng = createRng(6);
    const draws = () => Float32Array.from({ length: 16 }, () => rng.normal());
    const noise = { actions: draws(), nextActions: draws() };
    const { batch, progress } = randomBatch(4);
    const both = (x: Float32Array, mirror: typeof observations) => {
      const width = mirror.indices.length;
      const image = x.map((_, i) => {
        const at = i % width;
        return mirror.signs[at]! * x[i - at + mirror.indices[at]!]!;
      });
      return Float32Array.from([...x, ...image]);
    };
    const explicit = {
      observations: both(batch.observations, observations),
      actions: both(batch.actions, actions),
      rewards: Float32Array.from([...batch.rewards, ...batch.rewards]),
      discounts: Float32Array.from([...batch.discounts, ...batch.discounts]),
      nextObservations: both(batch.nextObservations, observations),
    };
    const implied = await compileUpdate(fastSac, one);
    const plain = await compileUpdate(fastSac, two);
    await implied.run({ batch, noise, progress });
    await plain.run({ batch: explicit, noise, progress });
    expect(disagreements(await implied.state(), await plain.state(), 1e-6)).toEqual([]);
    await Promise.all([implied.dispose(), plain.dispose()]);
  });
});

describe("TD3", () => {
  const config = td3.settings.parse({ actorHidden: [8], criticHidden: [8], batchSize: 8 });

  test("moves actor and targets only in the actor's turn, by τ", async () => {
    for (const trainActor of [false, true]) {
      const program = await compileUpdate(td3, config, { trainActor });
      const before = await program.state();
      await program.run(randomBatch(8));
      const after = await program.state();
      await program.dispose();
      for (const key of ["actor", "targetActor", "targetCritics"]) {
        expect(JSON.stringify(bitsOf(after[key]!)) === JSON.stringify(bitsOf(before[key]!))).toBe(
          !trainActor,
        );
      }
      if (!trainActor) continue;
      const [old, source] = [before.targetActor!, after.actor!].map(flat);
      flat(after.targetActor!).forEach((x, i) => {
        expect(Math.abs(x - (0.005 * source![i]! + 0.995 * old![i]!))).toBeLessThan(1e-6);
      });
    }
  });

  test("adds no more than the clip to a target action", async () => {
    // With a clip of 0 the smoothing noise plays no part.
    const still = { ...config, smoothingClip: 0 };
    const states = await Promise.all(
      [1, 2].map(async (seed) => {
        const state = td3.init(spec, still, createRng(1));
        const program = await compileUpdate(td3, still, { seed, state });
        await program.run(randomBatch(8));
        const after = bitsOf(await program.state());
        await program.dispose();
        return after;
      }),
    );
    expect(states[0]).toEqual(states[1]);
  });

  test("explores with its noise, FastTD3 with a breadth of each env's own", () => {
    expect(td3.explorationScale!(config)).toEqual([0.1, 0.1]);
    expect(fastTd3.explorationScale!(fastTd3.settings.parse({}))).toEqual([0.001, 0.4]);
  });
});

function flat(tree: Tree<NdArray>): number[] {
  return leaves<NdArray>(tree, isNdArray).flatMap(([, { data }]) => [...data]);
}
