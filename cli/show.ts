// The viewer of `salle train --viz`: shows a training while it goes on.

import { basename } from "node:path";
import { createPoseMailbox } from "../sim/poseMailbox.ts";
import { createTask } from "../tasks/index.ts";
import type { RunConfig } from "../train/config.ts";
import type { Report } from "../train/session.ts";
import { startViewer } from "../viewer/server.ts";
import { carryTasks } from "./carryTasks.ts";
import { policyOf } from "./policyChild.ts";
import { formatCount } from "./progress.ts";

const window = 100; // episodes that a rate is of at most (train/episodes.ts)
const mostRobots = 64; // whose poses are kept for viewers

/** A viewer of one training. */
export interface Show {
  readonly url: string;
  /** For the learner. */
  readonly poses: SharedArrayBuffer;
  report(report: Report): void;
  close(): Promise<void>;
}

/** Opens the viewer; `stop` is called when somebody asks there to stop. */
export async function openShow(
  config: RunConfig,
  folder: string,
  runs: string,
  stop: () => void,
): Promise<Show> {
  const task = await createTask(config.task);
  const mailbox = createPoseMailbox(task, Math.min(mostRobots, config.train.numEnvs));
  const status = new StatusLine(task.success !== undefined);
  let line = "";
  const viewer = await startViewer({
    path: runs,
    policyOf,
    carry: carryTasks,
    live: { run: basename(folder), task, mailbox, status: () => line, stop },
  });
  return {
    url: viewer.url,
    poses: mailbox.buffer,
    report(report) {
      line = status.after(report);
    },
    close: () => viewer.close(),
  };
}

/** What the page says of a training: its step and the newest of a few numbers. */
export class StatusLine {
  private readonly hasSuccess: boolean;
  private known: Readonly<Record<string, number>> = {};

  /** For a task that knows success, or not. */
  constructor(hasSuccess: boolean) {
    this.hasSuccess = hasSuccess;
  }

  /** The line after a report, which need not have all of the numbers. */
  after({ step, metrics }: Report): string {
    this.known = { ...this.known, ...metrics };
    const part = (name: string, unit: string): string | null => {
      const value = this.known[name];
      return value === undefined ? null : `${Number(value.toPrecision(3))} ${unit}`;
    };
    const parts = [
      `step ${formatCount(step)}`,
      part("time/fps", "steps/s"),
      part("rollout/ep_rew_mean", "return"),
      this.successes(),
    ];
    return parts.filter((each) => each !== null).join(" · ");
  }

  private successes(): string | null {
    const rate = this.known["rollout/success_rate"];
    if (!this.hasSuccess || rate === undefined) return null;
    const numEpisodes = Math.min(window, this.known["rollout/episodes"] ?? window);
    return `${Math.round(100 * rate)}% of the last ${numEpisodes} episodes successful`;
  }
}
