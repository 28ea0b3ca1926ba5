// Small cases for the tests of soft actor-critic.

import type { EnvSpec } from "../../agents/agent.ts";
import { type SacConfig, sac } from "../../agents/sac.ts";

/** One action, two observations. */
export const tiny: EnvSpec = { observationSize: 2, actionSize: 1, numEnvs: 1 };
const hidden = { actorHidden: [32, 32], criticHidden: [32, 32] };
/** Settings with small networks. */
export const configure = (overrides: Record<string, unknown>): SacConfig =>
  sac.settings.parse({ ...hidden, batchSize: 64, ...overrides });

export type Rows = { observation: number[]; reward: number; discount: number; next: number[] }[];

/** A batch that goes through the rows in turn, with actions all over [−1, 1]. */
export function batchOf(rows: Rows, batchSize: number) {
  const at = (i: number) => rows[i % rows.length]!;
  const indices = Array.from({ length: batchSize }, (_, i) => i);
  const place = (i: number) => (Math.floor(i / rows.length) + 0.5) * rows.length; // in (0, B)
  return {
    batch: {
      observations: Float32Array.from(indices.flatMap((i) => at(i).observation)),
      actions: Float32Array.from(indices, (i) => (2 * place(i)) / batchSize - 1),
      rewards: Float32Array.from(indices, (i) => at(i).reward),
      discounts: Float32Array.from(indices, (i) => at(i).discount),
      nextObservations: Float32Array.from(indices.flatMap((i) => at(i).next)),
    },
    progress: Float32Array.of(0),
  };
}
