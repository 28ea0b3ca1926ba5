// The cloning loop: updates on rows of datasets. A step of such a run is an update.

import type { CloneAlgorithm, CloneConfig } from "../agents/agent.ts";
import { Normalizer, type NormalizerState } from "../agents/normalizer.ts";
import { ChunkRows } from "../finetune/chunkRows.ts";
import type { Dataset } from "../finetune/dataset.ts";
import { CloneLearner, type CloneLearnerState } from "./cloneLearner.ts";
import type { Session } from "./session.ts";

interface LoopState {
  readonly learner: CloneLearnerState;
  readonly normalizer: NormalizerState;
}

/** Trains until the session says that it is over; `saved` is what a session saved, or null. */
export async function trainClone(
  session: Session,
  algorithm: CloneAlgorithm,
  config: CloneConfig,
  saved: unknown,
): Promise<void> {
  const { spec, rng, settings, data } = session;
  const rows = new ChunkRows(data);
  const normalizer = new Normalizer(config.normalizer, spec.observationSize);
  const learner = await CloneLearner.create(algorithm, config, spec, rng, settings);
  const view = {
    normalizer,
    metrics: () => ({ ...learner.metrics, "train/n_updates": learner.numUpdates }),
    parameters: () => learner.parameters(),
    state: async (): Promise<LoopState> => ({
      learner: await learner.state(),
      normalizer: normalizer.state(),
    }),
  };
  const loop = (await session.begin(saved)) as LoopState | null;
  if (loop) {
    await learner.restore(loop.learner);
    normalizer.restore(loop.normalizer);
  } else observeAll(normalizer, data);
  while (session.outcome === null) {
    await learner.update(rows, normalizer, session.progress);
    await session.advance(learner.updatesPerCall, view);
  }
  await learner.dispose();
}

/** Counts every observation of the data. */
function observeAll(normalizer: Normalizer, data: readonly Dataset[]): void {
  for (const { observations, places } of data)
    normalizer.observe(observations.rows(0, places.at(-1)!.observation));
  normalizer.freeze();
}
