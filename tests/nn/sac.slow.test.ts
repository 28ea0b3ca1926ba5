import { expect, test } from "vitest";
import { sacBatch, sacInputs, sacState, sacUpdate } from "../../bench/nn/sac.ts";
import { type CompileOptions, compile } from "../../nn/compile.ts";
import { isNdArray, leaves, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";

const batchSize = 256;
const numUpdates = 100;

/** A program, and what its noise is drawn from. */
function compileSac(options: CompileOptions) {
  const example = { state: sacState(), inputs: sacInputs(batchSize) };
  return compile(sacUpdate, example, { ...options, random: createRng(7) });
}

/** The leaves of the state after updates on one batch with fresh noise. */
async function train(options: CompileOptions): Promise<[string, NdArray][]> {
  const batch = sacBatch(batchSize, 0);
  const program = await compileSac(options);
  for (let i = 0; i < numUpdates; i++) await program.run(batch, { outputs: [] });
  const state = await program.state();
  await program.dispose();
  return leaves<NdArray>(state, isNdArray);
}

/**
 * The parameters that differ by more than 1e-4 of the greatest magnitude among their elements. Moments
 * are not compared: one sample that rounding moves over a ReLU's kink changes them by a hundredth.
 */
function disagreements(got: readonly [string, NdArray][], wanted: readonly [string, NdArray][]) {
  const byPath = new Map(wanted);
  return got
    .filter(([path]) => !path.includes("Optimizer"))
    .map(([path, x]) => [path, relativeError(x, byPath.get(path)!)] as const)
    .filter(([, error]) => !(error <= 1e-4));
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

// With some batches a ReLU unit that was silent so far wakes on the way. Adam's first step for it has
// full length however small its gradient, so that rounding alone then moves a row of weights by the
// learning rate; TensorFlow.js' own backends part there, too. On this batch none wakes.
test("100 updates of SAC are those of the function op by op", async () => {
  const eager = await train({ device: "eager:wasm" });
  for (const threads of [1, 2]) {
    const compiled = await train({ threads });
    expect(disagreements(compiled, eager)).toEqual([]);
  }
});

test("each update from equal states on fresh batches is that op by op", async () => {
  const [compiled, eager] = await Promise.all([
    compileSac({ threads: 1 }),
    compileSac({ device: "eager:wasm" }),
  ]);
  for (let i = 0; i < 20; i++) {
    const batch = sacBatch(batchSize, i);
    await Promise.all([compiled.run(batch), eager.run(batch)]);
    const state = await compiled.state();
    const reference = leaves<NdArray>(await eager.state(), isNdArray);
    expect(disagreements(leaves<NdArray>(state, isNdArray), reference)).toEqual([]);
    await eager.load(state);
  }
  await Promise.all([compiled.dispose(), eager.dispose()]);
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
