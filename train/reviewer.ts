// Reviews of what updates on logged data came to, as an algorithm's `offline.reviews` says: a program of its own that
// is run between updates, on a batch of its own.

import type { AgentState, EnvSpec, OfflineConfig, OffPolicyAlgorithm } from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import {
  batchWidths,
  type Columns,
  createBatch,
  type Source,
  sampleBatch,
} from "../agents/replay.ts";
import type { Device } from "../nn/runtime.ts";
import { createRng, type Rng } from "../sim/rng.ts";
import { compileUpdate, type UpdateProgram } from "./updateProgram.ts";

export class Reviewer {
  private readonly program: UpdateProgram;
  private readonly batch: Columns;
  private readonly batchSize: number;
  /** The update that the stage begins with. */
  private readonly begin: number;
  private readonly period: number;
  private readonly steps: number;

  private constructor(
    program: UpdateProgram,
    batch: Columns,
    { begin, period, steps, batchSize }: Record<"begin" | "period" | "steps" | "batchSize", number>,
  ) {
    this.program = program;
    this.batch = batch;
    this.batchSize = batchSize;
    this.begin = begin;
    this.period = period;
    this.steps = steps;
  }

  /** Null where the algorithm has no reviews. */
  static async create(
    algorithm: OffPolicyAlgorithm,
    config: OfflineConfig,
    spec: EnvSpec,
    state: AgentState,
    { threads, device }: { readonly threads: number; readonly device: Device },
  ): Promise<Reviewer | null> {
    const { reviews, prepareUpdates, columns } = algorithm.offline!;
    if (reviews === undefined) return null;
    const options = { threads, device, updatesPerCall: 1, actor: true, stage: "review" } as const;
    // A review draws nothing but its batch; its noise, where it asks for some, is always the same.
    const program = await compileUpdate(algorithm, config, spec, state, createRng(0), options);
    const widths = batchWidths(spec.observationSize, spec.actionSize, columns);
    const { batchSize } = config;
    const begin = prepareUpdates?.(config) ?? 0;
    const batch = createBatch(batchSize, widths);
    return new Reviewer(program, batch, { ...reviews(config), begin, batchSize });
  }

  /** Whether the next call of so many updates is the stage's first: a review comes before it. */
  isFirst(numUpdates: number, updatesPerCall: number): boolean {
    const passed = numUpdates - this.begin;
    return passed >= 0 && passed < updatesPerCall;
  }

  /** Whether one is due when the number of updates has grown. */
  isDue(before: number, after: number): boolean {
    const periods = (numUpdates: number) => Math.floor((numUpdates - this.begin) / this.period);
    return periods(after) > periods(before);
  }

  /** The state after a review. */
  async review(
    agent: AgentState,
    sources: readonly Source[],
    normalizer: Normalizer,
    rng: Rng,
  ): Promise<AgentState> {
    const { batch, program, steps } = this;
    sampleBatch(sources, batch, 0, this.batchSize, rng);
    normalizer.apply(batch.observations, batch.observations);
    normalizer.apply(batch.nextObservations, batch.nextObservations);
    await program.load(agent);
    for (let i = 0; i < steps; i++)
      await program.run({ batch, progress: Float32Array.of(i / steps) }, { outputs: [] });
    return program.state();
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}
