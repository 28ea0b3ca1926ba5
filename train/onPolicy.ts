// The on-policy loop: act, step, keep, and once the rollout is full learn from it and forget it.

import { layoutOf, type OnPolicyAlgorithm, type OnPolicyConfig } from "../agents/agent.ts";
import { type NormalizerState, normalizerFor } from "../agents/normalizer.ts";
import { Rollout, type RolloutState } from "../agents/rollout.ts";
import { OnPolicyLearner, type OnPolicyLearnerState } from "./onPolicyLearner.ts";
import type { Session } from "./session.ts";

interface LoopState {
  readonly learner: OnPolicyLearnerState;
  readonly normalizer: NormalizerState;
  readonly rollout: RolloutState;
}

/** Trains until the session says that it is over; `saved` is what a session saved, or null. */
export async function trainOnPolicy(
  session: Session,
  algorithm: OnPolicyAlgorithm,
  config: OnPolicyConfig,
  saved: unknown,
): Promise<void> {
  const { env, spec, rng, settings, predecessor } = session;
  const normalizer = normalizerFor(config.normalizer, spec);
  const { stored } = layoutOf(algorithm, spec, config);
  const rollout = new Rollout({ ...config, ...spec, actionSize: stored });
  const learner = await OnPolicyLearner.create(algorithm, config, spec, rng, settings);
  const view = {
    normalizer,
    metrics: () => learner.metrics,
    parameters: () => learner.parameters(),
    state: async (): Promise<LoopState> => ({
      learner: await learner.state(),
      normalizer: normalizer.state(),
      rollout: rollout.state(),
    }),
  };
  const loop = (await session.begin(saved)) as LoopState | null;
  if (loop) {
    await learner.restore(loop.learner);
    normalizer.restore(loop.normalizer);
    rollout.restore(loop.rollout);
  } else if (predecessor) {
    const fresh = await learner.state();
    const agent = algorithm.continues!.begin(fresh.agent, predecessor.policy);
    await learner.restore({ ...fresh, agent });
    normalizer.restore(predecessor.normalizer);
  }
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
    rollout.add({ ...out, ...sample, observations, nextObservations });
    raw.set(out.observations);
    if (rollout.full) {
      await rollout.finish((each) => learner.valuesOf(each));
      await learner.update(rollout, session.progress);
      rollout.clear();
    }
    await session.after(out, view);
  }
  await learner.dispose();
}
