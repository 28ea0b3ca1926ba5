// The task that a recording names.

import type { Recording } from "../sim/recording.ts";
import { isFileName } from "../tasks/files.ts";

/** An id, or the robot's or task's file that was its source. */
export function recordedTask({ header: { task, parameters } }: Recording): string {
  const { source } = parameters;
  const name = typeof source === "string" ? source : task;
  // A recording may come from a stranger: what it names is read, never run.
  if (isFileName(name) && !/^file:.*\.(xml|urdf|json)$/i.test(name))
    throw new Error(`its task is made by "${name}"; if you trust that, say --task "${name}"`);
  return name;
}
