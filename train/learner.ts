// The off-policy learner: an algorithm's compiled update and policy, and the batches that feed it.

import type {
  AgentState,
  Batch,
  EnvSpec,
  Metrics,
  OffPolicyAlgorithm,
  OffPolicyConfig,
  Stage,
  UpdateInputs,
} from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import {
  batchWidths,
  type Columns,
  createBatch,
  type Source,
  sampleBatch,
} from "../agents/replay.ts";
import { compile, type Program } from "../nn/compile.ts";
import { concat, reshape, type Tensor } from "../nn/ops.ts";
import { repeated, repeatInputs } from "../nn/repeat.ts";
import type { Device } from "../nn/runtime.ts";
import type { ArraySpec } from "../nn/tree.ts";
import type { Rng, RngState } from "../sim/rng.ts";
import { compilePolicy, type PolicyProgram, policyOf } from "./policyProgram.ts";

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

  private constructor(parts: LearnerParts) {
    const { algorithm, config, spec, updatesPerCall } = parts;
    this.algorithm = algorithm;
    this.numCriticUpdates = config.criticWarmUp;
    this.compileCriticUpdate = parts.compileCriticUpdate;
    this.program = parts.program;
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
    const parts = { algorithm, config, spec, program, policy, rngs, updatesPerCall };
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
      this.numUpdates += this.updatesPerCall;
      this.readMetrics(program.metricNames, values.data);
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
  readonly rngs: { readonly batches: Rng; readonly noise: Rng };
  readonly updatesPerCall: number;
  /** A program that trains the critics alone, from a state. */
  readonly compileCriticUpdate: (state: AgentState) => Promise<UpdateProgram>;
}

interface UpdateSpecs {
  readonly batch: Batch<ArraySpec>;
  readonly noise: ReturnType<OffPolicyAlgorithm["noise"]>;
  readonly progress: ArraySpec;
}

type UpdateProgram = Pick<
  Program<AgentState, { batch: Batch<ArraySpec>; progress: ArraySpec }, { values: Tensor }>,
  "run" | "state" | "read" | "load" | "dispose"
> & { readonly metricNames: readonly string[] };

async function compileUpdate(
  algorithm: OffPolicyAlgorithm,
  config: OffPolicyConfig,
  spec: EnvSpec,
  state: AgentState,
  random: Rng,
  options: LearnerOptions & { readonly updatesPerCall: number; readonly actor: boolean },
): Promise<UpdateProgram> {
  const { threads, device, updatesPerCall, actor, stage } = options;
  let metricNames: readonly string[] = [];
  // A state's full type would be endless here; what it holds, the algorithm knows.
  const update = (traced: never, inputs: UpdateInputs, index = 0) => {
    const trainActor = actor && (index + 1) % config.actorPeriod === 0;
    const phase = stage === undefined ? { trainActor } : { trainActor, stage };
    const [next, metrics] = algorithm.update(traced, inputs, config, spec, phase);
    metricNames = Object.keys(metrics);
    return [next, { values: joined(metrics) }] as const;
  };
  const inputs = repeatInputs(updateSpecs(algorithm, config, spec), updatesPerCall);
  const name = `${algorithm.name} update`;
  const program = await compile(
    repeated(update as never, updatesPerCall),
    { state, inputs },
    { threads, device, random, name },
  );
  return Object.assign(program, { metricNames }) as unknown as UpdateProgram;
}

function updateSpecs(
  algorithm: OffPolicyAlgorithm,
  config: OffPolicyConfig,
  spec: EnvSpec,
): UpdateSpecs {
  const float = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });
  const { batchSize } = config;
  const { columns = [] } = algorithm.offline ?? {};
  return {
    batch: {
      observations: float(batchSize, spec.observationSize),
      actions: float(batchSize, spec.actionSize),
      rewards: float(batchSize),
      discounts: float(batchSize),
      nextObservations: float(batchSize, spec.observationSize),
      ...(columns.includes("nextActions") && { nextActions: float(batchSize, spec.actionSize) }),
      ...(columns.includes("returnsToGo") && { returnsToGo: float(batchSize) }),
    },
    noise: algorithm.noise(spec, config),
    progress: float(),
  };
}

/** Scalars side by side: an output that crosses to JavaScript costs more than a copy. */
export function joined(metrics: Metrics): Tensor {
  return concat(Object.values(metrics).map((value) => reshape(value, [1])));
}
