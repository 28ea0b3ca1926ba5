// The child of probe.ts: runs a small program on the device it is named and prints how that went.

import { compile } from "../nn/compile.ts";
import { valueAndGrad } from "../nn/gradient.ts";
import { matMul, mean, mul, square, sub, type Tensor } from "../nn/ops.ts";
import type { Device } from "../nn/runtime.ts";
import { array } from "../nn/tree.ts";
import { type ProbeResult, probeMarker } from "./probe.ts";

/** One gradient step of a linear fit, twice, against numbers worked out by hand. */
async function tryDevice(device: string): Promise<ProbeResult> {
  try {
    const start = performance.now();
    const program = await compile(
      fit,
      { state: { w: array([1, -1], [2, 1]) }, inputs: { x: { shape: [2, 2], dtype: "float32" } } },
      { device: device as Device },
    );
    const compiled = performance.now();
    const x = Float32Array.of(1, 2, 3, 4);
    const first = await program.run({ x });
    const warm = performance.now();
    const second = await program.run({ x });
    const end = performance.now();
    const { w } = await program.state();
    const got = [first.loss.data[0]!, second.loss.data[0]!, ...w.data];
    await program.dispose();
    if (got.some((value, i) => !(Math.abs(value - expected[i]!) < 1e-4))) {
      return { works: false, reason: `it computes ${got}, wanted ${expected}` };
    }
    return { works: true, compileMs: compiled - start, runMs: end - warm };
  } catch (error) {
    return { works: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * x = [[1, 2], [3, 4]], w = [1, −1]: xw − 1 = [−2, −2], loss 4, gradient xᵀ(xw − 1) = [−8, −12];
 * w = [1.08, −0.88]: xw − 1 = [−1.68, −1.28], loss 2.2304, gradient [−5.52, −8.48].
 */
const expected = [4, 2.2304, 1.1352, -0.7952];

function fit({ w }: { w: Tensor }, { x }: { x: Tensor }) {
  const [loss, gradient] = valueAndGrad(({ w }: { w: Tensor }) =>
    mean(square(sub(matMul(x, w), 1))),
  )({ w });
  return [{ w: sub(w, mul(gradient.w, 0.01)) }, { loss }] as const;
}

const result = await tryDevice(process.argv[2] ?? "cpu");
process.stdout.write(`${probeMarker}${JSON.stringify(result)}\n`);
