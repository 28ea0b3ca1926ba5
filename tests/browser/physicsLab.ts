// What physics.test.ts does with tasks, here in Node and, with this file as its script, in a page.

import { Envs } from "../../sim/env.ts";
import { loadPhysics, type PhysicsBuild } from "../../sim/rapier.ts";
import { decodeRecording } from "../../sim/readRecordings.ts";
import { type ReplayResult, replay } from "../../sim/replay.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask } from "../../tasks/index.ts";
import { createGripper, pickAndPlace } from "../sim/gripper.ts";

/** Where a rollout went: checksums of the poses on the way, and the sum of all rewards. */
export interface Path {
  readonly wasmHash: string;
  readonly hashes: readonly string[];
  readonly totalReward: number;
}

export interface PathLength {
  readonly numSteps: number;
  /** Steps from one checksum to the next. */
  readonly every: number;
}

/** A task's robot under random actions, with every reset on the way. */
export async function rollOut(
  taskName: string,
  build: PhysicsBuild,
  { numSteps, every }: PathLength,
): Promise<Path> {
  const physics = await loadPhysics(build);
  const task = await createTask(taskName);
  const envs = new Envs(physics, task, { seed: 5 });
  const rng = createRng(5).split("actions");
  const action = new Float32Array(task.action.size);
  const hashes: string[] = [];
  let totalReward = 0;
  envs.reset();
  for (let step = 1; step <= numSteps; step++) {
    for (let i = 0; i < action.length; i++) action[i] = 2 * rng.uniform() - 1;
    totalReward += envs.step(action).rewards[0]!;
    if (step % every === 0) hashes.push(envs.simulation.hash());
  }
  envs.free();
  return { wasmHash: physics.wasmHash, hashes, totalReward };
}

/** Two fingers lift a cube and put it down, again and again, in physics steps. */
export async function grip(build: PhysicsBuild, { numSteps, every }: PathLength): Promise<Path> {
  const physics = await loadPhysics(build);
  const simulation = createGripper(physics);
  const hashes: string[] = [];
  for (let step = 0; step < numSteps; step++) {
    pickAndPlace(simulation, step);
    if ((step + 1) % every === 0) hashes.push(simulation.hash());
  }
  simulation.free();
  return { wasmHash: physics.wasmHash, hashes, totalReward: 0 };
}

/** Simulates a recording again, given as its bytes. */
export async function verify(bytes: readonly number[]): Promise<ReplayResult> {
  const recording = decodeRecording(Uint8Array.from(bytes));
  const { task, physics } = recording.header;
  return replay(await loadPhysics(physics.build), await createTask(task), recording);
}

/** Asks an address for calls and posts their results, for a browser without a driver. */
async function serve(address: string): Promise<void> {
  const functions = { rollOut, grip, verify } as Record<string, (...args: never[]) => unknown>;
  for (;;) {
    const question = await (await fetch(address)).text();
    if (question === "") {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    const { name, args } = JSON.parse(question) as { name: string; args: never[] };
    const answer = await Promise.resolve()
      .then(async () => ({ result: await functions[name]!(...args) }))
      .catch((error: Error) => ({ error: error.message }));
    await fetch(address, { method: "POST", body: JSON.stringify(answer) });
  }
}

if (typeof window !== "undefined") {
  Object.assign(globalThis, { rollOut, grip, verify });
  const address = new URL(window.location.href).searchParams.get("ask");
  if (address) void serve(address);
}
