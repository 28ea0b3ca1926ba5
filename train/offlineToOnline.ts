// From logged data to steps of its own: the data's updates first (offline.ts), then act, step, store, update, each
// batch a mixture of both kinds of rows. One run, one directory; it can be resumed in either part.
//
// The online part is the off-policy loop's: while the physics does a step the learner does the updates that the
// last one is worth; or the on-policy loop's, where an algorithm has a successor of that family. Steps of the run are
// updates, then control steps.

import type {
  OfflineConfig,
  OffPolicyAlgorithm,
  OnPolicyAlgorithm,
  OnPolicyConfig,
} from "../agents/agent.ts";
import { type NormalizerState, normalizerFor } from "../agents/normalizer.ts";
import {
  batchWidths,
  NStepReturns,
  type PendingState,
  ReplayBuffer,
  type ReplayState,
  type Transitions,
} from "../agents/replay.ts";
import type { VecEnvStep } from "../sim/vecEnv.ts";
import { rewardScaleOf, seenReward } from "./dataRows.ts";
import { EpisodeRows, type OpenEpisodes } from "./episodeRows.ts";
import { Explorer, type ExplorerState } from "./explorer.ts";
import type { LearnerState } from "./learner.ts";
import { type DataRun, openDataRun, returnsToGoOf, stageEnds, trainOffline } from "./offline.ts";
import { mixed } from "./offPolicy.ts";
import {
  beginFrom,
  type OnPolicyState,
  openOnPolicy,
  restoreOnPolicy,
  stepOnPolicy,
} from "./onPolicy.ts";
import type { LoopView, Session } from "./session.ts";

interface LoopState {
  readonly learner: LearnerState;
  readonly normalizer: NormalizerState;
  readonly replay: ReplayState;
  readonly pending: PendingState | OpenEpisodes;
  readonly explorer: ExplorerState;
}

/** Trains until the session says that it is over; `saved` is what a session saved, or null. */
export async function trainFromData(
  session: Session,
  algorithm: OffPolicyAlgorithm,
  config: OfflineConfig,
  saved: unknown,
): Promise<void> {
  const loop = (await session.begin(saved)) as LoopState | OnPolicyState | null;
  const successor = algorithm.offline!.online;
  if (loop && successor && session.step >= stageEnds(algorithm, config).offline)
    return await goOn(session, [algorithm, config, successor], loop);
  await learnFromData(session, algorithm, config, loop as LoopState | null);
}

async function learnFromData(
  session: Session,
  algorithm: OffPolicyAlgorithm,
  config: OfflineConfig,
  loop: LoopState | null,
): Promise<void> {
  const run = await openDataRun(session, algorithm, config, session.step);
  const own = openOwn(session, run);
  const view: LoopView = {
    normalizer: run.normalizer,
    metrics: () => ({ ...run.learner.metrics, "train/n_updates": run.learner.numUpdates }),
    parameters: () => run.learner.parameters(),
    state: async (): Promise<LoopState> => ({
      learner: await run.learner.state(),
      normalizer: run.normalizer.state(),
      replay: own.replay.state(),
      pending: own.pending.state(),
      explorer: own.explorer.state(),
    }),
  };
  if (loop) {
    await run.learner.restore(loop.learner);
    run.normalizer.restore(loop.normalizer);
    own.replay.restore(loop.replay);
    own.pending.restore(loop.pending);
    own.explorer.restore(loop.explorer);
  }
  await trainOffline(session, run, view);
  const { online } = algorithm.offline!;
  const left = session.outcome === null && online ? await view.state() : null;
  if (session.outcome === null && !online) await trainOnline(session, run, own, view);
  await run.learner.dispose();
  if (left) await goOn(session, [algorithm, config, online!], left as LoopState);
}

/** The online part of an algorithm that another one goes on with: from the end of the data's part, or its own midst. */
async function goOn(
  session: Session,
  [algorithm, config, online]: readonly [OffPolicyAlgorithm, OfflineConfig, OnPolicyAlgorithm],
  loop: LoopState | OnPolicyState,
): Promise<void> {
  const { spec, settings, data } = session;
  const normalizer = normalizerFor(config.normalizer, spec);
  // Its settings are the algorithm's own; the normaliser is given.
  const run = await openOnPolicy(session, online, config as unknown as OnPolicyConfig, normalizer);
  if ("rollout" in loop) await restoreOnPolicy(run, loop);
  else {
    normalizer.restore(loop.normalizer);
    await beginFrom(run, online, loop.learner.agent);
  }
  const options = { ...config, rewardScale: rewardScaleOf(config, data) };
  const begin = stageEnds(algorithm, config).offline;
  const length = Math.max(1, settings.totalTimesteps - begin);
  const progress = () => Math.min(1, (session.step - begin) / length);
  await stepOnPolicy(session, run, progress, (reward) => seenReward(reward, options));
}

/** A run's own steps. */
interface Own {
  readonly replay: ReplayBuffer;
  readonly pending: Pending;
  readonly explorer: Explorer;
}

/** Steps on their way to becoming rows. */
interface Pending {
  add(step: Transitions & Pick<VecEnvStep, "finished">): void;
  state(): PendingState | OpenEpisodes;
  restore(state: PendingState | OpenEpisodes): void;
}

function openOwn({ spec, rng }: Session, run: DataRun): Own {
  const { algorithm, config } = run;
  const widths = batchWidths(spec.observationSize, spec.actionSize, algorithm.offline!.columns);
  const replay = new ReplayBuffer(config.bufferSize, widths);
  const explorer = new Explorer(spec, algorithm.explorationScale?.(config), rng.split("explore"));
  return { replay, explorer, pending: pendingOf(replay, spec.numEnvs, run) };
}

function pendingOf(replay: ReplayBuffer, numEnvs: number, run: DataRun): Pending {
  const { algorithm, config, options } = run;
  if (algorithm.offline!.columns?.includes("returnsToGo")) {
    const rows = new EpisodeRows(replay, numEnvs, options, returnsToGoOf(algorithm, config));
    return {
      add(step) {
        const successes: boolean[] = [];
        for (const { env, success } of step.finished) successes[env] = success;
        rows.add(step, successes);
      },
      state: () => rows.state(),
      restore: (state) => rows.restore(state as OpenEpisodes),
    };
  }
  const returns = new NStepReturns(replay, numEnvs, config);
  return {
    add: (step) =>
      returns.add({ ...step, rewards: step.rewards.map((r) => r * options.rewardScale) }),
    state: () => returns.state(),
    restore: (state) => returns.restore(state as PendingState),
  };
}

/** Acts, steps, stores and updates; batches mix the data's rows with the run's own. */
async function trainOnline(
  session: Session,
  run: DataRun,
  { replay, pending, explorer }: Own,
  view: LoopView,
): Promise<void> {
  const { env, settings } = session;
  const { algorithm, config, normalizer, rows, learner } = run;
  const begin = stageEnds(algorithm, config).offline;
  const sources = mixed(rows, replay, config.offlineShare);
  const observations = Float32Array.from(env.observations);
  const standardised = new Float32Array(observations.length);
  while (session.outcome === null) {
    normalizer.apply(observations, standardised);
    const actions = await learner.policy.act(standardised, explorer.noise());
    env.send(actions);
    const numSteps = Math.max(0, session.step - begin - config.learningStarts);
    const numDue = begin + Math.floor(config.utdRatio * numSteps) - learner.numUpdates;
    const progress = (session.step - begin) / Math.max(1, settings.totalTimesteps - begin);
    await learner.update(numDue, sources, normalizer, Math.min(1, progress));
    const out = await env.receive();
    pending.add({ ...out, observations, actions });
    normalizer.observe(observations);
    explorer.after(out);
    observations.set(out.observations);
    await session.after(out, view);
  }
}
