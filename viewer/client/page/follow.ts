// Follow: where the newest episode of a run was open, a newer one comes next.

import type { EpisodeFile, RunSummary } from "./host.ts";

interface Newest {
  readonly run: RunSummary;
  readonly file: EpisodeFile;
}

/** The newest episode of the run with this name; null where there is none yet. */
export function newestEpisode(runs: readonly RunSummary[], name = ""): Newest | null {
  const run = runs.find((each) => each.name === name);
  const file = run?.episodes.at(-1);
  return run && file ? { run, file } : null;
}

/** The newest episode, if the open one was the newest of `numFiles` when it was opened; else null. */
export function newerEpisode(
  runs: readonly RunSummary[],
  open: { readonly run: string | null; readonly episode: string | null },
  numFiles: number,
): Newest | null {
  const run = runs.find(({ id }) => id === open.run);
  const file = run?.episodes.at(-1);
  if (!run || !file || run.episodes.length <= numFiles) return null;
  return run.episodes[numFiles - 1]?.name === open.episode ? { run, file } : null;
}
