// Envs whose observations end with what a frozen base policy would do: [o, a_b].
//
// The base acts right after each step and its answer is a field of the observation, so that a transition
// holds it for both its states and training never asks the base again. Where an episode ends, terminated or
// truncated, the base first answers for the true last state and then begins anew: no chunk runs on into the
// next episode.

import type { EnvSpec, Mirror } from "../agents/agent.ts";
import type { VecEnvStep } from "../sim/vecEnv.ts";
import type { TrainEnv } from "./trainEnv.ts";

/** A frozen policy with a memory for each of N envs: an open chunk of actions, its draws. */
export interface BasePolicy {
  /**
   * Actions [N, A] for raw observations [N, O]; fresh. A row that begins forgets what it was about; where
   * `rows` is given, the others keep their memory as it is and what they get is of no use.
   */
  act(observations: Float32Array, begins?: Uint8Array, rows?: Uint8Array): Promise<Float32Array>;
  /** Everything needed to go on; plain data. */
  state(): unknown;
  restore(state: unknown): void;
  dispose(): Promise<void>;
}

interface BaseEnvState {
  readonly env: unknown;
  readonly base: unknown;
  readonly baseActions: Float32Array;
}

/** Observations are [o, a_b], actions go to the envs as they are. */
export class BaseEnv implements TrainEnv {
  readonly task: TrainEnv["task"];
  readonly numEnvs: number;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly mirror: EnvSpec["mirror"];
  readonly observations: Float32Array; // [N, O + A]
  private readonly env: TrainEnv;
  private readonly base: BasePolicy;
  private readonly nextObservations: Float32Array; // [N, O + A]
  private readonly baseActions: Float32Array; // [N, A], for `observations`
  private readonly begins: Uint8Array; // [N]

  constructor(env: TrainEnv, base: BasePolicy) {
    const { task, numEnvs, actionSize } = env;
    this.env = env;
    this.base = base;
    this.task = task;
    this.numEnvs = numEnvs;
    this.actionSize = actionSize;
    this.observationSize = env.observationSize + actionSize;
    this.mirror = env.mirror && mirrorWithActions(env.mirror);
    this.observations = new Float32Array(numEnvs * this.observationSize);
    this.nextObservations = new Float32Array(numEnvs * this.observationSize);
    this.baseActions = new Float32Array(numEnvs * actionSize);
    this.begins = new Uint8Array(numEnvs);
  }

  async reset(): Promise<void> {
    await this.env.reset();
    this.baseActions.set(await this.base.act(this.env.observations, this.begins.fill(1)));
    joinRows(this.env.observations, this.baseActions, this.numEnvs, this.observations);
  }

  send(actions: Float32Array): void {
    this.env.send(actions);
  }

  async receive(): Promise<VecEnvStep> {
    const { base, begins, baseActions, numEnvs, actionSize } = this;
    const out = await this.env.receive();
    const next = await base.act(out.nextObservations);
    joinRows(out.nextObservations, next, numEnvs, this.nextObservations);
    baseActions.set(next);
    for (let env = 0; env < numEnvs; env++)
      begins[env] = out.terminated[env]! | out.truncated[env]!;
    if (begins.includes(1)) {
      const first = await base.act(out.observations, begins, begins);
      for (const [env, began] of begins.entries()) {
        const [from, to] = [env * actionSize, (env + 1) * actionSize];
        if (began) baseActions.set(first.subarray(from, to), from);
      }
    }
    joinRows(out.observations, baseActions, numEnvs, this.observations);
    const { observations, nextObservations } = this;
    return { ...out, observations, nextObservations };
  }

  state(): BaseEnvState {
    const { env, base, baseActions } = this;
    return { env: env.state(), base: base.state(), baseActions: baseActions.slice() };
  }

  async restore(state: unknown): Promise<void> {
    const { env, base, baseActions } = state as BaseEnvState;
    await this.env.restore(env);
    this.base.restore(base);
    this.baseActions.set(baseActions);
    joinRows(this.env.observations, this.baseActions, this.numEnvs, this.observations);
  }

  async dispose(): Promise<void> {
    await this.env.dispose();
    await this.base.dispose();
  }
}

/** The base's action is mirrored as an action is. */
function mirrorWithActions({ observations, actions }: NonNullable<EnvSpec["mirror"]>) {
  const size = observations.indices.length;
  const both: Mirror = {
    indices: [...observations.indices, ...actions.indices.map((i) => size + i)],
    signs: [...observations.signs, ...actions.signs],
  };
  return { observations: both, actions };
}

/** Rows of [N, O] and [N, A], side by side into [N, O + A]. */
export function joinRows(
  left: Float32Array,
  right: Float32Array,
  numRows: number,
  out: Float32Array,
): void {
  const [leftWidth, rightWidth] = [left.length / numRows, right.length / numRows];
  for (let row = 0, at = 0; row < numRows; row++) {
    for (let i = 0; i < leftWidth; i++) out[at++] = left[row * leftWidth + i]!;
    for (let i = 0; i < rightWidth; i++) out[at++] = right[row * rightWidth + i]!;
  }
}
