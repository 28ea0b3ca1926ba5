// The base policy of a run: another run's policy, frozen, of which the run keeps what acts in a folder of its own.
//
// <run>/base/ is a run's folder in little: config.yaml and one checkpoint with the parameters that `act` reads
// and the normaliser. A base that has a base itself keeps it in the same way, base/base/.

import { existsSync, mkdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { AgentState, AnyAlgorithm } from "../agents/agent.ts";
import type { NormalizerState } from "../agents/normalizer.ts";
import { type CheckpointName, Checkpoints } from "./checkpoint.ts";
import { algorithmNamed, formatConfig, type RunConfig } from "./config.ts";
import { replaceFile } from "./files.ts";
import type { OpenBase } from "./offlineRows.ts";
import { baseFolder, loadPolicy, policyParts, readPolicy, readRunConfig } from "./policy.ts";

/** The folder of the checkpoint that is meant, which `RunConfig.base` names. */
export function baseCheckpoint(run: string, name?: CheckpointName): string {
  const checkpoints = new Checkpoints(join(run, "checkpoints"));
  const wanted = name ?? (checkpoints.find("best") === undefined ? "last" : "best");
  const step = checkpoints.find(wanted);
  if (step === undefined)
    throw new Error(
      `${run} has no checkpoint "${wanted}" to begin from; there are: ${checkpoints.steps().join(", ") || "none"}`,
    );
  return resolve(checkpoints.folder, String(step));
}

/** The run and the step of a checkpoint's folder. */
export function baseOf(checkpoint: string): { readonly run: string; readonly step: number } {
  const step = Number(basename(checkpoint));
  const run = dirname(dirname(checkpoint));
  if (!existsSync(join(run, "config.yaml")) || !existsSync(checkpoint))
    throw new Error(
      `the base policy ${checkpoint} is not there: it wants a checkpoint's folder, as in <run>/checkpoints/<step>`,
    );
  return { run, step };
}

/** Copies what acts of a checkpoint to a folder, its own base included. */
export function keepBase(checkpoint: string, folder: string): void {
  const { run, step } = baseOf(checkpoint);
  const config = readRunConfig(run);
  const { state } = new Checkpoints(join(run, "checkpoints")).load(
    step,
    policyParts(algorithmNamed(config.algorithm)),
  );
  mkdirSync(folder, { recursive: true });
  replaceFile(join(folder, "config.yaml"), formatConfig(config));
  const options = { keep: 1, shardBytes: 2 ** 30 };
  new Checkpoints(join(folder, "checkpoints")).save(
    state,
    { step, best: false, logs: {} },
    options,
  );
  if (config.base === undefined) return;
  const own = new Checkpoints(join(baseFolder(run), "checkpoints"));
  keepBase(join(own.folder, String(own.find("last"))), baseFolder(folder));
}

/** A policy that an algorithm goes on with, by `continues`. */
export interface Predecessor {
  readonly policy: AgentState;
  readonly normalizer: NormalizerState;
}

/** The settings that an algorithm takes of the policy that it goes on with; throws where it can't. */
export function inheritedSettings(
  { name, continues }: AnyAlgorithm,
  { algorithm, algo }: RunConfig,
): Readonly<Record<string, unknown>> | undefined {
  if (continues === undefined) return undefined;
  if (continues.algorithms.includes(algorithm)) return continues.settings(algo);
  const wanted = continues.algorithms.join(" or ");
  throw new Error(
    `"${name}" goes on with a policy of ${wanted}, and that run is one of ${algorithm}; clone one: salle clone <dataset> --policy ${continues.algorithms[0]}`,
  );
}

/** The kept policy that a run goes on with. */
export async function predecessorOf(folder: string): Promise<Predecessor> {
  const { parameters: policy, normalizer } = await readPolicy(folder, "last");
  return { policy, normalizer: normalizer.state() };
}

/** Opens a kept base for so many rows. */
export function baseOpener(folder: string): OpenBase {
  return (numRows) => loadPolicy(folder, "last", { numRows });
}
