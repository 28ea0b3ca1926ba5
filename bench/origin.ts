// What a training that a benchmark starts says of where it comes from: nothing but that.

import type { RunOrigin } from "../train/runMeta.ts";

/** All but the physics, which the trainer knows. */
export const benchOrigin: Omit<RunOrigin, "physics"> = {
  salle: "bench",
  node: process.version,
  onnxruntime: "",
  gitCommit: null,
  gitDirty: false,
  argv: [],
  hardware: { host: "", os: "", cpu: "", numCores: 0, memoryBytes: 0 },
};
