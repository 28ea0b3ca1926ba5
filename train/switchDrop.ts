// What a run lost when it went from logged data to steps of its own, by its evaluations.

import type { OfflineConfig } from "../agents/agent.ts";
import { algorithmNamed } from "./config.ts";
import { stageEnds } from "./offline.ts";
import { readRunConfig } from "./policy.ts";
import { readEvaluations } from "./run.ts";

/** Mean returns of evaluations. */
export interface SwitchDrop {
  /** After the last update on the data alone. */
  readonly offlineEnd: number;
  /** The least one online, and when it was. */
  readonly worst: number;
  readonly worstStep: number;
  readonly final: number;
}

/** Null where the run has no two such parts, or is not that far yet. */
export function switchDropOf(folder: string): SwitchDrop | null {
  const { algorithm: name, algo } = readRunConfig(folder);
  const algorithm = algorithmNamed(name);
  if (algorithm.family !== "offPolicy" || algorithm.offline === undefined) return null;
  const { offline } = stageEnds(algorithm, algo as unknown as OfflineConfig);
  const judged = readEvaluations(folder)
    .filter(({ step }) => step >= offline)
    .map(({ step, returns }) => ({ step, value: mean(returns as number[]) }));
  const [first, ...online] = judged;
  if (first === undefined || online.length === 0) return null;
  const worst = online.reduce((a, b) => (b.value < a.value ? b : a));
  return {
    offlineEnd: first.value,
    worst: worst.value,
    worstStep: worst.step,
    final: online.at(-1)!.value,
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
