// What a test's run says it was made with.

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
