// What policy.test.ts does with an exported policy, in a page: runs the file with onnxruntime-web.

import { createSession, hostTensor } from "../../nn/runtime.ts";

/** Actions of a file for observations [N, O]. */
async function act(file: number[], obs: number[], numRows: number): Promise<number[]> {
  const session = await createSession(Uint8Array.from(file), { device: "cpu", threads: 1 });
  const data = Float32Array.from(obs);
  const results = await session.run({
    obs: hostTensor("float32", data, [numRows, data.length / numRows]),
  });
  return Array.from(results["action"]!.data as Float32Array);
}

Object.assign(globalThis, { act });
