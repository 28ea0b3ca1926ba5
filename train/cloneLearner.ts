// The learner of cloning: an algorithm's compiled update, and the rows of datasets that feed it.

import {
  type AgentState,
  type CloneAlgorithm,
  type CloneConfig,
  type EnvSpec,
  layoutOf,
} from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import type { CloneBatch } from "../agents/rows.ts";
import { type ChunkColumns, type ChunkRows, createChunkColumns } from "../finetune/chunkRows.ts";
import { compile, type Program } from "../nn/compile.ts";
import type { Tensor } from "../nn/ops.ts";
import { repeated, repeatInputs } from "../nn/repeat.ts";
import type { ArraySpec } from "../nn/tree.ts";
import type { Rng, RngState } from "../sim/rng.ts";
import { DivergedError, type LearnerOptions } from "./learner.ts";
import { joined } from "./updateProgram.ts";

/** What a checkpoint holds of a learner. */
export interface CloneLearnerState {
  readonly agent: AgentState;
  readonly numUpdates: number;
  readonly batches: RngState;
  readonly noise: RngState;
}

const usualUpdatesPerCall = 8; // more save nothing, and take longer to compile

export class CloneLearner {
  /** Of the last call's last update, by name. */
  metrics: Readonly<Record<string, number>> = {};
  numUpdates = 0;
  readonly updatesPerCall: number;
  private readonly algorithm: CloneAlgorithm;
  private readonly batchSize: number;
  private readonly program: UpdateProgram;
  private readonly batch: ChunkColumns;
  private readonly progress: Float32Array;
  private readonly rngs: { readonly batches: Rng; readonly noise: Rng };

  private constructor({ algorithm, config, spec, program, rngs, updatesPerCall }: LearnerParts) {
    this.algorithm = algorithm;
    this.batchSize = config.batchSize;
    this.program = program;
    this.rngs = rngs;
    this.updatesPerCall = updatesPerCall;
    this.progress = new Float32Array(updatesPerCall);
    const { chunkLength } = layoutOf(algorithm, spec, config);
    this.batch = createChunkColumns(updatesPerCall * config.batchSize, spec, chunkLength);
  }

  static async create(
    algorithm: CloneAlgorithm,
    config: CloneConfig,
    spec: EnvSpec,
    rng: Rng,
    options: LearnerOptions,
  ): Promise<CloneLearner> {
    const rngs = { batches: rng.split("batches"), noise: rng.split("noise") };
    const state = algorithm.init(spec, config, rng.split("init"));
    const updatesPerCall = options.updatesPerCall ?? usualUpdatesPerCall;
    const resolved = { ...options, updatesPerCall };
    const program = await compileUpdate(algorithm, config, spec, state, rngs.noise, resolved);
    return new CloneLearner({ algorithm, config, spec, program, rngs, updatesPerCall });
  }

  /** `updatesPerCall` updates on random rows; `progress` is the share of the run that has passed. */
  async update(rows: ChunkRows, normalizer: Normalizer, progress: number): Promise<void> {
    const { batch, batchSize, updatesPerCall } = this;
    rows.fill(batch, [0, updatesPerCall * batchSize], this.rngs.batches);
    normalizer.apply(batch.observations, batch.observations);
    this.progress.fill(progress);
    const { values } = await this.program.run({ batch, progress: this.progress });
    this.numUpdates += updatesPerCall;
    const named = this.program.metricNames.map((name, i) => [name, values.data[i]!] as const);
    for (const [name, value] of named)
      if (!Number.isFinite(value)) throw new DivergedError(name, value, this.numUpdates);
    this.metrics = Object.fromEntries(named);
  }

  /** A fresh copy of what the policy is made of. */
  parameters(): Promise<AgentState> {
    return this.program.read(this.algorithm.policyKeys);
  }

  async state(): Promise<CloneLearnerState> {
    const { batches, noise } = this.rngs;
    const agent = await this.program.state();
    return { agent, numUpdates: this.numUpdates, batches: batches.state(), noise: noise.state() };
  }

  async restore({ agent, numUpdates, batches, noise }: CloneLearnerState): Promise<void> {
    await this.program.load(agent);
    this.numUpdates = numUpdates;
    this.rngs.batches.restore(batches);
    this.rngs.noise.restore(noise);
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}

interface LearnerParts {
  readonly algorithm: CloneAlgorithm;
  readonly config: CloneConfig;
  readonly spec: EnvSpec;
  readonly program: UpdateProgram;
  readonly rngs: { readonly batches: Rng; readonly noise: Rng };
  readonly updatesPerCall: number;
}

type UpdateProgram = Pick<
  Program<AgentState, { batch: CloneBatch<ArraySpec>; progress: ArraySpec }, { values: Tensor }>,
  "run" | "state" | "read" | "load" | "dispose"
> & { readonly metricNames: readonly string[] };

async function compileUpdate(
  algorithm: CloneAlgorithm,
  config: CloneConfig,
  spec: EnvSpec,
  state: AgentState,
  random: Rng,
  { threads, device, updatesPerCall }: LearnerOptions & { readonly updatesPerCall: number },
): Promise<UpdateProgram> {
  let metricNames: readonly string[] = [];
  const update = (traced: never, inputs: never) => {
    const [next, metrics] = algorithm.update(traced, inputs, config, spec);
    metricNames = Object.keys(metrics);
    return [next, { values: joined(metrics) }] as const;
  };
  const progress: ArraySpec = { shape: [], dtype: "float32" };
  const specs = { ...cloneInputs(algorithm, config, spec), progress };
  const inputs = repeatInputs(specs, updatesPerCall);
  const name = `${algorithm.name} update`;
  const program = await compile(
    repeated(update as never, updatesPerCall),
    { state, inputs },
    { threads, device, random, name },
  );
  return Object.assign(program, { metricNames }) as unknown as UpdateProgram;
}

/** The shapes of what an algorithm's loss sees. */
export function cloneInputs(algorithm: CloneAlgorithm, config: CloneConfig, spec: EnvSpec) {
  const float = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });
  const { batchSize } = config;
  const { chunkLength } = layoutOf(algorithm, spec, config);
  const batch: CloneBatch<ArraySpec> = {
    observations: float(batchSize, spec.observationSize),
    actions: float(batchSize, chunkLength * spec.actionSize),
    mask: float(batchSize, chunkLength),
  };
  return { batch, noise: algorithm.noise(spec, config) };
}
