// The cloning loop: updates on rows of datasets. A step of such a run is an update.

import type { AgentState, CloneAlgorithm, CloneConfig } from "../agents/agent.ts";
import { Normalizer, type NormalizerState } from "../agents/normalizer.ts";
import type { Dataset } from "../finetune/dataset.ts";
import { CloneLearner, type CloneLearnerState } from "./cloneLearner.ts";
import { cloneRows } from "./cloneRows.ts";
import type { Session } from "./session.ts";
import { Validation } from "./validation.ts";

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
  const rows = cloneRows(data, config, rng.split("validation"));
  const normalizer = new Normalizer(config.normalizer, spec.observationSize);
  const learner = await CloneLearner.create(algorithm, config, spec, rng, settings);
  const first = await learner.parameters();
  const validation =
    rows.kept && (await Validation.create(algorithm, config, spec, first, rows.kept, settings));
  const view = {
    normalizer,
    metrics: () => ({ ...learner.metrics, "train/n_updates": learner.numUpdates }),
    parameters: () => learner.parameters(),
    judge: async (policy: AgentState) =>
      validation === null
        ? {}
        : { "eval/validation_loss": await validation.measure(policy, normalizer) },
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
    await learner.update(rows.trained, normalizer, session.progress);
    await session.advance(learner.updatesPerCall, view);
  }
  await validation?.dispose();
  await learner.dispose();
}

/** Counts every observation of the data, an episode at a time: there may be more than memory holds. */
function observeAll(normalizer: Normalizer, data: readonly Dataset[]): void {
  for (const { observations, episodes, places } of data)
    for (const [i, { length }] of episodes.entries())
      normalizer.observe(observations.rows(places[i]!.observation, length + 1));
  normalizer.freeze();
}
