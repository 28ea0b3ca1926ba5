// What is measured: every method of learning from logged data, with its defaults, on the hopper's sizes.

import type { OfflineConfig, OffPolicyAlgorithm } from "../../agents/agent.ts";
import { batchWidths, ReplayBuffer } from "../../agents/replay.ts";
import { finetuners } from "../../finetune/index.ts";
import { createRng } from "../../sim/rng.ts";

/** The hopper's sizes. */
export const spec = { observationSize: 15, actionSize: 4, numEnvs: 1 };

/** Rows of the table that batches are drawn from. */
export const tableSize = 100_000;

/** Names, in the order of the table; "bc" is cloning, of single actions by squared error. */
export const methods = [
  "bc",
  "td3bc",
  "awac",
  "iql",
  "cql",
  "calql",
  "rebrac",
  "sacN",
  "edac",
  "spot",
  "famo2o",
  "famo2oCql",
  "ro2o",
  "rlpd",
] as const;

export type Method = (typeof methods)[number];

/** A method but "bc" and its defaults. */
export function methodOf(name: Method) {
  const algorithm = finetuners[name] as OffPolicyAlgorithm;
  const config = algorithm.settings.parse({}) as OfflineConfig;
  return { algorithm, config };
}

/** Made-up rows with the columns that an algorithm wants. */
export function filledTable({ offline }: Pick<OffPolicyAlgorithm, "offline">): ReplayBuffer {
  const rng = createRng(2);
  const widths = batchWidths(spec.observationSize, spec.actionSize, offline?.columns);
  const buffer = new ReplayBuffer(tableSize, widths);
  const columns = Object.fromEntries(
    Object.entries(widths).map(([name, width]) => [
      name,
      name === "discounts"
        ? new Float32Array(tableSize).fill(0.99)
        : Float32Array.from({ length: tableSize * width }, () => 2 * rng.uniform() - 1),
    ]),
  );
  buffer.restore({ columns: columns as never, size: tableSize, head: 0 });
  return buffer;
}
