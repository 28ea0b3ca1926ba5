// A policy as a file for others: an ONNX graph from raw observations to actions, with what a robot's
// controller must know beside it as metadata.

import { type ActionLayout, layoutOf, type OffPolicyConfig } from "../agents/agent.ts";
import { compile, type Traced } from "../nn/compile.ts";
import { clipByValue, concat, mul, sub, type Tensor, zeros } from "../nn/ops.ts";
import type { ArraySpec } from "../nn/tree.ts";
import { planDefaults, planRobot } from "../sim/plan.ts";
import type { Task } from "../sim/task.ts";
import { policyArrays, type SavedPolicy } from "./policy.ts";

const largest = 10; // standard deviations, as in agents/normalizer.ts

/** A policy that draws even when it is judged, as a flow does, is given standard normal numbers. */
interface GraphInputs {
  readonly obs: Tensor;
  readonly noise?: Tensor;
}

type PolicyTree = ReturnType<typeof policyArrays>;

export interface PolicyFile {
  readonly bytes: Uint8Array;
  /** Rows that it takes; null where any number. */
  readonly numRows: number | null;
}

/**
 * The policy's mode as an ONNX graph: `obs` [N, O], as the task gives them, to `action` [N, A] in
 * [−1, 1], or to a chunk [N, H · A]; a flow or diffusion policy takes `noise` too, and gives what the chunk was after
 * each of its K steps as `path` [N, K · H · A]. One that corrects a base takes
 * [o, a_b], the base's action behind the observation. N is free where the policy treats rows alone, as its
 * files for two sizes show, else `numRows`.
 */
export async function policyOnnx(
  policy: SavedPolicy,
  metadata: Readonly<Record<string, string>>,
  numRows = 1,
): Promise<PolicyFile> {
  const [two, three] = [await graphFile(policy, {}, 2, "N"), await graphFile(policy, {}, 3, "N")];
  const isFree = Buffer.from(two).equals(three);
  const bytes = await graphFile(policy, metadata, numRows, isFree ? "N" : undefined);
  return { bytes, numRows: isFree ? null : numRows };
}

/** What a controller must know, in the keys that such files have: lists with commas between. */
export function policyMetadata(policy: SavedPolicy): Record<string, string> {
  const { task, config, algorithm, step } = policy;
  return {
    task: task.id,
    algorithm: algorithm.name,
    step: String(step),
    seed: String(config.train.seed),
    control_dt: String(task.controlDt),
    observation_names: task.observation.names.join(","),
    action_names: task.action.names.join(","),
    ...chunkMetadata(policy),
    ...(baseActionSize(policy) > 0 && { base_action_size: String(baseActionSize(policy)) }),
    ...driveMetadata(task),
  };
}

/** How `action` [N, H · A] is a chunk: the actions of H steps one after another, of which E are taken. */
function chunkMetadata(policy: SavedPolicy): Record<string, string> {
  const { chunkLength, executed, drawsAlways, numDraws, ensembleDecay } = layoutOfPolicy(policy);
  return {
    ...(chunkLength > 1 && {
      chunk_length: String(chunkLength),
      executed_actions: String(executed),
    }),
    ...(ensembleDecay !== undefined && { ensemble_decay: String(ensembleDecay) }),
    ...(drawsAlways && { noise_size: String(numDraws) }),
  };
}

/** Numbers behind the task's observation: the action of the base that the policy corrects; 0 without one. */
export function baseActionSize({ algorithm, task }: SavedPolicy): number {
  return algorithm.observesBase ? task.action.size : 0;
}

export function layoutOfPolicy({ algorithm, config, task }: SavedPolicy): ActionLayout {
  const spec = {
    observationSize: task.observation.size,
    actionSize: task.action.size,
    numEnvs: 1,
  };
  return layoutOf(algorithm as never, spec, config.algo as never);
}

/** Action a makes the control action_offset + action_scale × a; a gain is as the joint feels it. */
function driveMetadata({ model }: Task): Record<string, string> {
  const { actuators, coordinates } = planRobot(model, planDefaults);
  const list = (of: (drive: (typeof actuators)[number]) => number | string) =>
    actuators.map(of).join(",");
  return {
    joint_names: list(({ coordinate }) => coordinates[coordinate]!.name),
    actuator_names: list(({ source }) => source.name),
    actuator_types: list(({ source }) => source.type),
    default_joint_pos: list(({ coordinate }) => coordinates[coordinate]!.reference),
    gear: list(({ gear }) => gear),
    action_scale: list(({ low, high }) => (high - low) / 2),
    action_offset: list(({ low, high }) => (high + low) / 2),
    joint_stiffness: list(({ kp, gear }) => kp * gear * gear),
    joint_damping: list(({ kv, gear }) => kv * gear * gear),
    effort_limit: list(({ forceHigh, gear }) => forceHigh * gear),
  };
}

async function graphFile(
  saved: SavedPolicy,
  metadata: Readonly<Record<string, string>>,
  numRows: number,
  freeAxis: string | undefined,
): Promise<Uint8Array> {
  const { algorithm, config, task } = saved;
  const isRaw = (config.algo as unknown as OffPolicyConfig).normalizer === "none";
  const { numDraws, drawsAlways, chunkLength } = layoutOfPolicy(saved);
  // One row broadcasts, so that N may be free; a chunk's draws may meet the rows of observations in a net.
  const noiseRows = chunkLength === 1 ? 1 : numRows;
  const act = ({ policy, normalizer }: Traced<PolicyTree>, { obs, noise }: GraphInputs) => {
    const { means, scales } = normalizer;
    const scaled = mul(sub(obs, means), scales);
    const observations = isRaw ? obs : clipByValue(scaled, -largest, largest);
    const inputs = { observations, noise: noise ?? zeros([noiseRows, numDraws]) };
    const settings = config.algo as never;
    const points = algorithm.path?.(policy as never, inputs, settings);
    const action = points?.at(-1) ?? algorithm.act(policy as never, inputs, settings);
    const outputs = points === undefined ? { action } : { action, path: concat([...points], -1) };
    return [{ policy, normalizer }, outputs] as const;
  };
  const row = (width: number): ArraySpec => ({ shape: [numRows, width], dtype: "float32" });
  const obs = row(task.observation.size + baseActionSize(saved));
  const inputs = { obs, ...(drawsAlways && { noise: row(numDraws) }) };
  const example = { state: policyArrays(saved), inputs } as never; // its type would be endless
  const program = await compile(act as never, example, { name: `${algorithm.name} policy` });
  try {
    return await program.onnx({ state: "constants", plainNames: true, freeAxis, metadata });
  } finally {
    await program.dispose();
  }
}
