// A program that records episodes into a file until it is killed.

import { appendFileSync } from "node:fs";
import { Envs } from "../../sim/env.ts";
import { EpisodeRecorder } from "../../sim/episodeRecorder.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import { hopTask } from "./hopTask.ts";

const physics = await loadPhysics();
const { build, version, wasmHash } = physics;
const envs = new Envs(physics, hopTask, { numEnvs: 4, seed: 9 });
const recorder = new EpisodeRecorder(envs, {
  header: {
    physics: { build, version, wasmHash },
    parameters: {},
    seed: 9,
    policy: "uniform",
    gitCommit: "0123abc",
  },
  checksumEvery: 5,
});
const rng = createRng(2);
envs.reset();
recorder.begin();
for (;;) {
  const actions = Float32Array.from({ length: 12 }, () => 2 * rng.uniform() - 1);
  envs.step(actions);
  for (const { bytes } of recorder.add(actions)) appendFileSync(process.argv[2]!, bytes);
}
