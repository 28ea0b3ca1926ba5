// One env under policies that need no learning: what a new task is tried with first.

import { Envs, type VecStep } from "../sim/env.ts";
import type { Physics } from "../sim/rapier.ts";
import { createRng, type Rng } from "../sim/rng.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";

/** One element of an action. */
export type Policy = (rng: Rng) => number;
export const zeroPolicy: Policy = () => 0;
export const randomPolicy: Policy = (rng) => 2 * rng.uniform() - 1;
export const bangBangPolicy: Policy = (rng) => (rng.uniform() < 0.5 ? -1 : 1);

/** An env and the generator that its policy draws from; begins with an episode. */
export class Rollout {
  readonly envs: Envs;
  private readonly action: Float32Array;
  private readonly rng: Rng;

  constructor(physics: Physics, task: Task, seed: number) {
    this.envs = new Envs(physics, task, { seed });
    this.action = new Float32Array(task.action.size);
    this.rng = createRng(seed).split("policy");
    this.envs.reset();
  }

  get world(): World {
    return this.envs.simulation.worlds[0]!;
  }

  /** A view, valid until the next step. */
  step(policy: Policy): VecStep {
    const { action } = this;
    for (let i = 0; i < action.length; i++) action[i] = policy(this.rng);
    return this.envs.step(action);
  }

  /** Largest angle or length by which a joint is beyond its range, in rad or m. */
  overshoot(): number {
    let most = 0;
    for (const [c, { low, high }] of this.envs.simulation.plan.coordinates.entries()) {
      const value = this.world.jointPositions[c]!;
      most = Math.max(most, value - high, low - value);
    }
    return most;
  }

  free(): void {
    this.envs.free();
  }
}
