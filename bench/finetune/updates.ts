// Updates of fine-tuning methods as their learners do them, on made-up rows.

import {
  layoutOf,
  type OffPolicyAlgorithm,
  type OffPolicyConfig,
  type OnPolicyAlgorithm,
  type OnPolicyConfig,
} from "../../agents/agent.ts";
import { Normalizer } from "../../agents/normalizer.ts";
import { batchWidths, ReplayBuffer } from "../../agents/replay.ts";
import { Rollout } from "../../agents/rollout.ts";
import { createRng } from "../../sim/rng.ts";
import { algorithmNamed } from "../../train/config.ts";
import { OffPolicyLearner } from "../../train/learner.ts";
import { OnPolicyLearner } from "../../train/onPolicyLearner.ts";
import { presets } from "../../train/presets.ts";
import { type Contender, repeatFor } from "../measure.ts";

const task = "lift-cube-v0";
const numRows = 20_000;
const updatesPerCall = 4;

/** The arm's sizes. */
export const plain = { observationSize: 40, actionSize: 8, numEnvs: 16 };

/** The same where the base's action is observed. */
export const correcting = { ...plain, observationSize: 48, observesBase: true };

/** Updates of an off-policy method with its preset, drawing the batches included. */
export async function offPolicyUpdates(name: string): Promise<Contender> {
  const algorithm = algorithmNamed(name) as OffPolicyAlgorithm;
  const config = algorithm.settings.parse(presets[name]?.[task]?.algo ?? {}) as OffPolicyConfig;
  const spec = algorithm.observesBase ? correcting : plain;
  const options = { threads: 1, device: "cpu", updatesPerCall } as const;
  const learner = await OffPolicyLearner.create(algorithm, config, spec, createRng(1), options);
  learner.numUpdates = config.criticWarmUp; // the updates after it
  const sources = [{ buffer: filled(spec), share: 1 }];
  const normalizer = new Normalizer("none", spec.observationSize);
  return {
    case: `${name} update, batch ${config.batchSize}`,
    name: `Salle, ${updatesPerCall} updates a call`,
    async sample(milliseconds) {
      const call = () => learner.update(updatesPerCall, sources, normalizer, 0);
      return (await repeatFor(milliseconds, call)).map((time) => time / updatesPerCall);
    },
    dispose: () => learner.dispose(),
  };
}

/** Updates on one rollout of an on-policy method with its preset, gathering the minibatches included. */
export async function onPolicyUpdates(name: string): Promise<Contender> {
  const algorithm = algorithmNamed(name) as OnPolicyAlgorithm;
  const chosen = { ...presets[name]?.[task]?.algo, targetKl: null };
  const config = algorithm.settings.parse(chosen) as OnPolicyConfig;
  const spec = algorithm.observesBase ? correcting : plain;
  const { stored } = layoutOf(algorithm, spec, config);
  const options = { threads: 1, device: "cpu", updatesPerCall: null } as const;
  const learner = await OnPolicyLearner.create(algorithm, config, spec, createRng(1), options);
  const rollout = new Rollout({ ...config, ...spec, actionSize: stored });
  await fill(rollout, learner, spec);
  const numUpdates = config.numEpochs * config.numMinibatches;
  const size = Math.ceil((config.rolloutLength * spec.numEnvs) / config.numMinibatches);
  return {
    case: `${name} update, minibatch ${size}`,
    name: "Salle, 1 update a call",
    async sample(milliseconds) {
      const call = () => learner.update(rollout, 0);
      return (await repeatFor(milliseconds, call, 1)).map((time) => time / numUpdates);
    },
    dispose: () => learner.dispose(),
  };
}

async function fill(rollout: Rollout, learner: OnPolicyLearner, spec: typeof plain): Promise<void> {
  const rng = createRng(2);
  const { numEnvs, observationSize } = spec;
  const floats = (size: number) => Float32Array.from({ length: size }, () => rng.normal());
  const none = new Uint8Array(numEnvs);
  while (!rollout.full) {
    const observations = floats(numEnvs * observationSize);
    rollout.add({
      ...(await learner.sample(observations)),
      observations,
      nextObservations: observations,
      rewards: floats(numEnvs),
      terminated: none,
      truncated: none,
      broken: none,
    });
  }
  await rollout.finish((rows) => learner.valuesOf(rows));
}

function filled({ observationSize, actionSize }: typeof plain): ReplayBuffer {
  const buffer = new ReplayBuffer(numRows, batchWidths(observationSize, actionSize));
  const rng = createRng(2);
  const floats = (width: number) =>
    Float32Array.from({ length: numRows * width }, () => 2 * rng.uniform() - 1);
  const columns = {
    observations: floats(observationSize),
    actions: floats(actionSize),
    rewards: floats(1),
    discounts: new Float32Array(numRows).fill(0.97),
    nextObservations: floats(observationSize),
  };
  buffer.restore({ columns, size: numRows, head: 0 });
  return buffer;
}
