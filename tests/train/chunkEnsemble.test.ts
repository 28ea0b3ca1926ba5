// Temporal ensembling against the mean that its paper states.

import { expect, test } from "vitest";
import { ChunkEnsemble } from "../../train/chunkEnsemble.ts";

const sizes = { chunkLength: 3, actionSize: 2, decay: 0.5 };

/** Chunk t says 10 t + k at offset k, its second number the negative of that. */
const chunkAt = (t: number) =>
  Float32Array.from([0, 1, 2].flatMap((k) => [10 * t + k, -(10 * t + k)]));

test("an action is the mean of all chunks that reach it, the oldest weighing most", () => {
  const ensemble = new ChunkEnsemble(2, sizes);
  const out = new Float32Array(2);
  for (let t = 0; t < 6; t++) {
    ensemble.next(1, chunkAt(t), out);
    const begun = [t - 2, t - 1, t].filter((s) => s >= 0); // oldest first
    const weights = begun.map((_, i) => Math.exp(-0.5 * i));
    const total = weights.reduce((sum, w) => sum + w, 0);
    const wanted = begun.reduce((sum, s, i) => sum + weights[i]! * (10 * s + t - s), 0) / total;
    expect(out[0]).toBeCloseTo(wanted, 4);
    expect(out[1]).toBeCloseTo(-wanted, 4);
  }
});

test("a row that is dropped begins anew, and the others go on; a restored one goes on to the bit", () => {
  const [ensemble, other] = [new ChunkEnsemble(2, sizes), new ChunkEnsemble(2, sizes)];
  const act = (from: ChunkEnsemble, row: number, t: number) => {
    const out = new Float32Array(2);
    from.next(row, chunkAt(t), out);
    return [...out];
  };
  for (const row of [0, 1]) act(ensemble, row, 0);
  ensemble.drop(0);
  expect(act(ensemble, 0, 5)).toEqual([50, -50]);
  const saved = ensemble.state();
  const next = act(ensemble, 1, 1);
  expect(next).not.toEqual([10, -10]);
  other.restore(saved);
  expect(act(other, 1, 1)).toEqual(next);
});
