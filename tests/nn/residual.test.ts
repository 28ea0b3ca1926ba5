import { describe, expect, test } from "vitest";
import { initResidualMlp, residualMlp, sinusoidalEmbedding } from "../../nn/layers.ts";
import type { Tensor } from "../../nn/ops.ts";
import { array } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { evaluate, expectClose, normals } from "./evaluate.ts";
import { curves, memberOf, plainDense, plainNorm, shaken } from "./plainLayers.ts";

describe("residualMlp", () => {
  const options = { inputs: 3, width: 4, outputs: 2, numBlocks: 2, expansion: 3 };

  test("with norms it is x + contract(act(expand(norm x))), and a norm before the output", async () => {
    const params = shaken(initResidualMlp(createRng(1), { ...options, layerNorm: true }), 2);
    const x = normals(createRng(3), [1, 3]);
    const [y] = await evaluate(({ params, x }) => [residualMlp(params, x)], { params, x });
    let h = plainDense(params.input, Array.from(x.data));
    for (const block of [params.block0!, params.block1!]) {
      const wide = plainDense(block.expand, plainNorm(block.norm!, h)).map(curves.relu);
      h = plainDense(block.contract, wide).map((v, i) => v + h[i]!);
    }
    expectClose(y!, plainDense(params.output, plainNorm(params.norm!, h)), 1e-5);
  });

  test("without norms the activation stands in their place", async () => {
    const params = initResidualMlp(createRng(1), { ...options, expansion: 1 });
    const x = normals(createRng(3), [1, 3]);
    const [y] = await evaluate(({ params, x }) => [residualMlp(params, x, "mish")], { params, x });
    let h = plainDense(params.input, Array.from(x.data));
    for (const block of [params.block0!, params.block1!]) {
      const wide = plainDense(block.expand, h.map(curves.mish)).map(curves.mish);
      h = plainDense(block.contract, wide).map((v, i) => v + h[i]!);
    }
    expectClose(y!, plainDense(params.output, h), 1e-5);
  });

  test("an ensemble equals its members", async () => {
    const settings = { ...options, layerNorm: true, ensemble: 2 };
    const ensemble = shaken(initResidualMlp(createRng(5), settings), 6);
    const members = [memberOf(ensemble, 0), memberOf(ensemble, 1)];
    const x = normals(createRng(7), [5, 3]);
    const [joint, first, second] = await evaluate(
      ({ ensemble, members, x }) => [
        residualMlp(ensemble, x, "silu"),
        ...members.map((params) => residualMlp(params, x, "silu")),
      ],
      { ensemble, members, x },
    );
    expectClose(joint!, [...first!, ...second!], 1e-5);
  });
});

describe("sinusoidalEmbedding", () => {
  test("is sines then cosines at frequencies from 1 down to 1/maxPeriod", async () => {
    const [y] = await evaluate(({ t }) => [sinusoidalEmbedding(t, 6)], { t: array([0, 0.5, 40]) });
    const wanted = [0, 0.5, 40].flatMap((t) =>
      [Math.sin, Math.cos].flatMap((f) => [1, 0.01, 0.0001].map((w) => f(w * t))),
    );
    expectClose(y!, wanted, 1e-5);
  });

  test("refuses sizes without two frequencies", () => {
    expect(() => sinusoidalEmbedding({} as Tensor, 2)).toThrow("even size of at least 4, got 2");
    expect(() => sinusoidalEmbedding({} as Tensor, 7)).toThrow("got 7");
  });
});
