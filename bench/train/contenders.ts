// Who trains: Salle, Stable-Baselines3 and CleanRL's loop, with every choice of threads worth trying.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { SalleJob } from "./salleTraining.ts";
import { Trainee } from "./trainee.ts";

/** What all of a case train. */
export interface TrainingCase {
  readonly robot: Robot;
  readonly utdRatio: number;
  readonly numEnvs: number;
}

export const robots = {
  hopper: { task: "hopper-hop", env: "Hopper-v5" },
  ant: { task: "ant-run", env: "Ant-v5" },
} as const;
export type Robot = keyof typeof robots;

export const families = ["Salle", "Stable-Baselines3", "CleanRL's loop, rewritten"] as const;
export type Family = (typeof families)[number];

export interface TrainingContender {
  readonly family: Family;
  /** How it runs. */
  readonly how: string;
  start(): Promise<Trainee>;
}

const hidden = [256, 256];
const batchSize = 256;
const learningStarts = 1000;

/** As the peers have it, instead of what a robot's preset says. */
const plainSac = {
  "algo.criticLayerNorm": false,
  "algo.numStepReturns": 1,
  "algo.normalizer": "none",
  "algo.targetReduction": "min",
  "algo.actorReduction": "min",
};

const pythonPath = ".venv-sb3/bin/python";

/** Why there are no peers here, or undefined. */
export function peersMissing(): string | undefined {
  return existsSync(pythonPath)
    ? undefined
    : "no Stable-Baselines3; make it with: bash scripts/python-env.sh sb3";
}

/** Everyone who can train a case; `runs` is a folder for Salle's runs. */
export function contendersOf(training: TrainingCase, runs: string): TrainingContender[] {
  const { numEnvs, utdRatio } = training;
  const list = [1, 2].map((threads): TrainingContender => salle(training, threads, runs));
  if (peersMissing() !== undefined) return list;
  for (const threads of [1, 2])
    for (const processes of numEnvs === 1 ? [false] : [false, true])
      list.push(peer(training, "Stable-Baselines3", threads, processes));
  // CleanRL's script does one update a step of all envs.
  if (numEnvs * utdRatio === 1)
    for (const threads of [1, 2])
      list.push(peer(training, "CleanRL's loop, rewritten", threads, false));
  return list;
}

function salle({ robot, ...training }: TrainingCase, threads: number, runs: string) {
  const { numEnvs, utdRatio } = training;
  const { task } = robots[robot];
  const settings = {
    "train.numEnvs": numEnvs,
    "train.threads": threads,
    "train.logFreq": Math.max(numEnvs, Math.round(16 / utdRatio)),
    "algo.utdRatio": utdRatio,
    "algo.batchSize": batchSize,
    "algo.actorHidden": JSON.stringify(hidden),
    "algo.criticHidden": JSON.stringify(hidden),
    "algo.learningStarts": learningStarts,
    ...plainSac,
  };
  const sets = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const folder = join(runs, [robot, utdRatio, numEnvs, threads].join("-"));
  const job: SalleJob = { task, folder, sets };
  const script = new URL("./salleTraining.js", import.meta.url).pathname;
  return {
    family: "Salle",
    how: threadsOf(threads),
    start: () => Trainee.start(process.execPath, [script, JSON.stringify(job)]),
  } as const;
}

function peer(
  { robot, numEnvs, utdRatio }: TrainingCase,
  family: Exclude<Family, "Salle">,
  threads: number,
  processes: boolean,
): TrainingContender {
  const job = {
    peer: family === "Stable-Baselines3" ? "sb3" : "cleanrl",
    env: robots[robot].env,
    ...{ numEnvs, utdRatio, hidden, batchSize, learningStarts, threads, processes },
  };
  return {
    family,
    how: `${threadsOf(threads)}${processes ? ", a process an env" : ""}`,
    start: () => Trainee.start(pythonPath, ["bench/train/train_peer.py", JSON.stringify(job)]),
  };
}

function threadsOf(count: number): string {
  return `${count} thread${count === 1 ? "" : "s"}`;
}
