// What settings make of soft actor-critic: REDQ, DroQ, RLPD's critics, decay.

import { describe, expect, test } from "vitest";
import { type SacNoise, sac } from "../../agents/sac.ts";
import type { NoiseSpec } from "../../nn/noise.ts";
import { full } from "../../nn/tree.ts";
import { configure, tiny } from "./sacCases.ts";
import { bitsOf, compileUpdate, disagreements, randomBatch, scalarOf, spec } from "./support.ts";

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

  test("mirror images teach what a batch with its second half mirrored would", async () => {
    const { observations, actions } = spec.mirror!;
    const given = randomBatch(5);
    const image = (x: Float32Array, { indices, signs }: typeof actions) =>
      x.map((value, i) => {
        const at = i % indices.length;
        return i < 3 * indices.length ? value : signs[at]! * x[i - at + indices[at]!]!;
      });
    const { batch } = given;
    const explicit = {
      ...batch,
      observations: image(batch.observations, observations),
      actions: image(batch.actions, actions),
      nextObservations: image(batch.nextObservations, observations),
    };
    const taught = async (mirrorImages: boolean, seen: typeof batch) => {
      const program = await compileUpdate(sac, configure({ mirrorImages, batchSize: 5 }));
      await program.run({ ...given, batch: seen });
      const state = await program.state();
      await program.dispose();
      return state;
    };
    const implied = await taught(true, batch);
    expect(disagreements(implied, await taught(false, explicit), 1e-6)).toEqual([]);
    expect(disagreements(implied, await taught(false, batch), 1e-6)).not.toEqual([]);
  });

  test("a target of more critics than there are is refused", () => {
    expect(() => sac.settings.parse({ numTargetCritics: 3 })).toThrow(/numTargetCritics/);
  });
});
