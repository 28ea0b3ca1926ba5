// ReinFlow's updates: what they learn, and what they leave alone.

import { describe, expect, test } from "vitest";
import type { EnvSpec } from "../../agents/agent.ts";
import { createRolloutBatch, Rollout } from "../../agents/rollout.ts";
import { type ReinflowState, reinflow } from "../../finetune/reinflow.ts";
import type { NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { actions, bitsOf, scalarOf } from "../agents/support.ts";
import { mean } from "../nn/evaluate.ts";
import {
  batchOf,
  compileSampler,
  compileUpdate,
  configure,
  normals,
  sampleRows,
  spec,
} from "./reinflowCases.ts";

describe("learning", () => {
  const env: EnvSpec = { observationSize: 1, actionSize: 1, numEnvs: 1 };
  const goal = 0.4;

  /** PPO on rewards −(a − goal)²; the flow's mean action and mean noise at last. */
  async function bandit(entropyCoef: number) {
    const config = configure({
      chunkLength: 1,
      executed: 1,
      flowSteps: 1,
      entropyCoef,
      clipRange: 0.05,
      actorLearningRate: 3e-3,
      finalLearningRateShare: 1,
      maxStdKeep: 1,
    });
    const size = 256;
    const fresh = reinflow.init(env, config, createRng(1));
    const program = await compileUpdate(config, fresh, size, { env });
    const sampler = await compileSampler(config, fresh, size, env);
    let std = 0;
    for (let round = 0; round < 150; round++) {
      const state = (await program.state()) as unknown as ReinflowState<NdArray>;
      const rows = await sampler(100 + 2 * round, state);
      const rewards = Float32Array.from({ length: size }, (_, row) => {
        const action = rows.actions[3 * row + 2]!;
        return -((action - goal) ** 2);
      });
      const batch = { ...batchOf(rows, rewards), values: new Float32Array(size) };
      const progress = Float32Array.of((round + 1) / 200);
      for (let epoch = 0; epoch < 4; epoch++)
        std = scalarOf(await program.run({ batch, progress }), "train/std");
    }
    const state = await program.state();
    await program.dispose();
    const given = { observations: normals(1, 64), noise: normals(2, 64) };
    const { data } = await actions(reinflow, config, state, given, env);
    return { action: mean([...data]), std };
  }

  test("finds the best action of a bandit, and gives up its noise where it is worth nothing", async () => {
    const { action, std } = await bandit(0);
    expect(Math.abs(action - goal)).toBeLessThan(0.05);
    expect(std).toBeLessThan(0.115);
  });

  test("takes all the noise that it may where entropy is worth much", async () => {
    const { std } = await bandit(1);
    expect(std).toBeGreaterThan(0.22);
  });
});

test("a chunk of 4 rewards of 1 is worth 4 / (1 − γ) where time limits bootstrap", async () => {
  const discount = 0.9;
  const [rolloutLength, numEnvs] = [8, 2];
  const rollout = new Rollout({
    rolloutLength,
    numEnvs,
    observationSize: 1,
    actionSize: 1,
    discount,
    lambda: 0.95,
  });
  let value = 0;
  for (let round = 0; round < 200; round++) {
    const column = (x: number) => new Float32Array(numEnvs).fill(x);
    for (let t = 0; t < rolloutLength; t++) {
      rollout.add({
        observations: column(0),
        actions: column(0),
        logProbs: column(0),
        values: column(value),
        rewards: column(4),
        nextObservations: column(0),
        terminated: new Uint8Array(numEnvs),
        truncated: Uint8Array.of(t % 3 === 2 ? 1 : 0, 0),
        broken: new Uint8Array(numEnvs),
      });
    }
    await rollout.finish(async () => column(value));
    const batch = createRolloutBatch(rolloutLength * numEnvs, 1, 1);
    rollout.gather(rollout.soundRows(), batch);
    value = mean([...batch.returns]);
    rollout.clear();
  }
  expect(value).toBeCloseTo(4 / (1 - discount), 2);
});

test("the critic warms up alone, and the noise's bound follows the run between rollouts", async () => {
  const config = configure({ criticWarmUp: 1, maxStdHold: 0 });
  const state = reinflow.init(spec, config, createRng(1));
  const rows = await sampleRows(config, state, 16);
  const batch = batchOf(rows, normals(9, 16));
  const program = await compileUpdate(config, state, 16);
  const at = (progress: number) => program.run({ batch, progress: Float32Array.of(progress) });
  await at(0.5);
  const first = scalarOf(await at(0.5), "train/std"); // still that of the rollout from 0
  const warm = (await program.state()) as unknown as ReinflowState<NdArray>;
  expect(bitsOf(warm.actor)).toEqual(bitsOf(state.actor));
  expect(bitsOf(warm.critic)).not.toEqual(bitsOf(state.critic));
  const second = scalarOf(await at(1), "train/std"); // sampled at 0.5
  expect(second).toBeLessThan(first);
  const later = (await program.state()) as unknown as ReinflowState<NdArray>;
  expect(bitsOf(later.actor)).not.toEqual(bitsOf(state.actor));
  await program.dispose();
});

test("the regulariser draws the flow back to the one that was cloned", async () => {
  const config = configure({ regularizer: 100, entropyCoef: 0, actorLearningRate: 1e-2 });
  const state = reinflow.init(spec, config, createRng(1));
  const moved = { ...state, base: reinflow.init(spec, config, createRng(2)).actor.velocity };
  const rows = await sampleRows(config, moved, 64);
  const batch = batchOf(rows, new Float32Array(64));
  const program = await compileUpdate(config, moved, 64);
  const losses = [];
  for (let i = 0; i < 60; i++)
    losses.push(
      scalarOf(await program.run({ batch, progress: Float32Array.of(0.5) }), "train/loss"),
    );
  await program.dispose();
  expect(losses[0]).toBeGreaterThan(0);
  expect(losses.at(-1)!).toBeLessThan(0.3 * losses[0]!);
});
