// Fitted Q evaluation on chains whose values are known.

import { expect, test } from "vitest";
import { fqeSettings } from "../../finetune/ope/fqe.ts";
import { createRng } from "../../sim/rng.ts";
import { fittedValue } from "../../train/fqe.ts";
import { datasetOf, workFolder } from "./datasets.ts";

const folder = workFolder("fqe");
const config = fqeSettings.parse({
  discount: 0.9,
  criticHidden: [32, 32],
  criticLearningRate: 3e-3,
  batchSize: 64,
  numUpdates: 1500,
  tau: 0.05,
  finalLearningRateShare: 0.05,
});

/** Four states in a row, one-hot; the reward is the action at each, the last step terminates or is cut. */
function chain(name: string, terminated: boolean) {
  const rng = createRng(2);
  const oneHot = [0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].map((j) => (i === j ? 1 : 0)));
  const episodes = Array.from({ length: 150 }, (_, i) => {
    const actions = Float32Array.from({ length: 3 }, () => 2 * rng.uniform() - 1);
    return {
      info: { success: false, terminated, truncated: !terminated, seed: i, policy: "uniform" },
      observations: Float32Array.from(oneHot),
      actions,
      rewards: actions.slice(),
      extras: {},
    };
  });
  return datasetOf(`${folder}/${name}`, episodes, { observationSize: 4, actionSize: 1 });
}

test("values the judged policy, not the one that acted: 0.5 (1 + γ + γ²)", async () => {
  const data = [chain("ends", true)];
  const always = (observations: Float32Array) =>
    new Float32Array(observations.length / 4).fill(0.5);
  const value = await fittedValue(data, always, config, createRng(1));
  expect(Math.abs(value - 0.5 * (1 + 0.9 + 0.81))).toBeLessThan(0.02);
});
