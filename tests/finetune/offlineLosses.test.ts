// Losses of the offline algorithms against cases worked out by hand.

import { describe, expect, test } from "vitest";
import type { AgentState } from "../../agents/agent.ts";
import { awac } from "../../finetune/awac.ts";
import { copyingWeights } from "../../finetune/clippedActor.ts";
import { softMaximum } from "../../finetune/conservative.ts";
import { expectileLoss, iql } from "../../finetune/iql.ts";
import { td3bc } from "../../finetune/td3bc.ts";
import { grad } from "../../nn/gradient.ts";
import { mul, sub, sum, type Tensor } from "../../nn/ops.ts";
import { array, isNdArray, mapTree, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { bitsOf, compileUpdate, randomBatch, settingsOf, small } from "../agents/support.ts";
import { evaluate, expectClose, midpoints } from "../nn/evaluate.ts";

describe("the expectile loss", () => {
  /** Slope at a value of the loss over samples. */
  async function slopeAt(values: readonly number[], samples: readonly number[], tau: number) {
    const given = { values: array(values), samples: array(samples) };
    const [slopes] = await evaluate(
      ({ values, samples }) => [
        // One at a time: the value is a vector of one element.
        grad((v: Tensor) => expectileLoss(sub(samples, v), tau))(values),
      ],
      given,
    );
    return slopes![0]!;
  }

  test.each([
    [0.5, 0.5],
    [0.7, 0.60436],
    [0.9, 0.75],
  ])("of uniform samples with τ = %s is least at %s", async (tau, wanted) => {
    const samples = midpoints(0, 1, 4000);
    expect(Math.abs(await slopeAt([wanted], samples, tau))).toBeLessThan(1e-4);
    expect(await slopeAt([wanted + 0.01], samples, tau)).toBeGreaterThan(1e-3);
  });

  test("slopes by −2τ where the value is too low, by 2 (1 − τ) where it is too high", async () => {
    expect(await slopeAt([0], [1], 0.7)).toBeCloseTo(-1.4, 5);
    expect(await slopeAt([0], [-1], 0.7)).toBeCloseTo(0.6, 5);
  });
});

test("copying weights are e at 1, and 100 from ln 100 on, however great", async () => {
  const given = { x: array([0, 1, Math.log(100) - 0.01, Math.log(100), 5, 1e30]) };
  const [weights] = await evaluate(({ x }) => [copyingWeights(x, 100)], given);
  expectClose(weights!, [1, Math.E, 100 * Math.exp(-0.01), 100, 100, 100], 1e-4);
});

describe("the soft maximum", () => {
  const zeros = (...shape: number[]) =>
    array(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
  const of = async (uniform: NdArray, policy: NdArray, densities: NdArray, actionSize: number) => {
    const [soft] = await evaluate(
      ({ uniform, policy, densities }) => [
        softMaximum(
          { qs: uniform, logDensity: -Math.LN2 * actionSize },
          { qs: policy, logDensities: densities },
          { temperature: 1 },
        ),
      ],
      { uniform, policy, densities },
    );
    return soft![0]!;
  };

  test("of a constant Q is ln 20 with ten uniform actions alone", async () => {
    const nothing = array(new Float32Array(20).fill(-1e6), [1, 20, 1]);
    expect(await of(zeros(1, 10, 1), nothing, zeros(20, 1), 1)).toBeCloseTo(2.9957, 4);
  });

  test("is ln 30 + 3 ln 2 with all thirty at the uniform density of three dimensions", async () => {
    const densities = array(new Float32Array(20).fill(-3 * Math.LN2), [20, 1]);
    expect(await of(zeros(1, 10, 1), zeros(1, 20, 1), densities, 3)).toBeCloseTo(5.4806, 4);
  });

  test("pulls with weights that sum to 1", async () => {
    const qs = array([1, -2, 0.5, 3], [1, 4, 1]);
    const [slopes] = await evaluate(
      ({ qs, rest, densities }) => [
        grad((q: Tensor) =>
          sum(
            softMaximum(
              { qs: q, logDensity: 0 },
              { qs: rest, logDensities: densities },
              { temperature: 1 },
            ),
          ),
        )(qs),
      ],
      { qs, rest: array([-1e6], [1, 1, 1]), densities: zeros(1, 1) },
    );
    const total = [1, -2, 0.5, 3].reduce((sum, q) => sum + Math.exp(q), 0);
    expectClose(
      slopes!,
      [1, -2, 0.5, 3].map((q) => Math.exp(q) / total),
    );
  });

  test("counts the policy's actions as worth the floor at least, the uniform ones as they are", async () => {
    const one = (q: number) => array([q], [1, 1, 1]);
    const values = async (floor: number) => {
      const [soft] = await evaluate(
        ({ q, none, densities, floor }) => [
          softMaximum(
            { qs: none, logDensity: 0 },
            { qs: q, logDensities: densities },
            { temperature: 1, floor },
          ),
          softMaximum(
            { qs: q, logDensity: 0 },
            { qs: mul(none, 10), logDensities: densities },
            { temperature: 1, floor: mul(floor, 100) },
          ),
        ],
        { q: one(-5), none: one(-1e6), densities: zeros(1, 1), floor: array([floor]) },
      );
      return soft![0]!;
    };
    expect(await values(-2)).toBeCloseTo(-2, 4);
    expect(await values(-10)).toBeCloseTo(-5, 4);
  });
});

describe("IQL", () => {
  const config = settingsOf(iql, small) as never as { batchSize: number };

  test("moves the value by its own loss alone, targets by τ of the critics' step", async () => {
    const program = await compileUpdate(iql, config, { trainActor: false });
    const before = await program.state();
    await program.run(randomBatch(small.batchSize));
    const after = await program.state();
    await program.dispose();
    expect(bitsOf(after["actor"]!)).toEqual(bitsOf(before["actor"]!));
    const kernel = (state: AgentState, key: string) =>
      (state[key] as never as Record<string, { kernel: NdArray }>)["layer0"]!.kernel.data;
    const [old, critics, target] = [
      kernel(before, "targetCritics"),
      kernel(after, "critics"),
      kernel(after, "targetCritics"),
    ];
    expectClose(
      [...target],
      [...old].map((x, i) => 0.995 * x + 0.005 * critics[i]!),
      1e-6,
    );
  });

  test("values a terminated step at its reward, whatever V thinks of the next state", async () => {
    const learning = settingsOf(iql, {
      ...small,
      criticLearningRate: 3e-3,
      valueLearningRate: 3e-3,
    });
    const program = await compileUpdate(iql, learning as never, { trainActor: false });
    const { batch, progress } = randomBatch(small.batchSize);
    const given = { batch: { ...batch, discounts: new Float32Array(8) }, progress };
    for (let i = 0; i < 600; i++) await program.run(given, { outputs: [] });
    const outputs = (await program.run(given)) as never as Record<string, NdArray>;
    await program.dispose();
    expect(outputs["train/critic_loss"]!.data[0]!).toBeLessThan(1e-3);
  });
});

test("TD3+BC's actor does not care how the critics' opinions are scaled", async () => {
  const config = settingsOf(td3bc, { ...small, criticLearningRate: 1e-12, adamEpsilon: 1 });
  const fresh = td3bc.init(
    { observationSize: 4, actionSize: 2, numEnvs: 1 },
    config as never,
    createRng(3),
  );
  const scaledBy = (factor: number) => {
    const { layer2, ...rest } = fresh.critics as Record<string, never>;
    const scale = (x: NdArray) => ({ ...x, data: x.data.map((v) => factor * v) as Float32Array });
    return { ...fresh, critics: { ...rest, layer2: mapTree(layer2!, isNdArray, scale as never) } };
  };
  const actors = await Promise.all(
    [1, 7].map(async (factor) => {
      const state = scaledBy(factor) as never;
      const program = await compileUpdate(td3bc, config as never, { state });
      await program.run(randomBatch(small.batchSize));
      const { actor } = await program.state();
      await program.dispose();
      return actor as never as Record<string, { kernel: NdArray }>;
    }),
  );
  expectClose([...actors[0]!["layer1"]!.kernel.data], [...actors[1]!["layer1"]!.kernel.data], 1e-6);
});

test("AWAC's actor copies every action once where the critics find all alike", async () => {
  const config = settingsOf(awac, small) as never as { batchSize: number };
  const program = await compileUpdate(awac, config);
  const state = await program.state();
  const still = (x: NdArray) => ({ ...x, data: new Float32Array(x.data.length) });
  await program.load({
    ...state,
    critics: mapTree(state["critics"]!, isNdArray, still as never),
  } as AgentState);
  const { batch, progress } = randomBatch(small.batchSize);
  const equal = { ...batch, rewards: new Float32Array(8), discounts: new Float32Array(8) };
  const outputs = (await program.run({ batch: equal, progress })) as never as Record<
    string,
    NdArray
  >;
  await program.dispose();
  expect(outputs["train/weight_mean"]!.data[0]!).toBeCloseTo(1, 5);
});
