import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../nn/compile.ts";
import { add, matMul, mul, neg, sum, type Tensor } from "../../nn/ops.ts";
import type { Device } from "../../nn/runtime.ts";
import { array, zeros } from "../../nn/tree.ts";

interface State {
  readonly actor: { readonly w: Tensor };
  readonly count: Tensor;
}
type Inputs = { readonly batch: { readonly x: Tensor; readonly rows: Tensor } };

function step({ actor, count }: State, { batch }: Inputs) {
  const y = matMul(batch.x, actor.w);
  const next = { actor: { w: add(actor.w, sum(y)) }, count: add(count, sum(batch.rows)) };
  return [next, { critic: { loss: sum(y) } }] as const;
}

const initial = () => ({ actor: { w: zeros([3, 1]) }, count: zeros([], "int32") });
const inputs = {
  batch: {
    x: { shape: [2, 3], dtype: "float32" },
    rows: { shape: [2], dtype: "int32" },
  },
} as const;
const good = () => ({ batch: { x: new Float32Array(6), rows: new Int32Array(2) } });

describe.each(["cpu", "eager:cpu"] as const)("a program on %s refuses", (device) => {
  const create = () => compile(step, { state: initial(), inputs }, { device });
  let program: Awaited<ReturnType<typeof create>>;
  beforeAll(async () => {
    program = await create();
  });
  afterAll(() => program.dispose());

  /** Runs what the types forbid. */
  const run = (given: unknown, options?: { outputs: string[] }) =>
    program.run(given as never, options);
  const batch = (change: Record<string, unknown>) => ({ batch: { ...good().batch, ...change } });

  test.each<[string, unknown, string]>([
    [
      "elements that do not fill the shape",
      batch({ x: new Float32Array(5) }),
      'program "step": input "batch/x" wants shape [2,3], that is 6 elements, got 5',
    ],
    [
      "an array of another shape",
      batch({ x: zeros([3, 2]) }),
      'program "step": input "batch/x" wants shape [2,3], got [3,2]',
    ],
    [
      "an array of another element type",
      batch({ rows: zeros([2], "float32") }),
      'program "step": input "batch/rows" wants int32, got a Float32Array',
    ],
    [
      "bare doubles",
      batch({ x: new Float64Array(6) }),
      'program "step": input "batch/x" wants float32, got a Float64Array',
    ],
    [
      "a missing input",
      { batch: { x: new Float32Array(6) } },
      'program "step": input "batch/rows" of shape [2] is missing; given: "batch/x"',
    ],
    [
      "an unknown input",
      { ...good(), extra: new Float32Array(1) },
      'program "step": unknown input "extra"; known: "batch/x", "batch/rows"',
    ],
    [
      "a plain list of numbers",
      batch({ x: [1, 2, 3, 4, 5, 6] }),
      '"batch/x/0": wanted a tree of arrays, got number 1',
    ],
    ["nothing at all", undefined, "wanted a tree of arrays, got undefined"],
  ])("%s", async (_, given, message) => {
    await expect(run(given)).rejects.toThrow(message);
    await expect(run(good())).resolves.toBeDefined();
  });

  test("an unknown output", async () => {
    await expect(run(good(), { outputs: ["critic"] })).rejects.toThrow(
      'program "step" has no output "critic"; known: critic/loss',
    );
  });

  test.each<[string, (state: ReturnType<typeof initial>) => unknown, string]>([
    [
      "a state that holds NaN",
      (state) => ({ ...state, actor: { w: array([1, Number.NaN, 0], [3, 1]) } }),
      'program "step": state "actor/w" holds NaN at element 1; wanted finite numbers',
    ],
    [
      "a state that holds infinity",
      (state) => ({ ...state, actor: { w: array([0, 0, -Infinity], [3, 1]) } }),
      'program "step": state "actor/w" holds -Infinity at element 2; wanted finite numbers',
    ],
    [
      "a state of another shape",
      (state) => ({ ...state, actor: { w: zeros([3]) } }),
      'program "step": state "actor/w" wants shape [3,1], got [3]',
    ],
    [
      "a state of another element type",
      (state) => ({ ...state, count: zeros([]) }),
      'program "step": state "count" wants int32, got a Float32Array',
    ],
    [
      "a state without a leaf",
      ({ actor }) => ({ actor }),
      'program "step": state "count" is missing; given: "actor/w"',
    ],
    [
      "a state with a leaf too many",
      (state) => ({ ...state, critic: zeros([1]) }),
      'program "step": unknown state "critic"',
    ],
    [
      "a state of bare elements",
      (state) => ({ ...state, count: new Int32Array(1) }),
      '"count": wanted a tree of arrays, got a bare Int32Array',
    ],
  ])("%s, and keeps its own", async (_, change, message) => {
    const before = await program.state();
    const load = async () => program.load(change(initial()) as never);
    await expect(load()).rejects.toThrow(message);
    expect(await program.state()).toEqual(before);
  });
});

describe("compile refuses", () => {
  const state = { w: zeros([2]) };
  type W = { readonly w: Tensor };
  const attempt = (
    fn: (state: W) => unknown,
    device: Device = "cpu",
    initialState: unknown = state,
  ) =>
    compile(
      fn as never,
      { state: initialState as typeof state, inputs: {} },
      { device, name: "p" },
    );

  test.each<[string, (state: W) => unknown, string]>([
    ["a function that returns no pair", ({ w }) => ({ w }), '"p" wants to return [state, outputs]'],
    ["a function that drops a leaf", () => [{}, {}], '"p" returns no state "w"'],
    [
      "a function that adds a leaf",
      ({ w }) => [{ w, v: mul(w, 2) }, {}],
      '"p" returns unknown state v',
    ],
    [
      "a function that changes a shape",
      ({ w }) => [{ w: sum(w) }, {}],
      '"p" returns state "w" as float32 [], wanted float32 [2]',
    ],
    [
      "a function that returns numbers",
      ({ w }) => [{ w }, { loss: 1 }],
      '"loss": wanted a tree of arrays, got number 1',
    ],
  ])("%s", async (_, fn, message) => {
    await expect(attempt(fn)).rejects.toThrow(message);
  });

  test("an initial state that is not finite", async () => {
    await expect(attempt(({ w }) => [{ w }, {}], "cpu", { w: array([0, NaN]) })).rejects.toThrow(
      'program "p": state "w" holds NaN at element 1; wanted finite numbers',
    );
  });

  test("a function that computes nothing", async () => {
    await expect(attempt(({ w }) => [{ w }, {}])).rejects.toThrow(
      '"p" computes nothing: it returns its state unchanged and no outputs',
    );
  });

  test("an async function, without an unhandled rejection", async () => {
    const reading = async ({ w }: { w: Tensor }) => [{ w }, { sum: await w.data() }];
    await expect(attempt(reading as never)).rejects.toThrow('"p" must not be async');
    const promising = ({ w }: { w: Tensor }) => [{ w }, Promise.reject(new Error("late"))];
    await expect(attempt(promising as never)).rejects.toThrow('"p" must not be async');
  });

  test("an unknown device, naming those there are", async () => {
    await expect(attempt(({ w }) => [{ w }, {}], "gpu" as Device)).rejects.toThrow(
      'unknown device "gpu"; known: cpu, webgpu, cuda, eager:cpu, eager:wasm, eager:tensorflow',
    );
    await expect(attempt(({ w }) => [{ w }, {}], "eager:gpu")).rejects.toThrow(
      'unknown device "eager:gpu"; known: cpu, webgpu, cuda, eager:cpu, eager:wasm, eager:tensorflow',
    );
  });

  test("a device that is not there, with its reason", async () => {
    await expect(attempt(({ w }) => [{ w: neg(w) }, {}], "cuda")).rejects.toThrow(
      `device "cuda" can't run this program: `,
    );
  });
});
