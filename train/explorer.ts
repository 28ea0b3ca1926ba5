// Explorer: the random numbers that training's actions take, an env a row.

import type { EnvSpec } from "../agents/agent.ts";
import type { Rng, RngState } from "../sim/rng.ts";
import type { VecEnvStep } from "../sim/vecEnv.ts";

/** What a checkpoint holds of it. */
export interface ExplorerState {
  readonly rng: RngState;
  readonly scales: readonly number[];
}

export class Explorer {
  private readonly rng: Rng;
  private readonly range: readonly [low: number, high: number];
  private readonly scales: Float64Array; // [N]
  private readonly numbers: Float32Array; // [N, A]

  constructor(
    { numEnvs, actionSize }: EnvSpec,
    range: readonly [low: number, high: number] = [1, 1],
    rng: Rng,
  ) {
    this.rng = rng;
    this.range = range;
    this.scales = new Float64Array(numEnvs);
    for (let env = 0; env < numEnvs; env++) this.draw(env);
    this.numbers = new Float32Array(numEnvs * actionSize);
  }

  /** Uniform in [−1, 1), [N, A]; a view, valid until the next call. */
  randomActions(): Float32Array {
    const { numbers, rng } = this;
    for (let i = 0; i < numbers.length; i++) numbers[i] = 2 * rng.uniform() - 1;
    return numbers;
  }

  /** Normal, times each env's scale, [N, A]; a view, valid until the next call. */
  noise(): Float32Array {
    const { numbers, rng, scales } = this;
    const width = numbers.length / scales.length;
    for (let i = 0; i < numbers.length; i++)
      numbers[i] = scales[Math.floor(i / width)]! * rng.normal();
    return numbers;
  }

  /** 1 for each env with this chance, [N]; fresh, and nothing is drawn where it is sure. */
  choices(chance: number): Uint8Array {
    const draw = () => (chance >= 1 || this.rng.uniform() < chance ? 1 : 0);
    return Uint8Array.from(this.scales, draw);
  }

  /** Draws new scales for the envs whose episode ended. */
  after({ finished }: Pick<VecEnvStep, "finished">): void {
    for (const { env } of finished) this.draw(env);
  }

  state(): ExplorerState {
    return { rng: this.rng.state(), scales: Array.from(this.scales) };
  }

  restore({ rng, scales }: ExplorerState): void {
    this.rng.restore(rng);
    this.scales.set(scales);
  }

  private draw(env: number): void {
    const [low, high] = this.range;
    this.scales[env] = low === high ? low : low + (high - low) * this.rng.uniform();
  }
}
