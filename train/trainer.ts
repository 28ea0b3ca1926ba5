// Trainer: a training in a thread of its own, as the thread that started it sees it.

import { Worker } from "node:worker_threads";
import type { CheckpointName } from "./checkpoint.ts";
import type { RunConfig } from "./config.ts";
import { unlockRun } from "./lock.ts";
import { type RunOrigin, readMeta, writeMeta } from "./runMeta.ts";
import type { Outcome, Report } from "./session.ts";

/** What a learner's thread is born with. */
export interface LearnerJob {
  readonly config: RunConfig;
  /** Of a run to make, or of the one to go on with. */
  readonly folder: string;
  readonly start:
    | { readonly type: "new"; readonly origin: Omit<RunOrigin, "physics"> }
    | { readonly type: "resume"; readonly from: CheckpointName; readonly argv: readonly string[] };
  /** A PoseMailbox's buffer, for a viewer. */
  readonly poses?: SharedArrayBuffer | undefined;
  /** One Int32: not 0 asks to stop after the present step. */
  readonly control: SharedArrayBuffer;
}

/** What a learner's thread tells. */
export type LearnerMessage =
  | { readonly type: "opened"; readonly folder: string; readonly step: number }
  | { readonly type: "report"; readonly report: Report }
  | { readonly type: "done"; readonly result: TrainingResult };

export interface TrainingResult {
  readonly folder: string;
  readonly step: number;
  readonly outcome: Outcome | "failed";
  /** Why it failed. */
  readonly reason: string | null;
}

export interface TrainerEvents {
  /** The run is there, beginning or going on at this step. */
  opened(folder: string, step: number): void;
  report(report: Report): void;
}

export interface Trainer {
  /** Asks the learner to save and end after its present step. */
  stop(): void;
  /** Resolves however training ends, failures included. */
  readonly result: Promise<TrainingResult>;
}

/** Starts to train; events come until `result` resolves. */
export function startTrainer(job: Omit<LearnerJob, "control">, events: TrainerEvents): Trainer {
  const control = new SharedArrayBuffer(4);
  const workerData: LearnerJob = { ...job, control };
  const worker = new Worker(new URL("./learner.worker.js", import.meta.url), { workerData });
  let folder = job.folder;
  let lastStep = 0;
  const result = new Promise<TrainingResult>((resolve) => {
    const fail = (reason: string): void => {
      abandon(folder, reason);
      resolve({ folder, step: lastStep, outcome: "failed", reason });
    };
    worker.on("message", (message: LearnerMessage) => {
      if (message.type === "opened") {
        ({ folder, step: lastStep } = message);
        events.opened(folder, lastStep);
      } else if (message.type === "report") {
        lastStep = message.report.step;
        events.report(message.report);
      } else resolve(message.result);
    });
    worker.on("error", (error) => fail(error instanceof Error ? error.message : String(error)));
    worker.on("exit", (code) => fail(`the learner's thread ended with code ${code}`));
  });
  return { result, stop: () => void Atomics.store(new Int32Array(control), 0, 1) };
}

/** Says in a run's meta.json that its thread died; the run can be resumed. */
function abandon(folder: string, reason: string): void {
  try {
    const meta = readMeta(folder);
    if (meta.status !== "running") return;
    const ended = new Date().toISOString();
    writeMeta(folder, { ...meta, status: "failed", reason, ended });
    unlockRun(folder);
  } catch {
    // There is no run yet to say it in.
  }
}
