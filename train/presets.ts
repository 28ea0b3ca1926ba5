// Presets: settings that are known to learn, by algorithm and task. What a row does not name is the default.

import type { AnyAlgorithm } from "../agents/agent.ts";
import { chunkPresets } from "./chunkPresets.ts";
import { clonePresets } from "./clonePresets.ts";
import { correctionPresets } from "./correctionPresets.ts";
import { offlinePresets } from "./offlinePresets.ts";
import type { TrainSettings } from "./settings.ts";

export interface Preset {
  readonly train?: Partial<TrainSettings>;
  readonly algo?: Readonly<Record<string, unknown>>;
}

/**
 * Observations mostly stay as the tasks scale them: random drives fling a robot about, and what is standardised by
 * that says little of a gait (docs/agents.md).
 */
const sacLocomotion = {
  actorHidden: [128, 128],
  criticHidden: [128, 128],
  batchSize: 256,
  discount: 0.99,
  actorLearningRate: 1e-3,
  criticLearningRate: 1e-3,
  alphaLearningRate: 1e-3,
  tau: 0.01,
  initialAlpha: 0.1,
  learningStarts: 4000,
  bufferSize: 1_000_000,
  actorHeadScale: 0.01,
  utdRatio: 1 / 16,
  finalLearningRateShare: 0.2,
} as const;

/** Two cores alone take two minutes for 500,000 steps of a hopper. */
const trainFor = (totalTimesteps: number) => ({ numEnvs: 32, totalTimesteps, evalFreq: 40_000 });
/** Three-step returns and the mean of two critics with layer norm. */
const planar = {
  ...sacLocomotion,
  numStepReturns: 3,
  criticLayerNorm: true,
  targetReduction: "mean",
  actorReduction: "mean",
} as const;

/** With three steps a hopper of three settled on 1.6 m/s, with five one of five on 1.8; a walker wants three. */
const hopper = { ...planar, numStepReturns: 5 } as const;

/**
 * One-step returns, the lesser of two critics, more updates and a slower actor: the slower actor alone gave
 * the ant 0.3 m/s; a humanoid walks with it.
 */
const steady = {
  ...sacLocomotion,
  actorLearningRate: 3e-4,
  tau: 0.005,
  utdRatio: 1 / 8,
  mirrorImages: true,
} as const;
/** Without it a humanoid's starts fell three times as often; the quadruped has not been tried without. */
const standardised = { normalizer: "warmUp" } as const;
const humanoid = { ...steady, ...standardised } as const;
const onQuadruped = (algo: Preset["algo"]): Preset => ({
  train: trainFor(1_200_000),
  algo: { ...algo, ...standardised },
});

/** What the others learn an ant or a quadruped with: networks and data of `sac`, their own ways. */
const legged = {
  actorHidden: [128, 128],
  criticHidden: [128, 128],
  discount: 0.99,
  actorLearningRate: 3e-4,
  criticLearningRate: 1e-3,
  learningStarts: 4000,
  bufferSize: 1_000_000,
  utdRatio: 1 / 8,
  finalLearningRateShare: 0.2,
} as const;
const histogram = { numAtoms: 51, valueLow: -10, valueHigh: 100, weightDecay: 1e-3, tau: 0.01 };
const td3Legged = { ...legged, batchSize: 256, tau: 0.005 } as const;
const fastTd3Legged = { ...legged, ...histogram, batchSize: 256, numStepReturns: 3 } as const;
const fastSacLegged = {
  ...legged,
  ...histogram,
  batchSize: 128, // and as many mirror images
  alphaLearningRate: 1e-3,
  initialAlpha: 0.01,
  targetEntropyScale: 0.5,
} as const;
const ppoLegged = { hidden: [128, 128], learningRate: 1e-3, numMinibatches: 8 } as const;

const swingupTrain = (totalTimesteps: number) => ({
  numEnvs: 16,
  totalTimesteps,
  evalFreq: 10_000,
});
const swingup = {
  actorHidden: [64, 64],
  criticHidden: [64, 64],
  batchSize: 256,
  learningStarts: 2000,
  utdRatio: 1 / 8,
  numStepReturns: 3,
  actorLearningRate: 1e-3,
  criticLearningRate: 1e-3,
  tau: 0.01,
} as const;
const sacSwingup = { ...swingup, alphaLearningRate: 1e-3, initialAlpha: 0.1 } as const;
const fastSacSwingup = { ...swingup, alphaLearningRate: 1e-3, targetEntropyScale: 0.5 } as const;

/** What a family's runs begin with on any task: a cloning run's steps are updates, and it steps no envs. */
export const familyPresets: Readonly<Record<AnyAlgorithm["family"], Preset["train"]>> = {
  offPolicy: {},
  onPolicy: {},
  clone: {
    totalTimesteps: 20_000,
    logFreq: 500,
    evalFreq: 5_000,
    saveFreq: 10_000,
    numEnvs: 1,
  },
};

/** Algorithm → task id → preset. */
export const presets: Readonly<Record<string, Readonly<Record<string, Preset>>>> = {
  ...clonePresets,
  ...chunkPresets,
  ...correctionPresets,
  ...offlinePresets,
  sac: {
    "pendulum-swingup-v0": { train: swingupTrain(100_000), algo: sacSwingup },
    "cartpole-swingup-v0": { train: swingupTrain(100_000), algo: sacSwingup },
    "hopper-hop-v0": { train: trainFor(560_000), algo: hopper },
    "walker2d-walk-v0": { train: trainFor(400_000), algo: planar },
    "walker2d-run-v0": { train: trainFor(800_000), algo: planar },
    "halfcheetah-run-v0": {
      train: trainFor(240_000),
      algo: { ...sacLocomotion, numStepReturns: 3 },
    },
    "ant-run-v0": { train: trainFor(400_000), algo: steady },
    "quadruped-walk-v0": onQuadruped({ ...planar, mirrorImages: true }),
    "humanoid-stand-v0": { train: trainFor(500_000), algo: humanoid },
    "humanoid-walk-v0": { train: trainFor(1_000_000), algo: humanoid },
  },
  td3: {
    // With the paper's 0.1 the actor saturates at full torque, and the pendulum spins for long.
    "pendulum-swingup-v0": {
      train: swingupTrain(200_000),
      algo: { ...swingup, explorationNoise: 0.6 },
    },
    "cartpole-swingup-v0": { train: swingupTrain(200_000), algo: swingup },
    "ant-run-v0": { train: trainFor(360_000), algo: td3Legged },
    "quadruped-walk-v0": onQuadruped(td3Legged),
  },
  fastTd3: {
    "ant-run-v0": { train: trainFor(360_000), algo: fastTd3Legged },
    "quadruped-walk-v0": onQuadruped(fastTd3Legged),
  },
  fastSac: {
    "pendulum-swingup-v0": { train: swingupTrain(200_000), algo: fastSacSwingup },
    "cartpole-swingup-v0": { train: swingupTrain(200_000), algo: fastSacSwingup },
    "ant-run-v0": { train: trainFor(360_000), algo: fastSacLegged },
    "quadruped-walk-v0": onQuadruped(fastSacLegged),
  },
  ppo: {
    "pendulum-swingup-v0": {
      train: swingupTrain(450_000),
      algo: { learningRate: 1e-3, numMinibatches: 8, discount: 0.98 },
    },
    "cartpole-swingup-v0": {
      train: swingupTrain(300_000),
      algo: { learningRate: 1e-3, numMinibatches: 8 },
    },
    "ant-run-v0": { train: trainFor(1_000_000), algo: ppoLegged },
    "quadruped-walk-v0": { train: trainFor(1_200_000), algo: ppoLegged },
  },
};
