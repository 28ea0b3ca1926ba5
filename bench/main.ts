// `npm run bench -- <name>`: measures, prints a table, writes bench/out/<name>.json.

import { mkdirSync, writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { benchFinetune } from "./finetune/index.ts";
import { benchLearn } from "./learn/index.ts";
import { benchNn } from "./nn/index.ts";
import { benchOffline } from "./offline/index.ts";
import { formatReport, machine, type Report } from "./report.ts";
import { benchSim } from "./sim/index.ts";
import { benchTrain } from "./train/index.ts";
import { benchViewer } from "./viewer/index.ts";
import { soakViewer } from "./viewer/soak.ts";

/** What every benchmark is called with. */
export interface BenchOptions {
  /** Under a minute, fewer rows and repetitions: shows that it runs, not how fast. */
  readonly quick: boolean;
  /** Of `learn`: the one task, all that have a goal where missing. Of `train`: the one robot. */
  readonly task?: string;
  /** Of `learn`: the algorithm. */
  readonly algo: string;
  /** Of `learn`: runs of a task, with successive seeds. */
  readonly seeds: number;
  /** Of `learn`: the first of them. */
  readonly firstSeed: number;
  /** Of `learn`: minutes of a run; its goal's where missing. */
  readonly minutes?: number;
  /** Of `viewer`: minutes in which viewers come and go, instead of the rest. */
  readonly soak?: number;
}

const benches: Readonly<Record<string, (options: BenchOptions) => Promise<Report>>> = {
  finetune: benchFinetune,
  learn: benchLearn,
  nn: benchNn,
  offline: benchOffline,
  sim: benchSim,
  train: benchTrain,
  viewer: benchViewer,
  "viewer-soak": soakViewer,
};

const program = new Command("bench")
  .argument("<name>", `one of: ${Object.keys(benches).join(", ")}`)
  .option("--quick", "under a minute: fewer rows and repetitions", false)
  .option("--check", "end with ok, or with the targets that were missed and exit code 1", false)
  .option(
    "--task <name>",
    "learn: the one task, all that have a goal where missing; train: the one robot",
  )
  .option("--algo <name>", "learn: the algorithm", "sac")
  .option("--seeds <n>", "learn: runs of a task, with successive seeds", Number, 3)
  .option("--first-seed <n>", "learn: the first of them", Number, 1)
  .option("--minutes <n>", "learn: minutes of a run; its goal's where missing", Number)
  .addOption(
    new Option("--soak [minutes]", "viewer: viewers come and go while a training runs")
      .preset("10")
      .argParser(Number),
  )
  .action(run);
await program.parseAsync();

async function run(asked: string, options: BenchOptions & { readonly check: boolean }) {
  const { quick, check, soak } = options;
  const name = asked === "viewer" && soak !== undefined ? "viewer-soak" : asked;
  const bench = benches[name];
  if (bench === undefined) {
    return program.error(`unknown benchmark "${name}"; known: ${Object.keys(benches).join(", ")}`);
  }
  const report = await bench(options);
  console.log(formatReport(report));
  mkdirSync("bench/out", { recursive: true });
  const file = `bench/out/${name}.json`;
  const record = { name, date: new Date().toISOString(), quick, machine: machine(), ...report };
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
  console.log(`wrote ${file}`);
  if (!check) return;
  const missed = report.targets.filter(({ reached }) => !reached);
  console.log(
    missed.length === 0
      ? "ok"
      : missed
          .map(({ name, wanted, got }) => `missed: ${name} wanted ${wanted} got ${got}`)
          .join("; "),
  );
  process.exitCode = missed.length === 0 ? 0 : 1;
}
