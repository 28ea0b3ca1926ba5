// One update of every offline method but Uni-O4, and of ResFiT, beside the same one in PyTorch, by CORL's formulas or
// the papers' (corl_peer.py). Adam's ε is 1, so that a step tells how long a gradient is and not its sign alone.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { OffPolicyAlgorithm } from "../../agents/agent.ts";
import { finetuners } from "../../finetune/index.ts";
import { fillNoise, type NoiseSpec } from "../../nn/noise.ts";
import { isNdArray, leaves, mapTree, type NdArray, type Tree, zeros } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { compileUpdate, randomBatch, settingsOf, small, spec } from "../agents/support.ts";
import { python } from "../python.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url)); // this file runs from dist/tests/finetune
const torch = join(root, ".venv-torch", "bin", "python");
const rates = {
  actorLearningRate: 0.05,
  criticLearningRate: 0.05,
  valueLearningRate: 0.05,
  alphaLearningRate: 0.05,
  balanceLearningRate: 0.05,
};
/** All but Uni-O4, and ResFiT: to it the last two numbers of the test's observations are the base's action. */
const names = Object.values(finetuners)
  .filter(({ family, needs = [] }) => family === "offPolicy" && needs.includes("data"))
  .map(({ name }) => name)
  .filter((name) => name !== "uniO4")
  .concat("residual");
const numRows = 32;
const settings = { ...small, ...rates, adamEpsilon: 1, tau: 0.1, batchSize: numRows };

const isPlain = (tree: unknown): tree is NoiseSpec => typeof tree === "object" && "noise" in tree!;

/** Draws as the algorithm declares them. */
function drawsOf(specs: Tree<NoiseSpec>): Tree<NdArray> {
  const rng = createRng(11);
  return mapTree<NoiseSpec, NdArray>(specs, isPlain, (spec) => {
    const array = zeros(spec.shape, spec.dtype);
    fillNoise(spec.noise, array.data, rng);
    return array;
  });
}

/** A tree of arrays for JSON. */
const sent = (tree: Tree<NdArray>): unknown =>
  mapTree<NdArray, never>(
    tree,
    isNdArray,
    ({ shape, data }) => ({ shape, data: [...data] }) as never,
  );

/** One update of ours, and what the peer needs to do the same. */
async function updated(name: string) {
  const algorithm = finetuners[name] as OffPolicyAlgorithm;
  const config = settingsOf(algorithm, settings) as never as { batchSize: number };
  const program = await compileUpdate(algorithm, config, { seed: 4 });
  const state = await program.state();
  const before = Object.fromEntries(
    Object.entries(state).filter(([key]) => !key.endsWith("Optimizer")),
  );
  const { batch, progress } = randomBatch(numRows, 6, spec, algorithm.offline?.columns);
  const noise = drawsOf(algorithm.noise(spec, config as never));
  await program.run({ batch, progress, noise: mapTree(noise, isNdArray, (x) => x.data as never) });
  const after = await program.state();
  await program.dispose();
  const rows = Object.entries(batch).map(([key, data]) => {
    const width = data!.length / numRows;
    return [key, { shape: width === 1 ? [numRows] : [numRows, width], data: [...data!] }];
  });
  const job = { state: sent(before), batch: Object.fromEntries(rows), noise: sent(noise), config };
  return { name, before, after, job };
}

describe.skipIf(!existsSync(torch))("an update by CORL's formulas (.venv-torch)", () => {
  test(`has every parameter within 1e-4: ${names.join(", ")}`, { timeout: 180_000 }, async () => {
    const runs = await Promise.all(names.map(updated));
    const script =
      "import sys; sys.path.insert(0, 'tests/finetune'); import corl_peer; corl_peer.main()";
    const jobs = Object.fromEntries(runs.map(({ name, job }) => [name, job]));
    const options = { stdin: JSON.stringify(jobs), interpreter: torch, timeLimit: 170 };
    const theirs: unknown = JSON.parse(python(script, options));
    for (const { name, before, after } of runs) {
      let moved = 0;
      for (const [path, { data }] of leaves<NdArray>(before as never, isNdArray)) {
        const wanted = [at(theirs, `${name}/${path}`)].flat() as number[];
        const got = (at(after, path) as NdArray).data;
        expect(got.length, path).toBe(wanted.length);
        for (const [i, x] of got.entries()) {
          expect(Math.abs(x - wanted[i]!), `${name}/${path}[${i}]`).toBeLessThan(1e-4);
          moved = Math.max(moved, Math.abs(x - data[i]!));
        }
      }
      expect(moved, name).toBeGreaterThan(0.005); // else agreement would say nothing
    }
  });
});

/** The value at "actor/mean/layer0/kernel". */
function at(tree: unknown, path: string): unknown {
  return path.split("/").reduce((node, key) => (node as Record<string, unknown>)[key], tree);
}
