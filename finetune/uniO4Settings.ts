// Settings of Uni-O4: all stages', the online one's too.

import { z } from "zod";
import { withDefault } from "../agents/offPolicy.ts";
import { onPolicySettings } from "../agents/onPolicy.ts";
import { dynamicsSettings } from "./dynamics.ts";
import { iqlSettings } from "./iql.ts";

const { greatestWeight: _, ...judgeSettings } = iqlSettings;
const { lambda, rolloutLength, numEpochs, numMinibatches, targetKl } = onPolicySettings;
const rate = (what: string, value: number) =>
  z.number().positive().max(1).default(value).describe(`step size of ${what}`);

/** Defaults are those of the authors' code. */
export const uniO4Settings = z.strictObject({
  ...judgeSettings,
  ...dynamicsSettings,
  batchSize: withDefault(judgeSettings.batchSize, 512),
  actorHidden: withDefault(judgeSettings.actorHidden, [256, 256, 256]),
  criticHidden: withDefault(judgeSettings.criticHidden, [512, 512, 512]),
  criticLearningRate: withDefault(judgeSettings.criticLearningRate, 1e-4),
  valueLearningRate: withDefault(judgeSettings.valueLearningRate, 1e-4),
  actorLearningRate: withDefault(judgeSettings.actorLearningRate, 1e-4).describe("the clones'"),
  adamEpsilon: withDefault(judgeSettings.adamEpsilon, 1e-5),
  maxGradNorm: withDefault(judgeSettings.maxGradNorm, 0.5),
  offlineUpdates: withDefault(judgeSettings.offlineUpdates, 10_000),
  prepareUpdates: z
    .int()
    .min(0)
    .max(1e12)
    .default(400_000)
    .describe("updates of values, critics, models and clones, before others"),
  judges: z
    .enum(["sarsa", "iql"])
    .default("sarsa")
    .describe("the data policy's values by returns and SARSA, or expectiles of them"),
  numPolicies: z.int().min(1).max(32).default(4).describe("members of the ensemble"),
  diversity: z.number().min(0).default(0.1).describe("α, worth of being likelier than the others"),
  rivals: z
    .enum(["still", "moving"])
    .default("still")
    .describe("whether the likeliest other member is pushed down for it; the code's are still"),
  improveLearningRate: rate("the improvement, which falls to 0", 1e-4),
  clipRange: z.number().positive().default(0.25).describe("how far a ratio may leave 1, at first"),
  advantageWeight: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.7)
    .describe("ω, weight of advantages above 0, 1 − ω of others; sarsa alone"),
  entropyCoef: z.number().min(0).default(0).describe("worth of a nat of entropy, offline"),
  reviewPeriod: z.int().min(1).max(1e6).default(100).describe("updates between reviews"),
  horizon: z.int().min(1).max(10_000).default(1000).describe("steps of the models in a review"),
  lambda,
  rolloutLength,
  numEpochs,
  numMinibatches,
  targetKl,
  onlineActorLearningRate: rate("the actor online", 3e-5),
  onlineValueLearningRate: rate("the value online", 2e-4),
  onlineClipRange: z.number().positive().default(0.05).describe("of ratios and values, online"),
  onlineEntropyCoef: z.number().min(0).default(0.01).describe("worth of a nat of entropy, online"),
});

export type UniO4Config = z.infer<typeof uniO4Settings>;
