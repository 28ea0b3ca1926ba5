// Demonstration starts: envs of which a share of the episodes begins in the midst of a demonstration.
//
// When an episode ends, its env is placed, with probability β, at a saved state of the reset bank: physics,
// the task's memory and what was drawn for the demonstration, to the bit. It has the rest of the demonstration's
// time. β stays and then falls to 0 over the last part of a run, so that the policy ends where it is judged.

import type { Dataset } from "../finetune/dataset.ts";
import { type BankState, bankEntries, type Curriculum, ResetBank } from "../finetune/resetBank.ts";
import { decodeState } from "../sim/readRecordings.ts";
import { createRng, type Rng, type RngState } from "../sim/rng.ts";
import type { Placement, VecEnvStep } from "../sim/vecEnv.ts";
import type { SessionSettings } from "./session.ts";
import type { RestartableEnv } from "./trainEnv.ts";

const annealed = 0.3; // of a run, its last part

export interface StartOptions {
  /** β: the share of episodes. */
  readonly share: number;
  readonly curriculum: Curriculum;
  readonly data: readonly Dataset[];
  readonly rng: Rng;
  /** Share of the run that has passed. */
  readonly progress: () => number;
}

interface StartsState {
  readonly env: unknown;
  readonly bank: BankState;
  readonly rng: RngState;
  readonly running: readonly number[];
}

export class DemonstrationStarts implements RestartableEnv {
  readonly task: RestartableEnv["task"];
  readonly numEnvs: number;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly mirror: RestartableEnv["mirror"];
  private readonly env: RestartableEnv;
  private readonly options: StartOptions;
  private readonly bank: ResetBank;
  /** The entry that each env's episode began at; −1: the task's own start. */
  private readonly running: number[];

  constructor(env: RestartableEnv, options: StartOptions) {
    const { task, numEnvs, observationSize, actionSize, mirror } = env;
    this.task = task;
    this.numEnvs = numEnvs;
    this.observationSize = observationSize;
    this.actionSize = actionSize;
    this.mirror = mirror;
    this.env = env;
    this.options = options;
    this.bank = new ResetBank(bankEntries(options.data), options.curriculum);
    this.running = new Array<number>(numEnvs).fill(-1);
  }

  get observations(): Float32Array {
    return this.env.observations;
  }

  async reset(): Promise<void> {
    await this.env.reset();
    await this.start([...this.running.keys()]);
  }

  async begin(envs: readonly number[]): Promise<void> {
    await this.env.begin(envs);
    await this.start(envs);
  }

  place(placements: readonly Placement[]): Promise<void> {
    return this.env.place(placements);
  }

  send(actions: Float32Array): void {
    this.env.send(actions);
  }

  async receive(): Promise<VecEnvStep> {
    const out = await this.env.receive();
    for (const { env, success, broken } of out.finished)
      if (this.running[env] !== -1 && !broken) this.bank.report(this.running[env]!, success);
    await this.start(out.finished.map(({ env }) => env));
    return out;
  }

  state(): StartsState {
    const { env, bank, options, running } = this;
    return {
      env: env.state(),
      bank: bank.state(),
      rng: options.rng.state(),
      running: [...running],
    };
  }

  async restore(state: unknown): Promise<void> {
    const { env, bank, rng, running } = state as StartsState;
    await this.env.restore(env);
    this.bank.restore(bank);
    this.options.rng.restore(rng);
    for (const [i, entry] of running.entries()) this.running[i] = entry;
  }

  dispose(): Promise<void> {
    return this.env.dispose();
  }

  /** Chooses where the episodes that just began in these envs really begin. */
  private async start(envs: readonly number[]): Promise<void> {
    const { rng, share, progress } = this.options;
    const now = share * Math.min(1, (1 - progress()) / annealed);
    for (const env of envs) this.running[env] = rng.uniform() < now ? this.bank.draw(rng) : -1;
    const placed = envs.filter((env) => this.running[env] !== -1);
    if (placed.length === 0) return;
    await this.env.place(placed.map((env) => ({ env, state: this.stateOf(this.running[env]!) })));
  }

  private stateOf(index: number) {
    const { dataset, episode, snapshot } = this.bank.entries[index]!;
    return decodeState(this.options.data[dataset]!.snapshot(episode, snapshot)!);
  }
}

/** Envs of which a share begins in the midst of demonstrations, where that is set. */
export function startsOf(
  settings: Pick<SessionSettings, "resetShare" | "resetCurriculum" | "seed">,
  data: readonly Dataset[] = [],
  env: RestartableEnv,
  progress: () => number,
): RestartableEnv {
  const { resetShare: share, resetCurriculum: curriculum, seed } = settings;
  if (share === 0) return env;
  const rng = createRng(seed).split("demonstration starts");
  return new DemonstrationStarts(env, { share, curriculum, data, rng, progress });
}
