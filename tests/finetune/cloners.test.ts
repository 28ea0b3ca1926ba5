// What flow, shortcut and diffusion policies must do alike: clone what is there, and hand it on.

import { describe, expect, test } from "vitest";
import {
  type AgentState,
  type AnyAlgorithm,
  type CloneAlgorithm,
  type CloneConfig,
  type EnvSpec,
  layoutOf,
} from "../../agents/agent.ts";
import { act } from "../../finetune/act.ts";
import { behaviorCloning } from "../../finetune/behaviorCloning.ts";
import { diffusion } from "../../finetune/diffusion.ts";
import { dppo } from "../../finetune/dppo.ts";
import { flow } from "../../finetune/flow.ts";
import { reinflow } from "../../finetune/reinflow.ts";
import { shortcut } from "../../finetune/shortcut.ts";
import { isNdArray, leaves, type NdArray, type Tree } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { cloneInputs } from "../../train/cloneLearner.ts";
import { actions, bitsOf, compileAny, disagreements, scalarOf } from "../agents/support.ts";

const spec: EnvSpec = {
  observationSize: 3,
  actionSize: 2,
  numEnvs: 1,
  actionRange: { low: [-0.5, 0.2], high: [0.5, 0.6] },
};
const generative = [flow, shortcut, diffusion] as unknown as CloneAlgorithm[];
const regressive = [behaviorCloning, act] as unknown as CloneAlgorithm[];
const small = { chunkLength: 2, executed: 2, width: 16, hidden: [16, 16], batchSize: 8 };

/** Small ones with overrides, of which keys that the algorithm lacks are left out. */
function settingsOf(algorithm: AnyAlgorithm, overrides: Record<string, unknown> = {}) {
  const defaults = algorithm.settings.parse({}) as unknown as Record<string, unknown>;
  const given = Object.entries({ ...small, ...overrides }).filter(([key]) => key in defaults);
  return algorithm.settings.parse(Object.fromEntries(given)) as never as Record<string, unknown> &
    CloneConfig;
}

function compileUpdate(
  algorithm: CloneAlgorithm,
  config: ReturnType<typeof settingsOf>,
  { device = "cpu", env = spec }: { device?: "cpu" | "eager:cpu"; env?: EnvSpec } = {},
) {
  const progress = { shape: [], dtype: "float32" as const };
  const inputs = { ...cloneInputs(algorithm, config, env), progress };
  const update = (state: never, given: never) => algorithm.update(state, given, config, env);
  const state = algorithm.init(env, config, createRng(1));
  return compileAny(update, { state, inputs }, { device, random: createRng(5) });
}

/** Rows with random observations and chunks from `draw`. */
function batchOf(size: number, chunkSize: number, seed: number, draw: () => number, env = spec) {
  const rng = createRng(seed);
  const fill = (count: number, f: () => number) => Float32Array.from({ length: count }, f);
  return {
    batch: {
      observations: fill(size * env.observationSize, () => rng.normal()),
      actions: fill(size * chunkSize, draw),
      mask: new Float32Array(size * (chunkSize / env.actionSize)).fill(1),
    },
    progress: Float32Array.of(0.3),
  };
}

describe.each([...generative, ...regressive])("$name", (algorithm) => {
  test("an update is that op by op, repeats with the seed, and moves the average after the net", async () => {
    const config = settingsOf(algorithm);
    const rng = createRng(2);
    const batch = () => batchOf(8, 4, 3, () => 0.2 + 0.2 * rng.uniform());
    const given = batch();
    const [first, second, eager] = await Promise.all([
      compileUpdate(algorithm, config),
      compileUpdate(algorithm, config),
      compileUpdate(algorithm, config, { device: "eager:cpu" }),
    ]);
    const before = (await first.state()) as Record<string, Tree<NdArray>>;
    const outputs = (await Promise.all([first, second, eager].map((each) => each.run(given)))) as [
      Tree<NdArray>,
      Tree<NdArray>,
      Tree<NdArray>,
    ];
    expect(disagreements(outputs[0], outputs[2], 1e-4)).toEqual([]);
    expect(disagreements(await first.state(), await eager.state(), 1e-3)).toEqual([]);
    expect(bitsOf(await first.state())).toEqual(bitsOf(await second.state()));
    const after = (await first.state()) as Record<string, Tree<NdArray>>;
    const arrays = (state: Record<string, Tree<NdArray>>, key: string) =>
      leaves<NdArray>(state[key]!, isNdArray);
    const averages = arrays(after, "average");
    for (const [i, [path, { data }]] of arrays(after, "network").entries()) {
      const old = arrays(before, "network")[i]![1].data;
      averages[i]![1].data.forEach((x, k) => {
        expect(x, path).toBeCloseTo(0.995 * old[k]! + 0.005 * data[k]!, 6);
      });
    }
    await Promise.all([first, second, eager].map((each) => each.dispose()));
  });

  test("acts within the range of the data's actions, from its draws alone", async () => {
    const config = settingsOf(algorithm);
    const state = algorithm.init(spec, config, createRng(1)) as AgentState;
    const { numDraws } = layoutOf(algorithm, spec, config);
    const rng = createRng(3);
    const draw = (size: number) => Float32Array.from({ length: size }, () => rng.normal());
    const given = { observations: draw(60), noise: draw(20 * numDraws) };
    const { data } = await actions(algorithm, config, state, given, spec);
    for (let i = 0; i < data.length; i++) {
      const [low, high] = i % 2 === 0 ? [-0.5, 0.5] : [0.2, 0.6];
      expect(data[i]!).toBeGreaterThanOrEqual(low! - 1e-6);
      expect(data[i]!).toBeLessThanOrEqual(high! + 1e-6);
    }
    const others = { observations: given.observations, noise: draw(20 * numDraws) };
    expect((await actions(algorithm, config, state, others, spec)).data).not.toEqual(data);
  });

  test("its loss on an update's rows is the one that the update lessens", async () => {
    const config = settingsOf(algorithm);
    const rng = createRng(2);
    const given = batchOf(8, 4, 3, () => 0.2 + 0.2 * rng.uniform());
    const state = algorithm.init(spec, config, createRng(1));
    const lossOnly = (policy: never, inputs: never) =>
      [policy, { loss: algorithm.loss(policy, inputs, config) }] as const;
    const inputs = cloneInputs(algorithm, config, spec);
    const [update, loss] = await Promise.all([
      compileUpdate(algorithm, config),
      compileAny(lossOnly, { state, inputs }, { random: createRng(5) }),
    ]);
    const wanted = scalarOf(await update.run(given), "train/loss");
    expect(scalarOf(await loss.run({ batch: given.batch }), "loss")).toBeCloseTo(wanted, 5);
    await Promise.all([update.dispose(), loss.dispose()]);
  });
});

describe.each(generative)("$name", (algorithm) => {
  test("clones both ways of a dataset that goes either", async () => {
    const env = { observationSize: 1, actionSize: 1, numEnvs: 1 };
    const config = settingsOf(algorithm, {
      chunkLength: 1,
      executed: 1,
      batchSize: 128,
      width: 64,
      learningRate: 3e-3,
      emaDecay: 0.98,
      ...("flowSteps" in algorithm.settings.parse({}) ? { flowSteps: 8 } : {}),
    });
    const program = await compileUpdate(algorithm, config, { env });
    const rng = createRng(4);
    const draw = () => (rng.uniform() < 0.5 ? -0.6 : 0.6);
    for (let i = 0; i < 700; i++) {
      const given = batchOf(128, 1, 10 + i, draw, env);
      await program.run({ ...given, progress: Float32Array.of(i / 700) }, { outputs: [] });
    }
    const { numDraws } = layoutOf(algorithm, env, config);
    const fill = (size: number) => Float32Array.from({ length: size }, () => rng.normal());
    const given = { observations: fill(400), noise: fill(400 * numDraws) };
    const { data } = await actions(algorithm, config, await program.state(), given, env);
    await program.dispose();
    const near = (goal: number) => [...data].filter((x) => Math.abs(x - goal) < 0.2).length / 400;
    expect(near(0.6)).toBeGreaterThan(0.3);
    expect(near(-0.6)).toBeGreaterThan(0.3);
    expect(near(0.6) + near(-0.6)).toBeGreaterThan(0.8);
  });
});

test("a shortcut net with no consistent rows, and with none but those, learns too", async () => {
  for (const consistencyShare of [0, 1]) {
    const algorithm = shortcut as unknown as CloneAlgorithm;
    const program = await compileUpdate(algorithm, settingsOf(algorithm, { consistencyShare }));
    const outputs = await program.run(batchOf(8, 4, 3, () => 0.3));
    expect(Number.isFinite(scalarOf(outputs, "train/loss"))).toBe(true);
    await program.dispose();
  }
});

describe.each([
  [flow, reinflow],
  [shortcut, reinflow],
  [diffusion, dppo],
] as unknown as [CloneAlgorithm, AnyAlgorithm][])("%o handed on", (cloner, tuner) => {
  const cloned = settingsOf(cloner);
  const { continues } = tuner;
  const policy = cloner.init(spec, cloned, createRng(9)) as AgentState;
  const config = tuner.settings.parse(continues!.settings(cloned)) as never;

  test("acts to the bit as it did, and keeps its chunks and its range", async () => {
    expect(continues!.algorithms).toContain(cloner.name);
    const fresh = tuner.init({ ...spec, actionRange: undefined }, config, createRng(3));
    const state = continues!.begin(fresh as never, policy) as AgentState;
    const { numDraws } = layoutOf(cloner, spec, cloned);
    expect(layoutOf(tuner as never, spec, config)).toMatchObject({ numDraws, chunkLength: 2 });
    const rng = createRng(3);
    const draw = (size: number) => Float32Array.from({ length: size }, () => rng.normal());
    const given = { observations: draw(30), noise: draw(10 * numDraws) };
    const wanted = await actions(cloner, cloned, policy, given, spec);
    expect((await actions(tuner, config, state, given, spec)).data).toEqual(wanted.data);
  });

  test("a policy of another size is refused by name", () => {
    const wider = tuner.settings.parse({ ...continues!.settings(cloned), width: 32 }) as never;
    const fresh = tuner.init(spec, wider, createRng(3));
    expect(() => continues!.begin(fresh as never, policy)).toThrow(
      /has one of shape \[.*is wanted/,
    );
  });
});
