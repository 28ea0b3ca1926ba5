// Gait check: whether a policy's motion is one that a finer physics step, joints and ground agree with.

import { createVecEnv, type VecEnv } from "../../sim/vecEnv.ts";
import type { RunConfig } from "../../train/config.ts";
import { loadPolicy, type Policy, readRunConfig } from "../../train/policy.ts";
import { GaitTally } from "./gaitTally.ts";

/** What a policy's motion comes to; means over starts, from 2 s after them until a fall. */
export interface Gait {
  /** Along the world's x axis, in m/s. */
  readonly speed: number;
  /** Mean size of the velocity to the side, averaged over each start, in m/s. */
  readonly sideways: number;
  /** Mean velocity to the robot's own left over each start, without sign, in m/s. */
  readonly crab: number;
  /** How far the heading turned over each start, without sign, in rad; 0 in the plane. */
  readonly headingDrift: number;
  /** Mechanical, in W. */
  readonly power: number;
  /** Deepest contact with the ground, in mm. */
  readonly sinking: number;
  /** Farthest that a joint was beyond its range, in rad or m. */
  readonly overshoot: number;
  /** Share of control steps without any contact. */
  readonly airborne: number;
  /** Landings a second of the link that lands most often. */
  readonly stepFrequency: number;
  /** Share of starts that ended in a fall. */
  readonly falls: number;
  /** Mean distance between commanded velocity and the mean one while it held, in m/s; null without commands. */
  readonly commandError: number | null;
}

export interface GaitCheck {
  readonly gait: Gait;
  /** With half the physics step, at the same control rate. */
  readonly finer: Gait;
  /** Speed with half the step over speed with the step trained on, less 1. */
  readonly change: number;
}

export const gaitDuration = 20; // s
const numStarts = 8;
const seed = 2000; // starts that neither training nor `salle eval` uses

/** Replays a run's best policy at its physics step and at half of it. */
export async function checkGait(folder: string): Promise<GaitCheck> {
  const config = readRunConfig(folder);
  const envs = [await openVariant(config, 1), await openVariant(config, 2)] as const;
  const policy = await loadPolicy(folder, undefined, { numRows: numStarts });
  const gait = await replay(policy, envs[0]);
  const finer = await replay(policy, envs[1]);
  await policy.dispose();
  return { gait, finer, change: finer.speed / gait.speed - 1 };
}

function openVariant({ task, train }: RunConfig, refinement: number): Promise<VecEnv> {
  const module = new URL("./variant.js", import.meta.url).href;
  const args = [task, { refinement, duration: gaitDuration }];
  const options = { numEnvs: numStarts, numWorkers: 1, seed, build: train.physics };
  return createVecEnv({ module, name: "createVariant", args }, options);
}

async function replay(policy: Policy, env: VecEnv): Promise<Gait> {
  env.reset();
  const tallies = Array.from({ length: numStarts }, () => new GaitTally(env.task));
  const numMeasures = env.task.measures!.names.length;
  const { size } = env.task.observation;
  const begins = new Uint8Array(numStarts).fill(1);
  while (tallies.some(({ ended }) => !ended)) {
    const out = env.step(await policy.act(env.observations, begins));
    for (let i = 0; i < numStarts; i++) begins[i] = out.terminated[i]! | out.truncated[i]!;
    for (const [i, tally] of tallies.entries()) {
      if (tally.ended) continue;
      tally.add(
        out.measures.subarray(i * numMeasures, (i + 1) * numMeasures),
        out.nextObservations.subarray(i * size, (i + 1) * size),
      );
      tally.fell = out.terminated[i] === 1 || out.broken[i] === 1;
      tally.ended = tally.fell || out.truncated[i] === 1;
    }
  }
  env.dispose();
  return join(tallies);
}

function join(tallies: readonly GaitTally[]): Gait {
  const average = (of: (tally: GaitTally) => number) =>
    tallies.reduce((sum, tally) => sum + of(tally), 0) / tallies.length;
  const most = (of: (tally: GaitTally) => number) => Math.max(...tallies.map(of));
  const errors = tallies.flatMap(({ commandErrors }) => commandErrors());
  return {
    speed: average((tally) => tally.speed),
    sideways: average((tally) => tally.sideways),
    crab: average((tally) => tally.crab),
    headingDrift: average((tally) => Math.abs(tally.headingDrift)),
    power: average((tally) => tally.power),
    sinking: most((tally) => tally.sinking),
    overshoot: most((tally) => tally.overshoot),
    airborne: average((tally) => tally.airborne),
    stepFrequency: average((tally) => tally.stepFrequency),
    falls: average((tally) => Number(tally.fell)),
    commandError:
      errors.length === 0 ? null : errors.reduce((sum, error) => sum + error, 0) / errors.length,
  };
}
