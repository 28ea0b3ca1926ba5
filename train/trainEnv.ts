// TrainEnv: the environments as loops see them, so that something may stand between: a frozen policy whose
// action is observed, or chunks of actions that are one decision.

import type { EnvSpec } from "../agents/agent.ts";
import type { Task } from "../sim/task.ts";
import type { Placement, VecEnv, VecEnvState, VecEnvStep } from "../sim/vecEnv.ts";

/** N envs that are stepped together; `send` and `receive` take turns. */
export interface TrainEnv {
  readonly task: Task;
  readonly numEnvs: number;
  /** Numbers of an observation, O, and of an action, A, as the algorithm sees them. */
  readonly observationSize: number;
  readonly actionSize: number;
  readonly mirror: EnvSpec["mirror"];
  /** What to act on, [N, O]; a view, valid until the next step. */
  readonly observations: Float32Array;
  /** Control steps that a step of these envs takes; 1 where missing. */
  readonly stepsPerDecision?: number;
  /** Begins an episode in every env. */
  reset(): Promise<void>;
  /** Starts a step with actions [N, A] and returns at once. */
  send(actions: Float32Array): void;
  /** The results of the step that was sent; views, valid until the next one. */
  receive(): Promise<VecEnvStep>;
  /** Everything needed to go on; plain data. */
  state(): unknown;
  restore(state: unknown): Promise<void>;
  dispose(): Promise<void>;
}

/** Envs of which some can begin anew while the others are in the midst of an episode. */
export interface RestartableEnv extends TrainEnv {
  begin(envs: readonly number[]): Promise<void>;
  /** Lets envs, each in a world of its own, go on from saved states. */
  place(placements: readonly Placement[]): Promise<void>;
}

/** The envs themselves. */
export function plainEnv(env: VecEnv): RestartableEnv {
  const { task, numEnvs } = env;
  return {
    task,
    numEnvs,
    observationSize: task.observation.size,
    actionSize: task.action.size,
    mirror: task.mirror,
    get observations() {
      return env.observations;
    },
    async reset() {
      env.reset();
    },
    async begin(envs) {
      env.begin(envs);
    },
    async place(placements) {
      env.place(placements);
    },
    send: (actions) => env.send(actions),
    receive: async () => env.receive(),
    state: () => env.state(),
    async restore(state) {
      env.restore(state as VecEnvState);
    },
    async dispose() {
      env.dispose();
    },
  };
}
