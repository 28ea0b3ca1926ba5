// What the tests of algorithms share: small environments, made-up batches, compiled updates.

import type {
  AgentState,
  AnyAlgorithm,
  EnvSpec,
  OffPolicyAlgorithm,
  Stage,
} from "../../agents/agent.ts";
import type { ExtraColumn } from "../../agents/rows.ts";
import { type CompileOptions, compile, type Program } from "../../nn/compile.ts";
import type { Tensor } from "../../nn/ops.ts";
import {
  type ArraySpec,
  array,
  isNdArray,
  leaves,
  type NdArray,
  type Tree,
} from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";

/** Two legs seen in a mirror: the first two entries are left and right, the third is lateral. */
export const spec: EnvSpec = {
  observationSize: 4,
  actionSize: 2,
  numEnvs: 3,
  mirror: {
    observations: { indices: [1, 0, 2, 3], signs: [1, 1, -1, 1] },
    actions: { indices: [1, 0], signs: [1, 1] },
  },
};

/** Settings that keep networks and batches small; an algorithm takes those that it has. */
export const small = {
  batchSize: 8,
  actorHidden: [16, 16],
  criticHidden: [16, 16],
  hidden: [16, 16],
  numAtoms: 11,
  vaeHidden: 16,
  numPerturbations: 3,
  modelHidden: [16],
  horizon: 2,
};

/** The algorithm's defaults with overrides, of which keys that it lacks are left out. */
export function settingsOf(
  algorithm: AnyAlgorithm,
  overrides: Readonly<Record<string, unknown>> = small,
): Record<string, unknown> {
  const defaults = algorithm.settings.parse({}) as unknown as Record<string, unknown>;
  const known = Object.entries(overrides).filter(([key]) => key in defaults);
  return algorithm.settings.parse(Object.fromEntries(known)) as unknown as Record<string, unknown>;
}

/** A program whose structure is known only at run time. */
export type AnyProgram = Program<AgentState, unknown, Record<string, Tensor>>;

export const compileAny = compile as unknown as (
  fn: unknown,
  example: { readonly state: unknown; readonly inputs: unknown },
  options?: CompileOptions,
) => Promise<AnyProgram>;

export interface UpdateOptions extends CompileOptions {
  readonly spec?: EnvSpec;
  readonly state?: AgentState;
  readonly trainActor?: boolean;
  readonly stage?: Stage;
  readonly seed?: number;
}

/** The update of an off-policy algorithm as a program from a fresh state. */
export function compileUpdate(
  algorithm: AnyAlgorithm,
  config: { readonly batchSize: number },
  options: UpdateOptions = {},
): Promise<AnyProgram> {
  const { spec: env = spec, trainActor = true, stage, seed = 1, state, ...rest } = options;
  const any = algorithm as unknown as OffPolicyAlgorithm<never>;
  const float = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });
  const { batchSize } = config;
  const inputs = {
    batch: {
      observations: float(batchSize, env.observationSize),
      actions: float(batchSize, env.actionSize),
      rewards: float(batchSize),
      discounts: float(batchSize),
      nextObservations: float(batchSize, env.observationSize),
      ...extrasOf(any.offline?.columns, (name) =>
        name === "nextActions" ? float(batchSize, env.actionSize) : float(batchSize),
      ),
    },
    noise: any.noise(env, config as never),
    progress: float(),
  };
  const update = (state: never, given: never) =>
    any.update(state, given, config as never, env, { trainActor, ...(stage && { stage }) });
  return compileAny(
    update,
    { state: state ?? any.init(env, config as never, createRng(seed)), inputs },
    { random: createRng(seed + 1000), name: algorithm.name, ...rest },
  );
}

/** Random rows; the rewards are those of a made-up task. */
export function randomBatch(
  batchSize: number,
  seed = 5,
  env: EnvSpec = spec,
  extras: readonly ExtraColumn[] = [],
) {
  const rng = createRng(seed);
  const draw = (size: number, f: () => number) => Float32Array.from({ length: size }, f);
  return {
    batch: {
      observations: draw(batchSize * env.observationSize, () => rng.normal()),
      actions: draw(batchSize * env.actionSize, () => 2 * rng.uniform() - 1),
      rewards: draw(batchSize, () => rng.uniform()),
      discounts: draw(batchSize, () => (rng.uniform() < 0.1 ? 0 : 0.99)),
      nextObservations: draw(batchSize * env.observationSize, () => rng.normal()),
      ...extrasOf(extras, (name) =>
        name === "nextActions"
          ? draw(batchSize * env.actionSize, () => 2 * rng.uniform() - 1)
          : draw(batchSize, () => 10 * rng.uniform()),
      ),
    },
    progress: Float32Array.of(0.25),
  };
}

/** The columns that an algorithm asks for beside the standard ones. */
export function extrasOf<T>(
  names: readonly ExtraColumn[] = [],
  make: (name: ExtraColumn) => T,
): Partial<Record<ExtraColumn, T>> {
  return Object.fromEntries(names.map((name) => [name, make(name)]));
}

/** Path and bits of every leaf. */
export function bitsOf(tree: Tree<NdArray>): [string, string][] {
  return leaves<NdArray>(tree, isNdArray).map(([path, { data }]) => [
    path,
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
  ]);
}

/** Paths of the leaves that differ by more than `tolerance`, absolute and relative. */
export function disagreements(a: Tree<NdArray>, b: Tree<NdArray>, tolerance: number): string[] {
  const other = new Map(leaves<NdArray>(b, isNdArray));
  return leaves<NdArray>(a, isNdArray)
    .filter(([path, { data }]) => {
      const wanted = other.get(path)!.data;
      return data.some((x, i) => !(Math.abs(x - wanted[i]!) <= tolerance * (1 + Math.abs(x))));
    })
    .map(([path]) => path);
}

/** The scalar of an output. */
export function scalarOf(outputs: unknown, name: string): number {
  return (outputs as Record<string, NdArray>)[name]!.data[0]!;
}

/** Actions of a policy, [N, H · A]. */
export async function actions(
  algorithm: AnyAlgorithm,
  config: unknown,
  state: AgentState,
  given: { observations: Float32Array; noise: Float32Array },
  env: EnvSpec = spec,
): Promise<NdArray> {
  const policy = Object.fromEntries(algorithm.policyKeys.map((key) => [key, state[key]!]));
  const { observationSize: O } = env;
  const numRows = given.observations.length / O;
  const act = (state: never, inputs: never) => [
    state,
    (algorithm as OffPolicyAlgorithm<never>).act(state, inputs, config as never),
  ];
  const inputs = {
    observations: array(given.observations, [numRows, O]),
    noise: array(given.noise, [numRows, given.noise.length / numRows]),
  };
  const program = await compileAny(act, { state: policy, inputs });
  const result = (await program.run(inputs)) as unknown as NdArray;
  await program.dispose();
  return result;
}

/** A state after updates on one batch: those of a stage before first, and reviews among them, as the loops do. */
export async function learned(
  algorithm: OffPolicyAlgorithm,
  config: { readonly batchSize: number },
  given: { readonly batch: unknown; readonly progress: Float32Array },
  { numUpdates, spec: env = spec }: { readonly numUpdates: number; readonly spec?: EnvSpec },
): Promise<AgentState> {
  const reviews = algorithm.offline?.reviews?.(config as never);
  if (!reviews) return run(await compileUpdate(algorithm, config, { spec: env }), numUpdates);
  let state = await run(
    await compileUpdate(algorithm, config, { spec: env, stage: "prepare" }),
    numUpdates,
  );
  const review = await compileUpdate(algorithm, config, { spec: env, stage: "review" });
  const update = await compileUpdate(algorithm, config, { spec: env, stage: "offline" });
  for (let i = 0; i < numUpdates; i += reviews.period) {
    await review.load(state);
    for (let step = 0; step < reviews.steps; step++)
      await review.run({ ...given, progress: Float32Array.of(step / reviews.steps) });
    await update.load(await review.state());
    for (let k = 0; k < reviews.period; k++) await update.run(given, { outputs: [] });
    state = await update.state();
  }
  await Promise.all([review.dispose(), update.dispose()]);
  return state;

  async function run(program: AnyProgram, count: number): Promise<AgentState> {
    for (let i = 0; i < count; i++) await program.run(given, { outputs: [] });
    const after = await program.state();
    await program.dispose();
    return after;
  }
}
