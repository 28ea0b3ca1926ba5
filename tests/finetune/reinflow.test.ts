// ReinFlow's chains and their densities.

import { describe, expect, test } from "vitest";
import { chainLogProb } from "../../finetune/chain.ts";
import { type NoisyFlowParams, scoreSteps } from "../../finetune/noisyFlow.ts";
import { reinflow } from "../../finetune/reinflow.ts";
import { grad } from "../../nn/gradient.ts";
import { sum, type Tensor } from "../../nn/ops.ts";
import { array, isNdArray, leaves, type NdArray, type Tree } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { compileAny, disagreements, scalarOf } from "../agents/support.ts";
import { evaluate } from "../nn/evaluate.ts";
import {
  batchOf,
  bounds,
  compileUpdate,
  configure,
  normals,
  sampleRows,
  spec,
} from "./reinflowCases.ts";

type Given = { actor: unknown; chain: Tensor; observations: Tensor };

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
