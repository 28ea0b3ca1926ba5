// What every registered task must do; a new one gets these tests for free.
import { beforeAll, describe, expect, test } from "vitest";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import type { Task } from "../../sim/task.ts";
import { createTask, taskId, tasks } from "../../tasks/index.ts";
import { bangBangPolicy, Rollout, randomPolicy } from "./rollout.ts";

const numSteps = 400;
const numRecorded = 60;
let physics: Physics;
beforeAll(async () => {
  physics = await loadPhysics();
});

/** Observations, rewards and ends of some steps under random actions. */
function record(rollout: Rollout): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < numRecorded; i++) {
    const { nextObservations, rewards, terminated } = rollout.step(randomPolicy);
    numbers.push(...nextObservations, ...rewards, ...terminated);
  }
  return numbers;
}

/** Puts a rollout's world at the start that a seed gives. */
function start({ world, envs }: Rollout, seed: number): number[] {
  const out = new Float32Array(envs.task.observation.size);
  world.zeroStart();
  envs.task.reset(world, createRng(seed));
  world.place();
  envs.task.observe(world, out);
  return [...out];
}

describe.each(Object.keys(tasks))("%s", (id) => {
  let task: Task;
  beforeAll(async () => {
    task = await createTask(id);
  });

  test("carries its id and names every element and term once", () => {
    expect(task.id).toBe(id);
    const { names, size } = task.observation;
    expect(new Set(names).size).toBe(size);
    expect(task.action.size).toBe(task.model.actuators.length);
    expect(new Set(task.rewardTerms).size).toBe(task.rewardTerms.length);
  });

  test.each([
    ["random", randomPolicy],
    ["bang-bang", bangBangPolicy],
  ])("under %s actions is finite, sums its terms and leaves no element constant", (_, policy) => {
    const rollout = new Rollout(physics, task, 5);
    const low = new Float32Array(task.observation.size).fill(Number.POSITIVE_INFINITY);
    const high = low.map((value) => -value);
    for (let i = 0; i < numSteps; i++) {
      const { nextObservations, rewards, terms, broken } = rollout.step(policy);
      expect(nextObservations.every(Number.isFinite)).toBe(true);
      expect(broken[0]).toBe(0);
      const sum = terms.reduce((total, term) => total + term, 0);
      expect(rewards[0]).toBeCloseTo(sum, 5);
      expect(Math.abs(sum)).toBeLessThanOrEqual(2.5);
      for (const [k, value] of nextObservations.entries()) {
        low[k] = Math.min(low[k]!, value);
        high[k] = Math.max(high[k]!, value);
      }
    }
    for (const [k, name] of task.observation.names.entries()) {
      expect(high[k]! - low[k]!, name).toBeGreaterThan(1e-4);
    }
    rollout.envs.free();
  });

  test("equal seeds give equal bits, other seeds other paths", () => {
    const first = record(new Rollout(physics, task, 1));
    expect(record(new Rollout(physics, task, 1))).toEqual(first);
    expect(record(new Rollout(physics, task, 2))).not.toEqual(first);
  });

  test("a reset leaves nothing behind", () => {
    const { randomization: _, ...plain } = task; // what it draws is the env's to draw anew
    const [used, fresh] = [new Rollout(physics, plain, 3), new Rollout(physics, plain, 3)];
    for (let i = 0; i < 50; i++) used.step(bangBangPolicy);
    expect(start(used, 8)).toEqual(start(fresh, 8));
    expect(start(used, 8)).not.toEqual(start(used, 9));
    const path = (rollout: Rollout): number[] => {
      const rng = createRng(4);
      const { world, envs } = rollout;
      const observation = new Float32Array(task.observation.size);
      const action = new Float32Array(task.action.size);
      start(rollout, 8);
      return Array.from({ length: 40 }, () => {
        world.setControls(action.map(() => randomPolicy(rng)));
        envs.simulation.step(4);
        task.observe(world, observation);
        return [...observation];
      }).flat();
    };
    expect(path(used)).toEqual(path(fresh));
  });

  test("starts within its joints' ranges, on the ground and not thrown off it", () => {
    const rollout = new Rollout(physics, task, 6);
    for (let seed = 0; seed < 20; seed++) {
      start(rollout, seed);
      expect(rollout.overshoot()).toBeLessThan(0.15);
      rollout.envs.simulation.step(10);
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
