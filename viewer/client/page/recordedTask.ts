// The task of a recording in a page, which has no files.

import type { Recording } from "../../../sim/recording.ts";
import type { Task } from "../../../sim/task.ts";
import { bundledTask } from "../../../tasks/bundle.ts";
import { createTask, taskId } from "../../../tasks/index.ts";

/** The task that the registry knows, or that the file brings along (cli/carryTasks.ts). */
export async function recordedTask(
  { header }: Recording,
  file: readonly Recording[],
): Promise<Task> {
  const { bundle, bundleOf, problem, source } = header.parameters;
  if (typeof problem === "string") throw new Error(problem);
  const found = typeof bundleOf === "number" ? file[bundleOf]?.header.parameters["bundle"] : bundle;
  if (found !== undefined) return await bundledTask(found);
  if (source !== undefined) throw new Error(`the recording does not bring its task's files along`);
  // Only names of the registry: others are files, which a recording may not make a page ask for.
  return await createTask(taskId(header.task));
}
