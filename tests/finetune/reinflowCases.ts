// Small ReinFlow policies for the tests: what they draw, their updates and batches.

import type { EnvSpec } from "../../agents/agent.ts";
import { createRolloutBatch, type RolloutColumns } from "../../agents/rollout.ts";
import { type ReinflowConfig, type ReinflowState, reinflow } from "../../finetune/reinflow.ts";
import type { Tensor } from "../../nn/ops.ts";
import type { ArraySpec, NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { type AnyProgram, compileAny } from "../agents/support.ts";

export const spec: EnvSpec = { observationSize: 3, actionSize: 2, numEnvs: 16 };
export const bounds = { minStd: 0.1, maxStd: 0.24 };

export const configure = (overrides: Record<string, unknown> = {}): ReinflowConfig =>
  reinflow.settings.parse({
    chunkLength: 2,
    executed: 2,
    width: 16,
    noiseHidden: [16],
    criticWidth: 16,
    ...overrides,
  });

const float = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });
export const normals = (seed: number, size: number) => {
  const rng = createRng(seed);
  return Float32Array.from({ length: size }, () => rng.normal());
};

/** Draws what a state's policy does at random observations. */
export async function compileSampler(
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

export const sampleRows = async (
  config: ReinflowConfig,
  state: ReinflowState<NdArray>,
  size: number,
) => (await compileSampler(config, state, size))(6);

export function compileUpdate(
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

/** A batch of rows with made-up advantages and returns. */
export function batchOf(
  rows: Awaited<ReturnType<typeof sampleRows>>,
  advantages: Float32Array,
): RolloutColumns {
  const size = rows.logProbs.length;
  return { ...createRolloutBatch(size, 1, 1), ...rows, advantages, returns: advantages };
}
