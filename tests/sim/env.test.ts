import { expect, test } from "vitest";
import { Envs } from "../../sim/env.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import type { Task } from "../../sim/task.ts";
import { plainHop } from "./hopTask.ts";

const physics = await loadPhysics();

/** The hopper as its model is. */
const task = plainHop;

function rollout(envs: Envs, steps: number, of: number): number[] {
  const rngs = Array.from({ length: envs.numEnvs }, (_, i) => createRng(of + i));
  const rows: number[] = [];
  for (let t = 0; t < steps; t++) {
    const actions = Float32Array.from({ length: envs.numEnvs * 3 }, (_, i) => {
      return 2 * rngs[Math.floor(i / 3)]!.uniform() - 1;
    });
    const out = envs.step(actions);
    rows.push(...out.observations.slice(-12), out.rewards.at(-1)!, out.terminated.at(-1)!);
  }
  return rows;
}

test("an env's path does not depend on how many others there are", () => {
  const many = new Envs(physics, task, { numEnvs: 6, seed: 1 });
  const alone = new Envs(physics, task, { firstEnv: 5, seed: 1 });
  many.reset();
  alone.reset();
  expect(rollout(many, 150, 10)).toEqual(rollout(alone, 150, 15));
});

test("terminated and truncated never meet, and true successors survive the reset", () => {
  const envs = new Envs(physics, task, { numEnvs: 4, seed: 3 });
  envs.reset();
  const rng = createRng(1);
  let numEnds = 0;
  for (let t = 0; t < 200; t++) {
    const actions = Float32Array.from({ length: 12 }, () => 2 * rng.uniform() - 1);
    const out = envs.step(actions);
    for (let i = 0; i < 4; i++) {
      expect(out.terminated[i]! + out.truncated[i]!).toBeLessThan(2);
      expect(out.terms[2 * i]! + out.terms[2 * i + 1]!).toBeCloseTo(out.rewards[i]!, 5);
      const ended = out.terminated[i]! + out.truncated[i]! > 0;
      const now = out.observations.slice(12 * i, 12 * i + 12);
      const next = out.nextObservations.slice(12 * i, 12 * i + 12);
      if (ended) numEnds++;
      if (ended) expect(now).not.toEqual(next);
      else expect(now).toEqual(next);
    }
  }
  expect(numEnds).toBeGreaterThan(10);
});

test("state and restore continue bit for bit", () => {
  const randomization = {
    latency: [1, 3] as const,
    motorStrength: [0.8, 1.2] as const,
    observationNoise: 0.01,
    pushes: { link: "torso", every: 0.2, speed: 0.3 },
  };
  const random: Task = { ...task, randomization };
  const envs = new Envs(physics, random, { numEnvs: 3, seed: 7 });
  const other = new Envs(physics, random, { numEnvs: 3, seed: 8 });
  envs.reset();
  other.reset();
  rollout(envs, 60, 0);
  other.restore(JSON.parse(JSON.stringify(envs.state()), reviveBytes));
  expect(rollout(other, 100, 5)).toEqual(rollout(envs, 100, 5));
});

/** JSON makes an object of typed arrays. */
function reviveBytes(key: string, value: unknown): unknown {
  return key === "rapier" ? Uint8Array.from(Object.values(value as Record<string, number>)) : value;
}

test("masses and friction are drawn from the episode's generator", () => {
  const random: Task = { ...task, randomization: { mass: [0.5, 1.5], friction: [0.5, 1.5] } };
  const envs = new Envs(physics, random, { numEnvs: 2, seed: 1 });
  envs.reset();
  envs.step(new Float32Array(6));
  const masses = envs.simulation.worlds.map((world) => world.assembly.bodies[0]!.mass());
  expect(masses[0]).not.toBe(masses[1]);
  const again = new Envs(physics, random, { numEnvs: 2, seed: 1 });
  again.reset();
  again.step(new Float32Array(6));
  expect(again.simulation.hash()).toBe(envs.simulation.hash());
});

test("a robot whose state is not finite is reset, counted and never seen", () => {
  const envs = new Envs(physics, task, { numEnvs: 3, seed: 2 });
  envs.reset();
  envs.simulation.worlds[1]!.push(0, [Number.NaN, 0, 0]);
  const out = envs.step(new Float32Array(9));
  expect([...out.broken]).toEqual([0, 1, 0]);
  expect([...out.truncated]).toEqual([0, 1, 0]);
  expect(
    [...out.observations, ...out.nextObservations, ...out.rewards].every(Number.isFinite),
  ).toBe(true);
  expect(envs.numBroken).toBe(1);
  expect([...envs.step(new Float32Array(9)).broken]).toEqual([0, 0, 0]);
});

test("actions that are not finite or too few are errors; large ones are clamped", () => {
  const envs = new Envs(physics, task, { seed: 1 });
  envs.reset();
  expect(() => envs.step(new Float32Array(2))).toThrow(
    "actions for 1 env of 3 numbers are 3 numbers, got 2",
  );
  expect(() => envs.step(Float32Array.of(0, Number.NaN, 0))).toThrow(
    "number 1 of the action of env 0 is NaN, expected a finite one",
  );
  const other = new Envs(physics, task, { seed: 1 });
  other.reset();
  expect(envs.step(Float32Array.of(9, -9, 1)).observations).toEqual(
    other.step(Float32Array.of(1, -1, 1)).observations,
  );
});

test("a control period that is no multiple of the physics step is an error", () => {
  const odd = { ...task, controlDt: 0.012 };
  expect(() => new Envs(physics, odd, { seed: 1 })).toThrow(
    "controlDt 0.012 s is not a whole multiple of simDt 0.005 s",
  );
});
