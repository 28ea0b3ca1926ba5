// Salle's side of the training benchmark: `salle train` without the command line, telling how far it is.
//
// Usage: node dist/bench/train/salleTraining.js '{"task", "folder", "utdRatio", "sets"}'

import { resolveConfig } from "../../train/config.ts";
import { startTrainer } from "../../train/trainer.ts";
import { benchOrigin } from "../origin.ts";
import type { Standing } from "./trainee.ts";

/** What to train; nothing else is evaluated, saved or watched meanwhile. */
export interface SalleJob {
  readonly task: string;
  /** Of the run to make. */
  readonly folder: string;
  /** As --set takes them. */
  readonly sets: readonly string[];
}

const job = JSON.parse(process.argv[2]!) as SalleJob;
const quiet = ["totalTimesteps", "evalFreq", "saveFreq"].map((name) => `train.${name}=1e9`);
const config = await resolveConfig({
  task: job.task,
  algorithm: "sac",
  sets: [...quiet, ...job.sets],
});
const { result } = startTrainer(
  { config, folder: job.folder, start: { type: "new", origin: benchOrigin } },
  {
    opened: () => undefined,
    report({ step: steps, metrics }) {
      const updates = metrics["train/n_updates"]!;
      const { user, system } = process.cpuUsage();
      const time = performance.now() / 1000;
      const standing: Standing = { steps, updates, time, cpu: (user + system) / 1e6 };
      if (updates > 0) console.log(JSON.stringify(standing));
    },
  },
);
const { reason } = await result;
if (reason !== null) throw new Error(reason);
