// The checker: what every task must do, ours and those that users add, one check a line.
//
// After Gymnasium's and Stable-Baselines3's env_checker. It goes further: equal bits for equal seeds, a
// reset that leaves nothing behind, a saved state that goes on exactly.

import { Envs } from "../sim/env.ts";
import { drive } from "../sim/episode.ts";
import type { Physics } from "../sim/rapier.ts";
import { createRng } from "../sim/rng.ts";
import { physicsDefaults } from "../sim/settings.ts";
import { type Mirror, substepsOf, type Task } from "../sim/task.ts";
import { bangBangPolicy, type Policy, Rollout, randomPolicy, zeroPolicy } from "./rollout.ts";
import { type Survey, survey } from "./survey.ts";

export interface Check {
  /** What holds where the check passes. */
  readonly name: string;
  /** A figure worth printing, or ""; throws an error that says what is wrong. */
  run(subject: Subject): string;
}

/** A task under test. */
export interface Subject {
  readonly physics: Physics;
  readonly task: Task;
  /** Steps under the policy; the same facts at every call. */
  survey(policy: Policy): Survey;
}

/** A task to run checks on; `numSteps` is for each of three policies. */
export function subjectOf(physics: Physics, task: Task, numSteps = 400): Subject {
  const surveys = new Map<Policy, Survey>();
  return {
    physics,
    task,
    survey(policy) {
      const known = surveys.get(policy) ?? survey(physics, task, policy, numSteps);
      surveys.set(policy, known);
      return known;
    },
  };
}

const policies = { zero: zeroPolicy, random: randomPolicy, "bang-bang": bangBangPolicy } as const;
const termsTolerance = 1e-5;
const leastChange = 1e-4; // of an observed element
const fastestStart = 3; // m/s after ten physics steps
const startOvershoot = 0.15; // rad or m
const wildOvershoot = 0.5; // rad or m

/** The checks, in the order of their dependence: the first that fails may explain the others. */
export const checks: readonly Check[] = [
  { name: "names and sizes fit", run: checkNames },
  { name: "a control step is a whole number of physics steps", run: checkRate },
  ...Object.entries(policies).map(([name, policy]): Check => {
    return { name: `${name} actions stay finite`, run: (subject) => checkFinite(subject, policy) };
  }),
  { name: "observations are within their bounds", run: checkBounds },
  { name: "no observed element is constant", run: checkConstant },
  { name: "terms sum to the reward", run: checkTerms },
  { name: "an episode terminates or is truncated, never both", run: checkEnds },
  { name: "joints keep to their ranges", run: checkRanges },
  { name: "starts are on the ground and within the ranges", run: checkStarts },
  { name: "equal seeds give equal bits", run: checkSeeds },
  { name: "a mirror shows a mirror's image as the thing itself", run: checkMirror },
  { name: "other seeds give other starts", run: checkOtherSeeds },
  { name: "a reset leaves nothing behind", run: checkReset },
  { name: "a restored state goes on exactly", run: checkRestore },
];

function fail(message: string): never {
  throw new Error(message);
}

function checkNames({ task }: Subject): string {
  const { id, observation, action, model, rewardTerms, maxEpisodeSteps, command } = task;
  const unique = (what: string, names: readonly string[], size: number): void => {
    if (names.length !== size) fail(`${size} ${what}s, but ${names.length} names`);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) fail(`the ${what} name "${twice}" is used twice`);
  };
  if (!id) fail("the task has no id");
  unique("observation", observation.names, observation.size);
  unique("action", action.names, action.size);
  unique("reward term", rewardTerms, rewardTerms.length);
  if (observation.size === 0) fail("nothing is observed");
  if (rewardTerms.length === 0) fail("no reward term is named");
  if (!command && action.size !== model.actuators.length)
    fail(`${action.size} actions for ${model.actuators.length} actuators`);
  if (action.low !== -1 || action.high !== 1)
    fail(`actions are in [-1, 1], got [${action.low}, ${action.high}]`);
  if (!Number.isInteger(maxEpisodeSteps) || maxEpisodeSteps < 1)
    fail(`maxEpisodeSteps is a whole number from 1, got ${maxEpisodeSteps}`);
  return `${observation.size} observed, ${action.size} actions`;
}

function checkMirror({ task }: Subject): string {
  const { mirror, observation, action } = task;
  if (!mirror) return "no mirror";
  const check = (what: string, { indices, signs }: Mirror, size: number): void => {
    if (indices.length !== size || signs.length !== size)
      fail(`the mirror of ${size} ${what} has ${indices.length} indices and ${signs.length} signs`);
    for (const [i, other] of indices.entries()) {
      if (indices[other] !== i || signs[i]! * signs[other]! !== 1)
        fail(`element ${i} of the ${what}, mirrored twice, is not itself`);
    }
  };
  check("observations", mirror.observations, observation.size);
  check("actions", mirror.actions, action.size);
  return "";
}

function checkRate({ task }: Subject): string {
  const timestep = task.settings?.timestep ?? physicsDefaults.timestep;
  return `${substepsOf(task, timestep)} of ${timestep} s`;
}

function checkFinite(subject: Subject, policy: Policy): string {
  const { notFinite, numSteps, numEpisodes } = subject.survey(policy);
  if (notFinite !== null) fail(notFinite);
  return `${numSteps} steps, ${numEpisodes} episodes ended`;
}

function all(subject: Subject): Survey[] {
  return Object.values(policies).map((policy) => subject.survey(policy));
}

function checkBounds(subject: Subject): string {
  const found = all(subject).find(({ outOfBounds }) => outOfBounds !== null);
  const { low, high } = subject.task.observation;
  if (found) fail(`${found.outOfBounds}, beyond [${low}, ${high}]`);
  return Number.isFinite(high) ? `[${low}, ${high}]` : "unbounded";
}

function checkConstant(subject: Subject): string {
  const surveys = [subject.survey(randomPolicy), subject.survey(bangBangPolicy)];
  const constant = subject.task.observation.names.flatMap((name, k) => {
    const low = Math.min(...surveys.map((each) => each.low[k]!));
    const high = Math.max(...surveys.map((each) => each.high[k]!));
    return high - low > leastChange ? [] : [`${k} "${name}" stays at ${low}`];
  });
  if (constant.length > 0) fail(constant.join("; "));
  return "";
}

function checkTerms(subject: Subject): string {
  const surveys = all(subject);
  const error = Math.max(...surveys.map(({ termsError }) => termsError));
  const largest = Math.max(...surveys.map(({ largestReward }) => largestReward));
  if (!(error <= termsTolerance * Math.max(1, largest))) fail(`they differ by up to ${error}`);
  return `rewards up to ${Number(largest.toPrecision(3))} in size`;
}

function checkEnds(subject: Subject): string {
  for (const { endedTwice, overlong } of all(subject)) {
    if (endedTwice !== null) fail(`both ${endedTwice}`);
    if (overlong !== null) fail(`${overlong}, at most ${subject.task.maxEpisodeSteps}`);
  }
  return `at most ${subject.task.maxEpisodeSteps} steps`;
}

function checkRanges(subject: Subject): string {
  const most = Math.max(...all(subject).map(({ overshoot }) => overshoot));
  const text = `${Number(most.toPrecision(2))} rad or m beyond at most`;
  if (most > wildOvershoot) fail(`${text}: more inertia, damping or solver iterations help`);
  return text;
}

/** Puts a rollout's world at the start that a seed gives; what is observed there. */
function startAt({ world, envs }: Rollout, seed: number): number[] {
  const out = new Float32Array(envs.task.observation.size);
  world.zeroStart();
  envs.task.reset(world, createRng(seed));
  world.place();
  envs.task.observe(world, out);
  return [...out];
}

function checkStarts({ physics, task }: Subject): string {
  const rollout = new Rollout(physics, task, 6);
  let fastest = 0;
  for (let seed = 0; seed < 20; seed++) {
    startAt(rollout, seed);
    const beyond = rollout.overshoot();
    if (beyond > startOvershoot) fail(`seed ${seed} puts a joint ${beyond} beyond its range`);
    drive(task, rollout.world, new Float32Array(task.action.size));
    rollout.envs.simulation.step(10);
    fastest = Math.max(fastest, ...rollout.world.linkVelocities.map(Math.abs));
    if (!(fastest < fastestStart))
      fail(`seed ${seed} throws a link at ${fastest} m/s within ten physics steps`);
  }
  rollout.free();
  return "";
}

const numCompared = 60;

/** Observations, rewards and ends of some steps under random actions. */
function pathOf(rollout: Rollout): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < numCompared; i++) {
    const { nextObservations, rewards, terminated } = rollout.step(randomPolicy);
    numbers.push(...nextObservations, ...rewards, ...terminated);
  }
  return numbers;
}

/** Where two paths part, as step and place in it. */
function compare(a: readonly number[], b: readonly number[], what: string): void {
  const at = a.findIndex((value, i) => !Object.is(value, b[i]));
  if (at >= 0) fail(`${what}: number ${at} of ${a.length} is ${a[at]} and ${b[at]}`);
}

function checkSeeds({ physics, task }: Subject): string {
  const [first, second] = [new Rollout(physics, task, 1), new Rollout(physics, task, 1)];
  compare(pathOf(first), pathOf(second), `the paths of ${numCompared} steps part`);
  first.free();
  second.free();
  return `${numCompared} steps`;
}

function checkOtherSeeds({ physics, task }: Subject): string {
  const [first, second] = [new Rollout(physics, task, 1), new Rollout(physics, task, 2)];
  const different = first.envs.out.observations.some(
    (value, k) => value !== second.envs.out.observations[k],
  );
  first.free();
  second.free();
  if (!different) fail("seeds 1 and 2 begin alike: draw something in reset");
  return "";
}

function checkReset({ physics, task }: Subject): string {
  const { randomization: _, ...plain } = task; // what it draws is the env's to draw anew
  const [used, fresh] = [new Rollout(physics, plain, 3), new Rollout(physics, plain, 3)];
  for (let i = 0; i < 50; i++) used.step(bangBangPolicy);
  const path = (rollout: Rollout): number[] => {
    const rng = createRng(4);
    const action = new Float32Array(task.action.size);
    const numbers = startAt(rollout, 8);
    const observation = new Float32Array(task.observation.size);
    for (let i = 0; i < 40; i++) {
      for (let k = 0; k < action.length; k++) action[k] = randomPolicy(rng);
      drive(task, rollout.world, action);
      rollout.envs.simulation.step(4);
      task.observe(rollout.world, observation);
      numbers.push(...observation);
    }
    return numbers;
  };
  compare(path(used), path(fresh), "a used world and a fresh one part after a reset");
  used.free();
  fresh.free();
  return "";
}

function checkRestore({ physics, task }: Subject): string {
  const rollout = new Rollout(physics, task, 7);
  for (let i = 0; i < 20; i++) rollout.step(bangBangPolicy);
  const state = structuredClone(rollout.envs.state());
  const actions = createRng(9);
  const row = (): Float32Array =>
    Float32Array.from({ length: task.action.size }, () => randomPolicy(actions));
  const rows = Array.from({ length: numCompared }, row);
  const path = (envs: Envs): number[] =>
    rows.flatMap((action) => {
      const { nextObservations, rewards, terminated } = envs.step(action);
      return [...nextObservations, ...rewards, ...terminated];
    });
  const wanted = path(rollout.envs);
  const other = new Envs(physics, task, { seed: 1000 });
  other.restore(state);
  compare(path(other), wanted, "a restored env and the original part");
  rollout.free();
  other.free();
  return `${numCompared} steps`;
}
