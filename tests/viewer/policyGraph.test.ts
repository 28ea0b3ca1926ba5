// Policies in plain TypeScript against the trainer's own, which ONNX Runtime computes.

import { expect, test } from "vitest";
import type { AgentState } from "../../agents/agent.ts";
import { algorithms } from "../../agents/index.ts";
import { isNdArray, leaves, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { loadPolicy, readPolicy } from "../../train/policy.ts";
import { policyMetadata, policyOnnx } from "../../train/policyFile.ts";
import { compilePolicy } from "../../train/policyProgram.ts";
import { loadPolicyGraph } from "../../viewer/policyGraph.ts";
import { observationRows, untrainedRun } from "../train/runs.ts";

const numRows = 16;

/** The largest difference between a policy as ONNX Runtime computes it and its file here. */
async function difference(sets: readonly string[], algorithm: string): Promise<number> {
  const run = await untrainedRun(["normalizer=running", ...sets], algorithm);
  const policy = await readPolicy(run.folder, "last");
  const { task, parameters, normalizer } = policy;
  shake(parameters); // some begin with layers of zeros
  const { bytes } = await policyOnnx(policy, policyMetadata(policy));
  const [observationSize, actionSize] = [task.observation.size, task.action.size];
  const graph = loadPolicyGraph(bytes, observationSize, actionSize);
  const rows = observationRows(numRows, observationSize);
  const scaled = new Float32Array(rows.length);
  normalizer.apply(rows, scaled);
  const sizes = { numRows, observationSize, actionSize };
  const program = await compilePolicy(policy.algorithm, policy.config.algo, parameters, sizes);
  const wanted = await program.act(scaled, new Float32Array(numRows * actionSize));
  await program.dispose();
  let worst = 0;
  for (let row = 0; row < numRows; row++) {
    const got = graph.act(rows.subarray(row * observationSize, (row + 1) * observationSize));
    for (const [i, value] of got.entries())
      worst = Math.max(worst, Math.abs(value - wanted[row * actionSize + i]!));
  }
  expect(Math.max(...wanted) - Math.min(...wanted)).toBeGreaterThan(1e-3); // they say something
  return worst;
}

/** Moves every parameter a little. */
function shake(parameters: AgentState): void {
  const rng = createRng(5);
  for (const [, { data }] of leaves<NdArray>(parameters, isNdArray))
    for (let i = 0; i < data.length; i++) data[i]! += 0.03 * rng.normal();
}

test.each(Object.keys(algorithms))(
  "%s acts as ONNX Runtime computes it within 1e-5",
  async (name) => {
    expect(await difference([], name)).toBeLessThan(1e-5);
  },
);

test.each(["tanh", "silu", "elu", "gelu", "mish"])("%s does too", async (activation) => {
  const sets = [`activation=${activation}`, "actorHidden=[24, 16]"];
  expect(await difference(sets, "sac")).toBeLessThan(1e-5);
});

test("bytes that are no policy, or are cut or changed anywhere, are refused or give numbers", async () => {
  const run = await untrainedRun(["actorHidden=[4, 4]"]);
  const policy = await loadPolicy(run.folder, "last");
  const { observation, action } = policy.task;
  const { bytes } = await policyOnnx(policy, {});
  await policy.dispose();
  const load = (file: Uint8Array) => loadPolicyGraph(file, observation.size, action.size);
  expect(() => load(new Uint8Array(0))).toThrow(/expected a policy of 1 to/);
  expect(() => loadPolicyGraph(bytes, observation.size, action.size + 1)).toThrow(/the task takes/);
  for (let length = 1; length < bytes.length - 40; length += 7)
    expect(() => load(bytes.subarray(0, length))).toThrow(Error);
  let seed = 1;
  for (let i = 0; i < 2000; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const changed = bytes.slice();
    changed[seed % bytes.length] = seed >>> 24;
    try {
      expect(load(changed).act(new Float32Array(observation.size)).length).toBe(action.size);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  }
});
