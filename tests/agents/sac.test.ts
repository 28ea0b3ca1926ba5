// Soft actor-critic against cases worked out by hand. The log-density itself is in
// tests/nn/distributions.test.ts: values, quadrature, entropy, tails and slopes.

import { describe, expect, test } from "vitest";
import type { AgentState, EnvSpec } from "../../agents/agent.ts";
import { membersAt, qValues } from "../../agents/networks.ts";
import { type SacConfig, type SacNoise, sac } from "../../agents/sac.ts";
import type { MlpParams } from "../../nn/layers.ts";
import { fillNoise, type NoiseSpec, subset } from "../../nn/noise.ts";
import type { Tensor } from "../../nn/ops.ts";
import { array, full, isNdArray, leaves, mapTree, type NdArray, type Tree } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import {
  actions,
  bitsOf,
  compileAny,
  compileUpdate,
  disagreements,
  randomBatch,
  scalarOf,
} from "./support.ts";

const tiny: EnvSpec = { observationSize: 2, actionSize: 1, numEnvs: 1 };
const hidden = { actorHidden: [32, 32], criticHidden: [32, 32] };
const configure = (overrides: Record<string, unknown>): SacConfig =>
  sac.settings.parse({ ...hidden, batchSize: 64, ...overrides });

type Rows = { observation: number[]; reward: number; discount: number; next: number[] }[];

/** A batch that goes through the rows in turn, with actions all over [−1, 1]. */
function batchOf(rows: Rows, batchSize: number) {
  const at = (i: number) => rows[i % rows.length]!;
  const indices = Array.from({ length: batchSize }, (_, i) => i);
  const place = (i: number) => (Math.floor(i / rows.length) + 0.5) * rows.length; // in (0, B)
  return {
    batch: {
      observations: Float32Array.from(indices.flatMap((i) => at(i).observation)),
      actions: Float32Array.from(indices, (i) => (2 * place(i)) / batchSize - 1),
      rewards: Float32Array.from(indices, (i) => at(i).reward),
      discounts: Float32Array.from(indices, (i) => at(i).discount),
      nextObservations: Float32Array.from(indices.flatMap((i) => at(i).next)),
    },
    progress: Float32Array.of(0),
  };
}

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

describe("the family", () => {
  const members: Record<string, Record<string, unknown>> = {
    REDQ: { numCritics: 5, actorReduction: "mean" },
    DroQ: { criticDropout: 0.1, criticLayerNorm: true },
    "RLPD's critics": { numCritics: 5, criticLayerNorm: true, backupEntropy: false },
    "mean of two": { targetReduction: "mean", actorReduction: "mean", logStdBound: "clip" },
    "decaying AdamW": { weightDecay: 0.1, finalLearningRateShare: 0.1, maxGradNorm: 0.5 },
  };

  test.each(Object.entries(members))("%s computes what its ops compute", async (_, overrides) => {
    const config = configure({ ...overrides, batchSize: 8 });
    const given = randomBatch(8, 1, tiny);
    const [compiled, eager] = await Promise.all(
      (["cpu", "eager:cpu"] as const).map(async (device) => {
        const program = await compileUpdate(sac, config, { spec: tiny, device });
        await program.run(given);
        const state = await program.state();
        await program.dispose();
        return state;
      }),
    );
    expect(disagreements(compiled!, eager!, 1e-4)).toEqual([]);
  });

  test("DroQ drops units in all three passes of the critics", async () => {
    const config = configure({ criticDropout: 0.5, batchSize: 8 });
    const { masks } = sac.noise(tiny, config) as SacNoise<NoiseSpec>;
    const loss = async (dropped: string, name: string) => {
      const program = await compileUpdate(sac, config, { spec: tiny });
      const filled = Object.entries(masks).map(([pass, layers]) => {
        const value = pass === dropped ? 0 : 1;
        const fill = ({ shape }: NoiseSpec) => full(shape, value);
        return [pass, { layer0: fill(layers.layer0!), layer1: fill(layers.layer1!) }];
      });
      const noise = { masks: Object.fromEntries(filled) };
      const outputs = await program.run({ ...randomBatch(8, 1, tiny), noise });
      await program.dispose();
      return scalarOf(outputs, name);
    };
    for (const pass of ["critics", "targets", "actor"]) {
      const name = pass === "actor" ? "train/actor_loss" : "train/critic_loss";
      expect(await loss(pass, name)).not.toBe(await loss("none", name));
    }
  });

  test("a learning rate that has fallen to nothing moves nothing", async () => {
    const config = configure({ finalLearningRateShare: 0 });
    const program = await compileUpdate(sac, config, { spec: tiny });
    const before = await program.state();
    await program.run({ ...randomBatch(64, 1, tiny), progress: Float32Array.of(1) });
    const after = await program.state();
    await program.dispose();
    for (const key of ["actor", "critics", "logAlpha"]) {
      expect(bitsOf(after[key]!)).toEqual(bitsOf(before[key]!));
    }
  });

  test("a target of more critics than there are is refused", () => {
    expect(() => sac.settings.parse({ numTargetCritics: 3 })).toThrow(/numTargetCritics/);
  });
});

describe("on a bandit with Q(a) = −(a − 0.3)² / 2", () => {
  /** The policy's actions, and the state, after training on actions all over [−1, 1]. */
  async function trained(overrides: Record<string, unknown>) {
    const rates = { actorLearningRate: 3e-3, criticLearningRate: 3e-3, alphaLearningRate: 1e-2 };
    const config = configure({ ...rates, finalLearningRateShare: 0.03, ...overrides });
    const program = await compileUpdate(sac, config, { spec: tiny });
    const given = batchOf([{ observation: [0, 0], reward: 0, discount: 0, next: [0, 0] }], 64);
    const rewards = given.batch.actions.map((a) => -((a - 0.3) ** 2) / 2);
    const batch = { ...given.batch, rewards };
    const numUpdates = 2000;
    let entropy = 0; // mean over the last half
    for (let i = 0; i < numUpdates; i++) {
      const inputs = { batch, progress: Float32Array.of(i / numUpdates) };
      const outputs = await program.run(inputs, { outputs: ["train/entropy"] });
      if (2 * i >= numUpdates) entropy += scalarOf(outputs, "train/entropy") / (numUpdates / 2);
    }
    const state = await program.state();
    await program.dispose();
    const rng = createRng(3);
    const noise = Float32Array.from({ length: 20_000 }, () => rng.normal());
    const observations = new Float32Array(2 * noise.length);
    const { data } = await actions(sac, config, state, { observations, noise }, tiny);
    return { samples: [...data], entropy };
  }

  test("with α = 0.1 the policy is near the density exp(Q / α)", async () => {
    const { samples } = await trained({ learnAlpha: false, initialAlpha: 0.1 });
    const grid = Array.from({ length: 2000 }, (_, i) => (i + 0.5) / 1000 - 1);
    const weights = grid.map((a) => Math.exp(-((a - 0.3) ** 2) / 0.2));
    const wanted = momentsOf(grid, weights);
    const got = momentsOf(samples, new Array<number>(samples.length).fill(1));
    expect(Math.abs(got.mean - wanted.mean)).toBeLessThan(0.03);
    expect(Math.abs(got.std / wanted.std - 1)).toBeLessThan(0.08);
  });

  test("the learned temperature brings the entropy to its target", async () => {
    const { entropy } = await trained({ initialAlpha: 0.1, targetEntropyScale: 0.5 });
    expect(Math.abs(entropy / -0.5 - 1)).toBeLessThan(0.05);
  });
});

function momentsOf(values: readonly number[], weights: readonly number[]) {
  const total = weights.reduce((a, b) => a + b);
  const mean = values.reduce((sum, x, i) => sum + x * weights[i]!, 0) / total;
  const variance = values.reduce((sum, x, i) => sum + (x - mean) ** 2 * weights[i]!, 0) / total;
  return { mean, std: Math.sqrt(variance) };
}

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
