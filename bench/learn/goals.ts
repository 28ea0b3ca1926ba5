// What each task should reach within a time on two cores: the targets of `npm run bench -- learn`.

import type { LearnedRun } from "./trainRun.ts";

export interface Goal {
  /** Minutes from the command to the last step of training. */
  readonly minutes: number;
  readonly name: string;
  readonly wanted: string;
  /** What is judged, of a finished run. */
  readonly value: (run: LearnedRun) => number;
  readonly isReached: (run: LearnedRun) => boolean;
}

const speedOf = (run: LearnedRun) => run.evaluation.speed;
const fallShare = 0.1; // of evaluations' starts that may fall and still count as "without falling"

function atSpeed(minutes: number, speed: number): Goal {
  return {
    minutes,
    name: "speed in m/s",
    wanted: `>= ${speed}`,
    value: speedOf,
    isReached: (run) => speedOf(run) >= speed,
  };
}

/** By task id. */
export const goals: Readonly<Record<string, Goal>> = {
  "hopper-hop-v0": atSpeed(3, 2),
  "walker2d-run-v0": atSpeed(6, 1.8),
  "halfcheetah-run-v0": atSpeed(5, 6),
  "ant-run-v0": atSpeed(5, 2.5),
  "quadruped-walk-v0": {
    minutes: 20,
    name: "error of commanded velocity in m/s, no fall in 20 s",
    wanted: "<= 0.2",
    value: ({ check }) => check.gait.commandError ?? Number.NaN,
    isReached: ({ check }) => (check.gait.commandError ?? 9) <= 0.2 && check.gait.falls === 0,
  },
  "humanoid-walk-v0": {
    ...atSpeed(60, 1),
    name: "speed in m/s, at most a tenth falls",
    isReached: (run) => speedOf(run) >= 1 && run.evaluation.falls <= fallShare,
  },
};
