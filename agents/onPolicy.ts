// Settings that every on-policy algorithm has, because the loop reads them.

import { z } from "zod";
import { chordSettings } from "./chord.ts";

/** To be spread into an algorithm's strict object; it may redefine a key with another default. */
export const onPolicySettings = {
  ...chordSettings,
  discount: z.number().min(0).max(1).default(0.99).describe("γ, worth of the next step's return"),
  lambda: z
    .number()
    .min(0)
    .max(1)
    .default(0.95)
    .describe("λ of the advantages: 0 trusts the critic, 1 the returns"),
  rolloutLength: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(128)
    .describe("control steps of every env in a rollout"),
  numEpochs: z.int().min(1).max(1000).default(10).describe("passes over a rollout"),
  numMinibatches: z
    .int()
    .min(1)
    .max(100_000)
    .default(32)
    .describe("updates in an epoch; their batches are equal shares of the rollout"),
  targetKl: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("updates on a rollout stop once the policy is this far from it, in nats; null never"),
  normalizer: z
    .enum(["none", "running"])
    .default("running")
    .describe("observations: as they are, or standardised by all so far"),
} as const;
