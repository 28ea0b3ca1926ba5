// One task in a world of its own, stepped as an environment would.

import type { Physics } from "../../sim/rapier.ts";
import { createRng, type Rng } from "../../sim/rng.ts";
import { Simulation } from "../../sim/simulation.ts";
import type { Task } from "../../tasks/contract.ts";

export type Policy = (rng: Rng) => number;
export const randomPolicy: Policy = (rng) => 2 * rng.uniform() - 1;
export const bangBangPolicy: Policy = (rng) => (rng.uniform() < 0.5 ? -1 : 1);

export interface Step {
  readonly observation: Float32Array; // a view
  readonly reward: number;
  readonly terms: Float32Array; // a view
  readonly ended: boolean;
}

export class Rollout {
  readonly simulation: Simulation;
  readonly task: Task;
  readonly observation: Float32Array;
  private readonly terms: Float32Array;
  private readonly action: Float32Array;
  private rng: Rng = createRng(0);
  private length = 0;

  constructor(physics: Physics, task: Task) {
    this.task = task;
    this.simulation = new Simulation(physics, task.model, { settings: task.physics });
    this.observation = new Float32Array(task.observationNames.length);
    this.terms = new Float32Array(task.rewardTerms.length);
    this.action = new Float32Array(task.model.actuators.length);
  }

  get world() {
    return this.simulation.worlds[0]!;
  }

  reset(seed?: number): Float32Array {
    if (seed !== undefined) this.rng = createRng(seed);
    this.world.zeroStart();
    this.task.reset(this.world, this.rng);
    this.world.place();
    this.length = 0;
    this.task.observe(this.world, this.observation);
    return this.observation;
  }

  step(policy: Policy): Step {
    const { task, world, simulation, action, terms, observation } = this;
    for (let i = 0; i < action.length; i++) action[i] = policy(this.rng);
    task.beforeStep?.(world, this.rng);
    world.setControls(action);
    simulation.step(Math.round(task.controlDt / simulation.settings.timestep));
    const reward = task.reward(world, action, terms);
    task.observe(world, observation);
    this.length += 1;
    const ended = task.terminated(world) || this.length === task.maxEpisodeSteps;
    return { observation, reward, terms, ended };
  }

  /** Largest angle or length by which a joint is beyond its range. */
  overshoot(): number {
    let most = 0;
    for (const [c, { low, high }] of this.simulation.plan.coordinates.entries()) {
      const value = this.world.jointPositions[c]!;
      most = Math.max(most, value - high, low - value);
    }
    return most;
  }
}
