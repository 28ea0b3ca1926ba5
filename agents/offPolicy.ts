// Settings that every off-policy algorithm has, because the loop reads them.

import { z } from "zod";

/** To be spread into an algorithm's strict object; it may redefine a key with another default. */
export const offPolicySettings = {
  discount: z.number().min(0).max(1).default(0.99).describe("γ, worth of the next step's return"),
  numStepReturns: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe("rewards summed before bootstrapping"),
  batchSize: z.int().min(1).max(1_000_000).default(256).describe("transitions in an update"),
  bufferSize: z.int().min(1).max(100_000_000).default(1_000_000).describe("transitions kept"),
  learningStarts: z
    .int()
    .min(0)
    .default(5_000)
    .describe("control steps of random actions before the first update"),
  utdRatio: z.number().positive().max(1000).default(1).describe("updates per control step"),
  actorPeriod: z.int().min(1).max(1000).default(1).describe("critic updates per actor update"),
  normalizer: z
    .enum(["none", "warmUp", "running"])
    .default("none")
    .describe("observations: as they are, standardised by the random steps', or by all so far"),
  timeOuts: z
    .enum(["bootstrap", "terminal"])
    .default("bootstrap")
    .describe("at a time limit: what would have followed counts, or nothing more is to be had"),
  rewardShift: z.number().default(0).describe("added to every reward; -1 makes haste worth it"),
  criticWarmUp: z
    .int()
    .min(0)
    .default(0)
    .describe("updates of the critics alone, at once when learning starts"),
  offlineShare: z
    .union([z.number().min(0).max(1), z.literal("bySize")])
    .default(0.5)
    .describe(
      "share of each batch from the run's data, if any (RLPD: half); bySize: as of all rows",
    ),
} as const;

/** The same setting with another default. */
export function withDefault<T extends z.ZodType>(
  setting: z.ZodDefault<T>,
  value: z.output<T>,
): z.ZodDefault<T> {
  const { description } = setting;
  const changed = setting.unwrap().default(value as never);
  return description === undefined ? changed : changed.describe(description);
}
