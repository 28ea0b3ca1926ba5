// The off-policy loop: act, step, store, update; the same for every algorithm that learns from replay.
//
// While the physics does a step the learner does the updates that the last one is worth: they overlap,
// and what each of them sees is fixed, so that equal seeds give equal runs whatever the timing.

import type { OffPolicyAlgorithm, OffPolicyConfig } from "../agents/agent.ts";
import { type NormalizerState, normalizerFor } from "../agents/normalizer.ts";
import {
  batchWidths,
  NStepReturns,
  type PendingState,
  ReplayBuffer,
  type ReplayState,
  type Rows,
  type Source,
} from "../agents/replay.ts";
import { Explorer, type ExplorerState } from "./explorer.ts";
import { type LearnerState, OffPolicyLearner } from "./learner.ts";
import { offlineRows } from "./offlineRows.ts";
import type { Session } from "./session.ts";

interface LoopState {
  readonly learner: LearnerState;
  readonly normalizer: NormalizerState;
  readonly replay: ReplayState;
  readonly pending: PendingState;
  readonly explorer: ExplorerState;
}

/** Trains until the session says that it is over; `saved` is what a session saved, or null. */
export async function trainOffPolicy(
  session: Session,
  algorithm: OffPolicyAlgorithm,
  config: OffPolicyConfig,
  saved: unknown,
): Promise<void> {
  const { env, spec, rng, settings, data, openBase } = session;
  const widths = batchWidths(spec.observationSize, spec.actionSize);
  const replay = new ReplayBuffer(config.bufferSize, widths);
  const returns = new NStepReturns(replay, spec.numEnvs, config);
  const normalizer = normalizerFor(config.normalizer, spec);
  const explorer = new Explorer(spec, algorithm.explorationScale?.(config), rng.split("explore"));
  const learner = await OffPolicyLearner.create(algorithm, config, spec, rng, settings);
  const sources: Source[] = [{ buffer: replay, share: 1 }];
  if (data.length > 0) {
    const observe = (observations: Float32Array) => normalizer.observe(observations);
    const demonstrations = await offlineRows(data, spec, config, openBase, observe);
    sources.splice(0, 1, ...mixed(demonstrations, replay, config.offlineShare));
  }
  const view = {
    normalizer,
    metrics: () => ({ ...learner.metrics, "train/n_updates": learner.numUpdates }),
    parameters: () => learner.parameters(),
    state: async (): Promise<LoopState> => ({
      learner: await learner.state(),
      normalizer: normalizer.state(),
      replay: replay.state(),
      pending: returns.state(),
      explorer: explorer.state(),
    }),
  };
  const warmUp = (raw: Float32Array): Float32Array => {
    const draws = explorer.randomActions();
    return algorithm.warmUpActions?.(raw, draws, spec, config) ?? draws;
  };
  const loop = (await session.begin(saved)) as LoopState | null;
  if (loop) {
    await learner.restore(loop.learner);
    normalizer.restore(loop.normalizer);
    replay.restore(loop.replay);
    returns.restore(loop.pending);
    explorer.restore(loop.explorer);
  }
  const observations = Float32Array.from(env.observations);
  const standardised = new Float32Array(observations.length);

  /** The critics' updates before all others, in pieces: they are many, and somebody may want to stop. */
  const criticsAreWarm = async (): Promise<boolean> => {
    while (learner.numUpdates < config.criticWarmUp) {
      const numDue = Math.min(warmUpPiece, config.criticWarmUp - learner.numUpdates);
      await learner.update(numDue, sources, normalizer, session.progress);
      if (!(await session.goesOn(view))) return false;
    }
    return true;
  };

  while (session.outcome === null) {
    const random = session.step < config.learningStarts;
    if (!random) normalizer.freeze();
    if (!random && !(await criticsAreWarm())) break;
    normalizer.apply(observations, standardised);
    const actions = random
      ? warmUp(observations)
      : await learner.policy.act(standardised, explorer.noise());
    const share = random ? 1 : (algorithm.policyShare?.(config, session.step) ?? 1);
    if (share < 1) replaceRows(actions, warmUp(observations), explorer.choices(share));
    env.send(actions);
    const numSteps = session.step - config.learningStarts;
    const numWanted = config.criticWarmUp + Math.floor(config.utdRatio * numSteps);
    const numDue = random ? 0 : numWanted - learner.numUpdates;
    await learner.update(numDue, sources, normalizer, session.progress);
    const out = await env.receive();
    returns.add({ ...out, observations, actions });
    normalizer.observe(observations);
    explorer.after(out);
    observations.set(out.observations);
    await session.after(out, view);
  }
  await learner.dispose();
}

const warmUpPiece = 500; // updates: a few seconds

/** The run's data, of which each batch has that share, and its own rows. */
export function mixed(data: Rows, own: Rows, share: OffPolicyConfig["offlineShare"]): Source[] {
  const rest = share === "bySize" ? share : 1 - share;
  return [
    { buffer: data, share },
    { buffer: own, share: rest },
  ];
}

/** Overwrites the rows whose flag is 0. */
function replaceRows(actions: Float32Array, others: Float32Array, kept: Uint8Array): void {
  const width = actions.length / kept.length;
  for (const [row, keep] of kept.entries())
    if (!keep) actions.set(others.subarray(row * width, (row + 1) * width), row * width);
}
