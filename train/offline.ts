// The loop on logged data: updates, and nothing else, until the data's part of the run is over.
//
// Its steps are updates. First the stage "prepare", where an algorithm has one, then "offline"; each compiles its
// own programs. train/offlineToOnline.ts goes on from there.

import type { EnvSpec, OfflineConfig, OffPolicyAlgorithm, Stage } from "../agents/agent.ts";
import { type Normalizer, normalizerFor } from "../agents/normalizer.ts";
import type { Dataset } from "../finetune/dataset.ts";
import {
  checkWidths,
  DataRows,
  discountedSums,
  type ReturnsToGo,
  type RowOptions,
  rewardScaleOf,
} from "./dataRows.ts";
import { OffPolicyLearner } from "./learner.ts";

import type { LoopView, Session } from "./session.ts";

/** A run on data: what it learns from, and the learner of its present stage. */
export interface DataRun {
  readonly algorithm: OffPolicyAlgorithm;
  readonly config: OfflineConfig;
  readonly options: RowOptions;
  readonly rows: DataRows;
  readonly normalizer: Normalizer;
  learner: OffPolicyLearner;
}

/** The steps at which a run's stages end; the last one ends with the run. */
export function stageEnds(
  algorithm: OffPolicyAlgorithm,
  config: OfflineConfig,
): { readonly prepare: number; readonly offline: number } {
  const prepare = algorithm.offline?.prepareUpdates?.(config) ?? 0;
  return { prepare, offline: prepare + config.offlineUpdates };
}

export function stageAt(step: number, algorithm: OffPolicyAlgorithm, config: OfflineConfig): Stage {
  const ends = stageEnds(algorithm, config);
  if (step < ends.prepare) return "prepare";
  return step < ends.offline ? "offline" : "online";
}

/** Throws where data lack what an algorithm needs of them. */
export function checkForOffline(
  algorithm: OffPolicyAlgorithm,
  config: OfflineConfig,
  datasets: readonly Dataset[],
  sizes: Pick<EnvSpec, "observationSize" | "actionSize">,
): void {
  if (datasets.length === 0)
    throw new Error(`"${algorithm.name}" learns from data; name a dataset`);
  checkWidths(datasets, sizes);
  const numSteps = datasets.reduce((sum, dataset) => sum + dataset.numSteps, 0);
  if (numSteps === 0) throw new Error("the data have no steps to learn from");
  rewardScaleOf(config, datasets);
}

/** Reads the data, which must have what the algorithm needs, and compiles the stage of a step. */
export async function openDataRun(
  session: Session,
  algorithm: OffPolicyAlgorithm,
  config: OfflineConfig,
  step: number,
): Promise<DataRun> {
  const { data, spec } = session;
  checkForOffline(algorithm, config, data, spec);
  const options = { ...config, rewardScale: rewardScaleOf(config, data) };
  const { columns = [] } = algorithm.offline!;
  const rows = new DataRows(data, options, columns, returnsToGoOf(algorithm, config));
  const normalizer = normalizerFor(config.normalizer, spec);
  rows.observe((observations) => normalizer.observe(observations));
  normalizer.freeze();
  const learner = await createLearner(session, algorithm, config, step);
  return { algorithm, config, options, rows, normalizer, learner };
}

/** What an algorithm holds the rewards to an episode's end for. */
export function returnsToGoOf(algorithm: OffPolicyAlgorithm, config: OfflineConfig): ReturnsToGo {
  const own = algorithm.offline?.returnsToGo;
  return own
    ? (rewards, end) => own(rewards, end, config)
    : (rewards) => discountedSums(rewards, config.discount);
}

/** Updates until the stages on the data alone are over, or the session says that the run is. */
export async function trainOffline(session: Session, run: DataRun, view: LoopView): Promise<void> {
  const { algorithm, config, rows, normalizer } = run;
  const ends = stageEnds(algorithm, config);
  const sources = [{ buffer: rows, share: 1 }];
  for (const stage of ["prepare", "offline"] as const) {
    const start = stage === "prepare" ? 0 : ends.prepare;
    const end = ends[stage];
    while (session.outcome === null && session.step < end) {
      const { numUpdates } = run.learner;
      const count = Math.min(updatesAtOnce, end - session.step);
      const progress = (session.step - start) / (end - start);
      await run.learner.update(count, sources, normalizer, progress);
      const done = run.learner.numUpdates - numUpdates;
      const isOver = session.step + done >= end;
      const isLast = stage === "offline" && algorithm.offline!.online !== undefined;
      if (isOver && !isLast) await changeStage(session, run, session.step + done);
      await session.advance(done, view, isOver);
    }
  }
}

/** The learner goes on as it is, with the programs of the stage of another step. */
async function changeStage(session: Session, run: DataRun, step: number): Promise<void> {
  const { metrics } = run.learner;
  const state = await run.learner.state();
  await run.learner.dispose();
  run.learner = await createLearner(session, run.algorithm, run.config, step);
  await run.learner.restore(state);
  run.learner.metrics = metrics;
}

const updatesAtOnce = 20;

function createLearner(
  { spec, rng, settings }: Session,
  algorithm: OffPolicyAlgorithm,
  config: OfflineConfig,
  step: number,
): Promise<OffPolicyLearner> {
  const stage = stageAt(step, algorithm, config);
  return OffPolicyLearner.create(algorithm, config, spec, rng, { ...settings, stage });
}
