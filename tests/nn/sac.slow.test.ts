import { expect, test } from "vitest";
import { sacBatch, sacInputs, sacState, sacUpdate } from "../../bench/nn/sac.ts";
import { type CompileOptions, compile } from "../../nn/compile.ts";
import { isNdArray, leaves, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";

// Fresh noise in every update, but one batch: with fresh batches a ReLU unit that was silent so far
// wakes now and then, and Adam's first step for it has full length however small its gradient, so that
// rounding alone moves a whole row of weights by the learning rate. Op by op, TensorFlow.js' own two
// backends part there, too. Moments are not compared: one sample whose lesser critic is the other one
// changes them by a hundredth.
const batchSize = 256;
const numUpdates = 100;
const batch = sacBatch(batchSize);

async function train(options: CompileOptions): Promise<[string, NdArray][]> {
  const example = { state: sacState(), inputs: sacInputs(batchSize) };
  const program = await compile(sacUpdate, example, { ...options, random: createRng(7) });
  for (let i = 0; i < numUpdates; i++) await program.run(batch, { outputs: [] });
  const state = await program.state();
  await program.dispose();
  return leaves<NdArray>(state, isNdArray);
}

/** The greatest difference of two arrays over the greatest magnitude. */
function relativeError(a: NdArray, b: NdArray): number {
  let error = 0;
  let scale = 0;
  for (let i = 0; i < a.data.length; i++) {
    error = Math.max(error, Math.abs(a.data[i]! - b.data[i]!));
    scale = Math.max(scale, Math.abs(b.data[i]!));
  }
  return error / scale;
}

test("100 updates of SAC are those of the function op by op", async () => {
  const eager = new Map(await train({ device: "eager:wasm" }));
  for (const threads of [1, 2]) {
    const compiled = await train({ threads });
    const parameters = compiled.filter(([path]) => !path.includes("Optimizer"));
    const errors = parameters.map(
      ([path, x]) => [path, relativeError(x, eager.get(path)!)] as const,
    );
    expect(errors.filter(([, error]) => !(error <= 1e-4))).toEqual([]);
  }
});

test.each([1, 2])("two compiled runs agree bit for bit on %i threads", async (threads) => {
  const [first, second] = [await train({ threads }), await train({ threads })];
  expect(first.map(([path, { data }]) => [path, bits(data)])).toEqual(
    second.map(([path, { data }]) => [path, bits(data)]),
  );
});

function bits(data: ArrayBufferView): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
}
