// Run folders for the viewer's tests, made with the real recorder.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { worldHash } from "../../sim/checksum.ts";
import { Envs } from "../../sim/env.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { RecordingWriter } from "../../sim/recording.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask } from "../../tasks/index.ts";

/** An episode of random actions as a file's bytes; it ends after `numSteps` or with the robot's fall. */
export async function record(taskName: string, numSteps: number, seed = 3): Promise<Uint8Array> {
  const physics = await loadPhysics();
  const task = await createTask(taskName);
  const envs = new Envs(physics, task, { seed });
  const { build, version, wasmHash } = physics;
  const { size } = task.action;
  const parameters = task.source === undefined ? {} : { source: task.source };
  const shared = { task: task.id, parameters, seed, slot: 0, actionSize: size };
  const about = { policy: "random", gitCommit: "" };
  const writer = new RecordingWriter(
    { ...shared, ...about, physics: { build, version, wasmHash } },
    { type: "seed" },
  );
  const rng = createRng(seed).split("actions");
  const action = new Float32Array(size);
  let ended = { terminated: false, truncated: false };
  envs.reset();
  writer.checksum(worldHash(envs.simulation.worlds[0]!));
  for (let step = 1; step <= numSteps && !ended.terminated && !ended.truncated; step++) {
    for (let i = 0; i < size; i++) action[i] = 2 * rng.uniform() - 1;
    const { rewards, terminated, truncated } = envs.step(action);
    writer.add(action, rewards[0]!);
    ended = { terminated: terminated[0] === 1, truncated: truncated[0] === 1 };
    const whole = !ended.terminated && !ended.truncated;
    if (step % 10 === 0 && whole) writer.checksum(worldHash(envs.simulation.worlds[0]!));
  }
  writer.end(ended);
  envs.free();
  return writer.take();
}

/** A folder with one run of one recorded episode; `name` is the run's. */
export function runFolder(name: string, episode: Uint8Array | null): string {
  const root = mkdtempSync(join(tmpdir(), "salle-runs-"));
  mkdirSync(join(root, name, "episodes"), { recursive: true });
  writeFileSync(
    join(root, name, "config.yaml"),
    "task: hopper-hop-v0\nalgorithm: sac\ntrain:\n  seed: 7\n",
  );
  writeFileSync(join(root, name, "meta.json"), '{"status":"running"}');
  writeFileSync(
    join(root, name, "metrics.jsonl"),
    '{"step":1,"a":1}\n{"step":2,"a":2}\n{"step":3,',
  );
  if (episode) writeFileSync(join(root, name, "episodes", "eval-1.rec"), episode);
  return root;
}
