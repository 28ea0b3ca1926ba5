// ReinFlow's chains, densities and updates.

import { describe, expect, test } from "vitest";
import type { EnvSpec } from "../../agents/agent.ts";
import { createRolloutBatch, Rollout, type RolloutColumns } from "../../agents/rollout.ts";
import { chainLogProb } from "../../finetune/chain.ts";
import { type NoisyFlowParams, scoreSteps } from "../../finetune/noisyFlow.ts";
import { type ReinflowConfig, type ReinflowState, reinflow } from "../../finetune/reinflow.ts";
import { grad } from "../../nn/gradient.ts";
import { sum, type Tensor } from "../../nn/ops.ts";
import {
  type ArraySpec,
  array,
  isNdArray,
  leaves,
  type NdArray,
  type Tree,
} from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import {
  type AnyProgram,
  actions,
  bitsOf,
  compileAny,
  disagreements,
  scalarOf,
} from "../agents/support.ts";
import { evaluate, mean } from "../nn/evaluate.ts";

const spec: EnvSpec = { observationSize: 3, actionSize: 2, numEnvs: 16 };
const bounds = { minStd: 0.1, maxStd: 0.24 };

const configure = (overrides: Record<string, unknown> = {}): ReinflowConfig =>
  reinflow.settings.parse({
    chunkLength: 2,
    executed: 2,
    width: 16,
    noiseHidden: [16],
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
  config: ReinflowConfig,
  state: ReinflowState<NdArray>,
  size: number,
  env = spec,
) {
  const { sampleDraws } = reinflow.layout!(env, config);
  const sample = (traced: ReinflowState<Tensor>, given: never) =>
    [traced, reinflow.sample(traced, given, config)] as const;
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

const sampleRows = async (config: ReinflowConfig, state: ReinflowState<NdArray>, size: number) =>
  (await compileSampler(config, state, size))(6);

function compileUpdate(
  config: ReinflowConfig,
  state: ReinflowState<NdArray>,
  size: number,
  { device = "cpu", env = spec }: { device?: "cpu" | "eager:cpu"; env?: EnvSpec } = {},
): Promise<AnyProgram> {
  const column = float(size);
  const batch = {
    observations: float(size, env.observationSize),
    actions: float(size, reinflow.layout!(env, config).stored),
    logProbs: column,
    values: column,
    advantages: column,
    returns: column,
  };
  const update = (traced: ReinflowState<Tensor>, inputs: never) =>
    reinflow.update(traced, inputs, config, env);
  return compileAny(update, { state, inputs: { batch, progress: float() } }, { device });
}

type Given = { actor: unknown; chain: Tensor; observations: Tensor };

/** A batch of rows with made-up advantages and returns. */
function batchOf(
  rows: Awaited<ReturnType<typeof sampleRows>>,
  advantages: Float32Array,
): RolloutColumns {
  const size = rows.logProbs.length;
  return { ...createRolloutBatch(size, 1, 1), ...rows, advantages, returns: advantages };
}

describe.each([
  [1, false],
  [2, false],
  [4, false],
  [1, true],
  [2, true],
  [4, true],
])("with %i steps, of a shortcut net: %s", (flowSteps, stepSizes) => {
  const config = configure({ flowSteps, stepSizes });
  const state = reinflow.init(spec, config, createRng(1));

  test("all ratios are 1 at unchanged weights, also in a batch of another size", async () => {
    const { observations, actions, logProbs } = await sampleRows(config, state, 40);
    const { stored } = reinflow.layout!(spec, config);
    const n = stored / (flowSteps + 2);
    const chains = Array.from({ length: 40 }, (_, row) => [
      ...actions.subarray(row * stored, row * stored + (flowSteps + 1) * n),
    ]);
    const given = {
      actor: state.actor as Tree<NdArray>,
      chain: array(chains.slice(0, 13).flat(), [13, flowSteps + 1, n]),
      observations: array(observations.slice(0, 39), [13, 3]),
    };
    const [scores] = await evaluate<never>(({ actor, chain, observations }: Given) => {
      const params = actor as unknown as NoisyFlowParams<Tensor>;
      return [chainLogProb(chain, scoreSteps(params, chain, observations, config, bounds))];
    }, given as never);
    scores!.forEach((score, row) => {
      expect(Math.abs(Math.exp(score - logProbs[row]!) - 1)).toBeLessThan(1e-5);
    });
  });

  test("an update finds them too, and is the one op by op", async () => {
    const rows = await sampleRows(config, state, 32);
    const batch = batchOf(rows, normals(9, 32));
    const inputs = { batch, progress: Float32Array.of(0.2) };
    const compiled = await compileUpdate(config, state, 32);
    const eager = await compileUpdate(config, state, 32, { device: "eager:cpu" });
    const outputs = (await compiled.run(inputs)) as Tree<NdArray>;
    expect(Math.abs(scalarOf(outputs, "train/approx_kl"))).toBeLessThan(1e-8);
    expect(scalarOf(outputs, "train/clip_fraction")).toBe(0);
    expect(disagreements(outputs, (await eager.run(inputs)) as Tree<NdArray>, 1e-4)).toEqual([]);
    expect(disagreements(await compiled.state(), await eager.state(), 1e-3)).toEqual([]);
    await Promise.all([compiled.dispose(), eager.dispose()]);
  });
});

test("what is executed is the chain's last point as the task's actions, within range", async () => {
  const config = configure({ flowSteps: 2 });
  const fresh = reinflow.init(spec, config, createRng(1));
  const actionNormalizer = { centre: array([0.2, -0.1]), halfRange: array([0.5, 0.25]) };
  const { actions } = await sampleRows(config, { ...fresh, actionNormalizer }, 30);
  for (let row = 0; row < 30; row++) {
    const stored = actions.subarray(row * 16, (row + 1) * 16);
    for (let i = 0; i < 4; i++) {
      expect(Math.abs(stored[8 + i]!)).toBeLessThanOrEqual(1);
      const [centre, range] = i % 2 === 0 ? [0.2, 0.5] : [-0.1, 0.25];
      expect(stored[12 + i]).toBeCloseTo(centre + range * stored[8 + i]!, 6);
    }
  }
});

describe("gradients of a chain's density", () => {
  const config = configure({ flowSteps: 2, activation: "mish" });
  const state = reinflow.init(spec, config, createRng(2));
  const chain = array(
    normals(3, 5 * 3 * 4).map((x) => 0.4 * x),
    [5, 3, 4],
  );
  const observations = array(normals(4, 15), [5, 3]);

  async function compileScores(gradient: boolean) {
    const score = (
      actor: NoisyFlowParams<Tensor>,
      inputs: { chain: Tensor; observations: Tensor },
    ) =>
      chainLogProb(
        inputs.chain,
        scoreSteps(actor, inputs.chain, inputs.observations, config, bounds),
      );
    return compileAny(
      (actor: NoisyFlowParams<Tensor>, inputs: { chain: Tensor; observations: Tensor }) => {
        const total = (params: NoisyFlowParams<Tensor>) => sum(score(params, inputs));
        return [actor, gradient ? grad(total)(actor as never) : { lp: score(actor, inputs) }];
      },
      { state: state.actor, inputs: { chain, observations } },
    );
  }

  test("are those of finite differences, of the velocity and the noise net", async () => {
    const given = { chain: chain.data, observations: observations.data };
    const gradients = await compileScores(true);
    const scores = await compileScores(false);
    const exact = leaves<NdArray>((await gradients.run(given)) as Tree<NdArray>, isNdArray);
    const rng = createRng(5);
    const total = async (path: string, i: number, shift: number) => {
      const actor = structuredClone(state.actor) as Tree<NdArray>;
      const weights = new Map(leaves<NdArray>(actor, isNdArray)).get(path)!.data;
      weights[i]! += shift;
      await scores.load(actor as never);
      const { lp } = (await scores.run(given)) as unknown as { lp: NdArray };
      return Array.from<number>(lp.data).reduce((all, x) => all + x, 0);
    };
    for (const part of ["velocity/network", "noise"]) {
      let checked = 0;
      const largest = Math.max(
        ...exact
          .filter(([path]) => path.startsWith(part))
          .flatMap(([, x]) => [...x.data].map(Math.abs)),
      );
      while (checked < 20) {
        const own = exact.filter(([path]) => path.startsWith(part));
        const [path, { data }] = own[rng.integer(own.length)]!;
        const i = rng.integer(data.length);
        if (Math.abs(data[i]!) < 0.05 * largest) continue; // lost in float32
        const h = 4e-3;
        const slope = ((await total(path, i, h)) - (await total(path, i, -h))) / (2 * h);
        const error = Math.abs(slope - data[i]!) / Math.abs(data[i]!);
        expect(error, `${path}[${i}]: ${data[i]}, by differences ${slope}`).toBeLessThan(1e-2);
        checked++;
      }
    }
    await Promise.all([gradients.dispose(), scores.dispose()]);
  });

  test("leave the velocity alone where the mean is clipped", async () => {
    const gradients = await compileScores(true);
    const far = { chain: new Float32Array(60).fill(9), observations: observations.data };
    const exact = leaves<NdArray>((await gradients.run(far)) as Tree<NdArray>, isNdArray);
    for (const [path, { data }] of exact.filter(([path]) => path.startsWith("velocity")))
      expect(
        [...data].every((x) => x === 0),
        path,
      ).toBe(true);
    const noise = exact.filter(([path]) => path.startsWith("noise"));
    expect(noise.some(([, { data }]) => [...data].some((x) => x !== 0))).toBe(true);
    await gradients.dispose();
  });
});

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
