// What a task did in some steps under one policy: the facts that check.ts judges.

import type { VecStep } from "../sim/env.ts";
import type { Physics } from "../sim/rapier.ts";
import type { Task } from "../sim/task.ts";
import { type Policy, Rollout } from "./rollout.ts";

/** The facts; the first of each kind of mistake, in words, or null where there is none. */
export interface Survey {
  notFinite: string | null;
  outOfBounds: string | null;
  endedTwice: string | null;
  overlong: string | null;
  /** Largest difference of a reward from the sum of its terms. */
  termsError: number;
  largestReward: number;
  /** Largest angle or length beyond a joint's range, in rad or m. */
  overshoot: number;
  numEpisodes: number;
  /** Least and largest value of each observed element, [O]. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  numSteps: number;
  /** Time in s; the first episode's beginning is not counted. */
  seconds: number;
}

/** Steps one env; stops at the first number that is not finite. */
export function survey(physics: Physics, task: Task, policy: Policy, numSteps: number): Survey {
  const rollout = new Rollout(physics, task, 5);
  const facts = createSurvey(task);
  let episodeLength = 0;
  const start = performance.now();
  for (let step = 1; step <= numSteps && facts.notFinite === null; step++) {
    const out = rollout.step(policy);
    episodeLength++;
    facts.numSteps = step;
    look(task, out, facts);
    facts.overshoot = Math.max(facts.overshoot, rollout.overshoot());
    if (!out.terminated[0] && !out.truncated[0]) continue;
    if (episodeLength > task.maxEpisodeSteps)
      facts.overlong ??= `an episode of ${episodeLength} steps`;
    facts.numEpisodes++;
    episodeLength = 0;
  }
  facts.seconds = (performance.now() - start) / 1000;
  rollout.free();
  return facts;
}

function createSurvey({ observation }: Task): Survey {
  return {
    notFinite: null,
    outOfBounds: null,
    endedTwice: null,
    overlong: null,
    termsError: 0,
    largestReward: 0,
    overshoot: 0,
    numEpisodes: 0,
    low: new Float32Array(observation.size).fill(Number.POSITIVE_INFINITY),
    high: new Float32Array(observation.size).fill(Number.NEGATIVE_INFINITY),
    numSteps: 0,
    seconds: 0,
  };
}

function look(task: Task, out: VecStep, facts: Survey): void {
  const { observation, rewardTerms } = task;
  const at = `at step ${facts.numSteps}`;
  if (out.broken[0]) facts.notFinite = `the physics lost the robot ${at}`;
  const reward = out.rewards[0]!;
  if (!Number.isFinite(reward)) facts.notFinite ??= `the reward is ${reward} ${at}`;
  for (let k = 0; k < observation.size; k++) {
    const value = out.nextObservations[k]!;
    const name = observation.names[k];
    if (!Number.isFinite(value)) facts.notFinite ??= `observation ${k} "${name}" is ${value} ${at}`;
    if (value < observation.low || value > observation.high)
      facts.outOfBounds ??= `observation ${k} "${name}" is ${value} ${at}`;
    const next = out.observations[k]!; // after a reset too
    facts.low[k] = Math.min(facts.low[k]!, value, next);
    facts.high[k] = Math.max(facts.high[k]!, value, next);
  }
  let sum = 0;
  for (let t = 0; t < rewardTerms.length; t++) sum += out.terms[t]!;
  facts.termsError = Math.max(facts.termsError, Math.abs(reward - sum));
  facts.largestReward = Math.max(facts.largestReward, Math.abs(reward));
  if (out.terminated[0] && out.truncated[0]) facts.endedTwice ??= at;
}
