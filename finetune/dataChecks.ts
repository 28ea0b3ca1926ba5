// What makes a dataset no use to learn from, found before a run begins, with the place where it is.

import type { Dataset } from "./dataset.ts";

/** Throws where a row has other numbers of numbers than the task has now. */
export function checkSizes(
  { path, info }: Dataset,
  task: { readonly observationSize: number; readonly actionSize: number },
): void {
  for (const key of ["observationSize", "actionSize"] as const)
    if (info[key] !== task[key])
      throw new Error(`the dataset ${path} has ${key} ${info[key]}, the task ${task[key]}`);
}

/** Throws where an observation or an action is no number, naming file, episode and row of it. */
export function checkFinite(dataset: Dataset): void {
  const { episodes, places, observations, actions } = dataset;
  for (const [episode, { length }] of episodes.entries()) {
    const { step, observation } = places[episode]!;
    const columns = [
      [observations, observation, length + 1],
      [actions, step, length],
    ] as const;
    for (const [column, first, numRows] of columns) {
      const at = column.rows(first, numRows).findIndex((x) => !Number.isFinite(x));
      if (at < 0) continue;
      const row = Math.floor(at / column.width);
      throw new Error(
        `${column.path}: row ${first + row}, row ${row} of episode ${episode}, is not finite in element ${at % column.width}; leave that episode out: salle data filter`,
      );
    }
  }
}

/** Throws where no episode has as many steps as a chunk. */
export function checkLengths(datasets: readonly Dataset[], chunkLength: number): void {
  const longest = datasets.flatMap(({ episodes }) => episodes.map(({ length }) => length));
  const most = longest.reduce((max, length) => Math.max(max, length), 0);
  if (most < chunkLength)
    throw new Error(
      `chunkLength ${chunkLength} is longer than every episode of the data, of which the longest has ${most} steps`,
    );
}
