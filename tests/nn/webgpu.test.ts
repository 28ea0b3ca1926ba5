import { expect, test } from "vitest";
import { sacBatch, sacInputs, sacState, sacUpdate } from "../../bench/nn/sac.ts";
import { probe } from "../../cli/probe.ts";
import { compile } from "../../nn/compile.ts";
import type { Device } from "../../nn/runtime.ts";
import { createRng } from "../../sim/rng.ts";
import { actorCritic, batch, difference, exampleInputs, flat, initialState } from "./updates.ts";

// Tried in a process of its own first: a broken driver may end the one that asks it.
const webgpu = await probe("webgpu", 60_000);
if (!webgpu.works) console.warn(`WebGPU tests are skipped: ${webgpu.reason}`);

const devices = ["cpu", "webgpu"] as const;
const minutes = 60_000; // a software driver compiles its shaders for long

test.skipIf(!webgpu.works)(
  "ten updates of SAC on WebGPU agree with the CPU's",
  async () => {
    const run = async (device: Device) => {
      const example = { state: sacState(), inputs: sacInputs(32) };
      const program = await compile(sacUpdate, example, { device, random: createRng(1) });
      for (let i = 0; i < 9; i++) await program.run(sacBatch(32, i), { outputs: [] });
      const outputs = await program.run(sacBatch(32, 9));
      const state = await program.state();
      await program.dispose();
      return { outputs, state };
    };
    expect(difference(await run("cpu"), await run("webgpu"))).toBeLessThan(1e-3);
  },
  5 * minutes,
);

test.skipIf(!webgpu.works)(
  "state on WebGPU is read, loaded and kept as on the CPU",
  async () => {
    const example = { state: initialState(), inputs: exampleInputs };
    const programs = await Promise.all(
      devices.map((device) => compile(actorCritic, example, { device, random: createRng(1) })),
    );
    const states = async () => Promise.all(programs.map((program) => program.state()));
    for (let i = 0; i < 6; i++) {
      await Promise.all(programs.map((program) => program.run(batch(i))));
      if (i !== 3) continue;
      const [saved] = await states();
      await Promise.all(programs.map((program) => program.load(saved!)));
      for (const state of await states()) expect(flat(state)).toEqual(flat(saved));
    }
    const [cpu, gpu] = await states();
    expect(difference(cpu, gpu)).toBeLessThan(1e-4);
    expect(gpu!.numUpdates.data[0]).toBe(6);
    await Promise.all(programs.map((program) => program.dispose()));
  },
  5 * minutes,
);
