// DPPO's chains, densities and updates.

import { describe, expect, test } from "vitest";
import type { EnvSpec } from "../../agents/agent.ts";
import { createRolloutBatch } from "../../agents/rollout.ts";
import { meanBack, stepsBack } from "../../finetune/diffusionNet.ts";
import { type DppoConfig, type DppoState, dppo } from "../../finetune/dppo.ts";
import { clipRanges, discountsOf } from "../../finetune/dppoWeights.ts";
import type { Tensor } from "../../nn/ops.ts";
import { type ArraySpec, array, type NdArray, type Tree } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { actions, bitsOf, compileAny, disagreements, scalarOf } from "../agents/support.ts";
import { mean } from "../nn/evaluate.ts";

const spec: EnvSpec = { observationSize: 3, actionSize: 2, numEnvs: 16 };

const configure = (overrides: Record<string, unknown> = {}): DppoConfig =>
  dppo.settings.parse({
    chunkLength: 2,
    executed: 2,
    diffusionSteps: 6,
    sampleSteps: 6,
    tunedSteps: 3,
    width: 16,
    criticWidth: 16,
    ...overrides,
  });

const float = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });
const normals = (seed: number, size: number) => {
  const rng = createRng(seed);
  return Float32Array.from({ length: size }, () => rng.normal());
};

/** Draws what a state's policy does at random observations. */
async function compileSampler(
  config: DppoConfig,
  state: DppoState<NdArray>,
  size: number,
  env = spec,
) {
  const { sampleDraws } = dppo.layout!(env, config);
  const sample = (traced: DppoState<Tensor>, given: never) =>
    [traced, dppo.sample(traced, given, config)] as const;
  const specs = {
    observations: float(size, env.observationSize),
    noise: float(size, sampleDraws),
  };
  const program = await compileAny(sample, { state, inputs: specs });
  return async (seed: number, next = state) => {
    await program.load(next);
    const observations = normals(seed, size * env.observationSize);
    const inputs = { observations, noise: normals(seed + 1, size * sampleDraws) };
    const out = (await program.run(inputs)) as unknown as Record<string, NdArray>;
    const column = (name: string) => out[name]!.data as Float32Array;
    return { observations, actions: column("actions"), logProbs: column("logProbs") };
  };
}

function compileUpdate(
  config: DppoConfig,
  state: DppoState<NdArray>,
  size: number,
  { device = "cpu", env = spec }: { device?: "cpu" | "eager:cpu"; env?: EnvSpec } = {},
) {
  const column = float(size);
  const batch = {
    observations: float(size, env.observationSize),
    actions: float(size, dppo.layout!(env, config).stored),
    logProbs: column,
    values: column,
    advantages: column,
    returns: column,
  };
  const update = (traced: DppoState<Tensor>, inputs: never) =>
    dppo.update(traced, inputs, config, env);
  return compileAny(update, { state, inputs: { batch, progress: float() } }, { device });
}

test("the clip range grows towards the action, exponentially; one step has the last one's", () => {
  const three = configure({ clipRange: 0.01, noisyClipRange: 0.001 });
  expect(clipRanges(three)[0]).toBeCloseTo(0.001, 12);
  expect(clipRanges(three)[1]).toBeCloseTo(0.0026418, 6); // (e^1.5 − 1) / (e³ − 1) = 0.182426
  expect(clipRanges(three)[2]).toBeCloseTo(0.01, 12);
  expect(clipRanges(configure({ tunedSteps: 1, noisyClipRange: 0.001 }))[0]).toBeCloseTo(0.01, 12);
  expect(discountsOf(three)).toEqual([0.99 ** 2, 0.99, 1]);
});

test("more trained steps than there are, or steps back than noise, are refused", () => {
  expect(() => dppo.layout!(spec, configure({ tunedSteps: 7 }))).toThrow(/tunedSteps 7 is more/);
  expect(() => stepsBack(configure({ sampleSteps: 8 }))).toThrow(/sampleSteps 8 is more/);
});

describe.each([
  { tunedSteps: 3 },
  { tunedSteps: 1 },
  { tunedSteps: 6 },
  { sampleSteps: 3, tunedSteps: 3, eta: 1 }, // DDIM with noise
  { sampleSteps: 3, tunedSteps: 2, eta: 0 },
])("with %j", (overrides) => {
  const config = configure(overrides);
  const state = dppo.init(spec, config, createRng(1));

  test("all ratios are 1 at unchanged weights, and an update is that op by op", async () => {
    const rows = await (await compileSampler(config, state, 32))(6);
    const advantages = normals(9, 32);
    const batch = { ...createRolloutBatch(32, 1, 1), ...rows, advantages, returns: advantages };
    const inputs = { batch, progress: Float32Array.of(0.2) };
    const compiled = await compileUpdate(config, state, 32);
    const eager = await compileUpdate(config, state, 32, { device: "eager:cpu" });
    const outputs = (await compiled.run(inputs)) as Tree<NdArray>;
    expect(Math.abs(scalarOf(outputs, "train/approx_kl"))).toBeLessThan(1e-8);
    expect(scalarOf(outputs, "train/clip_fraction")).toBe(0);
    expect(Number.isFinite(scalarOf(outputs, "train/loss"))).toBe(true);
    expect(disagreements(outputs, (await eager.run(inputs)) as Tree<NdArray>, 1e-4)).toEqual([]);
    const after = (await compiled.state()) as unknown as DppoState<NdArray>;
    expect(disagreements(after as never, (await eager.state()) as never, 1e-3)).toEqual([]);
    expect(bitsOf(after.actor)).not.toEqual(bitsOf(state.actor));
    expect(bitsOf(after.base)).toEqual(bitsOf(state.base));
    await Promise.all([compiled.dispose(), eager.dispose()]);
  });
});

test("a step's log-density is the mean of its numbers', each within [−5, 2]", async () => {
  const config = configure({ minStd: 0.02 }); // dense enough for the bound of 2
  const state = dppo.init(spec, config, createRng(1));
  const { observations, actions: stored } = await (await compileSampler(config, state, 4))(6);
  const steps = stepsBack(config).slice(-3);
  const width = dppo.layout!(spec, config).stored;
  const chains = Array.from({ length: 4 }, (_, i) => stored.subarray(i * width, (i + 1) * width));
  const means = (actor: DppoState<Tensor>["actor"], given: Record<"x" | "o", Tensor>) =>
    [actor, steps.map((step) => meanBack(actor, given.x, step, given.o, "relu"))] as const;
  const program = await compileAny(means, {
    state: state.actor,
    inputs: { x: float(4, 4), o: float(4, 3) },
  });
  for (const [k, step] of steps.entries()) {
    const x = Float32Array.from(chains.flatMap((row) => [...row.subarray(4 * k, 4 * k + 4)]));
    const led = (await program.run({ x, o: observations })) as unknown as NdArray[];
    for (const [i, row] of chains.entries()) {
      const std = Math.max(step.std, 0.02);
      const each = [0, 1, 2, 3].map((j) => {
        const z = (row[4 * (k + 1) + j]! - led[k]!.data[4 * i + j]!) / std;
        return Math.min(
          2,
          Math.max(-5, -z * z * 0.5 - Math.log(std) - 0.5 * Math.log(2 * Math.PI)),
        );
      });
      expect(row[16 + k]).toBeCloseTo(mean(each), 3);
    }
  }
  await program.dispose();
});

test("what acts is the chain without the floor of its noise", async () => {
  const config = configure({ eta: 0 });
  const state = dppo.init(spec, config, createRng(1));
  const given = { observations: normals(1, 30), noise: normals(2, 40) };
  const first = await actions(dppo, config, state, given, spec);
  expect(first.shape).toEqual([10, 4]);
  const halved = { centre: array([0.5, 0]), halfRange: array([0.5, 0.1]) };
  const other = await actions(dppo, config, { ...state, actionNormalizer: halved }, given, spec);
  for (let i = 0; i < 40; i++) {
    const [centre, range] = i % 2 === 0 ? [0.5, 0.5] : [0, 0.1];
    expect(other.data[i]).toBeCloseTo(centre + range * first.data[i]!, 5);
  }
});

test("finds the best action of a bandit", async () => {
  const env: EnvSpec = { observationSize: 1, actionSize: 1, numEnvs: 1 };
  const config = configure({
    chunkLength: 1,
    executed: 1,
    actorLearningRate: 3e-3,
    finalLearningRateShare: 1,
    clipRange: 0.05,
    noisyClipRange: 0.05,
  });
  const size = 256;
  const fresh = dppo.init(env, config, createRng(1));
  const program = await compileUpdate(config, fresh, size, { env });
  const sampler = await compileSampler(config, fresh, size, env);
  const { stored } = dppo.layout!(env, config);
  for (let round = 0; round < 150; round++) {
    const rows = await sampler(100 + 2 * round, (await program.state()) as never);
    const rewards = Float32Array.from(
      { length: size },
      (_, row) => -((rows.actions[(row + 1) * stored - 1]! - 0.4) ** 2),
    );
    const batch = { ...createRolloutBatch(size, 1, 1), ...rows };
    const given = { ...batch, advantages: rewards, returns: rewards };
    const progress = Float32Array.of((round + 1) / 200);
    for (let epoch = 0; epoch < 4; epoch++)
      await program.run({ batch: given, progress }, { outputs: [] });
  }
  const state = await program.state();
  await program.dispose();
  const inputs = { observations: normals(1, 64), noise: normals(2, 64 * 6) };
  const { data } = await actions(dppo, config, state, inputs, env);
  expect(Math.abs(mean([...data]) - 0.4)).toBeLessThan(0.1);
});
