// Steps of N envs as rows that want to know how their episode went on: they enter the replay when it ends.

import type { ReplayBuffer, Transitions } from "../agents/replay.ts";
import { type ReturnsToGo, type RowOptions, returnsOf, seenReward } from "./dataRows.ts";

/** What a checkpoint holds of the episodes that are not over, a list of steps by env. */
export interface OpenEpisodes {
  readonly observations: readonly Float32Array[]; // [T, O]
  readonly actions: readonly Float32Array[]; // [T, A]
  readonly rewards: readonly Float32Array[]; // [T], as the learner sees them
}

interface Open {
  observations: number[];
  actions: number[];
  rewards: number[];
}

/** Collects episodes; rewards are the env's. */
export class EpisodeRows {
  private readonly replay: ReplayBuffer;
  private readonly options: RowOptions;
  private readonly returnsToGo: ReturnsToGo;
  private readonly open: Open[];

  constructor(
    replay: ReplayBuffer,
    numEnvs: number,
    options: RowOptions,
    returnsToGo: ReturnsToGo,
  ) {
    this.replay = replay;
    this.options = options;
    this.returnsToGo = returnsToGo;
    this.open = Array.from({ length: numEnvs }, fresh);
  }

  add(step: Transitions, successes: readonly boolean[]): void {
    const { observations: o, actions: a } = this.replay.widths;
    for (const [env, open] of this.open.entries()) {
      if (step.broken[env]) {
        this.open[env] = fresh(); // how it would have gone on is unknown
        continue;
      }
      open.observations.push(...step.observations.subarray(env * o, (env + 1) * o));
      open.actions.push(...step.actions.subarray(env * a, (env + 1) * a));
      open.rewards.push(seenReward(step.rewards[env]!, this.options));
      const [terminated, truncated] = [step.terminated[env] === 1, step.truncated[env] === 1];
      if (!terminated && !truncated) continue;
      const last = step.nextObservations.subarray(env * o, (env + 1) * o);
      this.close(open, last, { terminated, truncated, success: successes[env] ?? false });
      this.open[env] = fresh();
    }
  }

  state(): OpenEpisodes {
    const all = (key: keyof Open) => this.open.map((open) => Float32Array.from(open[key]));
    return {
      observations: all("observations"),
      actions: all("actions"),
      rewards: all("rewards"),
    };
  }

  restore({ observations, actions, rewards }: OpenEpisodes): void {
    for (const [env, open] of this.open.entries()) {
      open.observations = [...observations[env]!];
      open.actions = [...actions[env]!];
      open.rewards = [...rewards[env]!];
    }
  }

  private close(open: Open, last: Float32Array, end: Parameters<ReturnsToGo>[1]): void {
    const { observations: o, actions: a } = this.replay.widths;
    const rewards = Float32Array.from(open.rewards);
    const { rewards: sums, discounts, ends } = returnsOf(rewards, end, this.options);
    const observations = Float32Array.from([...open.observations, ...last]);
    const actions = new Float32Array((rewards.length + 1) * a); // after the last one: zeros
    actions.set(open.actions);
    const returnsToGo = this.returnsToGo(rewards, end);
    const columns = { observations, actions, rewards: sums, discounts, returnsToGo };
    const row = { ...columns, nextObservations: observations, nextActions: actions };
    for (let t = 0; t < rewards.length; t++) {
      this.replay.add(row, {
        observations: t * o,
        actions: t * a,
        rewards: t,
        discounts: t,
        returnsToGo: t,
        nextObservations: ends[t]! * o,
        nextActions: ends[t]! * a,
      });
    }
  }
}

const fresh = (): Open => ({ observations: [], actions: [], rewards: [] });
