// The on-policy loop: act, step, keep, and once the rollout is full learn from it and forget it.

import {
  type AgentState,
  layoutOf,
  type OnPolicyAlgorithm,
  type OnPolicyConfig,
} from "../agents/agent.ts";
import { type Normalizer, type NormalizerState, normalizerFor } from "../agents/normalizer.ts";
import { Rollout, type RolloutState } from "../agents/rollout.ts";
import { OnPolicyLearner, type OnPolicyLearnerState } from "./onPolicyLearner.ts";
import type { LoopView, Session } from "./session.ts";

/** What a checkpoint holds of the loop. */
export interface OnPolicyState {
  readonly learner: OnPolicyLearnerState;
  readonly normalizer: NormalizerState;
  readonly rollout: RolloutState;
}

/** A loop that has been opened, and what it shows of itself. */
export interface OnPolicyRun {
  readonly learner: OnPolicyLearner;
  readonly normalizer: Normalizer;
  readonly rollout: Rollout;
  readonly view: LoopView;
}

/** Trains until the session says that it is over; `saved` is what a session saved, or null. */
export async function trainOnPolicy(
  session: Session,
  algorithm: OnPolicyAlgorithm,
  config: OnPolicyConfig,
  saved: unknown,
): Promise<void> {
  const { spec, predecessor } = session;
  const normalizer = normalizerFor(config.normalizer, spec);
  const run = await openOnPolicy(session, algorithm, config, normalizer);
  const loop = (await session.begin(saved)) as OnPolicyState | null;
  if (loop) await restoreOnPolicy(run, loop);
  else if (predecessor) {
    await beginFrom(run, algorithm, predecessor.policy);
    normalizer.restore(predecessor.normalizer);
  }
  await stepOnPolicy(session, run, () => session.progress);
}

export async function openOnPolicy(
  { spec, rng, settings, data }: Session,
  algorithm: OnPolicyAlgorithm,
  config: OnPolicyConfig,
  normalizer: Normalizer,
): Promise<OnPolicyRun> {
  const { stored } = layoutOf(algorithm, spec, config);
  const rollout = new Rollout({ ...config, ...spec, actionSize: stored });
  const learner = await OnPolicyLearner.create(algorithm, config, spec, rng, {
    ...settings,
    data,
    normalizer,
  });
  const view: LoopView = {
    normalizer,
    metrics: () => learner.metrics,
    parameters: () => learner.parameters(),
    state: async (): Promise<OnPolicyState> => ({
      learner: await learner.state(),
      normalizer: normalizer.state(),
      rollout: rollout.state(),
    }),
  };
  return { learner, normalizer, rollout, view };
}

export async function restoreOnPolicy(run: OnPolicyRun, state: OnPolicyState): Promise<void> {
  await run.learner.restore(state.learner);
  run.normalizer.restore(state.normalizer);
  run.rollout.restore(state.rollout);
}

/** Has a fresh run go on with what another algorithm learned. */
export async function beginFrom(
  { learner }: OnPolicyRun,
  algorithm: OnPolicyAlgorithm,
  learned: AgentState,
): Promise<void> {
  const fresh = await learner.state();
  await learner.restore({ ...fresh, agent: algorithm.continues!.begin(fresh.agent, learned) });
}

/** Acts, steps and learns until the session is over; `seen` is a reward as the critic counts it. */
export async function stepOnPolicy(
  session: Session,
  { learner, normalizer, rollout, view }: OnPolicyRun,
  progress: () => number,
  seen: (reward: number) => number = (reward) => reward,
): Promise<void> {
  const { env } = session;
  const raw = Float32Array.from(env.observations);
  const observations = new Float32Array(raw.length);
  const nextObservations = new Float32Array(raw.length);
  while (session.outcome === null) {
    normalizer.observe(raw);
    normalizer.apply(raw, observations);
    const sample = await learner.sample(observations);
    env.send(sample.actions);
    const out = await env.receive();
    normalizer.apply(out.nextObservations, nextObservations);
    const rewards = out.rewards.map(seen);
    rollout.add({ ...out, ...sample, rewards, observations, nextObservations });
    raw.set(out.observations);
    if (rollout.full) {
      await rollout.finish((each) => learner.valuesOf(each));
      await learner.update(rollout, progress());
      rollout.clear();
    }
    await session.after(out, view);
  }
  await learner.dispose();
}
