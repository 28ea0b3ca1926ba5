// The on-policy learner: an algorithm's compiled update and sampler, and the minibatches that feed it.

import {
  type AgentState,
  type EnvSpec,
  layoutOf,
  type OnPolicyAlgorithm,
  type OnPolicyConfig,
} from "../agents/agent.ts";
import type { Normalizer } from "../agents/normalizer.ts";
import {
  createRolloutBatch,
  type Rollout,
  type RolloutColumns,
  shuffle,
} from "../agents/rollout.ts";
import type { Dataset } from "../finetune/dataset.ts";
import type { Device } from "../nn/runtime.ts";
import type { NdArray } from "../nn/tree.ts";
import type { Rng, RngState } from "../sim/rng.ts";
import { Imitation } from "./imitation.ts";
import { DivergedError } from "./learner.ts";
import {
  compileSample,
  compileUpdate,
  demonstrationsOf,
  minibatchSize,
  type SampleProgram,
  seesDemonstrations,
  type UpdateProgram,
} from "./onPolicyPrograms.ts";

export interface OnPolicyLearnerOptions {
  readonly threads: number;
  readonly device: Device;
  /** Updates in one call of the program, 1 where null; the divergence is looked at between calls. */
  readonly updatesPerCall: number | null;
  /** What demonstrations are taken from, and how the policy sees their observations. */
  readonly data?: readonly Dataset[];
  readonly normalizer?: Normalizer;
}

/** What a checkpoint holds of a learner. */
export interface OnPolicyLearnerState {
  readonly agent: AgentState;
  readonly numUpdates: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly minibatches: RngState;
  readonly noise: RngState;
  /** Where demonstrations are seen. */
  readonly demonstrations?: RngState;
}

/** What N envs shall do and what the policy thinks of it; fresh. */
export interface SampleArrays {
  readonly actions: Float32Array; // [N, stored]
  readonly logProbs: Float32Array; // [N]
  readonly values: Float32Array; // [N]
}

interface Rngs {
  readonly minibatches: Rng;
  readonly noise: Rng;
  readonly demonstrations: Rng;
}

export class OnPolicyLearner {
  /** Means over the updates on the last rollout, by name. */
  metrics: Readonly<Record<string, number>> = {};
  numUpdates = 0;
  private readonly algorithm: OnPolicyAlgorithm;
  private readonly config: OnPolicyConfig;
  private readonly spec: EnvSpec;
  private readonly programs: LearnerParts["programs"];
  private readonly rngs: Rngs;
  private readonly updatesPerCall: number;
  private readonly batch: RolloutColumns; // [updatesPerCall, B, …]
  private readonly noise: Float32Array; // [N, sampleDraws]
  private readonly silence: Float32Array; // [N, sampleDraws]
  private readonly imitation: Imitation | null;

  private constructor(parts: LearnerParts) {
    const { algorithm, config, spec, programs, rngs, updatesPerCall } = parts;
    const { numEnvs, observationSize } = spec;
    const { stored, sampleDraws } = layoutOf(algorithm, spec, config);
    this.algorithm = algorithm;
    this.config = config;
    this.spec = spec;
    this.programs = programs;
    this.rngs = rngs;
    this.updatesPerCall = updatesPerCall;
    this.imitation = parts.imitation;
    const numRows = updatesPerCall * minibatchSize(config, spec);
    this.batch = createRolloutBatch(numRows, observationSize, stored);
    this.noise = new Float32Array(numEnvs * sampleDraws);
    this.silence = new Float32Array(numEnvs * sampleDraws);
  }

  static async create(
    algorithm: OnPolicyAlgorithm,
    config: OnPolicyConfig,
    spec: EnvSpec,
    rng: Rng,
    options: OnPolicyLearnerOptions,
  ): Promise<OnPolicyLearner> {
    const rngs = {
      minibatches: rng.split("minibatches"),
      noise: rng.split("noise"),
      demonstrations: rng.split("demonstrations"),
    };
    const state = algorithm.init(spec, config, rng.split("init"));
    const updatesPerCall = options.updatesPerCall ?? 1;
    const programs = {
      update: await compileUpdate(algorithm, config, spec, state, { ...options, updatesPerCall }),
      sample: await compileSample(algorithm, config, spec, state, options),
    };
    const imitation = imitationOf(algorithm, config, spec, { ...options, updatesPerCall });
    const parts = { algorithm, config, spec, programs, rngs, updatesPerCall, imitation };
    return new OnPolicyLearner(parts);
  }

  /** Draws actions for N observations. */
  async sample(observations: Float32Array): Promise<SampleArrays> {
    const { noise } = this;
    for (let i = 0; i < noise.length; i++) noise[i] = this.rngs.noise.normal();
    const { actions, logProbs, values } = await this.programs.sample.run({ observations, noise });
    return { actions: floats(actions), logProbs: floats(logProbs), values: floats(values) };
  }

  /** The critic's opinion of N observations, [N]; fresh. */
  async valuesOf(observations: Float32Array): Promise<Float32Array> {
    const inputs = { observations, noise: this.silence };
    const { values } = await this.programs.sample.run(inputs, { outputs: ["values"] });
    return floats(values);
  }

  /** Some epochs of updates on a finished rollout; then `sample` is that of the new parameters. */
  async update(rollout: Rollout, progress: number): Promise<void> {
    const rows = rollout.soundRows();
    if (rows.length === 0) return;
    const { numEpochs, numMinibatches, targetKl } = this.config;
    const { update, sample } = this.programs;
    const numCalls = Math.ceil((numEpochs * numMinibatches) / this.updatesPerCall);
    const next = this.minibatches(rows);
    const progresses = new Float32Array(this.updatesPerCall).fill(progress);
    const sums = new Map<string, number>();
    let calls = 0;
    for (let kl = 0; calls < numCalls && kl <= (targetKl ?? Number.POSITIVE_INFINITY); calls++) {
      rollout.gather(next(), this.batch);
      const demonstrations = this.imitation?.next(this.rngs.demonstrations);
      const beside = demonstrations && { demonstrations };
      const { values } = await update.run({ batch: this.batch, progress: progresses, ...beside });
      this.numUpdates += this.updatesPerCall;
      const metrics = this.read(values);
      for (const [name, value] of metrics) sums.set(name, (sums.get(name) ?? 0) + value);
      kl = metrics.get("train/approx_kl")!;
    }
    const means = [...sums].map(([name, sum]) => [name, sum / calls]);
    this.metrics = {
      ...Object.fromEntries(means),
      "train/explained_variance": rollout.explainedVariance(),
      "train/n_updates": this.numUpdates,
    };
    await sample.load(await update.read(this.algorithm.sampleKeys));
  }

  /** A fresh copy of what the policy is made of. */
  parameters(): Promise<AgentState> {
    return this.programs.update.read(this.algorithm.policyKeys);
  }

  async state(): Promise<OnPolicyLearnerState> {
    const { rngs, numUpdates, metrics } = this;
    return {
      agent: await this.programs.update.state(),
      numUpdates,
      metrics,
      minibatches: rngs.minibatches.state(),
      noise: rngs.noise.state(),
      ...(this.imitation && { demonstrations: rngs.demonstrations.state() }),
    };
  }

  async restore(state: OnPolicyLearnerState): Promise<void> {
    const { update, sample } = this.programs;
    await update.load(state.agent);
    await sample.load(await update.read(this.algorithm.sampleKeys));
    this.numUpdates = state.numUpdates;
    this.metrics = state.metrics;
    this.rngs.minibatches.restore(state.minibatches);
    this.rngs.noise.restore(state.noise);
    if (state.demonstrations) this.rngs.demonstrations.restore(state.demonstrations);
  }

  async dispose(): Promise<void> {
    await this.programs.update.dispose();
    await this.programs.sample.dispose();
  }

  /**
   * The rows of one call after the other. Every epoch has its own order; where sound rows are missing
   * for its last batch, it begins again with the first of them.
   */
  private minibatches(sound: Int32Array): () => Int32Array {
    const size = minibatchSize(this.config, this.spec);
    const { numMinibatches } = this.config;
    const order = Int32Array.from(sound);
    let batch = 0;
    return () => {
      const rows = new Int32Array(this.updatesPerCall * size);
      for (let i = 0; i < rows.length; i++) {
        const place = (batch % numMinibatches) * size + (i % size);
        if (place === 0) shuffle(order, this.rngs.minibatches);
        rows[i] = order[place % order.length]!;
        if (i % size === size - 1) batch++;
      }
      return rows;
    };
  }

  private read({ data }: NdArray): Map<string, number> {
    const { metricNames } = this.programs.update;
    const named = metricNames.map((name, i) => [name, data[i]!] as const);
    for (const [name, value] of named)
      if (!Number.isFinite(value)) throw new DivergedError(name, value, this.numUpdates);
    return new Map(named);
  }
}

interface LearnerParts {
  readonly algorithm: OnPolicyAlgorithm;
  readonly config: OnPolicyConfig;
  readonly spec: EnvSpec;
  readonly programs: { readonly update: UpdateProgram; readonly sample: SampleProgram };
  readonly rngs: Rngs;
  readonly updatesPerCall: number;
  readonly imitation: Imitation | null;
}

/** Where the settings ask for demonstrations; throws where there are none, or none that could be taken. */
function imitationOf(
  algorithm: OnPolicyAlgorithm,
  config: OnPolicyConfig,
  spec: EnvSpec,
  { data = [], normalizer, updatesPerCall }: OnPolicyLearnerOptions & { updatesPerCall: number },
): Imitation | null {
  if (!seesDemonstrations(config)) return null;
  if (normalizer === undefined) throw new Error("demonstrations need the policy's normaliser");
  const { chunkLength } = layoutOf(algorithm, spec, config);
  const size = updatesPerCall * demonstrationsOf(config, spec);
  return new Imitation(data, normalizer, spec, { size, chunkLength });
}

function floats({ data }: NdArray): Float32Array {
  return data as Float32Array;
}
