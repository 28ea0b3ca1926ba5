// Validation of cloning: the loss of the policy that acts, on rows that updates never see.

import {
  type AgentState,
  type CloneAlgorithm,
  type CloneConfig,
  type EnvSpec,
  layoutOf,
} from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import { type ChunkColumns, type ChunkRows, createChunkColumns } from "../finetune/chunkRows.ts";
import { compile, type Program } from "../nn/compile.ts";
import type { Tensor } from "../nn/ops.ts";
import { createRng, type Rng } from "../sim/rng.ts";
import { cloneInputs } from "./cloneLearner.ts";
import type { LearnerOptions } from "./learner.ts";

const numBatches = 8;
const seed = 0; // the same rows and draws each time, so that losses compare

type LossProgram = Pick<
  Program<AgentState, { batch: unknown }, { loss: Tensor }>,
  "load" | "dispose"
> & {
  run(given: {
    readonly batch: ChunkColumns;
  }): Promise<{ readonly loss: { readonly data: ArrayLike<number> } }>;
};

interface ValidationParts {
  readonly rows: ChunkRows;
  readonly batchSize: number;
  readonly spec: EnvSpec;
  readonly chunkLength: number;
  readonly noise: Rng;
  readonly program: LossProgram;
}

export class Validation {
  private readonly rows: ChunkRows;
  private readonly batchSize: number;
  private readonly batch: ChunkColumns;
  private readonly noise: Rng;
  private readonly program: LossProgram;

  private constructor(parts: ValidationParts) {
    this.rows = parts.rows;
    this.batchSize = parts.batchSize;
    this.batch = createChunkColumns(parts.batchSize, parts.spec, parts.chunkLength);
    this.noise = parts.noise;
    this.program = parts.program;
  }

  /** `policy` is of the shape that `measure` gets. */
  static async create(
    algorithm: CloneAlgorithm,
    config: CloneConfig,
    spec: EnvSpec,
    policy: AgentState,
    rows: ChunkRows,
    { threads, device }: LearnerOptions,
  ): Promise<Validation> {
    const { batchSize } = config;
    const { chunkLength } = layoutOf(algorithm, spec, config);
    const loss = (state: never, inputs: never) =>
      [state, { loss: algorithm.loss(state, inputs, config) }] as const;
    const example = { state: policy, inputs: cloneInputs(algorithm, config, spec) };
    const noise = createRng(seed);
    const options = { threads, device, random: noise, name: `${algorithm.name} validation` };
    const compiled = await compile(loss as never, example as never, options);
    const program = compiled as unknown as LossProgram;
    return new Validation({ rows, batchSize, spec, chunkLength, noise, program });
  }

  /** The mean loss of a policy, the entries of `policyKeys`, over the same rows each time. */
  async measure(policy: AgentState, normalizer: Normalizer): Promise<number> {
    const { batch, rows, program } = this;
    await program.load(policy);
    this.noise.restore(createRng(seed).state());
    const draws = createRng(seed).split("rows");
    let sum = 0;
    for (let i = 0; i < numBatches; i++) {
      rows.fill(batch, [0, this.batchSize], draws);
      normalizer.apply(batch.observations, batch.observations);
      sum += (await program.run({ batch })).loss.data[0]!;
    }
    return sum / numBatches;
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}
