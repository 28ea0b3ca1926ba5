import { describe, expect, test } from "vitest";
import { Envs, type EnvsState } from "../../sim/env.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import type { Randomization, Task } from "../../sim/task.ts";
import { plainHop } from "./hopTask.ts";

const physics = await loadPhysics();
const size = plainHop.observation.size;

/** A hopper that begins the same each time, so that all that differs comes from the randomisation. */
const still: Task = { ...plainHop, reset: () => {}, maxEpisodeSteps: 25, terminated: () => false };

function envsOf(randomization: Randomization | undefined, seed: number, numEnvs = 4): Envs {
  const envs = new Envs(
    physics,
    { ...still, ...(randomization && { randomization }) },
    {
      numEnvs,
      seed,
    },
  );
  envs.reset();
  return envs;
}

/** Random actions of a seed, [steps, A] of one env after another. */
function actionsOf(envs: Envs, steps: number, seed = 9): Float32Array[] {
  const rng = createRng(seed);
  const width = 3 * envs.numEnvs;
  return Array.from({ length: steps }, () =>
    Float32Array.from({ length: width }, () => 2 * rng.uniform() - 1),
  );
}

function observationsOf(envs: Envs, actions: readonly Float32Array[]): number[] {
  return actions.flatMap((action) => [...envs.step(action).observations]);
}

const kinds: Record<string, Randomization> = {
  mass: { mass: [0.5, 1.5] },
  friction: { friction: [0.2, 1.5] },
  motorStrength: { motorStrength: [0.5, 1.5] },
  latency: { latency: [0, 5] },
  observationNoise: { observationNoise: Array.from({ length: size }, (_, i) => 0.01 * i) },
  pushes: { pushes: { link: "torso", every: 0.1, speed: 0.5 } },
};

test("without randomisation no seed makes a difference", () => {
  const [one, two] = [envsOf(undefined, 1), envsOf(undefined, 2)];
  const actions = actionsOf(one, 40);
  expect(observationsOf(two, actions)).toEqual(observationsOf(one, actions));
});

describe.each(Object.entries(kinds))("%s", (_, randomization) => {
  test("is drawn from the episode's generator: by the seed, and anew for each env", () => {
    const make = (seed: number) => envsOf(randomization, seed);
    const [one, same, two] = [make(1), make(1), make(2)];
    const action = Array.from(actionsOf(one, 1)[0]!.subarray(0, 3));
    const actions = new Array<Float32Array>(60).fill(
      Float32Array.from([...action, ...action, ...action, ...action]),
    );
    const seen = observationsOf(one, actions);
    expect(observationsOf(same, actions)).toEqual(seen);
    expect(observationsOf(two, actions)).not.toEqual(seen);
    const ofEnv = (env: number) => seen.filter((_value, i) => Math.floor(i / size) % 4 === env);
    expect(ofEnv(0)).not.toEqual(ofEnv(1));
  });

  test("goes on after a restore, also over the ends of episodes", () => {
    const envs = envsOf(randomization, 3);
    const actions = actionsOf(envs, 70);
    observationsOf(envs, actions.slice(0, 12));
    const other = envsOf(randomization, 4);
    other.restore(structuredClone(envs.state()));
    const rest = actions.slice(12);
    expect(observationsOf(other, rest)).toEqual(observationsOf(envs, rest));
  });
});

test("noise has each element's own deviation and touches nothing but what is observed", () => {
  const deviations = Array.from({ length: size }, (_, i) => (i === 2 ? 0 : 0.02 * (i + 1)));
  const noisy = envsOf({ observationNoise: deviations }, 5);
  const silent = envsOf({ observationNoise: 0 }, 5);
  const actions = actionsOf(noisy, 250);
  const [seen, clean] = [observationsOf(noisy, actions), observationsOf(silent, actions)];
  for (const [element, deviation] of deviations.entries()) {
    const errors = seen.map((value, i) => value - clean[i]!).filter((_, i) => i % size === element);
    const spread = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);
    if (deviation === 0) expect(errors.every((e) => e === 0)).toBe(true);
    else expect(spread / deviation).toBeCloseTo(1, 0.9);
    const mean = errors.reduce((sum, e) => sum + e, 0) / errors.length;
    expect(Math.abs(mean)).toBeLessThanOrEqual(0.1 * deviation);
  }
  expect(noisy.simulation.hash()).toBe(silent.simulation.hash());
});

test("actions that are two steps late act as if given two steps later", () => {
  const late = envsOf({ latency: [2, 2] }, 6, 1);
  const prompt = envsOf({ latency: [0, 0] }, 6, 1);
  const actions = actionsOf(late, 22);
  const shifted = [new Float32Array(3), new Float32Array(3), ...actions.slice(0, -2)];
  expect(observationsOf(late, actions)).toEqual(observationsOf(prompt, shifted));
  const soon = envsOf({ latency: [1, 1] }, 6, 1);
  expect(observationsOf(soon, actions)).not.toEqual(
    observationsOf(envsOf({ latency: [2, 2] }, 6, 1), actions),
  );
});

test("latencies are all the whole numbers of their range", () => {
  const envs = envsOf({ latency: [1, 3] }, 7, 40);
  const drawn = new Set(envs.state().episodes.map(({ latency }) => latency));
  expect([...drawn].sort()).toEqual([1, 2, 3]);
});

test("strengths are factors on what each actuator applies, each its own", () => {
  const torques = (randomization: Randomization): number[] => {
    const envs = envsOf(randomization, 8, 1);
    const [world] = envs.simulation.worlds;
    world!.setControls([0.5, -0.5, 0.5]);
    return [...world!.jointTorques].slice(3);
  };
  const nominal = torques({ motorStrength: [1, 1] });
  expect(Math.min(...nominal.map(Math.abs))).toBeGreaterThan(1);
  for (const [i, torque] of torques({ motorStrength: [0.5, 0.5] }).entries())
    expect(torque).toBeCloseTo(0.5 * nominal[i]!, 6);
  const envs = envsOf({ motorStrength: [0.7, 1.3] }, 8, 50);
  const strengths = envs.state().episodes.flatMap((episode) => episode.strengths);
  expect(new Set(strengths).size).toBe(150);
  expect(Math.min(...strengths)).toBeGreaterThanOrEqual(0.7);
  expect(Math.max(...strengths)).toBeLessThanOrEqual(1.3);
  expect(Math.max(...strengths) - Math.min(...strengths)).toBeGreaterThan(0.5);
});

test("a state from before masses were kept goes on", () => {
  const envs = envsOf({ mass: [0.5, 1.5] }, 9, 1);
  const actions = actionsOf(envs, 70);
  observationsOf(envs, actions.slice(0, 12));
  const state = structuredClone(envs.state());
  for (const world of state.simulation.worlds) Reflect.deleteProperty(world, "massScale");
  const other = envsOf({ mass: [0.5, 1.5] }, 4, 1);
  other.restore(state as EnvsState);
  const rest = actions.slice(12);
  expect(observationsOf(other, rest)).toEqual(observationsOf(envs, rest));
});

const wrong: [unknown, string][] = [
  [{ mass: [1.2, 0.8] }, "randomization.mass of task"],
  [{ mass: [-1, 1] }, "0.01 ≤ low ≤ high"],
  [{ mass: [Number.NaN, 1] }, 'got ["NaN",1]'],
  [{ mass: 1.5 }, "got 1.5"],
  [{ friction: [0, Number.POSITIVE_INFINITY] }, 'got [0,"Infinity"]'],
  [{ friction: [0.5, 1, 2] }, "got [0.5,1,2]"],
  [{ motorStrength: [-0.1, 1] }, "0 ≤ low ≤ high, got [-0.1,1]"],
  [{ motorStrength: [1, "2"] }, 'got [1,"2"]'],
  [{ latency: [0, 1.5] }, "in whole control steps, got [0,1.5]"],
  [{ latency: [0, 99] }, "shorter than an episode of 25 control steps, got [0,99]"],
  [{ observationNoise: -0.1 }, "a number from 0 or 12 of them, got -0.1"],
  [{ observationNoise: [0.1, 0.1] }, "a number from 0 or 12 of them, got [0.1,0.1]"],
  [{ observationNoise: "much" }, 'a number from 0 or 12 of them, got "much"'],
  [{ pushes: { link: "tail", every: 1, speed: 1 } }, "on one of torso, "],
  [{ pushes: { link: "torso", every: 0, speed: 1 } }, "every so many seconds, more than 0, got 0"],
  [{ pushes: { link: "torso", every: 1, speed: Number.NaN } }, 'of a speed from 0, got "NaN"'],
  [
    { gravity: [0.9, 1.1] },
    'knows motorStrength, latency, observationNoise, pushes, mass, friction, got "gravity"',
  ],
];

test.each(wrong)("%j is an error that says what is wanted", (randomization, message) => {
  const task: Task = { ...still, randomization: randomization as Randomization };
  expect(() => new Envs(physics, task, { seed: 1 })).toThrow(message);
});
