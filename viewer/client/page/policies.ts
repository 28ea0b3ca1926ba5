// Policies: which checkpoints of which runs may act in a fork of the episode that is open.

import type { Episode } from "./episode.ts";
import type { RunSummary } from "./host.ts";

/** A checkpoint's policy, and what the page calls it. */
export interface PolicyChoice {
  readonly run: string;
  readonly step: number;
  /** The run, told from the others that are offered. */
  readonly who: string;
  readonly label: string;
}

const mostPerRun = 12; // the newest checkpoints of a run

interface Open {
  readonly runs: readonly RunSummary[];
  readonly episode: Pick<Episode, "facts"> | null;
  readonly address: { readonly run: string | null };
}

/** Those of the open run first, then of others of its task, then of tasks with the same robot and sizes. */
export function policiesFor({ runs, episode, address }: Open): PolicyChoice[] {
  const { facts } = episode ?? {};
  if (!facts) return [];
  const rank = ({ id, task }: RunSummary): number => {
    if (id === address.run) return 0;
    if (task === facts.task || (task !== null && task === facts.source)) return 1;
    return task !== null && familyOf(task) === familyOf(facts.task) ? 2 : 3;
  };
  const fitting = runs.filter((run) => rank(run) < 3 && run.checkpoints.length > 0);
  const ordered = fitting.sort((a, b) => rank(a) - rank(b));
  return ordered.flatMap((run) => {
    const others = ordered.filter((other) => other !== run && shortName(other) === shortName(run));
    const short = others.length > 0 ? run.name : shortName(run);
    const who = rank(run) === 2 ? `${short} of ${run.task}` : short;
    const newest = run.checkpoints.slice(-mostPerRun).reverse();
    return newest.map((step) => ({ run: run.id, step, who, label: `${who}, step ${step}` }));
  });
}

/** "reacher" of "reacher-hard-v0": the tasks of the registry that begin alike have one robot, and equal sizes. */
function familyOf(task: string): string {
  return task.replace(/-.*$/, "");
}

function shortName({ name, algorithm, seed }: RunSummary): string {
  if (algorithm === null) return name;
  return `${algorithm}${seed === null ? "" : ` seed ${seed}`}`;
}

/** Whether two choices are the same policy. */
export function samePolicy(a: PolicyChoice | null, b: PolicyChoice | null): boolean {
  return a?.run === b?.run && a?.step === b?.step;
}
