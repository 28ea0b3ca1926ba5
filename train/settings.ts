// Settings of a training that are no algorithm's own.

import { z } from "zod";
import { curricula } from "../finetune/resetBank.ts";
import { deviceNames } from "../nn/compile.ts";
import type { Device } from "../nn/runtime.ts";
import { defaultBuild, physicsBuilds } from "../sim/rapier.ts";

const steps = z.int().min(1).max(1e12);

export const trainSettings = z.strictObject({
  seed: z.int().min(0).default(1).describe("of everything random; equal seeds give equal runs"),
  numEnvs: z.int().min(1).max(65_536).default(32).describe("environments stepped together"),
  numWorkers: z.int().min(1).max(1024).default(1).describe("threads of physics"),
  robotsPerWorld: z
    .int()
    .min(1)
    .max(65_536)
    .nullable()
    .default(null)
    .describe("robots that share a Rapier world; null: all of a thread's"),
  totalTimesteps: steps.default(1_000_000).describe("control steps of all environments"),
  logFreq: steps.default(5_000).describe("control steps between rows of metrics"),
  evalFreq: steps.default(25_000).describe("control steps between evaluations"),
  evalEpisodes: z.int().min(1).max(10_000).default(10).describe("episodes of an evaluation"),
  saveFreq: steps.default(100_000).describe("control steps between checkpoints"),
  keepCheckpoints: z.int().min(1).max(10_000).default(2).describe("newest kept, beside the best"),
  targetReturn: z
    .number()
    .nullable()
    .default(null)
    .describe("stop once an evaluation's mean return reaches it; null: never"),
  maxMinutes: z
    .number()
    .min(0)
    .nullable()
    .default(null)
    .describe("wall time after which training ends, on a machine's speed; null: no limit"),
  recordEpisodes: z
    .int()
    .min(0)
    .max(10_000)
    .default(1)
    .describe("episodes of each evaluation that are recorded, for the viewer"),
  resetShare: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("episodes that begin at a state of the data, falling to 0 in the last 30 % of a run"),
  resetCurriculum: z
    .enum(curricula)
    .default("uniform")
    .describe(
      "which states: any, those of 40 to 80 % of a demonstration, or where success is open",
    ),
  physics: z.enum(physicsBuilds).default(defaultBuild()).describe("Rapier's build"),
  device: z
    .string()
    .refine((name) => deviceNames.includes(name), `wants one of ${deviceNames.join(", ")}`)
    .transform((name) => name as Device)
    .default("cpu")
    .describe("where programs run; `salle doctor` says what works"),
  threads: z.int().min(1).max(256).default(1).describe("threads inside one operator"),
  updatesPerCall: z
    .int()
    .min(1)
    .max(1024)
    .nullable()
    .default(null)
    .describe("updates in one call of the compiled program; null: as many as a step is worth"),
});

export type TrainSettings = z.infer<typeof trainSettings>;
