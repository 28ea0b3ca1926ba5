// Demonstrations as rows of replay: the second source of an off-policy run's batches (RLPD, arXiv:2302.02948).
//
// Where the run has a base policy, its actions are computed along each demonstration once, with its memory
// dropped at the beginning of each, so that a row is just like one of the run's own.

import type { EnvSpec } from "../agents/agent.ts";
import { batchWidths, NStepReturns, ReplayBuffer, type ReturnOptions } from "../agents/replay.ts";
import type { Dataset, Episode } from "../finetune/dataset.ts";
import { type BasePolicy, joinRows } from "./baseEnv.ts";

/** A fresh base policy for so many rows. */
export type OpenBase = (numRows: number) => Promise<BasePolicy>;

/** A buffer of all steps of the datasets; `onRows` sees the observations of each episode, [T + 1, O]. */
export async function offlineRows(
  datasets: readonly Dataset[],
  { observationSize, actionSize }: EnvSpec,
  options: ReturnOptions,
  openBase?: OpenBase,
  onRows: (observations: Float32Array) => void = () => {},
): Promise<ReplayBuffer> {
  const numRows = datasets.reduce((sum, { numSteps }) => sum + numSteps, 0);
  const buffer = new ReplayBuffer(Math.max(1, numRows), batchWidths(observationSize, actionSize));
  const returns = new NStepReturns(buffer, 1, options);
  const base = await openBase?.(1);
  for (const dataset of datasets) {
    for (let i = 0; i < dataset.episodes.length; i++) {
      const episode = dataset.episode(i);
      const observations = base ? await withBase(base, episode) : episode.observations;
      onRows(observations);
      addEpisode(returns, episode, observations, observationSize);
    }
  }
  await base?.dispose();
  return buffer;
}

/** Least and greatest of each element of the datasets' actions. */
export function actionRangeOf(datasets: readonly Dataset[]): NonNullable<EnvSpec["actionRange"]> {
  const size = datasets[0]!.info.actionSize;
  const low = new Array<number>(size).fill(Number.POSITIVE_INFINITY);
  const high = new Array<number>(size).fill(Number.NEGATIVE_INFINITY);
  for (const { actions, episodes, places } of datasets) {
    for (const [episode, { length }] of episodes.entries()) {
      for (const [i, action] of actions.rows(places[episode]!.step, length).entries()) {
        low[i % size] = Math.min(low[i % size]!, action);
        high[i % size] = Math.max(high[i % size]!, action);
      }
    }
  }
  return { low, high };
}

/** The episode's observations with what the base would do at each, [T + 1, O + A]. */
async function withBase(base: BasePolicy, { observations, info }: Episode): Promise<Float32Array> {
  const numRows = info.length + 1;
  const size = observations.length / numRows;
  const answers: Float32Array[] = [];
  for (let t = 0; t < numRows; t++) {
    const row = observations.subarray(t * size, (t + 1) * size);
    answers.push(await base.act(row, Uint8Array.of(t === 0 ? 1 : 0)));
  }
  const width = answers[0]!.length;
  const baseActions = new Float32Array(numRows * width);
  for (const [t, answer] of answers.entries()) baseActions.set(answer, t * width);
  const joined = new Float32Array(observations.length + baseActions.length);
  joinRows(observations, baseActions, numRows, joined);
  return joined;
}

function addEpisode(
  returns: NStepReturns,
  { actions, rewards, info }: Episode,
  observations: Float32Array,
  size: number,
): void {
  const { length, terminated, truncated } = info;
  const actionSize = actions.length / length;
  const flag = (on: boolean) => Uint8Array.of(on ? 1 : 0);
  const row = (t: number) => observations.subarray(t * size, (t + 1) * size);
  for (let t = 0; t < length; t++) {
    const last = t === length - 1;
    returns.add({
      observations: row(t),
      actions: actions.subarray(t * actionSize, (t + 1) * actionSize),
      rewards: rewards.subarray(t, t + 1),
      nextObservations: row(t + 1),
      terminated: flag(last && terminated),
      truncated: flag(last && truncated),
      broken: flag(false),
    });
  }
  if (!terminated && !truncated) returns.cut(0);
}
