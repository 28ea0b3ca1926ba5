// Presets of what learns from logged data of a leg: minutes of one core instead of the papers' million updates.
//
// One row for all methods, so that they can be compared: narrow networks and fast rates for 10,000 updates; a row
// of its own only for what takes a method's time: proposals, critics of an ensemble, perturbations, an autoencoder.

import type { Preset } from "./presets.ts";
import { forEach, leggedTasks } from "./presetTasks.ts";

const train = {
  numEnvs: 10,
  evalFreq: 2_500,
  evalEpisodes: 20,
  saveFreq: 10_000,
  logFreq: 500,
  recordEpisodes: 0,
} as const;

const small = {
  offlineUpdates: 10_000,
  actorHidden: [128, 128],
  criticHidden: [128, 128],
  batchSize: 128,
  actorLearningRate: 1e-3,
  criticLearningRate: 1e-3,
  tau: 0.01,
  utdRatio: 1 / 8,
} as const;

const ensemble = { numCritics: 5, alphaLearningRate: 1e-3 } as const;
const conservative = { numProposals: 4, actorLearningRate: 3e-4, alphaLearningRate: 3e-4 } as const;
const perturbed = { ...ensemble, numPerturbations: 2 } as const;

/** What a method has beside the row of all. */
const own: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  td3bc: {},
  awac: {},
  cql: conservative,
  calql: conservative,
  iql: { valueLearningRate: 1e-3 },
  rebrac: {},
  sacN: ensemble,
  edac: ensemble,
  spot: { vaeUpdates: 5_000, vaeHidden: 256 },
  famo2o: { valueLearningRate: 1e-3, balanceLearningRate: 1e-3 },
  famo2oCql: { ...conservative, balanceLearningRate: 3e-4 },
  ro2o: perturbed,
  uniO4: {
    prepareUpdates: 10_000,
    offlineUpdates: 2_000,
    actorLearningRate: 1e-3,
    valueLearningRate: 1e-3,
    improveLearningRate: 3e-4,
    modelHidden: [128, 128],
    horizon: 25,
    rolloutLength: 200,
    numEpochs: 10,
    numMinibatches: 16,
    onlineActorLearningRate: 1e-4,
    onlineValueLearningRate: 1e-3,
  },
};

/** Algorithm → task id → preset. */
export const offlinePresets: Readonly<Record<string, Readonly<Record<string, Preset>>>> =
  Object.fromEntries(
    Object.entries(own).map(([method, algo]) => [
      method,
      forEach(leggedTasks, { train, algo: { ...small, ...algo } }),
    ]),
  );
