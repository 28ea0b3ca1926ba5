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
    report({ step, metrics }) {
      const numbers = [
        ["time/fps", "steps/s"],
        ["rollout/ep_rew_mean", "return"],
      ].map(([name = "", unit]) => {
        const value = metrics[name];
        return value === undefined ? null : `${Number(value.toPrecision(3))} ${unit}`;
      });
      line = [`step ${formatCount(step)}`, ...numbers].filter((part) => part !== null).join(" · ");
    },
    close: () => viewer.close(),
  };
}
