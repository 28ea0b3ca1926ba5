// Every task goes on from a saved state as if nothing had happened, bit for bit.
import { beforeAll, describe, expect, test } from "vitest";
import { Envs, type EnvsState } from "../../sim/env.ts";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { createRng, type Rng } from "../../sim/rng.ts";
import type { Randomization, Task } from "../../sim/task.ts";
import { createTask, tasks } from "../../tasks/index.ts";

const numEnvs = 3;
const numBefore = 47;
const numAfter = 300;
let physics: Physics;
beforeAll(async () => {
  physics = await loadPhysics();
});

/** What a file keeps of a state: JSON, and Rapier's bytes beside it. */
function stored(state: EnvsState): EnvsState {
  const bytes = state.simulation.rapier.slice();
  const json = JSON.stringify(state, (key, value) => (key === "rapier" ? null : value));
  const read = JSON.parse(json) as EnvsState;
  return { ...read, simulation: { ...read.simulation, rapier: bytes } };
}

/** A checksum of all numbers of each step. */
function rollout(envs: Envs, rng: Rng, steps: number): string[] {
  return Array.from({ length: steps }, () => {
    const actions = Float32Array.from({ length: numEnvs * envs.task.action.size }, () => {
      return 2.2 * rng.uniform() - 1.1;
    });
    const out = Object.values(envs.step(actions)) as (Float32Array | Uint8Array)[];
    return out.map((array) => array.join()).join("|");
  });
}

/** Runs on from a stored state in other envs, beside those that it was taken from. */
function compare(task: Task): { readonly wanted: string[]; readonly got: string[] } {
  const envs = new Envs(physics, task, { numEnvs, seed: 1 });
  const other = new Envs(physics, task, { numEnvs, seed: 2 });
  envs.reset();
  other.reset();
  rollout(envs, createRng(5), numBefore);
  rollout(other, createRng(6), 20);
  other.restore(stored(envs.state()));
  const got = rollout(other, createRng(7), numAfter);
  const wanted = rollout(envs, createRng(7), numAfter);
  envs.free();
  other.free();
  return { wanted, got };
}

const everything: Randomization = {
  motorStrength: [0.7, 1.3],
  latency: [0, 3],
  observationNoise: 0.02,
  mass: [0.6, 1.5],
  friction: [0.4, 1.6],
};

describe.each(Object.keys(tasks))("%s", (id) => {
  test.each([
    ["as it is", {}],
    ["with everything random", everything],
  ])("goes on from a state, %s, over resets", async (_, more) => {
    const task = await createTask(id);
    const randomization = { ...task.randomization, ...more };
    const { wanted, got } = compare({ ...task, maxEpisodeSteps: 90, randomization });
    expect(got.findIndex((row, step) => row !== wanted[step])).toBe(-1);
  });
});
