// The benchmark of learning: trains from the command to a gait within a time, seed after seed.
//
// Every run has the machine for itself and goes through the command line. Runs stay in bench/out/runs, and
// their figures are gathered in docs/results/learned.json, a later run of the same task, algorithm and seed in
// place of an earlier one; `npm run results` writes docs/results/learning.md from them.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { taskId } from "../../tasks/index.ts";
import type { BenchOptions } from "../main.ts";
import { type Report, type Row, row, type Target } from "../report.ts";
import { goals } from "./goals.ts";
import { type LearnedRun, trainRun } from "./trainRun.ts";

const runs = "bench/out/runs";
/** All runs so far. */
export const learnedFile = "docs/results/learned.json";
const quickMinutes = 0.25;
const quickSets = ["algo.learningStarts=500", "train.evalFreq=5000"];

/** Everything of `npm run bench -- learn`; what --quick learns is nothing. */
export async function benchLearn(options: BenchOptions): Promise<Report> {
  const { quick, algo: algorithm } = options;
  const named = options.task === undefined ? Object.keys(goals) : [taskId(options.task)];
  const tasks = quick ? named.slice(0, 1) : named;
  const numSeeds = quick ? 1 : options.seeds;
  const learned: LearnedRun[] = [];
  for (const task of tasks) {
    const minutes = quick ? quickMinutes : (options.minutes ?? goals[task]?.minutes ?? 5);
    for (let i = 0; i < numSeeds; i++) {
      const seed = options.firstSeed + i;
      const sets = quick ? quickSets : [];
      learned.push(await trainRun({ task, algorithm, seed, minutes, runs, sets }));
      if (!quick) keep(learned.at(-1)!);
    }
  }
  return {
    rows: learned.flatMap(rowsOf),
    targets: tasks.flatMap((task) =>
      targetsOf(
        task,
        learned.filter((run) => run.task === task),
      ),
    ),
    notes: learned.map(
      ({ task, seed, load, seconds }) =>
        `${task}, seed ${seed}: ${seconds.toFixed(0)} s, load ${load.map((x) => x.toFixed(1)).join(" to ")}`,
    ),
  };
}

/** The runs that were kept; none where none were. */
export function readLearned(): LearnedRun[] {
  if (!existsSync(learnedFile)) return [];
  return JSON.parse(readFileSync(learnedFile, "utf8")) as LearnedRun[];
}

function keep(run: LearnedRun): void {
  const key = ({ task, algorithm, seed, minutes }: LearnedRun) =>
    [task, algorithm, seed, minutes].join();
  const others = readLearned().filter((other) => key(other) !== key(run));
  mkdirSync(dirname(learnedFile), { recursive: true });
  writeFileSync(learnedFile, `${JSON.stringify([...others, run], null, 2)}\n`);
}

function rowsOf({ task, algorithm, seed, evaluation, check }: LearnedRun): Row[] {
  const name = `${task} ${algorithm}, seed ${seed}`;
  const { gait, finer } = check;
  const figure = (what: string, value: number, unit: string) => row(name, what, [value], unit);
  return [
    figure("speed, 32 starts", evaluation.speed, "m/s"),
    figure("falls, 32 starts", evaluation.falls, "of starts"),
    figure("power, 32 starts", evaluation.power, "W"),
    figure("steady speed", gait.speed, "m/s"),
    figure("steady speed, half the step", finer.speed, "m/s"),
    figure("sideways", gait.sideways, "m/s"),
    figure("crab's walk", gait.crab, "m/s"),
    figure("heading turned in 20 s", gait.headingDrift, "rad"),
    figure("steady power", gait.power, "W"),
    figure("deepest contact", gait.sinking, "mm"),
    figure("deepest, half the step", finer.sinking, "mm"),
    figure("beyond a joint's range", gait.overshoot, "rad"),
    figure("airborne", gait.airborne, "of time"),
    figure("steps of a foot", gait.stepFrequency, "Hz"),
    figure("falls in 20 s", gait.falls, "of starts"),
    ...(gait.commandError === null ? [] : [figure("error of command", gait.commandError, "m/s")]),
  ];
}

/** Every seed's, and that none of the gaits hangs on the physics step. */
function targetsOf(task: string, learned: readonly LearnedRun[]): Target[] {
  const goal = goals[task];
  if (goal === undefined) return [];
  return learned.flatMap((run) => [
    {
      name: `${task}, seed ${run.seed}, ${goal.name}, ${run.minutes} min`,
      wanted: goal.wanted,
      got: goal.value(run).toFixed(2),
      reached: goal.isReached(run),
    },
    ofFinerStep(run),
  ]);
}

/** Where velocities are commanded the mean speed says nothing: there it is the error that must not grow. */
function ofFinerStep({ task, seed, check: { finer, change } }: LearnedRun): Target {
  const of = `${task}, seed ${seed}`;
  if (finer.commandError !== null) {
    const got = finer.commandError;
    const name = `${of}, error of commanded velocity at half the physics step`;
    return { name, wanted: "<= 0.2", got: got.toFixed(2), reached: got <= 0.2 };
  }
  return {
    name: `${of}, change of speed at half the physics step`,
    wanted: "<= 5 %",
    got: `${(100 * change).toFixed(1)} %`,
    reached: Math.abs(change) <= 0.05,
  };
}
