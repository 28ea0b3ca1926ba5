// The off-policy learner: an algorithm's compiled update and policy, and the batches that feed it.

import type {
  AgentState,
  EnvSpec,
  OfflineConfig,
  OffPolicyAlgorithm,
  OffPolicyConfig,
  Stage,
} from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import {
  batchWidths,
  type Columns,
  createBatch,
  type Source,
  sampleBatch,
} from "../agents/replay.ts";
import type { Device } from "../nn/runtime.ts";
import type { Rng, RngState } from "../sim/rng.ts";
import { compilePolicy, type PolicyProgram, policyOf } from "./policyProgram.ts";
import { Reviewer } from "./reviewer.ts";
import { compileUpdate, type UpdateProgram } from "./updateProgram.ts";

export interface LearnerOptions {
  readonly threads: number;
  readonly device: Device;
  /** Updates in one call of the program, a multiple of `actorPeriod`; null chooses. */
  readonly updatesPerCall: number | null;
  /** Where an algorithm that learns from data first is; its programs are that stage's. */
  readonly stage?: Stage;
}

/** What a checkpoint holds of a learner. */
export interface LearnerState {
  readonly agent: AgentState;
  readonly numUpdates: number;
  readonly batches: RngState;
  readonly noise: RngState;
}

/** A loss or another number of an update is not finite: there is nothing to go on with. */
export class DivergedError extends Error {
  constructor(metric: string, value: number, numUpdates: number) {
    super(
      `training diverged: ${metric} is ${value} after ${numUpdates} updates; ` +
        "try a lower learning rate, or go on from the last checkpoint with another one",
    );
    this.name = "DivergedError";
  }
}

export class OffPolicyLearner {
  /** Acts for the N envs of the spec with the newest parameters. */
  readonly policy: PolicyProgram;
  /** Of the last call's last update, by name. */
  metrics: Readonly<Record<string, number>> = {};
  numUpdates = 0;
  private readonly algorithm: OffPolicyAlgorithm;
  private readonly program: UpdateProgram;
  private readonly batch: Columns;
  private readonly batchSize: number;
  private readonly updatesPerCall: number;
  private readonly progress: Float32Array;
  private readonly rngs: { readonly batches: Rng; readonly noise: Rng };
  private readonly numCriticUpdates: number;
  private readonly compileCriticUpdate: (state: AgentState) => Promise<UpdateProgram>;
  private readonly reviewer: Reviewer | null;

  private constructor(parts: LearnerParts) {
    const { algorithm, config, spec, updatesPerCall } = parts;
    this.algorithm = algorithm;
    this.numCriticUpdates = config.criticWarmUp;
    this.compileCriticUpdate = parts.compileCriticUpdate;
    this.program = parts.program;
    this.reviewer = parts.reviewer;
    this.policy = parts.policy;
    this.rngs = parts.rngs;
    this.batchSize = config.batchSize;
    this.updatesPerCall = updatesPerCall;
    this.progress = new Float32Array(updatesPerCall);
    const columns = algorithm.offline?.columns;
    const widths = batchWidths(spec.observationSize, spec.actionSize, columns);
    this.batch = createBatch(updatesPerCall * config.batchSize, widths);
  }

  static async create(
    algorithm: OffPolicyAlgorithm,
    config: OffPolicyConfig,
    spec: EnvSpec,
    rng: Rng,
    options: LearnerOptions,
  ): Promise<OffPolicyLearner> {
    const rngs = { batches: rng.split("batches"), noise: rng.split("noise") };
    const state = algorithm.init(spec, config, rng.split("init"));
    const updatesPerCall = options.updatesPerCall ?? chooseUpdatesPerCall(config, spec, options);
    if (updatesPerCall % config.actorPeriod !== 0)
      throw new Error(
        `updatesPerCall ${updatesPerCall} is no multiple of actorPeriod ${config.actorPeriod}`,
      );
    const resolved = { ...options, updatesPerCall };
    const compileFor = (actor: boolean) => (from: AgentState) =>
      compileUpdate(algorithm, config, spec, from, rngs.noise, { ...resolved, actor });
    const program = await compileFor(true)(state);
    const { numEnvs: numRows, observationSize, actionSize } = spec;
    const sizes = { numRows, observationSize, actionSize, device: options.device };
    const policy = await compilePolicy(algorithm, config, policyOf(algorithm, state), sizes);
    const compileCriticUpdate = compileFor(false);
    const reviewer =
      options.stage === "offline"
        ? await Reviewer.create(algorithm, config as OfflineConfig, spec, state, options)
        : null;
    const parts = { algorithm, config, spec, program, policy, reviewer, rngs, updatesPerCall };
    return new OffPolicyLearner({ ...parts, compileCriticUpdate });
  }

  /** At least `count` updates, in whole calls; the policy then acts with the new parameters. */
  async update(
    count: number,
    sources: readonly Source[],
    normalizer: Normalizer,
    progress: number,
  ): Promise<void> {
    if (count <= 0) return;
    this.progress.fill(progress);
    const end = this.numUpdates + count;
    const numOfCritics = Math.min(end, this.numCriticUpdates);
    if (this.numUpdates < numOfCritics) {
      const program = await this.compileCriticUpdate(await this.program.state());
      await this.updateUntil(numOfCritics, program, sources, normalizer);
      await this.program.load(await program.state());
      await program.dispose();
    }
    if (this.reviewer?.isFirst(this.numUpdates, this.updatesPerCall))
      await this.review(sources, normalizer);
    await this.updateUntil(end, this.program, sources, normalizer);
    await this.policy.load(await this.parameters());
  }

  /** A fresh copy of what the policy is made of. */
  parameters(): Promise<AgentState> {
    return this.program.read(this.algorithm.policyKeys);
  }

  async state(): Promise<LearnerState> {
    const { batches, noise } = this.rngs;
    const agent = await this.program.state();
    return { agent, numUpdates: this.numUpdates, batches: batches.state(), noise: noise.state() };
  }

  async restore({ agent, numUpdates, batches, noise }: LearnerState): Promise<void> {
    await this.program.load(agent);
    await this.policy.load(policyOf(this.algorithm, agent));
    this.numUpdates = numUpdates;
    this.rngs.batches.restore(batches);
    this.rngs.noise.restore(noise);
  }

  async dispose(): Promise<void> {
    await this.program.dispose();
    await this.policy.dispose();
    await this.reviewer?.dispose();
  }

  private async review(sources: readonly Source[], normalizer: Normalizer): Promise<void> {
    const agent = await this.program.state();
    const reviewed = await this.reviewer!.review(agent, sources, normalizer, this.rngs.batches);
    await this.program.load(reviewed);
  }

  private async updateUntil(
    end: number,
    program: UpdateProgram,
    sources: readonly Source[],
    normalizer: Normalizer,
  ): Promise<void> {
    while (this.numUpdates < end) {
      this.fill(sources, normalizer);
      const { values } = await program.run({ batch: this.batch, progress: this.progress });
      const before = this.numUpdates;
      this.numUpdates += this.updatesPerCall;
      this.readMetrics(program.metricNames, values.data);
      if (this.reviewer?.isDue(before, this.numUpdates)) await this.review(sources, normalizer);
    }
  }

  private fill(sources: readonly Source[], normalizer: Normalizer): void {
    const { batch, batchSize, updatesPerCall } = this;
    for (let i = 0; i < updatesPerCall; i++)
      sampleBatch(sources, batch, i * batchSize, (i + 1) * batchSize, this.rngs.batches);
    normalizer.apply(batch.observations, batch.observations);
    normalizer.apply(batch.nextObservations, batch.nextObservations);
  }

  private readMetrics(names: readonly string[], values: ArrayLike<number>): void {
    const named = names.map((name, i) => [name, values[i]!] as const);
    for (const [name, value] of named)
      if (!Number.isFinite(value)) throw new DivergedError(name, value, this.numUpdates);
    this.metrics = Object.fromEntries(named);
  }
}

const mostUpdatesPerCall = 8; // more save nothing, and take longer to compile

const offlineUpdatesPerCall = 4; // losses of these are longer: twice as many take 1 % less time and compile twice as long

/** As many as one step of all envs is worth, in whole periods of the actor. */
function chooseUpdatesPerCall(
  { utdRatio, actorPeriod }: OffPolicyConfig,
  { numEnvs }: EnvSpec,
  { stage }: LearnerOptions,
): number {
  const most = stage === undefined ? mostUpdatesPerCall : offlineUpdatesPerCall;
  const wanted = stage === "online" || stage === undefined ? Math.floor(utdRatio * numEnvs) : most;
  const due = Math.min(most, wanted);
  return actorPeriod * Math.max(1, Math.floor(due / actorPeriod));
}

interface LearnerParts {
  readonly algorithm: OffPolicyAlgorithm;
  readonly config: OffPolicyConfig;
  readonly spec: EnvSpec;
  readonly program: UpdateProgram;
  readonly policy: PolicyProgram;
  readonly reviewer: Reviewer | null;
  readonly rngs: { readonly batches: Rng; readonly noise: Rng };
  readonly updatesPerCall: number;
  /** A program that trains the critics alone, from a state. */
  readonly compileCriticUpdate: (state: AgentState) => Promise<UpdateProgram>;
}
