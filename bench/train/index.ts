// The benchmark of training: control steps and updates a second while SAC really learns, beside
// Stable-Baselines3 and CleanRL's loop in MuJoCo with the same networks, batches and updates a step.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchOptions } from "../main.ts";
import { atLeast, atMost, type Report, type Row, row, type Target } from "../report.ts";
import {
  contendersOf,
  type Family,
  families,
  peersMissing,
  type Robot,
  robots,
  type TrainingCase,
  type TrainingContender,
} from "./contenders.ts";
import { secondsToLearning } from "./startup.ts";
import type { Pace, Trainee } from "./trainee.ts";

const wantedRatios = [
  { utdRatio: 1, name: "UTD 1", ratio: 2 },
  { utdRatio: 1 / 8, name: "UTD 1/8", ratio: 4 },
] as const;
const startupCase = "from command to first learning step";

/** Everything of `npm run bench -- train`. */
export async function benchTrain({ quick, task }: BenchOptions): Promise<Report> {
  // A process that stands still hears no interrupt: leave by the exit that ends it.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  const runs = mkdtempSync(join(tmpdir(), "salle-bench-"));
  try {
    const rows: Row[] = [];
    const chosen = robotsOf(quick, task);
    for (const robot of chosen) rows.push(await startupRow(robot, runs, quick ? 1 : 3));
    const cases = chosen.flatMap((robot) => casesOf(robot, quick));
    for (const training of cases) rows.push(...(await caseRows(training, runs, quick)));
    return {
      rows,
      targets: [...ratioTargets(rows, cases), ...startupTargets(rows)],
      notes: notes(quick),
    };
  } finally {
    rmSync(runs, { recursive: true });
  }
}

function robotsOf(quick: boolean, task: string | undefined): readonly Robot[] {
  const known = Object.keys(robots) as Robot[];
  if (task === undefined) return quick ? ["hopper"] : known;
  const robot = known.find((name) => name === task);
  if (robot === undefined)
    throw new Error(`--task ${task}: the training benchmark knows ${known.join(" and ")}`);
  return [robot];
}

function casesOf(robot: Robot, quick: boolean): TrainingCase[] {
  const counts = quick ? [16] : [1, 16, 64];
  return wantedRatios.flatMap(({ utdRatio }) =>
    counts.map((numEnvs) => ({ robot, utdRatio, numEnvs })),
  );
}

function caseName({ robot, utdRatio, numEnvs }: TrainingCase): string {
  const { name } = wantedRatios.find((wanted) => wanted.utdRatio === utdRatio)!;
  return `${robot}, ${name}, ${numEnvs} env${numEnvs === 1 ? "" : "s"}`;
}

/** The fastest of each family, in turns; one short turn of everyone says which that is. */
async function caseRows(training: TrainingCase, runs: string, quick: boolean): Promise<Row[]> {
  const started: [TrainingContender, Trainee][] = [];
  try {
    for (const contender of chooseFrom(contendersOf(training, runs), quick))
      started.push([contender, await contender.start()]);
    const finalists = await fastestOfFamilies(started);
    const paces = new Map<TrainingContender, Pace[]>();
    for (let round = 0; round < (quick ? 1 : 5); round++)
      for (const [contender, trainee] of finalists) {
        const pace = await trainee.turn(quick ? 1000 : 1500);
        paces.set(contender, [...(paces.get(contender) ?? []), pace]);
      }
    return [...paces].flatMap(([contender, list]) => paceRows(caseName(training), contender, list));
  } finally {
    for (const [, trainee] of started) await trainee.end();
  }
}

/** A quick run starts only the first of each family. */
function chooseFrom(contenders: readonly TrainingContender[], quick: boolean): TrainingContender[] {
  return contenders.filter(
    ({ family }, i) => !quick || contenders.findIndex((other) => other.family === family) === i,
  );
}

async function fastestOfFamilies(
  started: readonly (readonly [TrainingContender, Trainee])[],
): Promise<(readonly [TrainingContender, Trainee])[]> {
  const fastest = new Map<
    Family,
    { entry: readonly [TrainingContender, Trainee]; speed: number }
  >();
  for (const entry of started) {
    const [{ family }, trainee] = entry;
    const { stepsPerSecond: speed } = await trainee.turn(750);
    if (speed > (fastest.get(family)?.speed ?? 0)) fastest.set(family, { entry, speed });
  }
  return [...fastest.values()].map(({ entry }) => entry);
}

function paceRows(name: string, { family, how }: TrainingContender, paces: readonly Pace[]): Row[] {
  const contender = `${family}, ${how}`;
  const measures: [keyof Pace, unit: string][] = [
    ["stepsPerSecond", "steps/s"],
    ["updatesPerSecond", "updates/s"],
    ["cores", "cores"],
    ["updateCpu", "ms CPU/update"],
  ];
  const of = (key: keyof Pace) => paces.map((pace) => pace[key]);
  return measures.map(([key, unit]) => row(name, contender, of(key), unit));
}

async function startupRow(robot: Robot, runs: string, count: number): Promise<Row> {
  const seconds: number[] = [];
  for (let i = 0; i < count; i++) seconds.push(await secondsToLearning(robot, runs));
  return row(startupCase, `salle train ${robot}`, seconds, "s");
}

function ratioTargets(rows: readonly Row[], cases: readonly TrainingCase[]): Target[] {
  return cases.flatMap((training) => {
    const name = caseName(training);
    const speed = (family: Family) =>
      rows.find((r) => r.case === name && r.unit === "steps/s" && r.contender.startsWith(family))
        ?.median;
    const wanted = wantedRatios.find(({ utdRatio }) => utdRatio === training.utdRatio)!;
    const [mine, ...peers] = families.map(speed);
    return peers.flatMap((peer, i) =>
      peer === undefined
        ? []
        : [atLeast(`${name}: over ${families[i + 1]}`, wanted.ratio, mine! / peer)],
    );
  });
}

function startupTargets(rows: readonly Row[]): Target[] {
  return rows
    .filter((r) => r.case === startupCase)
    .map((r) => atMost(`${r.contender}: ${startupCase}`, 5, r.median, " s"));
}

function notes(quick: boolean): string[] {
  const missing = peersMissing();
  return [
    ...(missing === undefined ? [] : [missing]),
    ...(quick ? ["a quick run: one short turn each, so its figures and targets say little"] : []),
    'two hidden layers of 256, batches of 256; "cores" is processor time over wall time',
    "each family runs with the threads, and its envs in the processes, that a trial turn found fastest",
    "robots and control periods differ: Salle's run in Rapier at 50 Hz, the peers' in MuJoCo",
  ];
}
