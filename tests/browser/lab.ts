// What program.test.ts does with a program, here in Node and, with this file as its script, in a page.

import { sacAct, sacActInputs, sacInputs, sacState, sacUpdate } from "../../bench/nn/sac.ts";
import type { HostLeaf } from "../../nn/check.ts";
import { type CompileOptions, compile, type Program } from "../../nn/compile.ts";
import { valueAndGrad } from "../../nn/gradient.ts";
import { type MlpParams, mlp } from "../../nn/layers.ts";
import { concat, mean, square, squeeze, sub, type Tensor } from "../../nn/ops.ts";
import { type AdamState, adam, polyak } from "../../nn/optimizers.ts";
import type { InputTree } from "../../nn/recording.ts";
import type { NdArray, Tree } from "../../nn/tree.ts";

export type State = Tree<NdArray>;
export type Inputs = Readonly<Record<string, HostLeaf>>;
export type Outputs = Readonly<Record<string, NdArray>>;

export interface Lab {
  /** Makes the program that the other calls use, for batches of so many rows. */
  compile(kind: Kind, rows: number, state: State, options: CompileOptions): Promise<void>;
  /** Calls it once for each of the inputs, and returns the outputs of each. */
  run(calls: readonly Inputs[]): Promise<Outputs[]>;
  state(): Promise<State>;
  load(state: State): Promise<void>;
}

type Critics<T> = {
  readonly critics: MlpParams<T>;
  readonly targetCritics: MlpParams<T>;
  readonly criticOptimizer: AdamState<T>;
};

type CriticInputs = Readonly<Record<"observations" | "actions" | "rewards", Tensor>>;

const optimizer = adam({ learningRate: 3e-4 });

/** SAC's critics alone, fitted to the rewards, and with an activation that has no kink. */
function smoothUpdate(state: Critics<Tensor>, inputs: CriticInputs) {
  const [loss, grads] = valueAndGrad((params: MlpParams<Tensor>) => {
    const rows = concat([inputs.observations, inputs.actions], -1);
    const qs = squeeze(mlp(params, rows, { activation: "silu" }), [-1]); // [E, B]
    return mean(square(sub(qs, inputs.rewards)));
  })(state.critics);
  const [critics, criticOptimizer] = optimizer.update(grads, state.criticOptimizer, state.critics);
  const targetCritics = polyak(critics, state.targetCritics, 0.005);
  return [{ critics, targetCritics, criticOptimizer }, { loss }] as const;
}

/** The programs: what they compute, the state they start from, and the inputs they declare. */
export const programs = {
  update: { fn: sacUpdate, state: () => sacState(), inputs: sacInputs },
  act: { fn: sacAct, state: () => ({ actor: sacState().actor }), inputs: sacActInputs },
  smooth: { fn: smoothUpdate, state: smoothState, inputs: smoothInputs },
} as const;
export type Kind = keyof typeof programs;

function smoothState(): Critics<NdArray> {
  const { critics, targetCritics, criticOptimizer } = sacState();
  return { critics, targetCritics, criticOptimizer };
}

function smoothInputs(rows: number) {
  const { observations, actions, rewards } = sacInputs(rows);
  return { observations, actions, rewards };
}

declare global {
  var lab: Lab;
}

export function createLab(): Lab {
  let program: Program<State, never, never>;
  return {
    async compile(kind, rows, state, options) {
      const { fn, inputs } = programs[kind];
      const example = { state, inputs: inputs(rows) as InputTree };
      program = (await compile(fn as never, example, options)) as never;
    },
    async run(calls) {
      const outputs: Outputs[] = [];
      for (const inputs of calls) outputs.push(await program.run(inputs as never));
      return outputs;
    },
    state: () => program.state(),
    load: (state) => program.load(state),
  };
}

globalThis.lab = createLab();
