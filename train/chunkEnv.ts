// Envs whose decisions are chunks of actions: a step executes the first of a chunk, and sums their rewards.
//
// An env whose episode ends within a chunk takes no more of it: its robot is left idle while the others act
// on, and begins anew when the next decision is due. So every decision starts from a state that a decision
// starts from, and what a decision earns is its own.

import { type AnyAlgorithm, layoutOf } from "../agents/agent.ts";
import type { VecEnvStep } from "../sim/vecEnv.ts";
import type { RestartableEnv, TrainEnv } from "./trainEnv.ts";

export interface ChunkOptions {
  /** H. */
  readonly chunkLength: number;
  /** E ≤ H: how many of a chunk's actions are taken. */
  readonly executed: number;
  /** Numbers of a decision; the last H · A of them are the chunk. */
  readonly stored: number;
}

/** What has become of a decision so far; rows of N envs. */
interface Decision {
  readonly open: Uint8Array; // [N], whether the env's episode goes on
  readonly lengths: Int32Array; // [N], control steps taken
  readonly rewards: Float32Array; // [N], sums
  readonly terms: Float32Array; // [N, T], means
  readonly finished: VecEnvStep["finished"][number][];
}

/** Columns that are what they were when the env's part of the decision ended. */
const lastColumns = [
  "nextObservations",
  "measures",
  "terminated",
  "truncated",
  "successes",
  "broken",
] as const satisfies readonly (keyof VecEnvStep)[];

type LastColumns = { readonly [K in (typeof lastColumns)[number]]: VecEnvStep[K] };

export class ChunkEnv implements TrainEnv {
  readonly task: TrainEnv["task"];
  readonly numEnvs: number;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly mirror: TrainEnv["mirror"];
  readonly stepsPerDecision: number;
  private readonly env: RestartableEnv;
  private readonly options: ChunkOptions;
  private readonly decisions: Float32Array; // [N, stored]
  private readonly actions: Float32Array; // [N, A]

  constructor(env: RestartableEnv, options: ChunkOptions) {
    const { task, numEnvs, observationSize, actionSize, mirror } = env;
    const { chunkLength, executed } = options;
    if (executed > chunkLength)
      throw new Error(`executed ${executed} is more than the ${chunkLength} actions of a chunk`);
    this.env = env;
    this.options = options;
    this.task = task;
    this.numEnvs = numEnvs;
    this.observationSize = observationSize;
    this.actionSize = actionSize;
    this.mirror = mirror;
    this.stepsPerDecision = executed;
    this.decisions = new Float32Array(numEnvs * options.stored);
    this.actions = new Float32Array(numEnvs * actionSize);
  }

  get observations(): Float32Array {
    return this.env.observations;
  }

  reset(): Promise<void> {
    return this.env.reset();
  }

  /** Starts a decision [N, stored]. */
  send(decisions: Float32Array): void {
    if (decisions.length !== this.decisions.length)
      throw new Error(`decisions want ${this.decisions.length} numbers, got ${decisions.length}`);
    this.decisions.set(decisions);
  }

  async receive(): Promise<VecEnvStep> {
    const { numEnvs, env } = this;
    const decision = open(numEnvs, this.task.rewardTerms.length);
    let last: LastColumns | null = null;
    let out: VecEnvStep | null = null;
    for (let step = 0; step < this.options.executed; step++) {
      this.fill(step, decision.open);
      env.send(this.actions);
      out = await env.receive();
      last ??= copied(out);
      for (let row = 0; row < numEnvs; row++)
        if (decision.open[row]) count(decision, last, out, row);
      decision.finished.push(
        ...out.finished.filter((end) => decision.lengths[end.env] === step + 1),
      );
    }
    const early = [...decision.lengths.keys()].filter(
      (row) => decision.lengths[row]! < this.options.executed,
    );
    if (early.length > 0) await env.begin(early);
    const { rewards, terms, finished } = decision;
    return { ...out!, ...last!, rewards, terms, finished, observations: this.observations };
  }

  state(): unknown {
    return this.env.state();
  }

  restore(state: unknown): Promise<void> {
    return this.env.restore(state);
  }

  dispose(): Promise<void> {
    return this.env.dispose();
  }

  /** The chunks' actions at a step; 0 where an episode has ended. */
  private fill(step: number, running: Uint8Array): void {
    const { actions, decisions, actionSize, numEnvs } = this;
    const { stored, chunkLength } = this.options;
    actions.fill(0);
    for (let row = 0; row < numEnvs; row++) {
      if (!running[row]) continue;
      const from = (row + 1) * stored - (chunkLength - step) * actionSize;
      actions.set(decisions.subarray(from, from + actionSize), row * actionSize);
    }
  }
}

/** Envs whose step is a decision, where the algorithm chooses chunks while it trains. */
export function inChunks(env: RestartableEnv, algorithm: AnyAlgorithm, config: unknown): TrainEnv {
  const { observationSize, actionSize, numEnvs } = env;
  const spec = { observationSize, actionSize, numEnvs };
  const layout = layoutOf(algorithm as never, spec, config as never);
  return layout.stored > actionSize && algorithm.family === "onPolicy"
    ? new ChunkEnv(env, layout)
    : env;
}

function open(numEnvs: number, numTerms: number): Decision {
  return {
    open: new Uint8Array(numEnvs).fill(1),
    lengths: new Int32Array(numEnvs),
    rewards: new Float32Array(numEnvs),
    terms: new Float32Array(numEnvs * numTerms),
    finished: [],
  };
}

/** One more step of a row whose episode goes on. */
function count(decision: Decision, last: LastColumns, out: VecEnvStep, row: number): void {
  const { rewards, terms, lengths } = decision;
  const taken = ++lengths[row]!;
  rewards[row]! += out.rewards[row]!;
  const numTerms = terms.length / lengths.length;
  for (let i = row * numTerms; i < (row + 1) * numTerms; i++)
    terms[i]! += (out.terms[i]! - terms[i]!) / taken;
  for (const name of lastColumns) {
    const width = last[name].length / lengths.length;
    last[name].set(out[name].subarray(row * width, (row + 1) * width), row * width);
  }
  if (out.terminated[row] || out.truncated[row]) decision.open[row] = 0;
}

/** Fresh copies of the columns that stay. */
function copied(out: VecEnvStep): LastColumns {
  const entries = lastColumns.map((name) => [name, out[name].slice()]);
  return Object.fromEntries(entries) as LastColumns;
}
