// `npm run matrix:offline -- <datasets> <runs>`: trains every offline method on datasets, seed after seed, through
// the command line.
//
// What is finished is left, what was cut off is resumed, so the command can be stopped and given again. A run has
// one thread of its own; as many run side by side as `--jobs` says. Seeds come before datasets, methods before
// both: what is there at any time is a table of as many seeds as were finished.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { readMeta } from "../../train/runMeta.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: "string", default: "2" },
    seeds: { type: "string", default: "3" },
    methods: { type: "string" },
    kinds: { type: "string", default: "medium-replay,medium,medium-expert" },
    online: { type: "string" },
  },
});
const [datasets, runs] = positionals;
if (datasets === undefined || runs === undefined)
  throw new Error("wanted a folder of datasets and one for runs: matrix.js <datasets> <runs>");

/** Cloning is advantage-weighted cloning in which no action weighs more; 10 % BC has the best episodes alone. */
const cloning = ["--method", "iql", "--set", "algo.inverseTemperature=0"];
const variants: Readonly<Record<string, readonly string[]>> = {
  bc: cloning,
  bc10: [...cloning, "--set", "algo.episodeShare=0.1"],
};
const all =
  "bc,bc10,td3bc,iql,rebrac,awac,cql,calql,edac,sacN,spot,famo2o,famo2oCql,ro2o,uniO4".split(",");
/** Steps of the policy as it is before it is changed: its own rows are there when updates begin. */
const onlineSets = ["--set", "algo.learningStarts=5000", "--eval-freq", "10000"];
const methods = values.methods?.split(",") ?? all;

interface Job {
  readonly run: string;
  readonly args: readonly string[];
}

const kinds = values.kinds.split(",");
const folders = kinds.flatMap((kind) =>
  readdirSync(datasets)
    .filter((name) => name.endsWith(`-${kind}`))
    .map((name) => join(datasets, name)),
);
if (folders.length === 0)
  throw new Error(
    `no dataset in ${datasets} ends in ${kinds.map((kind) => `-${kind}`).join(", ")}`,
  );
mkdirSync(runs, { recursive: true });
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);
const jobs = seeds.flatMap((seed) =>
  folders.flatMap((data) => methods.map((method) => jobOf(data, method, seed))),
);
await Promise.all(Array.from({ length: Number(values.jobs) }, work));

function jobOf(data: string, method: string, seed: number): Job {
  const parts = [basename(data), method, ...(values.online ? ["online"] : []), `${seed}`];
  const run = join(runs!, parts.join("__"));
  const given = variants[method] ?? ["--method", method];
  const online = values.online ? ["--online-steps", values.online, ...onlineSets] : [];
  const named = ["--seed", `${seed}`, "--runs", runs!, "--name", basename(run)];
  const args = ["finetune", "--data", data, ...given, ...online, ...named];
  return { run, args: [...args, "--set", "train.threads=1", "--set", "train.updatesPerCall=4"] };
}

async function work(): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await train(job);
}

/** Trains, or goes on; says what fails and leaves it. */
async function train({ run, args }: Job): Promise<void> {
  const begun = existsSync(join(run, "config.yaml"));
  if (begun && readMeta(run).status === "finished") return;
  const started = Date.now();
  const problem = await salle(begun ? ["resume", run] : args);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`${basename(run)}: ${problem ?? "finished"} after ${seconds} s, ${jobs.length} wait`);
}

/** Null, or what the command said at its end where it failed. */
function salle(args: readonly string[]): Promise<string | null> {
  const program = new URL("../../cli/main.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors = `${errors}${chunk}`.slice(-500);
  });
  return new Promise((done) =>
    child.on("close", (code) => done(code === 0 ? null : `exit code ${code}: ${errors.trim()}`)),
  );
}
