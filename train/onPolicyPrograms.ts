// The compiled programs of an on-policy algorithm: its updates, and its policy as it explores.

import {
  type AgentState,
  type EnvSpec,
  layoutOf,
  type OnPolicyAlgorithm,
  type OnPolicyConfig,
} from "../agents/agent.ts";
import { type ChordConfig, numDemonstrations } from "../agents/chord.ts";
import type { DemonstrationBatch, RolloutBatch } from "../agents/rows.ts";
import { compile, type Program } from "../nn/compile.ts";
import type { Tensor } from "../nn/ops.ts";
import { repeated, repeatInputs } from "../nn/repeat.ts";
import type { Device } from "../nn/runtime.ts";
import type { ArraySpec } from "../nn/tree.ts";
import { joined } from "./updateProgram.ts";

/** Where programs run. */
export interface ProgramOptions {
  readonly threads: number;
  readonly device: Device;
}

type UpdateSpecs = {
  readonly batch: RolloutBatch<ArraySpec>;
  readonly progress: ArraySpec;
  readonly demonstrations?: DemonstrationBatch<ArraySpec>;
};

/** Maps a state to the next by some updates. */
export type UpdateProgram = Pick<
  Program<AgentState, UpdateSpecs, { values: Tensor }>,
  "run" | "state" | "read" | "load" | "dispose"
> & { readonly metricNames: readonly string[] };

/** Draws actions and says what the policy thinks of them. */
export type SampleProgram = Program<
  AgentState,
  { observations: ArraySpec; noise: ArraySpec },
  { actions: Tensor; logProbs: Tensor; values: Tensor }
>;

/** Whether updates have demonstrations beside them. */
export const seesDemonstrations = ({ chordPeak = 0 }: OnPolicyConfig) => chordPeak > 0;

/** Rows of demonstrations beside a minibatch. */
export function demonstrationsOf(config: OnPolicyConfig, spec: EnvSpec): number {
  return numDemonstrations(minibatchSize(config, spec), config as unknown as ChordConfig);
}

/** B; the last minibatch of an epoch is filled up where the rollout does not divide. */
export function minibatchSize(
  { rolloutLength, numMinibatches }: OnPolicyConfig,
  spec: EnvSpec,
): number {
  return Math.ceil((rolloutLength * spec.numEnvs) / numMinibatches);
}

/** Compiles updates from a state. */
export async function compileUpdate(
  algorithm: OnPolicyAlgorithm,
  config: OnPolicyConfig,
  spec: EnvSpec,
  state: AgentState,
  { threads, device, updatesPerCall }: ProgramOptions & { readonly updatesPerCall: number },
): Promise<UpdateProgram> {
  let metricNames: readonly string[] = [];
  const update = (traced: AgentState<Tensor>, inputs: never) => {
    const [next, metrics] = algorithm.update(traced, inputs, config, spec);
    metricNames = Object.keys(metrics);
    return [next, { values: joined(metrics) }] as const;
  };
  const example = {
    state,
    inputs: repeatInputs(updateSpecs(algorithm, config, spec), updatesPerCall),
  };
  const fn = repeated(update as never, updatesPerCall);
  const name = `${algorithm.name} update`;
  const program = await compile(fn, example as never, { threads, device, name });
  return Object.assign(program, { metricNames }) as unknown as UpdateProgram;
}

/** Compiles the policy as it explores, from a state. */
export async function compileSample(
  algorithm: OnPolicyAlgorithm,
  config: OnPolicyConfig,
  spec: EnvSpec,
  state: AgentState,
  { device }: ProgramOptions,
): Promise<SampleProgram> {
  const { numEnvs, observationSize } = spec;
  const { sampleDraws } = layoutOf(algorithm, spec, config);
  const sample = (traced: AgentState<Tensor>, inputs: never) =>
    [traced, algorithm.sample(traced, inputs, config)] as const;
  const keys = algorithm.sampleKeys.map((key) => [key, state[key]!]);
  const example = {
    state: Object.fromEntries(keys),
    inputs: { observations: float(numEnvs, observationSize), noise: float(numEnvs, sampleDraws) },
  };
  const options = { device, name: `${algorithm.name} sample` };
  const program: unknown = await compile(sample as never, example as never, options);
  return program as SampleProgram;
}

function updateSpecs(
  algorithm: OnPolicyAlgorithm,
  config: OnPolicyConfig,
  spec: EnvSpec,
): UpdateSpecs {
  const size = minibatchSize(config, spec);
  return {
    batch: {
      observations: float(size, spec.observationSize),
      actions: float(size, layoutOf(algorithm, spec, config).stored),
      logProbs: float(size),
      values: float(size),
      advantages: float(size),
      returns: float(size),
    },
    progress: float(),
    ...(seesDemonstrations(config) && {
      demonstrations: demonstrationSpecs(algorithm, config, spec),
    }),
  };
}

function demonstrationSpecs(
  algorithm: OnPolicyAlgorithm,
  config: OnPolicyConfig,
  spec: EnvSpec,
): DemonstrationBatch<ArraySpec> {
  const { chunkLength } = layoutOf(algorithm, spec, config);
  const size = demonstrationsOf(config, spec);
  const width = chunkLength * spec.actionSize;
  return {
    observations: float(size, spec.observationSize),
    actions: float(size, width),
    mask: float(size, chunkLength),
    normals: float(size, width),
    uniforms: float(size),
  };
}

function float(...shape: number[]): ArraySpec {
  return { shape, dtype: "float32" };
}
