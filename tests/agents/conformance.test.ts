// What every registered algorithm must do; a new one is tested by being registered.

import { describe, expect, test } from "vitest";
import { layoutOf, type OffPolicyAlgorithm } from "../../agents/agent.ts";
import { algorithms } from "../../agents/index.ts";
import { cloners, finetuners } from "../../finetune/index.ts";
import { isNdArray, leaves, type NdArray, type Tree } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import {
  actions,
  bitsOf,
  compileUpdate,
  disagreements,
  extrasOf,
  learned,
  randomBatch,
  settingsOf,
  small,
  spec,
} from "./support.ts";

const registry = { ...algorithms, ...cloners, ...finetuners };
const everyAlgorithm = Object.values(registry);
const offPolicy = everyAlgorithm.filter((a): a is OffPolicyAlgorithm => a.family === "offPolicy");

describe.each(everyAlgorithm)("$name", (algorithm) => {
  const config = settingsOf(algorithm);
  const fresh = (seed: number) => algorithm.init(spec, config as never, createRng(seed));

  test("is registered under its name", () => {
    expect(registry[algorithm.name]).toBe(algorithm);
  });

  test("has a default for every setting and refuses unknown keys by name", () => {
    const defaults = algorithm.settings.parse({});
    expect(algorithm.settings.parse(defaults)).toEqual(defaults);
    expect(() => algorithm.settings.parse({ learnignRate: 1 })).toThrow(/learnignRate/);
  });

  test("starts with equal bits from equal generators, and with others from others", () => {
    expect(bitsOf(fresh(3))).toEqual(bitsOf(fresh(3)));
    expect(bitsOf(fresh(3))).not.toEqual(bitsOf(fresh(4)));
  });

  test("acts within [−1, 1], as its mode without noise", async () => {
    const state = fresh(3);
    const rng = createRng(8);
    const draw = (size: number) => Float32Array.from({ length: size }, () => 3 * rng.normal());
    const observations = draw(20 * spec.observationSize);
    const { numDraws, chunkLength } = layoutOf(algorithm as never, spec, config as never);
    const noise = draw(20 * numDraws);
    const quiet = { observations, noise: new Float32Array(noise.length) };
    const [noisy, mode, again] = await Promise.all([
      actions(algorithm, config, state, { observations, noise }),
      actions(algorithm, config, state, quiet),
      actions(algorithm, config, state, quiet),
    ]);
    expect(noisy.shape).toEqual([20, chunkLength * spec.actionSize]);
    for (const x of [...noisy.data, ...mode.data]) expect(Math.abs(x)).toBeLessThanOrEqual(1);
    expect(mode.data).toEqual(again.data);
    expect(noisy.data).not.toEqual(mode.data);
  });
});

describe.each(offPolicy)("$name, off-policy", (algorithm) => {
  const config = settingsOf(algorithm) as { batchSize: number };
  const batch = (seed: number) =>
    randomBatch(small.batchSize, seed, spec, algorithm.offline?.columns);

  test.each([true, false])("an update is that op by op, actor trained: %s", async (trainActor) => {
    const options = { trainActor, seed: 2 };
    const compiled = await compileUpdate(algorithm, config, options);
    const eager = await compileUpdate(algorithm, config, { ...options, device: "eager:cpu" });
    const outputs = [await compiled.run(batch(1)), await eager.run(batch(1))] as Tree<NdArray>[];
    expect(disagreements(outputs[0]!, outputs[1]!, 1e-4)).toEqual([]);
    expect(disagreements(await compiled.state(), await eager.state(), 1e-4)).toEqual([]);
    await Promise.all([compiled.dispose(), eager.dispose()]);
  });

  test("equal seeds give equal bits, a loaded state goes on exactly, metrics are finite", async () => {
    const programs = await Promise.all([1, 2, 3].map(() => compileUpdate(algorithm, config)));
    const [first, second, third] = programs as [never, never, never] as typeof programs;
    for (let i = 0; i < 20; i++) {
      const outputs = await first!.run(batch(i));
      await second!.run(batch(i));
      await third!.run(batch(0)); // goes elsewhere, but draws as often
      for (const [path, { data }] of leaves<NdArray>(outputs as Tree<NdArray>, isNdArray)) {
        expect(path.split("/")[0]).toBe("train");
        expect(data.every(Number.isFinite), path).toBe(true);
      }
    }
    expect(bitsOf(await second!.state())).toEqual(bitsOf(await first!.state()));
    await third!.load(await first!.state());
    await Promise.all([first!.run(batch(30)), third!.run(batch(30))]);
    expect(bitsOf(await third!.state())).toEqual(bitsOf(await first!.state()));
    await Promise.all(programs.map((program) => program.dispose()));
  });

  test("without the actor's turn only the critics move", async () => {
    const program = await compileUpdate(algorithm, config, { trainActor: false });
    const before = await program.state();
    await program.run(batch(1));
    const after = await program.state();
    for (const key of algorithm.policyKeys) {
      expect(bitsOf(after[key]!)).toEqual(bitsOf(before[key]!));
    }
    expect(bitsOf(after)).not.toEqual(bitsOf(before));
    await program.dispose();
  });

  test("finds the best action of a bandit", async () => {
    const bandit = { observationSize: 2, actionSize: 1, numEnvs: 1 };
    const rates = { actorLearningRate: 3e-3, criticLearningRate: 3e-3, alphaLearningRate: 3e-3 };
    const improvement = { improveLearningRate: 1e-3, reviewPeriod: 20 };
    const rows = { batchSize: 64, numAtoms: 51, valueLow: -8, valueHigh: 2, residualScale: 1 };
    const gentle = { conservatism: 0.02 }; // the data are uniform: a strong push flattens the hill
    const learning = settingsOf(algorithm, {
      ...small,
      ...rates,
      ...rows,
      ...gentle,
      ...improvement,
      weightDecay: 0,
    });
    const tried = Float32Array.from({ length: 64 }, (_, i) => (i + 0.5) / 32 - 1);
    const given = {
      batch: {
        observations: new Float32Array(128),
        actions: tried,
        rewards: tried.map((a) => 1 - 4 * (a - 0.3) ** 2),
        discounts: new Float32Array(64),
        nextObservations: new Float32Array(128),
        ...extrasOf(algorithm.offline?.columns, () => new Float32Array(64)),
      },
      progress: Float32Array.of(0),
    };
    const numUpdates = 800;
    const state = await learned(algorithm, learning as never, given, { numUpdates, spec: bandit });
    const quiet = { observations: new Float32Array(2), noise: new Float32Array(1) };
    const { data } = await actions(algorithm, learning, state, quiet, bandit);
    expect(Math.abs(data[0]! - 0.3)).toBeLessThan(0.1);
  });
});
