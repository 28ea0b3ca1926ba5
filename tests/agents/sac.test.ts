// Soft actor-critic against cases worked out by hand. The log-density itself is in
// tests/nn/distributions.test.ts: values, quadrature, entropy, tails and slopes.

import { describe, expect, test } from "vitest";
import type { AgentState } from "../../agents/agent.ts";
import { membersAt, qValues } from "../../agents/networks.ts";
import { sac } from "../../agents/sac.ts";
import type { MlpParams } from "../../nn/layers.ts";
import { fillNoise, subset } from "../../nn/noise.ts";
import type { Tensor } from "../../nn/ops.ts";
import { array, isNdArray, leaves, mapTree, type NdArray, type Tree } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { batchOf, configure, type Rows, tiny } from "./sacCases.ts";
import { bitsOf, compileAny, compileUpdate, randomBatch, scalarOf } from "./support.ts";

/** The mean judgement after updates on one batch. */
async function judgementAfter(rows: Rows, overrides: Record<string, unknown>, numUpdates: number) {
  const config = configure(overrides);
  const program = await compileUpdate(sac, config, { spec: tiny, trainActor: false });
  const given = batchOf(rows, config.batchSize);
  for (let i = 0; i < numUpdates - 1; i++) await program.run(given, { outputs: [] });
  const q = scalarOf(await program.run(given), "train/q_mean");
  await program.dispose();
  return q;
}

describe("the critics", () => {
  const noEntropy = { learnAlpha: false, backupEntropy: false, criticLearningRate: 3e-3, tau: 0.1 };
  const row = (discount: number) => [
    { observation: [0.5, -0.5], reward: 1, discount, next: [0.5, -0.5] },
  ];

  test("see beyond time-outs, to 10 for a reward of 1 at γ = 0.9", async () => {
    expect(Math.abs((await judgementAfter(row(0.9), noEntropy, 800)) - 10)).toBeLessThan(0.2);
  });

  test("see nothing beyond a termination", async () => {
    expect(Math.abs((await judgementAfter(row(0), noEntropy, 300)) - 1)).toBeLessThan(0.02);
  });

  test("of a two-state chain count the entropy as the tables do", async () => {
    // A zero actor in a log-std range around 0 is tanh of N(0, 1): entropy 0.66980 nats.
    const config = configure({
      learnAlpha: false,
      initialAlpha: 0.5,
      logStdLow: -1e-6,
      logStdHigh: 1e-6,
      criticLearningRate: 3e-3,
      finalLearningRateShare: 0.02,
      tau: 0.1,
      batchSize: 128,
    });
    const fresh = sac.init(tiny, config, createRng(1));
    const state = { ...fresh, actor: zeroed(fresh.actor) };
    const program = await compileUpdate(sac, config, { spec: tiny, trainActor: false, state });
    const given = batchOf(
      [
        { observation: [1, 0], reward: 0, discount: 0.8, next: [0, 1] },
        { observation: [0, 1], reward: 1, discount: 0.8, next: [1, 0] },
      ],
      config.batchSize,
    );
    const numUpdates = 1500;
    for (let i = 0; i < numUpdates; i++) {
      const progress = Float32Array.of(i / numUpdates);
      await program.run({ ...given, progress }, { outputs: [] });
    }
    const trained = (await program.state()) as unknown as typeof fresh;
    await program.dispose();
    // Q(0) = γ (Q(1) + α H), Q(1) = 1 + γ (Q(0) + α H)
    const bonus = 0.8 * 0.5 * 0.6698;
    const q0 = (bonus + 0.8 * (1 + bonus)) / (1 - 0.64);
    const q1 = 1 + bonus + 0.8 * q0;
    const got = await judge(trained.critics, [1, 0, 0.2, 0, 1, 0.2]);
    expect(Math.abs(got[0]! / q0 - 1)).toBeLessThan(0.02);
    expect(Math.abs(got[1]! / q1 - 1)).toBeLessThan(0.02);
  });

  test("with layer norm stay bounded far out, without it grow with the action", async () => {
    const farOut = async (criticLayerNorm: boolean) => {
      const config = configure({ criticLayerNorm });
      const { critics } = sac.init(tiny, config, createRng(4));
      const [near, far] = await judge(critics, [0.3, 0.1, 10, 0.3, 0.1, 1000]);
      return Math.abs(far!) / Math.abs(near!);
    };
    expect(await farOut(true)).toBeLessThan(1.5);
    expect(await farOut(false)).toBeGreaterThan(20);
  });
});

describe("the target", () => {
  test("of a random pair of ten critics is biased by −σ/√π", async () => {
    // Critics that are constants b_e, drawn from N(2, 1); rewards 0, γ = 1.
    const draws = createRng(9);
    const config = configure({ numCritics: 10, backupEntropy: false, criticLearningRate: 1e-12 });
    const fresh = sac.init(tiny, config, createRng(1));
    const given = batchOf([{ observation: [0, 0], reward: 0, discount: 1, next: [0, 0] }], 64);
    const state = { ...fresh, critics: zeroed(fresh.critics) };
    const program = await compileUpdate(sac, config, { spec: tiny, trainActor: false, state });
    let total = 0;
    const numDraws = 1500;
    for (let i = 0; i < numDraws; i++) {
      const targetCritics = constants(fresh.critics, () => 2 + draws.normal());
      await program.load({ ...state, targetCritics } as AgentState);
      // The loss is 10 y², since all judgements are 0.
      total += Math.sqrt(scalarOf(await program.run(given), "train/critic_loss") / 10);
    }
    await program.dispose();
    // Targets below 0 count as above: E|y| exceeds E y = 2 − 0.5642 by about 0.014.
    expect(Math.abs(total / numDraws - (2 - 1 / Math.sqrt(Math.PI)))).toBeLessThan(0.08);
  });

  test("uses distinct critics, each as often as another", () => {
    const { noise } = subset([2], 10);
    const rng = createRng(2);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 5000; i++) {
      const pair = new Int32Array(2);
      fillNoise(noise, pair, rng);
      expect(pair[0]).not.toBe(pair[1]);
      for (const member of pair) counts[member]!++;
    }
    for (const count of counts) expect(Math.abs(count / 1000 - 1)).toBeLessThan(0.12);
  });

  test("picks whole members of the ensemble", async () => {
    const config = configure({ numCritics: 4 });
    const { critics } = sac.init(tiny, config, createRng(1));
    const program = await compileAny(
      (state: MlpParams<Tensor>, { pair }: { pair: Tensor }) => [state, membersAt(state, pair)],
      { state: critics, inputs: { pair: array([3, 1], [2], "int32") } },
    );
    const picked = (await program.run({ pair: Int32Array.of(3, 1) })) as unknown as Tree<NdArray>;
    await program.dispose();
    for (const [path, { data }] of leaves<NdArray>(picked, isNdArray)) {
      const whole = new Map(leaves<NdArray>(critics, isNdArray)).get(path)!.data;
      const size = whole.length / 4;
      expect(data.slice(0, size)).toEqual(whole.slice(3 * size));
      expect(data.slice(size)).toEqual(whole.slice(size, 2 * size));
    }
  });

  test("critics move by exactly τ towards the updated ones", async () => {
    const config = configure({ tau: 0.25 });
    const program = await compileUpdate(sac, config, { spec: tiny });
    const before = new Map(leaves<NdArray>((await program.state()).targetCritics!, isNdArray));
    await program.run(randomBatch(config.batchSize, 1, tiny));
    const { critics, targetCritics } = await program.state();
    await program.dispose();
    const moved = new Map(leaves<NdArray>(targetCritics!, isNdArray));
    for (const [path, { data }] of leaves<NdArray>(critics!, isNdArray)) {
      data.forEach((x, i) => {
        const wanted = 0.25 * x + 0.75 * before.get(path)!.data[i]!;
        expect(Math.abs(moved.get(path)!.data[i]! - wanted)).toBeLessThan(1e-6);
      });
    }
  });
});

describe("the actor's turn", () => {
  test("leaves the critics as they are without it", async () => {
    const config = configure({});
    const states = await Promise.all(
      [true, false].map(async (trainActor) => {
        const program = await compileUpdate(sac, config, { spec: tiny, trainActor });
        await program.run(randomBatch(config.batchSize, 1, tiny));
        const state = await program.state();
        await program.dispose();
        return state;
      }),
    );
    for (const key of ["critics", "targetCritics", "criticOptimizer"]) {
      const [a, b] = states.map((state) => new Map(leaves<NdArray>(state[key]!, isNdArray)));
      for (const [path, { data }] of a!) {
        data.forEach((x, i) => {
          expect(Math.abs(x - b!.get(path)!.data[i]!)).toBeLessThan(1e-6);
        });
      }
    }
    expect(bitsOf(states[0]!.actor!)).not.toEqual(bitsOf(states[1]!.actor!));
  });

  test("raises the temperature when the entropy is too low and lowers it when too high", async () => {
    for (const alphaLoss of ["alpha", "logAlpha"]) {
      for (const [scale, sign] of [
        [-5, 1],
        [5, -1],
      ] as const) {
        const config = configure({ alphaLoss, targetEntropyScale: scale });
        const program = await compileUpdate(sac, config, { spec: tiny });
        await program.run(randomBatch(config.batchSize, 1, tiny));
        const { logAlpha } = await program.state();
        await program.dispose();
        expect(Math.sign((logAlpha as NdArray).data[0]!)).toBe(sign);
      }
    }
  });
});

/** Q of the first critic for triples of observation (2) and action (1). */
async function judge(critics: Tree<NdArray>, triples: number[]): Promise<number[]> {
  const rows = triples.length / 3;
  const at = (i: number) => triples.slice(3 * i, 3 * i + 3);
  const index = Array.from({ length: rows }, (_, i) => i);
  const inputs = {
    observations: array(
      index.flatMap((i) => at(i).slice(0, 2)),
      [rows, 2],
    ),
    actions: array(
      index.map((i) => at(i)[2]!),
      [rows, 1],
    ),
  };
  const program = await compileAny(
    (state: MlpParams<Tensor>, x: { observations: Tensor; actions: Tensor }) => [
      state,
      qValues(state, x.observations, x.actions, {}),
    ],
    { state: critics, inputs },
  );
  const result = (await program.run(inputs)) as unknown as NdArray;
  await program.dispose();
  return [...result.data.slice(0, rows)];
}

function zeroed<T>(params: T): T {
  return mapTree<NdArray, NdArray>(params as Tree<NdArray>, isNdArray, ({ data, shape }) =>
    array(new Float32Array(data.length), shape),
  ) as T;
}

/** Critics that judge everything alike: zeros but for the last bias of each. */
function constants<T extends MlpParams<NdArray>>(critics: T, draw: () => number): T {
  const last = `layer${Object.keys(critics).length - 1}` as const;
  const blank = zeroed(critics);
  const { bias } = critics[last as keyof T] as { bias: NdArray };
  const drawn = array(Float32Array.from(bias.data, draw), bias.shape);
  return { ...blank, [last]: { ...(blank[last as keyof T] as object), bias: drawn } };
}
