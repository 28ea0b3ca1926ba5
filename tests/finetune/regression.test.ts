// Cloning by regression: what MLPs and ACT make of data, and what of it does not count.

import { describe, expect, test } from "vitest";
import type { AgentState, CloneAlgorithm, CloneConfig } from "../../agents/agent.ts";
import { act } from "../../finetune/act.ts";
import { behaviorCloning } from "../../finetune/behaviorCloning.ts";
import { createRng } from "../../sim/rng.ts";
import { cloneInputs } from "../../train/cloneLearner.ts";
import { actions, compileAny, scalarOf } from "../agents/support.ts";

const env = { observationSize: 2, actionSize: 1, numEnvs: 1 };
const steady = { chunkLength: 3, executed: 2, batchSize: 64, learningRate: 5e-3, emaDecay: 0.98 };
const variants: [string, CloneAlgorithm, object][] = [
  ["a Gaussian", behaviorCloning as never, { hidden: [32, 32] }],
  ["means alone", behaviorCloning as never, { hidden: [32, 32], loss: "squaredError" }],
  ["residual blocks", behaviorCloning as never, { hidden: [32, 32], residual: true }],
  ["dropout", behaviorCloning as never, { hidden: [64, 64], dropout: 0.05 }],
  ["ACT", act as never, { width: 16, feedForward: 32, numHeads: 1, numBlocks: 1, klWeight: 1 }],
  [
    "ACT without a VAE",
    act as never,
    { width: 16, feedForward: 32, numHeads: 1, numBlocks: 1, latentSize: 0 },
  ],
];

async function compiled(algorithm: CloneAlgorithm, overrides: object) {
  const config = algorithm.settings.parse({ ...steady, ...overrides }) as CloneConfig;
  const progress = { shape: [], dtype: "float32" as const };
  const inputs = { ...cloneInputs(algorithm, config, env), progress };
  const update = (state: never, given: never) => algorithm.update(state, given, config, env);
  const state = algorithm.init(env, config, createRng(1));
  const program = await compileAny(update, { state, inputs }, { random: createRng(2) });
  return { config, program };
}

/** Chunks (x, x − y / 2, y) / 2 for observations (x, y); the last action is past the end where `cut`. */
function rows(seed: number, numRows: number, cut: boolean, beyond = 0) {
  const rng = createRng(seed);
  const observations = Float32Array.from({ length: 2 * numRows }, () => 2 * rng.uniform() - 1);
  const chunks = Float32Array.from({ length: 3 * numRows }, (_, i) => {
    const [x, y] = [observations[2 * Math.floor(i / 3)]!, observations[2 * Math.floor(i / 3) + 1]!];
    return [x / 2, (x - y / 2) / 2, cut ? beyond : y / 2][i % 3]!;
  });
  const mask = Float32Array.from({ length: 3 * numRows }, (_, i) => (cut && i % 3 === 2 ? 0 : 1));
  return { batch: { observations, actions: chunks, mask }, progress: Float32Array.of(0.5) };
}

describe.each(variants)("%s", (_, algorithm, overrides) => {
  test("answers with the chunk that the data has there", async () => {
    const { config, program } = await compiled(algorithm, overrides);
    for (let i = 0; i < 400; i++) await program.run(rows(i, 64, false), { outputs: [] });
    const state = (await program.state()) as AgentState;
    await program.dispose();
    const { batch } = rows(5000, 100, false);
    const numDraws = algorithm.layout!(env, config).numDraws;
    const quiet = { observations: batch.observations, noise: new Float32Array(100 * numDraws) };
    const { data } = await actions(algorithm, config, state, quiet, env);
    const errors = [...data].map((x, i) => Math.abs(x - batch.actions[i]!));
    expect(errors.reduce((sum, x) => sum + x, 0) / errors.length).toBeLessThan(0.06);
  });

  test("what lies past an episode's end changes nothing", async () => {
    const { program: one } = await compiled(algorithm, overrides);
    const { program: other } = await compiled(algorithm, overrides);
    const losses = [
      scalarOf(await one.run(rows(1, 64, true, 0.9)), "train/loss"),
      scalarOf(await other.run(rows(1, 64, true, -0.9)), "train/loss"),
    ];
    expect(losses[0]).toBeCloseTo(losses[1]!, 6);
    expect(scalarOf(await one.run(rows(2, 64, false)), "train/loss")).not.toBeCloseTo(
      scalarOf(await one.run(rows(2, 64, true)), "train/loss"),
      4,
    );
    await Promise.all([one.dispose(), other.dispose()]);
  });
});

test("the loss is the mean square by hand, and the Gaussian's −log-likelihood but for its constant", async () => {
  const settle = { hidden: [4], layerNorm: false, chunkLength: 1, executed: 1, batchSize: 2 };
  for (const loss of ["squaredError", "gaussian"] as const) {
    const config = behaviorCloning.settings.parse({ ...settle, loss });
    const algorithm = behaviorCloning as unknown as CloneAlgorithm;
    const fresh = behaviorCloning.init(env, config, createRng(1));
    const flat = (values: number[], shape: number[]) => ({
      shape,
      dtype: "float32" as const,
      data: Float32Array.from(values),
    });
    const numOut = loss === "gaussian" ? 2 : 1;
    const network = {
      layer0: { kernel: flat(new Array(8).fill(0), [2, 4]), bias: flat([0, 0, 0, 0], [4]) },
      layer1: {
        kernel: flat(new Array(4 * numOut).fill(0), [4, numOut]),
        bias: flat(loss === "gaussian" ? [0.1, Math.log(0.5)] : [0.1], [numOut]),
      },
    };
    const policy = { average: network, actionNormalizer: fresh.actionNormalizer };
    const only = (state: never, inputs: never) =>
      [state, { loss: algorithm.loss(state, inputs, config as never) }] as const;
    const inputs = cloneInputs(algorithm, config, env);
    const program = await compileAny(only, { state: policy, inputs });
    const batch = {
      observations: new Float32Array(4),
      actions: Float32Array.of(0.5, -0.1),
      mask: Float32Array.of(1, 1),
    };
    const meanSquare = (0.4 ** 2 + 0.2 ** 2) / 2;
    const wanted = loss === "gaussian" ? meanSquare / (2 * 0.25) + Math.log(0.5) : meanSquare;
    expect(scalarOf(await program.run({ batch }), "loss")).toBeCloseTo(wanted, 5);
    await program.dispose();
  }
});

test("settings that no network has are refused by name", () => {
  const parse = (settings: object) => behaviorCloning.settings.parse(settings);
  expect(() => parse({ residual: true, dropout: 0.1 })).toThrow(/plain network/);
  expect(() => parse({ residual: true, hidden: [8, 16] })).toThrow(/equal widths/);
  expect(() => act.settings.parse({ width: 10, numHeads: 4 })).toThrow(/divisor/);
});
