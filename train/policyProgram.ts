// A policy compiled for N observations: what acts in training, evaluation and play.

import {
  type ActionLayout,
  type AgentState,
  type AnyAlgorithm,
  layoutOf,
} from "../agents/agent.ts";
import type { ActInputs } from "../agents/rows.ts";
import { compile } from "../nn/compile.ts";
import type { Device } from "../nn/runtime.ts";
import type { ArraySpec, NdArray } from "../nn/tree.ts";

/** Maps N standardised observations to N actions, or chunks of them. */
export interface PolicyProgram {
  readonly numRows: number;
  readonly actionSize: number;
  readonly layout: ActionLayout;
  /** Fresh [N, H · A], from noise [N, numDraws]; 0 gives the mode where there is one. */
  act(observations: Float32Array, noise: Float32Array): Promise<Float32Array>;
  /** Goes on with other parameters, those of `policyKeys`; throws where one is not finite. */
  load(policy: AgentState): Promise<void>;
  dispose(): Promise<void>;
}

export interface PolicyOptions {
  readonly numRows: number;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly device?: Device;
}

/** The entries of an agent's state that its `act` reads. */
export function policyOf(algorithm: AnyAlgorithm, state: AgentState): AgentState {
  return Object.fromEntries(algorithm.policyKeys.map((key) => [key, state[key]!]));
}

interface ActProgram {
  run(inputs: ActArrays): Promise<{ readonly actions: NdArray }>;
  load(state: AgentState): Promise<void>;
  dispose(): Promise<void>;
}

interface ActArrays {
  readonly observations: Float32Array;
  readonly noise: Float32Array;
}

/** `policy` holds the entries of `policyKeys`. */
export async function compilePolicy(
  algorithm: AnyAlgorithm,
  config: unknown,
  policy: AgentState,
  { numRows, observationSize, actionSize, device = "cpu" }: PolicyOptions,
): Promise<PolicyProgram> {
  const row = (width: number): ArraySpec => ({ shape: [numRows, width], dtype: "float32" });
  // A policy's full type would be endless here; what it holds, the algorithm knows.
  const act = (state: never, inputs: ActInputs) => {
    const actions = algorithm.act(state, inputs, config as never);
    return [state, { actions }] as const;
  };
  const spec = { observationSize, actionSize, numEnvs: numRows };
  const layout = layoutOf(algorithm as never, spec, config as never);
  const inputs = { observations: row(observationSize), noise: row(layout.numDraws) };
  const name = `${algorithm.name} policy`;
  const example = { state: policy, inputs } as never;
  const program: ActProgram = await compile(act as never, example, { device, name });
  return {
    numRows,
    actionSize,
    layout,
    async act(observations, noise) {
      const { actions } = await program.run({ observations, noise });
      return actions.data as Float32Array;
    },
    load: (other) => program.load(other),
    dispose: () => program.dispose(),
  };
}
