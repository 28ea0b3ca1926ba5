import { describe, expect, test } from "vitest";
import { compile } from "../../nn/compile.ts";
import { normal, subset } from "../../nn/noise.ts";
import { add, gather, logicalNot, mul, scalar, sum, type Tensor } from "../../nn/ops.ts";
import { repeated, repeatInputs } from "../../nn/repeat.ts";
import type { Device } from "../../nn/runtime.ts";
import { array, full, type NdArray, zeros } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { actorCritic, batch, difference, exampleInputs, flat, initialState } from "./updates.ts";

const x3 = { shape: [3], dtype: "float32" } as const;

/** w ← w/2 + x; reads the old w and its sum. */
const halve = ({ w }: { w: Tensor }, { x }: { x: Tensor }) =>
  [{ w: add(mul(w, 0.5), x) }, { before: w, nested: { total: sum(w) } }] as const;
const compileHalve = (device: Device = "cpu") =>
  compile(halve, { state: { w: array([1, 2, 3]) }, inputs: { x: x3 } }, { device });
const ones = () => Float32Array.of(1, 1, 1);

/** An actor-critic program; equal seeds, equal noise. */
const compileActorCritic = (seed: number, device: Device = "cpu") =>
  compile(
    actorCritic,
    { state: initialState(), inputs: exampleInputs },
    { device, random: createRng(seed) },
  );

async function updates(program: Awaited<ReturnType<typeof compileActorCritic>>, count: number) {
  let outputs: unknown;
  for (let i = 0; i < count; i++) outputs = await program.run(batch(i));
  return outputs;
}

describe.each(["cpu", "eager:cpu"] as const)("a program on %s", (device) => {
  test("moves its state on and returns fresh outputs", async () => {
    const program = await compileHalve(device);
    const first = await program.run({ x: ones() });
    expect(Array.from(first.before.data)).toEqual([1, 2, 3]);
    expect(Array.from(first.nested.total.data)).toEqual([6]);
    first.before.data.fill(99);
    const second = await program.run({ x: ones() });
    expect(second.before.data).not.toBe(first.before.data);
    expect(Array.from(second.before.data)).toEqual([1.5, 2, 2.5]);
    const state = await program.state();
    expect(Array.from(state.w.data)).toEqual([1.75, 2, 2.25]);
    state.w.data.fill(99);
    expect(Array.from((await program.state()).w.data)).toEqual([1.75, 2, 2.25]);
    await program.dispose();
  });

  test("reads some entries of its state, and names those that it lacks", async () => {
    const program = await compileActorCritic(1, device);
    await updates(program, 2);
    const { actor, odd } = await program.state();
    const read = await program.read(["odd", "actor"]);
    expect(flat(read)).toEqual(flat({ actor, odd }));
    await expect(program.read(["nose" as "odd"])).rejects.toThrow(
      "has no state nose; known: actor,critics,momentum,numUpdates,odd",
    );
    await program.dispose();
  });

  test("returns copies, also of constants, inputs and unchanged state", async () => {
    const fn = ({ w }: { w: Tensor }, { x }: { x: Tensor }) =>
      [{ w }, { w, x, constant: add(mul(x, 0), 7) }] as const;
    const state = { w: array([1, 2, 3]) };
    const program = await compile(fn, { state, inputs: { x: x3 } }, { device });
    for (let i = 0; i < 2; i++) {
      const x = ones();
      const outputs = await program.run({ x });
      for (const { data } of [outputs.w, outputs.x, outputs.constant]) data.fill(99);
      expect(Array.from(x)).toEqual([1, 1, 1]);
    }
    const outputs = await program.run({ x: ones() });
    expect(flat(outputs)).toEqual([
      ["w", [1, 2, 3]],
      ["x", [1, 1, 1]],
      ["constant", [7, 7, 7]],
    ]);
    expect(Array.from(state.w.data)).toEqual([1, 2, 3]);
    await program.dispose();
  });

  test("does not see later changes of the arrays it was given", async () => {
    const example = { state: { w: array([1, 2, 3]) }, inputs: { x: x3 } };
    const program = await compile(halve, example, { device });
    example.state.w.data.fill(99);
    expect(Array.from((await program.state()).w.data)).toEqual([1, 2, 3]);
    const loaded = { w: array([4, 5, 6]) };
    await program.load(loaded);
    loaded.w.data.fill(99);
    expect(Array.from((await program.state()).w.data)).toEqual([4, 5, 6]);
    await program.dispose();
  });

  test("reads only the outputs that are asked for", async () => {
    const program = await compileHalve(device);
    const some = await program.run({ x: ones() }, { outputs: ["nested/total"] });
    expect(Array.from(some.nested.total.data)).toEqual([6]);
    expect(some.before).toBeUndefined();
    const none = await program.run({ x: ones() }, { outputs: [] });
    expect(none).toEqual({ before: undefined, nested: { total: undefined } });
    expect(Array.from((await program.state()).w.data)).toEqual([1.75, 2, 2.25]);
    await program.dispose();
  });

  test("keeps frozen, swapped, doubled, empty, scalar, int32 and bool leaves apart", async () => {
    type S = Record<"frozen" | "a" | "b" | "c" | "d" | "empty" | "one" | "n" | "odd", Tensor>;
    const fn = (s: S, _: Record<string, never>) => {
      const both = add(s.c, 1);
      const next: S = {
        frozen: s.frozen,
        a: s.b,
        b: s.a,
        c: both,
        d: both,
        empty: mul(s.empty, 2),
        one: mul(s.one, 2),
        n: add(s.n, scalar(3, "int32")),
        odd: logicalNot(s.odd),
      };
      return [next, { sum: sum(s.frozen), both }] as const;
    };
    const state = {
      frozen: array([1, 2]),
      a: array([1, 1]),
      b: array([2, 2]),
      c: zeros([2]),
      d: zeros([2]),
      empty: zeros([0, 3]),
      one: full([], 1),
      n: array([1, -1], [2], "int32"),
      odd: array([0, 1], [2], "bool"),
    };
    const program = await compile(fn, { state, inputs: {} }, { device });
    for (let i = 0; i < 3; i++) await program.run({});
    const after = await program.state();
    expect(Object.fromEntries(flat(after))).toEqual({
      frozen: [1, 2],
      a: [2, 2],
      b: [1, 1],
      c: [3, 3],
      d: [3, 3],
      empty: [],
      one: [8],
      n: [10, 8],
      odd: [1, 0],
    });
    const forms = (tree: Record<string, NdArray>) =>
      Object.values(tree).map(({ shape, dtype, data }) => [shape, dtype, data.constructor.name]);
    expect(forms(after)).toEqual(forms(state));
    await program.dispose();
  });

  test("runs overlapping calls in the order they were made", async () => {
    const program = await compileHalve(device);
    const calls = [1, 2, 3, 4].map((x) => program.run({ x: new Float32Array(3).fill(x) }));
    const between = program.state();
    const loading = program.load({ w: array([8, 8, 8]) });
    const last = program.run({ x: ones() });
    const totals = (await Promise.all(calls)).map(({ nested }) => nested.total.data[0]);
    expect(totals).toEqual([6, 6, 9, 13.5]);
    expect(Array.from((await between).w.data)).toEqual([6.1875, 6.25, 6.3125]);
    await loading;
    expect((await last).nested.total.data[0]).toBe(24);
    await program.dispose();
  });

  test("runs what was asked before dispose and refuses what comes after", async () => {
    const program = await compileHalve(device);
    const running = program.run({ x: ones() });
    await Promise.all([program.dispose(), program.dispose()]);
    expect((await running).nested.total.data[0]).toBe(6);
    await program.dispose();
    const gone = 'program "halve" was disposed of';
    await expect(program.run({ x: ones() })).rejects.toThrow(gone);
    await expect(program.state()).rejects.toThrow(gone);
    await expect(program.load({ w: zeros([3]) })).rejects.toThrow(gone);
  });

  test("reads inputs from shared memory", async () => {
    const program = await compileHalve(device);
    const x = new Float32Array(new SharedArrayBuffer(20), 8, 3);
    x.set([1, 1, 1]);
    await program.run({ x });
    x.fill(2);
    await program.run({ x: { shape: [3], dtype: "float32", data: x } });
    expect(Array.from((await program.state()).w.data)).toEqual([2.75, 3, 3.25]);
    await program.load({ w: { ...x3, data: x } });
    x.fill(0);
    expect(Array.from((await program.state()).w.data)).toEqual([2, 2, 2]);
    await program.dispose();
  });

  test("goes on bit for bit from a state it returned, with its generator's state", async () => {
    const random = createRng(5);
    const example = { state: initialState(), inputs: exampleInputs };
    const program = await compile(actorCritic, example, { device, random });
    await updates(program, 5);
    const [saved, generator] = [await program.state(), random.state()];
    await updates(program, 5);
    const expected = flat(await program.state());
    await program.load(saved);
    expect(flat(await program.state())).toEqual(flat(saved));
    random.restore(generator);
    await updates(program, 5);
    expect(flat(await program.state())).toEqual(expected);
    await program.dispose();
  });

  test("fills noise from the generator unless it is given", async () => {
    const fn = (_: Record<string, never>, inputs: { noise: Tensor; heads: Tensor }) =>
      [{}, { noise: add(inputs.noise, 0), heads: add(inputs.heads, scalar(0, "int32")) }] as const;
    const inputs = { noise: normal([4]), heads: subset([2], 5) };
    const random = createRng(1);
    const program = await compile(fn, { state: {}, inputs }, { device, random });
    const expected = createRng(1);
    const first = await program.run({});
    const draws = Float32Array.from({ length: 4 }, () => expected.normal());
    expect(first.noise.data).toEqual(draws);
    expect(new Set(first.heads.data).size).toBe(2);
    const before = JSON.stringify(random.state());
    const given = Float32Array.of(1, 2, 3, 4);
    const second = await program.run({ noise: given, heads: Int32Array.of(1, 1) });
    expect(flat(second)).toEqual([
      ["noise", [1, 2, 3, 4]],
      ["heads", [1, 1]],
    ]);
    expect(JSON.stringify(random.state())).toBe(before);
    const third = await program.run({ noise: undefined });
    expect(third.noise.data).not.toEqual(first.noise.data);
    await program.dispose();
  });

  test("asks for a generator when noise is neither given nor drawn", async () => {
    const fn = (_: Record<string, never>, { noise }: { noise: Tensor }) => [{}, { noise }] as const;
    const example = { state: {}, inputs: { noise: normal([2]) } };
    const program = await compile(fn, example, { device, name: "noisy" });
    await expect(program.run({})).rejects.toThrow(
      'program "noisy": noise "noise" has no generator to fill it',
    );
    const { noise } = await program.run({ noise: Float32Array.of(1, 2) });
    expect(Array.from(noise.data)).toEqual([1, 2]);
    await program.dispose();
  });
});

test("a run that throws leaves the state as it was", async () => {
  const fn = ({ w }: { w: Tensor }, { rows }: { rows: Tensor }) =>
    [{ w: add(w, gather(w, rows)) }, { total: sum(w) }] as const;
  const inputs = { rows: { shape: [3], dtype: "int32" } } as const;
  const program = await compile(fn, { state: { w: array([1, 2, 3]) }, inputs });
  await program.run({ rows: Int32Array.of(2, 1, 0) });
  const before = flat(await program.state());
  const outOfRange = program.run({ rows: Int32Array.of(0, 1, 7) });
  const next = program.run({ rows: Int32Array.of(0, 0, 0) });
  await expect(outOfRange).rejects.toThrow("out of data bounds");
  expect((await next).total.data[0]).toBe(12);
  expect(before).toEqual([["w", [4, 4, 4]]]);
  expect(flat(await program.state())).toEqual([["w", [8, 8, 8]]]);
  await program.dispose();
});

describe("fifty updates of an actor-critic with noise of every kind", () => {
  test("agree bit for bit between two programs of equal seeds, and not of others", async () => {
    const programs = await Promise.all([1, 1, 2].map((seed) => compileActorCritic(seed)));
    for (const program of programs) await updates(program, 50);
    const [a, b, c] = await Promise.all(programs.map((program) => program.state()));
    expect(flat(a)).toEqual(flat(b));
    expect(difference(a, c)).toBeGreaterThan(1e-3);
    await Promise.all(programs.map((program) => program.dispose()));
  });

  test("agree with the function op by op", async () => {
    const [compiled, eager] = [
      await compileActorCritic(1),
      await compileActorCritic(1, "eager:cpu"),
    ];
    const outputs = [await updates(compiled, 50), await updates(eager, 50)];
    expect(difference(outputs[0], outputs[1])).toBeLessThan(1e-4);
    const [a, b] = [await compiled.state(), await eager.state()];
    expect(difference(a, b)).toBeLessThan(1e-4);
    expect(a.numUpdates.data[0]).toBe(50);
    expect(difference(a, initialState())).toBeGreaterThan(0.05);
    await Promise.all([compiled.dispose(), eager.dispose()]);
  });
});

describe("repeated updates", () => {
  const numSteps = 4;

  test("keep the kinds of noise and gain a leading axis", () => {
    const inputs = repeatInputs(exampleInputs, numSteps);
    expect(inputs.observations).toEqual({ shape: [4, 8, 4], dtype: "float32" });
    expect(inputs.noise.heads).toEqual(subset([4, 2], 3));
    expect(inputs.noise.actions).toEqual(normal([4, 8, 2]));
  });

  test("equal single updates on the same slices bit for bit", async () => {
    const fixedNoise = createRng(8);
    const noises = Array.from({ length: 3 * numSteps }, () => drawNoise(fixedNoise));
    const single = await compileActorCritic(1);
    const many = await compile(repeated(actorCritic, numSteps), {
      state: initialState(),
      inputs: repeatInputs(exampleInputs, numSteps),
    });
    for (let call = 0; call < 3; call++) {
      const batches = [0, 1, 2, 3].map((i) => batch(call * numSteps + i));
      const noise = noises.slice(call * numSteps, (call + 1) * numSteps);
      let last: unknown;
      for (let i = 0; i < numSteps; i++)
        last = await single.run({ ...batches[i]!, noise: noise[i]! });
      const outputs = await many.run({
        observations: joined(batches.map(({ observations }) => observations)),
        rewards: joined(batches.map(({ rewards }) => rewards)),
        noise: {
          actions: joined(noise.map(({ actions }) => actions)),
          scale: joined(noise.map(({ scale }) => scale)),
          keep: joined(noise.map(({ keep }) => keep)),
          rows: Int32Array.from(noise.flatMap(({ rows }) => [...rows])),
          heads: Int32Array.from(noise.flatMap(({ heads }) => [...heads])),
        },
      });
      expect(flat(outputs)).toEqual(flat(last));
    }
    expect(flat(await many.state())).toEqual(flat(await single.state()));
    await Promise.all([single.dispose(), many.dispose()]);
  });

  test("refuse a count that is no positive whole number", () => {
    expect(() => repeated(actorCritic, 0)).toThrow("numSteps is a positive whole number, got 0");
    expect(() => repeatInputs(exampleInputs, 1.5)).toThrow("got 1.5");
  });
});

function drawNoise(rng: ReturnType<typeof createRng>) {
  const [first, shift] = [rng.integer(3), 1 + rng.integer(2)];
  return {
    actions: Float32Array.from({ length: 16 }, () => rng.normal()),
    scale: Float32Array.from({ length: 8 }, () => 0.5 + rng.uniform()),
    keep: Float32Array.from({ length: 128 }, () => (rng.uniform() < 0.8 ? 1 : 0)),
    rows: Int32Array.from({ length: 8 }, () => rng.integer(8)),
    heads: Int32Array.of(first, (first + shift) % 3),
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}
