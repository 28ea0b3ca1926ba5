import { describe, expect, test } from "vitest";
import { sacInputs, sacState, sacUpdate } from "../../bench/nn/sac.ts";
import { compile } from "../../nn/compile.ts";
import { findDonated } from "../../nn/donate.ts";
import { valueAndGrad } from "../../nn/gradient.ts";
import {
  add,
  exp,
  gather,
  matMul,
  mean,
  mul,
  neg,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
} from "../../nn/ops.ts";
import { record } from "../../nn/recording.ts";
import { array, type NdArray } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";

type State = { readonly w: Tensor; readonly m: Tensor };
type Update = (state: State, inputs: { readonly x: Tensor }) => readonly [State, { out: Tensor }];

const size = 80; // above the size that shares a buffer with others, as a matrix
const rng = createRng(2);
const draws = (count: number) => Float32Array.from({ length: count }, () => 0.1 * rng.normal());
const start = {
  w: array(draws(size * size), [size, size]),
  m: array(draws(size * size), [size, size]),
};
const inputs = { x: array(draws(size * size), [size, size]) };

/** The loss's gradient by the weights, several layers away from the update. */
function slope(w: Tensor, x: Tensor): Tensor {
  const loss = (w: Tensor) =>
    mean(square(tanh(exp(neg(tanh(exp(tanh(square(tanh(matMul(x, w)))))))))));
  return valueAndGrad(loss)(w)[1];
}

const updates: Record<string, { update: Update; donated: readonly string[] }> = {
  "moving averages are overwritten": {
    update: ({ w, m }, { x }) => {
      const next = add(mul(m, 0.9), slope(w, x));
      return [{ w: sub(w, mul(next, 0.1)), m: next }, { out: sum(square(next)) }];
    },
    donated: ["m"],
  },
  "weights that are read after their update are not": {
    update: ({ w, m }, { x }) => {
      const next = sub(w, mul(slope(w, x), 0.1));
      return [{ w: next, m }, { out: sum(matMul(matMul(x, next), w)) }];
    },
    donated: [],
  },
  "nor through a reshape": {
    update: ({ w, m }, { x }) => {
      const flat = reshape(w, [size * size]);
      const next = sub(w, mul(slope(w, x), 0.1));
      return [{ w: next, m }, { out: add(sum(square(next)), sum(gather(flat, [0, 5, size]))) }];
    },
    donated: [],
  },
  "nor what leaves as an output": {
    update: ({ w, m }, { x }) => [{ w: sub(w, mul(slope(w, x), 0.1)), m }, { out: w }],
    donated: [],
  },
  "nor what another leaf keeps": {
    update: ({ w, m }, { x }) => [
      { w: sub(w, mul(slope(w, x), 0.1)), m: w },
      { out: sum(square(m)) },
    ],
    donated: [],
  },
  "nor an operand that a fused product would read while it writes": {
    update: ({ w, m }, { x }) => [{ w: add(matMul(x, w), m), m }, { out: sum(square(m)) }],
    donated: [],
  },
};

describe.each(Object.entries(updates))("%s", (_, { update, donated }) => {
  test("by the analysis", () => {
    const { graph, states, outputs } = record(update as never, { state: start, inputs }, "p");
    const leaving = [...outputs.map(({ value }) => value), ...states.map(({ after }) => after)];
    const found = findDonated(graph.nodes, states, leaving);
    expect(states.filter(({ before }) => found.has(before)).map(({ path }) => path)).toEqual(
      donated,
    );
  });

  test("and the numbers are those of the function op by op", async () => {
    const [compiled, eager] = await Promise.all([
      compile(update, { state: start, inputs }, { name: "p" }),
      compile(update, { state: start, inputs }, { name: "p", device: "eager:cpu" }),
    ]);
    for (let step = 0; step < 4; step++) {
      const [a, b] = await Promise.all([compiled.run(inputs), eager.run(inputs)]);
      expectNear(a.out, b.out);
    }
    const [a, b] = await Promise.all([compiled.state(), eager.state()]);
    expectNear(a.w, b.w);
    expectNear(a.m, b.m);
    await Promise.all([compiled.dispose(), eager.dispose()]);
  });
});

test("a SAC update overwrites all moments and all target networks", () => {
  const example = { state: sacState(), inputs: sacInputs(8) };
  const { graph, states, outputs } = record(sacUpdate as never, example as never, "sac");
  const leaving = [...outputs.map(({ value }) => value), ...states.map(({ after }) => after)];
  const found = findDonated(graph.nodes, states, leaving);
  const kept = states.filter(({ before }) => !found.has(before)).map(({ path }) => path);
  expect(kept.filter((path) => /target|Optimizer\/[mv]/.test(path))).toEqual([]);
});

test("after a call that failed half-way the state is refused until a good one is loaded", async () => {
  const program = await compile(
    (state: State, { x, index }: { readonly x: Tensor; readonly index: Tensor }) => {
      const next = add(mul(state.m, 0.9), slope(state.w, x));
      return [{ w: state.w, m: next }, { row: gather(next, index) }] as const;
    },
    { state: start, inputs: { ...inputs, index: { shape: [1], dtype: "int32" } } },
    { name: "p" },
  );
  const index = Int32Array.of(0);
  await program.run({ ...inputs, index });
  const good = await program.state();
  await expect(program.run({ ...inputs, index: Int32Array.of(size) })).rejects.toThrow(
    /program "p" failed: .*out of data bounds/,
  );
  await expect(program.run({ ...inputs, index })).rejects.toThrow(
    /program "p": its state may be half updated since a call failed .*load\(\) a good one/,
  );
  await expect(program.state()).rejects.toThrow("half updated");
  await program.load(good);
  expect((await program.state()).m).toEqual(good.m);
  await program.run({ ...inputs, index });
  await program.dispose();
});

function expectNear(a: NdArray, b: NdArray): void {
  const scale = Math.max(...b.data.map(Math.abs));
  const error = Math.max(...a.data.map((x, i) => Math.abs(x - b.data[i]!)));
  expect(error).toBeLessThan(1e-5 * scale);
}
