// Where soft actor-critic comes to rest: a bandit whose soft optimum is known.

import { describe, expect, test } from "vitest";
import { sac } from "../../agents/sac.ts";
import { createRng } from "../../sim/rng.ts";
import { batchOf, configure, tiny } from "./sacCases.ts";
import { actions, compileUpdate, scalarOf } from "./support.ts";

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
