// Settings of every algorithm that learns from logged data first, because its loop reads them.

import { z } from "zod";
import { offPolicySettings, withDefault } from "../agents/offPolicy.ts";
import { smoothingSettings } from "../agents/td3.ts";

/** To be spread into an algorithm's strict object; it may redefine a key with another default. */
export const offlineSettings = {
  ...offPolicySettings,
  offlineUpdates: z
    .int()
    .min(0)
    .max(1e12)
    .default(1_000_000)
    .describe("updates on the data alone, before the first control step"),
  learningStarts: withDefault(offPolicySettings.learningStarts, 0).describe(
    "control steps online before the first update there",
  ),
  normalizer: withDefault(offPolicySettings.normalizer, "warmUp").describe(
    "observations: as they are, standardised by the data's (warmUp), or by all so far",
  ),
  offlineShare: withDefault(offPolicySettings.offlineShare, "bySize"),
  episodeShare: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe(
      "share of the data's episodes that is learned from, the best by return; 10 % BC: 0.1",
    ),
  rewardScale: z
    .union([z.number().positive(), z.literal("returnRange")])
    .default(1)
    .describe("factor on rewards; returnRange: 1000 over the span of the data's returns"),
} as const;

/** Of those among them that are a TD3: its noise on actions, which is for the steps online. */
export const onlineTd3Settings = {
  explorationNoise: z.number().min(0).default(0.1).describe("std of the noise on actions, online"),
  ...smoothingSettings,
} as const;
