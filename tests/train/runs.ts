// Runs for tests, in a folder that is gone afterwards.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { RunOrigin } from "../../train/runMeta.ts";

export const origin: RunOrigin = {
  salle: "0.1.0",
  node: "v20.0.0",
  onnxruntime: "1.0.0",
  physics: { build: "simd", version: "0.20.0", wasmHash: "00ff" },
  gitCommit: null,
  gitDirty: false,
  argv: ["salle", "train"],
  hardware: { host: "a", os: "b", cpu: "c", numCores: 2, memoryBytes: 1 },
};

/** A fresh folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "salle-run-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
