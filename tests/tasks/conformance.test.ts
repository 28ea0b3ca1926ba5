// What every registered task must do; a new one gets these tests for free.
import { beforeAll, describe, expect, test } from "vitest";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import type { Task } from "../../tasks/contract.ts";
import { createTask, taskId, tasks } from "../../tasks/index.ts";
import { bangBangPolicy, Rollout, randomPolicy } from "./rollout.ts";

const numSteps = 400;
let physics: Physics;
beforeAll(async () => {
  physics = await loadPhysics();
});

/** All observations and rewards of some steps, as one list. */
function record(rollout: Rollout, seed: number, count = 60): number[] {
  const numbers = [...rollout.reset(seed)];
  for (let i = 0; i < count; i++) {
    const { observation, reward, ended } = rollout.step(randomPolicy);
    numbers.push(...observation, reward);
    if (ended) numbers.push(...rollout.reset());
  }
  return numbers;
}

describe.each(Object.keys(tasks))("%s", (id) => {
  let task: Task;
  let rollout: Rollout;
  beforeAll(async () => {
    task = await createTask(id);
    rollout = new Rollout(physics, task);
  });

  test("carries its id, names each element and keeps whole control steps", () => {
    expect(task.id).toBe(id);
    expect(new Set(task.observationNames).size).toBe(task.observationNames.length);
    expect(new Set(task.rewardTerms).size).toBe(task.rewardTerms.length);
    const substeps = task.controlDt / rollout.simulation.settings.timestep;
    expect(substeps).toBeCloseTo(Math.round(substeps), 9);
  });

  test.each([
    ["random", randomPolicy],
    ["bang-bang", bangBangPolicy],
  ])(
    "stays finite under %s actions, its terms sum to the reward, no element is constant",
    (_, policy) => {
      const low = Float32Array.from(rollout.reset(5));
      const high = low.slice();
      for (let i = 0; i < numSteps; i++) {
        const { observation, reward, terms, ended } = rollout.step(policy);
        expect(observation.every(Number.isFinite)).toBe(true);
        expect(reward).toBeCloseTo(
          terms.reduce((sum, term) => sum + term, 0),
          5,
        );
        expect(Math.abs(reward)).toBeLessThanOrEqual(2.5);
        expect(rollout.world.healthy).toBe(true);
        for (const [k, value] of observation.entries()) {
          low[k] = Math.min(low[k]!, value);
          high[k] = Math.max(high[k]!, value);
        }
        if (ended) rollout.reset();
      }
      for (const [k, name] of task.observationNames.entries()) {
        expect(high[k]! - low[k]!, name).toBeGreaterThan(1e-4);
      }
    },
  );

  test("equal seeds give equal bits, also in a world that was used; other seeds start elsewhere", () => {
    const first = record(new Rollout(physics, task), 1);
    expect(record(rollout, 1)).toEqual(first);
    expect([...rollout.reset(1)]).not.toEqual([...rollout.reset(2)]);
  });

  test("starts within its joints' ranges and does not fly apart from the ground", () => {
    for (let seed = 0; seed < 20; seed++) {
      rollout.reset(seed);
      expect(rollout.overshoot()).toBeLessThan(0.15);
      for (let i = 0; i < 3; i++) rollout.step(() => 0);
      const { linkVelocities } = rollout.world;
      expect(Math.max(...linkVelocities.map(Math.abs))).toBeLessThan(3);
    }
  });
});

test("a task answers to its id, without version, and as the first of its domain", () => {
  expect(["reacher-easy-v0", "reacher-easy", "reacher"].map(taskId)).toEqual(
    Array.from({ length: 3 }, () => "reacher-easy-v0"),
  );
  expect(taskId("reacher-hard")).toBe("reacher-hard-v0");
  expect(() => taskId("hoper")).toThrow(
    /unknown task "hoper"; did you mean "hopper"\?; known: pend/,
  );
  expect(() => taskId("")).toThrow(/unknown task ""/);
});
