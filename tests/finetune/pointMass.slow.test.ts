// ResFiT and the loop's parts on a point mass: a base with a constant bias misses its goal, and corrections
// must make up for exactly that.

import { expect, test } from "vitest";
import { Normalizer } from "../../agents/normalizer.ts";
import { batchWidths, NStepReturns, ReplayBuffer } from "../../agents/replay.ts";
import { residual } from "../../finetune/residual.ts";
import { createRng } from "../../sim/rng.ts";
import { Explorer } from "../../train/explorer.ts";
import { OffPolicyLearner } from "../../train/learner.ts";

const numEnvs = 8;
const episodeLength = 20; // steps
const gain = 2; // 1/s of the base
const dt = 0.25; // s
const spec = { observationSize: 2, actionSize: 1, numEnvs, observesBase: true };
const clamp = (x: number) => Math.max(-1, Math.min(1, x));

/** The base's bias, and how near to the goal counts, in metres. */
interface Masses {
  readonly bias: number;
  readonly radius: number;
}

/** Positions that move by dt · action; reward 1 and an end where the last ones are at the goal, 0. */
function pointMasses({ bias, radius }: Masses, seed: number) {
  const rng = createRng(seed);
  const positions = Float64Array.from({ length: numEnvs }, () => 2 * rng.uniform() - 1);
  const steps = new Int32Array(numEnvs);
  const rows = () =>
    Float32Array.from({ length: 2 * numEnvs }, (_, i) => {
      const x = positions[i >> 1]!;
      return i % 2 === 0 ? x : clamp(bias - gain * x);
    });
  return {
    rows,
    step(actions: Float32Array) {
      const rewards = new Float32Array(numEnvs);
      const ended = new Uint8Array(numEnvs);
      for (let i = 0; i < numEnvs; i++) {
        positions[i]! += dt * clamp(actions[i]!);
        steps[i]!++;
        if (steps[i] === episodeLength) {
          ended[i] = 1;
          rewards[i] = Math.abs(positions[i]!) < radius ? 1 : 0;
        }
      }
      const nextObservations = rows();
      for (let i = 0; i < numEnvs; i++) {
        if (!ended[i]) continue;
        positions[i] = 2 * rng.uniform() - 1;
        steps[i] = 0;
      }
      return { rewards, terminated: ended, nextObservations };
    },
  };
}

/** Learns for so many steps of all envs; then 64 episodes of the mode. */
async function learn(masses: Masses, numSteps: number) {
  const config = residual.settings.parse({
    actorHidden: [32],
    criticHidden: [32],
    batchSize: 64,
    numCritics: 4,
    residualScale: 0.2,
    explorationNoise: 0.05,
    actorLearningRate: 3e-3,
    criticLearningRate: 3e-3,
    tau: 0.02,
    actorPeriod: 2,
    discount: 0.95,
    weightDecay: 0,
    criticWarmUp: 100,
    targetRange: [0, 1],
  });
  const rng = createRng(1);
  const settings = { threads: 1, device: "cpu", updatesPerCall: 2 } as const;
  const learner = await OffPolicyLearner.create(residual as never, config, spec, rng, settings);
  const buffer = new ReplayBuffer(50_000, batchWidths(2, 1));
  const returns = new NStepReturns(buffer, numEnvs, config);
  const explorer = new Explorer(spec, residual.explorationScale!(config), rng.split("explore"));
  const normalizer = new Normalizer("none", 2);
  const none = new Uint8Array(numEnvs);
  const train = pointMasses(masses, 2);
  for (let t = 0; t < numSteps; t++) {
    const observations = train.rows();
    const draws = explorer.randomActions();
    const actions =
      t < 100
        ? residual.warmUpActions!(observations, draws, spec, config)
        : await learner.policy.act(observations, explorer.noise());
    const out = train.step(actions);
    returns.add({ ...out, observations, actions, truncated: none, broken: none });
    if (t >= 100) await learner.update(2, [{ buffer, share: 1 }], normalizer, t / numSteps);
  }
  const test = pointMasses(masses, 3);
  let [numSuccesses, correction] = [0, 0];
  const numTests = 8 * episodeLength;
  for (let t = 0; t < numTests; t++) {
    const observations = test.rows();
    const actions = await learner.policy.act(observations, new Float32Array(numEnvs));
    const { rewards } = test.step(actions);
    for (const [i, r] of rewards.entries()) {
      numSuccesses += r;
      correction += (actions[i]! - observations[2 * i + 1]!) / (numTests * numEnvs);
    }
  }
  await learner.policy.dispose();
  return { success: numSuccesses / 64, correction };
}

test("a bias within its scale is made up for: success goes from 0 to 1", async () => {
  const masses = { bias: 0.15, radius: 0.05 };
  expect(await learn(masses, 0)).toEqual({ success: 0, correction: 0 });
  const { success, correction } = await learn(masses, 1200);
  expect(success).toBeGreaterThan(0.9);
  expect(Math.abs(correction + 0.15)).toBeLessThan(0.06);
});

test("of a bias beyond its scale it makes up for what it can, and no more", async () => {
  // The base alone rests 0.2 m from the goal, at the greatest correction 0.1 m.
  const { success, correction } = await learn({ bias: 0.4, radius: 0.12 }, 1200);
  expect(success).toBeGreaterThan(0.9);
  expect(correction).toBeLessThan(-0.14);
  expect(correction).toBeGreaterThanOrEqual(-0.2 - 1e-6);
});
