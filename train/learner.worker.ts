// The learner's thread: opens the run, runs its algorithm's loop, says how it ended.

import { parentPort, workerData } from "node:worker_threads";
import type { AnyAlgorithm } from "../agents/agent.ts";
import { Dataset } from "../finetune/dataset.ts";
import { loadPhysics } from "../sim/rapier.ts";
import { taskSource } from "../tasks/index.ts";
import { baseOpener, keepBase, predecessorOf } from "./base.ts";
import { trainClone } from "./cloning.ts";
import { algorithmNamed, formatConfig } from "./config.ts";
import { trainFromData } from "./offlineToOnline.ts";
import { trainOffPolicy } from "./offPolicy.ts";
import { trainOnPolicy } from "./onPolicy.ts";
import { baseFolder } from "./policy.ts";
import { createRun, type Run, resumeRun } from "./run.ts";
import { readMeta } from "./runMeta.ts";
import { Session } from "./session.ts";
import type { LearnerJob, LearnerMessage } from "./trainer.ts";

const job = workerData as LearnerJob;
const stop = new Int32Array(job.control);

function tell(message: LearnerMessage): void {
  parentPort!.postMessage(message);
}

async function openRun(): Promise<{ run: Run; saved: unknown; step: number }> {
  const { folder, start, config } = job;
  const { keepCheckpoints } = config.train;
  if (start.type === "resume") {
    const options = { from: start.from, keepCheckpoints };
    const { run, checkpoint } = resumeRun(folder, start.argv, options);
    return { run, saved: checkpoint?.state ?? null, step: checkpoint?.step ?? 0 };
  }
  const { build, version, wasmHash } = await loadPhysics(config.train.physics);
  const meta = { ...start.origin, physics: { build, version, wasmHash } };
  const run = createRun(folder, { config: formatConfig(config), meta }, { keepCheckpoints });
  if (config.base !== undefined) keepBase(config.base, baseFolder(run.folder));
  return { run, saved: null, step: 0 };
}

async function train(run: Run, saved: unknown): Promise<Session> {
  const { config } = job;
  const algorithm = algorithmNamed(config.algorithm);
  const { physics, gitCommit } = readMeta(run.folder);
  const session = await Session.open({
    algorithm,
    config: config.algo,
    settings: config.train,
    task: await taskSource(config.task),
    store: run,
    origin: { physics, gitCommit: gitCommit ?? "" },
    poses: job.poses,
    openBase: algorithm.observesBase ? baseOpener(baseFolder(run.folder)) : undefined,
    predecessor: algorithm.continues ? await predecessorOf(baseFolder(run.folder)) : undefined,
    data: config.data?.map((folder) => new Dataset(folder)),
    control: {
      stopRequested: () => Atomics.load(stop, 0) !== 0,
      report: (report) => tell({ type: "report", report }),
    },
  });
  const loop = loopOf(algorithm);
  await loop(session, algorithm as never, config.algo as never, saved);
  await session.dispose();
  return session;
}

const loops = { onPolicy: trainOnPolicy, offPolicy: trainOffPolicy, clone: trainClone };

/** The loop that an algorithm learns in. */
function loopOf(algorithm: AnyAlgorithm) {
  const learnsFromData = algorithm.family === "offPolicy" && algorithm.offline !== undefined;
  return learnsFromData ? trainFromData : loops[algorithm.family];
}

/** Where meta.json can't be written, as on a full disk, the run is let go of all the same: it reads as interrupted. */
function sayFailed(run: Run, reason: string): void {
  try {
    run.finish("failed", reason);
  } catch {
    // `reason` is why training ended, and what the user must know.
  }
}

const { run, saved, step } = await openRun();
tell({ type: "opened", folder: run.folder, step });
try {
  const session = await train(run, saved);
  const outcome = session.outcome!;
  run.finish(outcome === "stopped" ? "stopped" : "finished", outcome);
  tell({ type: "done", result: { folder: run.folder, step: session.step, outcome, reason: null } });
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  sayFailed(run, reason);
  tell({ type: "done", result: { folder: run.folder, step, outcome: "failed", reason } });
}
