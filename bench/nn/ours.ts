// Salle's side of the benchmark: the SAC update and act as compiled and as eager programs.

import { compile } from "../../nn/compile.ts";
import { repeated, repeatInputs } from "../../nn/repeat.ts";
import type { Device } from "../../nn/runtime.ts";
import { isNdArray, leaves, type NdArray, type TypedArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { type Contender, repeatFor } from "../measure.ts";
import { type Row, row } from "../report.ts";
import { sacAct, sacActInputs, sacBatch, sacInputs, sacState, sacUpdate } from "./sac.ts";

interface UpdateOptions {
  readonly batchSize: number;
  readonly numCritics: number;
  readonly threads: number;
  readonly device?: Device;
  /** Updates in one call. */
  readonly repeats?: number;
}

/** Milliseconds an update, noise drawing and the call from JavaScript included. */
export async function updateContender(name: string, options: UpdateOptions): Promise<Contender> {
  const { batchSize, numCritics, threads, device = "cpu", repeats = 1 } = options;
  const inputs = sacInputs(batchSize, numCritics);
  const many = repeats > 1;
  const program = await compile(
    many ? repeated(sacUpdate, repeats) : sacUpdate,
    { state: sacState({ numCritics }), inputs: many ? repeatInputs(inputs, repeats) : inputs },
    { threads, device, random: createRng(1) },
  );
  const batch = Object.fromEntries(
    Object.entries(sacBatch(batchSize)).map(([key, data]) => [key, tiled(data, repeats)]),
  );
  const label = device === "cpu" ? "Salle" : device.replace(":", " ");
  const calls = many ? `, ${repeats} updates a call` : "";
  return {
    case: name,
    name: `${label}, ${threads} thread${threads === 1 ? "" : "s"}${calls}`,
    async sample(milliseconds) {
      const times = await repeatFor(milliseconds, () =>
        program.run(batch as never, { outputs: [] }),
      );
      return times.map((time) => time / repeats);
    },
    dispose: () => program.dispose(),
  };
}

/** Milliseconds to act, the actions read back. */
export async function actContender(
  name: string,
  batchSize: number,
  threads: number,
): Promise<Contender> {
  const { actor } = sacState();
  const program = await compile(
    sacAct,
    { state: { actor }, inputs: sacActInputs(batchSize) },
    { threads, random: createRng(1) },
  );
  const { observations } = sacBatch(batchSize);
  return {
    case: name,
    name: `Salle, ${threads} thread${threads === 1 ? "" : "s"}`,
    sample: (milliseconds) => repeatFor(milliseconds, () => program.run({ observations })),
    dispose: () => program.dispose(),
  };
}

/** Compile times, and bytes of the exported graph and of the state. */
export async function compileRows(name: string, count: number): Promise<Row[]> {
  const example = { state: sacState(), inputs: sacInputs(256) };
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const program = await compile(sacUpdate, example, { random: createRng(1) });
    times.push(performance.now() - start);
    bytes = (await program.onnx()).length;
    await program.dispose();
  }
  const state = leaves<NdArray>(example.state, isNdArray);
  const stateBytes = state.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
  return [
    row(`${name}, compile`, "Salle", times),
    row(`${name}, bytes`, "graph as an .onnx file", [bytes / 1024], "KiB"),
    row(`${name}, bytes`, "state, optimiser included", [stateBytes / 1024], "KiB"),
  ];
}

function tiled(data: TypedArray, count: number): TypedArray {
  if (count === 1) return data;
  const result = new Float32Array(count * data.length);
  for (let i = 0; i < count; i++) result.set(data, i * data.length);
  return result;
}
