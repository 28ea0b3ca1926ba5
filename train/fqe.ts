// Fitted Q evaluation of a policy on logged data (finetune/ope/fqe.ts): its Q is fitted, its value read off at the
// episodes' first states.

import type { EnvSpec } from "../agents/agent.ts";
import type { Dataset } from "../finetune/dataset.ts";
import {
  type FqeBatch,
  type FqeConfig,
  fqeValues,
  initFqe,
  updateFqe,
} from "../finetune/ope/fqe.ts";
import { compile } from "../nn/compile.ts";
import type { MlpParams } from "../nn/layers.ts";
import type { Tensor } from "../nn/ops.ts";
import { type ArraySpec, array, type NdArray } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import { DataRows } from "./dataRows.ts";

/** The policy that is judged: observations as the data have them, [N, O], to actions, [N, A]. */
export type JudgedPolicy = (observations: Float32Array) => Promise<Float32Array> | Float32Array;

interface Fitting {
  run(inputs: unknown, options: { outputs: readonly string[] }): Promise<unknown>;
  state(): Promise<{ readonly q: MlpParams<NdArray> }>;
  dispose(): Promise<void>;
}

const compileAny = compile as unknown as (
  fn: unknown,
  example: unknown,
  options: object,
) => Promise<Fitting>;

/** What the policy is worth from the episodes' first states on, discounted: mean Q(s₀, π(s₀)). */
export async function fittedValue(
  datasets: readonly Dataset[],
  policy: JudgedPolicy,
  config: FqeConfig,
  rng: Rng,
): Promise<number> {
  const { observationSize, actionSize } = datasets[0]!.info;
  const spec = { observationSize, actionSize, numEnvs: 1 };
  const table = await readTable(datasets, policy, config, spec);
  const float = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });
  const { batchSize: B } = config;
  const example = {
    observations: float(B, observationSize),
    actions: float(B, actionSize),
    rewards: float(B),
    discounts: float(B),
    nextObservations: float(B, observationSize),
    nextActions: float(B, actionSize),
  };
  const update = (state: never, inputs: never) => updateFqe(state, inputs, config);
  const program = await compileAny(
    update,
    {
      state: initFqe(spec, config, rng.split("init")),
      inputs: { batch: example, progress: float() },
    },
    { name: "fitted Q evaluation" },
  );
  const rows = rng.split("rows");
  for (let i = 0; i < config.numUpdates; i++) {
    const indices = Array.from({ length: B }, () => rows.integer(table.size));
    const progress = Float32Array.of(i / config.numUpdates);
    await program.run({ batch: gather(table, indices), progress }, { outputs: [] });
  }
  const { q } = await program.state();
  await program.dispose();
  const starts = firstObservations(datasets);
  return meanValue(q, starts, await policy(starts), spec);
}

interface Table {
  readonly size: number;
  readonly columns: FqeBatch<Float32Array>;
  readonly widths: FqeBatch<number>;
}

/** All rows, with what the policy would do next. */
async function readTable(
  datasets: readonly Dataset[],
  policy: JudgedPolicy,
  { discount }: FqeConfig,
  { observationSize: o, actionSize: a }: EnvSpec,
): Promise<Table> {
  const options = {
    discount,
    numStepReturns: 1,
    timeOuts: "bootstrap",
    episodeShare: 1,
    rewardScale: 1,
    rewardShift: 0,
  } as const;
  const rows = new DataRows(datasets, options, [], (rewards) => rewards);
  const floats = (width: number) => new Float32Array(rows.size * width);
  const columns = {
    observations: floats(o),
    actions: floats(a),
    rewards: floats(1),
    discounts: floats(1),
    nextObservations: floats(o),
  };
  for (let i = 0; i < rows.size; i++) rows.read(i, columns, i);
  const nextActions = await policy(columns.nextObservations);
  const widths = { observations: o, actions: a, rewards: 1, discounts: 1, nextObservations: o };
  return {
    size: rows.size,
    columns: { ...columns, nextActions },
    widths: { ...widths, nextActions: a },
  };
}

function gather({ columns, widths }: Table, indices: readonly number[]): FqeBatch<Float32Array> {
  const names = Object.keys(widths) as (keyof FqeBatch<number>)[];
  const entries = names.map((name) => {
    const width = widths[name];
    const out = new Float32Array(indices.length * width);
    for (const [row, index] of indices.entries())
      for (let i = 0; i < width; i++) out[row * width + i] = columns[name][index * width + i]!;
    return [name, out];
  });
  return Object.fromEntries(entries) as FqeBatch<Float32Array>;
}

function firstObservations(datasets: readonly Dataset[]): Float32Array {
  const rows = datasets.flatMap(({ observations, places, episodes }) =>
    episodes.map((_, i) => observations.rows(places[i]!.observation, 1)),
  );
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

async function meanValue(
  q: MlpParams<NdArray>,
  observations: Float32Array,
  actions: Float32Array,
  { observationSize: o, actionSize: a }: EnvSpec,
): Promise<number> {
  const numRows = observations.length / o;
  const inputs = {
    observations: array(observations, [numRows, o]),
    actions: array(actions, [numRows, a]),
  };
  const judge = (state: MlpParams<Tensor>, given: { observations: Tensor; actions: Tensor }) => [
    state,
    { values: fqeValues(state, given.observations, given.actions) },
  ];
  const program = await compileAny(judge, { state: q, inputs }, { name: "values" });
  const { values } = (await program.run(inputs, { outputs: ["values"] })) as { values: NdArray };
  await program.dispose();
  return Array.from<number>(values.data).reduce((sum, x) => sum + x, 0) / numRows;
}
