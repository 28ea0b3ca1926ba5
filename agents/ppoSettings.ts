// Settings of PPO. Defaults are those of CleanRL's ppo_continuous_action; where Stable-Baselines3 differs, the setting
// says so.

import { z } from "zod";
import { onPolicySettings } from "./onPolicy.ts";

/** Defaults are CleanRL's. */
export const ppoSettings = z.strictObject({
  ...onPolicySettings,
  hidden: z
    .array(z.int().min(1).max(8192))
    .default([64, 64])
    .describe("widths of the hidden layers of actor and critic"),
  activation: z
    .enum(["tanh", "relu", "silu", "elu", "gelu", "mish"])
    .default("tanh")
    .describe("of all hidden layers"),
  initialLogStd: z.number().min(-5).max(2).default(0).describe("log standard deviation at first"),
  learnStd: z.boolean().default(true).describe("else the one number an action stays as it is"),
  stateDependentStd: z
    .boolean()
    .default(false)
    .describe("the actor also says how far to explore; else one learned number an action"),
  learningRate: z.number().positive().max(1).default(3e-4).describe("Adam's, of all networks"),
  learningRateSchedule: z
    .enum(["constant", "linear", "adaptive"])
    .default("linear")
    .describe("as it is (SB3), falling to 0 over the run (CleanRL), or by the divergence"),
  desiredKl: z
    .number()
    .positive()
    .default(0.01)
    .describe("nats that the adaptive learning rate aims at"),
  clipRange: z.number().positive().default(0.2).describe("ε, how far a ratio may leave 1"),
  valueClipRange: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      "how far a value may move on one rollout, standardised (CleanRL 0.2); null (SB3) ever",
    ),
  normalizeAdvantages: z.boolean().default(true).describe("standardise them in each minibatch"),
  normalizeReturns: z.boolean().default(true).describe("the critic learns standardised returns"),
  valueCoef: z.number().min(0).default(0.5).describe("weight of the critic's loss"),
  entropyCoef: z.number().min(0).default(0).describe("worth of a nat of entropy"),
  meanBoundCoef: z
    .number()
    .min(0)
    .default(0)
    .describe("charge for means beyond ±1.1, where clipped actions feel no gradient (rl_games)"),
  maxGradNorm: z
    .number()
    .positive()
    .nullable()
    .default(0.5)
    .describe("clips the joint norm of all gradients; null never does"),
});
