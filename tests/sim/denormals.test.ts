// Physics beside compiled programs, in one process.
import { expect, test } from "vitest";
import { compile } from "../../nn/compile.ts";
import { mul, type Tensor } from "../../nn/ops.ts";
import { array } from "../../nn/tree.ts";
import { keepsDenormals } from "../../sim/nursery.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createVecEnv, type TaskSource } from "../../sim/vecEnv.ts";

const source: TaskSource = {
  module: new URL("./hopTask.js", import.meta.url).href,
  name: "hopTask",
};

test("workers that start after a program was compiled step the same bits as those before it", async () => {
  const steps = async (env: Awaited<ReturnType<typeof createVecEnv>>, seed?: number) => {
    const actions = Float32Array.from({ length: 6 }, (_, i) => Math.fround(0.3 - 0.1 * i));
    const rows = [...env.reset(seed)];
    for (let i = 0; i < 60; i++) rows.push(...env.step(actions).observations);
    env.dispose();
    return rows;
  };
  const local = await createVecEnv(source, { numEnvs: 2, seed: 1 });
  local.reset();
  const before = await steps(await createVecEnv(source, { numEnvs: 2, seed: 1, numWorkers: 1 }));
  expect(keepsDenormals()).toBe(true);
  const halve = ({ w }: { w: Tensor }) => [{ w: mul(w, 0.5) }, {}] as const;
  await compile(halve, { state: { w: array([1]) }, inputs: {} });
  expect(keepsDenormals()).toBe(false);
  const after = await steps(await createVecEnv(source, { numEnvs: 2, seed: 1, numWorkers: 1 }));
  expect(after).toEqual(before);
  const other = await createVecEnv(source, { numEnvs: 2, seed: 1, numWorkers: 1 });
  other.reset();
  other.restore(other.state()); // through this thread, which flushes
  expect(await steps(other, 1)).toEqual(before);
  expect(() => local.step(new Float32Array(6))).toThrow("flushes denormal numbers");
  await expect(loadPhysics("compat")).rejects.toThrow("flushes denormal numbers");
});
