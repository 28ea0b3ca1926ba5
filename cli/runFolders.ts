// Where runs are, by name.

import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { didYouMean } from "../sim/source.ts";
import type { CheckpointName } from "../train/checkpoint.ts";

/** The folders below `folder` that are runs, by name. */
export function runFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isRun(join(folder, entry.name)))
    .map(({ name }) => join(folder, name))
    .sort();
}

/** The run of a path, of a name within `folder`, or of the one name that begins so. */
export function findRun(name: string, folder: string): string {
  for (const path of [name, join(folder, name)]) if (isRun(path)) return path;
  const all = runFolders(folder);
  const beginning = all.filter((path) => basename(path).startsWith(name));
  if (beginning.length === 1) return beginning[0]!;
  const names = (beginning.length > 0 ? beginning : all).map((path) => basename(path));
  const known = names.length > 0 ? names.join(", ") : "none";
  throw new Error(
    beginning.length > 1
      ? `"${name}" may be any of these runs: ${known}`
      : `no run "${name}"${didYouMean(name, names)}; in ${folder}: ${known}`,
  );
}

/** Which checkpoint of a run an option names; throws where its text names none. */
export function checkpointName(option: string, text: string): CheckpointName {
  if (text === "last" || text === "best" || text === "ope") return text;
  const step = Number(text);
  if (text !== "" && Number.isInteger(step) && step >= 0) return step;
  throw new Error(`${option} wants best, last, ope or a step, got "${text}"`);
}

/** Whether a folder is a run, whole or not. */
function isRun(path: string): boolean {
  return ["config.yaml", "meta.json", "metrics.jsonl"].some((name) => existsSync(join(path, name)));
}
