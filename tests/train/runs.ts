// Runs for tests, in a folder that is gone afterwards.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { Normalizer } from "../../agents/normalizer.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask } from "../../tasks/index.ts";
import { algorithmNamed, formatConfig, resolveConfig } from "../../train/config.ts";
import { createRun, type Run } from "../../train/run.ts";
import { origin } from "./origin.ts";

/** Memory where there is such a file system: flushing to a disk takes most of some tests' time. */
const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A fresh folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(memory, "salle-run-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A run whose one checkpoint has an algorithm's first state and a normaliser that has seen 50 rows. */
export async function untrainedRun(
  sets: readonly string[],
  algorithm = "sac",
  folder = join(temporaryFolder(), "a-run"),
): Promise<Run> {
  const config = await resolveConfig({ task: "hopper", algorithm, sets });
  const { observation, action } = await createTask(config.task);
  const { init, observesBase = false } = algorithmNamed(algorithm);
  const numPlain = observesBase ? action.size : 0;
  const observationSize = observation.size + numPlain;
  const spec = { observationSize, actionSize: action.size, numEnvs: 4, observesBase };
  const rng = createRng(config.train.seed);
  const agent = init(spec, config.algo as never, rng);
  const kind = config.algo["normalizer"] as "none";
  const normalizer = new Normalizer(kind, observationSize, undefined, numPlain);
  normalizer.observe(Float32Array.from({ length: 50 * observationSize }, () => 3 * rng.normal()));
  const run = createRun(folder, { config: formatConfig(config), meta: origin });
  run.save(7, { loop: { learner: { agent }, normalizer: normalizer.state() } });
  run.finish("finished");
  return run;
}

/** Rows of observations, some of them far out. */
export function observationRows(numRows: number, size: number): Float32Array {
  const rng = createRng(9);
  return Float32Array.from({ length: numRows * size }, () => rng.normal() * 10 ** rng.integer(3));
}
