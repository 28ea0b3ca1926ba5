// The compiled update of an off-policy algorithm.

import type {
  AgentState,
  EnvSpec,
  Metrics,
  OffPolicyAlgorithm,
  OffPolicyConfig,
  Stage,
} from "../agents/agent.ts";
import type { Batch, UpdateInputs } from "../agents/rows.ts";
import { compile, type Program } from "../nn/compile.ts";
import { concat, reshape, type Tensor } from "../nn/ops.ts";
import { repeated, repeatInputs } from "../nn/repeat.ts";
import type { Device } from "../nn/runtime.ts";
import type { ArraySpec } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";

/** How a program of updates is made. */
export interface UpdateOptions {
  readonly threads: number;
  readonly device: Device;
  readonly updatesPerCall: number;
  /** Whether every `actorPeriod`-th update trains the actor too. */
  readonly actor: boolean;
  readonly stage?: Stage;
}

interface UpdateSpecs {
  readonly batch: Batch<ArraySpec>;
  readonly noise: ReturnType<OffPolicyAlgorithm["noise"]>;
  readonly progress: ArraySpec;
}

/** Maps a state to the next by some updates, and gives the last one's metrics side by side. */
export type UpdateProgram = Pick<
  Program<AgentState, { batch: Batch<ArraySpec>; progress: ArraySpec }, { values: Tensor }>,
  "run" | "state" | "read" | "load" | "dispose"
> & { readonly metricNames: readonly string[] };

/** Compiles updates from a state; `random` fills their noise. */
export async function compileUpdate(
  algorithm: OffPolicyAlgorithm,
  config: OffPolicyConfig,
  spec: EnvSpec,
  state: AgentState,
  random: Rng,
  options: UpdateOptions,
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
