// meta.json: what a run was made with, and how it ended.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PhysicsVersion } from "../sim/rapier.ts";
import { replaceFile } from "./files.ts";

export type RunStatus = "running" | "finished" | "stopped" | "failed";

/** What the command line knows of the program and the machine. */
export interface RunOrigin {
  readonly salle: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly physics: PhysicsVersion;
  /** null outside a checkout. */
  readonly gitCommit: string | null;
  /** Whether files differed from that commit. */
  readonly gitDirty: boolean;
  readonly argv: readonly string[];
  readonly hardware: {
    readonly host: string;
    readonly os: string;
    readonly cpu: string;
    readonly numCores: number;
    readonly memoryBytes: number;
  };
}

export interface RunMeta extends RunOrigin {
  readonly version: 1;
  /** ISO 8601. */
  readonly started: string;
  readonly ended: string | null;
  readonly status: RunStatus;
  /** Why it stopped or failed. */
  readonly reason: string | null;
  /** When it was resumed, at which step, and with what. */
  readonly resumed: readonly {
    readonly at: string;
    readonly step: number;
    readonly argv: readonly string[];
  }[];
}

/** Throws where the folder has none or it is no JSON. */
export function readMeta(folder: string): RunMeta {
  const path = join(folder, "meta.json");
  if (!existsSync(path)) throw new Error(`${folder} is no run: it has no meta.json`);
  try {
    return JSON.parse(readFileSync(path, "utf8")) as RunMeta;
  } catch (error) {
    throw new Error(`${path} is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

export function writeMeta(folder: string, meta: RunMeta): void {
  replaceFile(join(folder, "meta.json"), `${JSON.stringify(meta, null, 2)}\n`);
}
