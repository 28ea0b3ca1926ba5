import { describe, expect, test } from "vitest";
import * as tf from "#tensorflow";
import { loadBackend } from "../../nn/backends.ts";
import { einsum } from "../../nn/einsum.ts";
import { grad } from "../../nn/gradient.ts";
import type { Tensor } from "../../nn/ops.ts";
import { array, type NdArray } from "../../nn/tree.ts";
import { compileAny } from "./support.ts";

const x = array([1, -2, 3, 0.5]);
const example = { state: {}, inputs: { x } };

type Body = (x: Tensor) => unknown;

function program(body: Body) {
  return compileAny((_state: object, inputs: { x: Tensor }) => [{}, body(inputs.x)], example, {
    name: "update",
  });
}

/** Throws unless a sound program still compiles and computes. */
async function expectSoundTracing(): Promise<void> {
  const random = Math.random();
  expect(random >= 0 && random < 1).toBe(true);
  const sound = await program((t) => grad((p: Tensor) => tf.sum(tf.square(p)))(t));
  expect([...((await sound.run({ x })) as NdArray).data]).toEqual([2, -4, 6, 1]);
  await sound.dispose();
}

const refusals: [string, Body, readonly string[]][] = [
  ["dataSync", (t) => tf.scalar(t.dataSync()[0]!), ["dataSync", "where"]],
  ["arraySync", (t) => tf.tensor(t.arraySync()), ["arraySync", "where"]],
  ["bufferSync", (t) => tf.scalar(t.bufferSync().get(0)), ["where"]],
  [
    "reading inside a gradient",
    (t) => grad((p: Tensor) => tf.scalar(p.dataSync()[0]!))(t),
    ["dataSync"],
  ],
  ["tf.einsum", (t) => tf.einsum("i->", t), ["Einsum", "nn/ops.ts"]],
  ["tf.unique", (t) => tf.unique(t as tf.Tensor1D).values, ["Unique", "masks"]],
  [
    "an op nobody has a kernel for",
    (t) => tf.denseBincount(tf.cast(t, "int32") as tf.Tensor1D, [], 4),
    ["DenseBincount", "nn/ops.ts"],
  ],
  ["a complex tensor", (t) => tf.complex(t, t), ["Complex"]],
  ["Math.random", (t) => tf.mul(t, Math.random()), ["Math.random", "declare noise"]],
  ["tf.randomNormal", (t) => tf.add(t, tf.randomNormal([4])), ["tf.randomNormal", "declare noise"]],
  ["tf.randomUniform", (t) => tf.add(t, tf.randomUniform([4])), ["declare noise"]],
  ["tf.dropout", (t) => tf.dropout(t, 0.5), ["declare noise"]],
  ["arithmetic on bools", (t) => tf.add(tf.greater(t, 0), tf.greater(t, 1)), ["Add", "int32"]],
];

describe.each(refusals)("%s while tracing", (_what, body, words) => {
  test("is refused by the program's name, with what to write instead", async () => {
    const error = await program(body).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error).toBeInstanceOf(Error);
    for (const word of ["update", ...words]) expect(error!.message).toContain(word);
  });

  test("leaves tracing and Math.random sound", expectSoundTracing);
});

test("reading data later is refused too", async () => {
  let later: Promise<unknown> | undefined;
  const sound = await program((t) => {
    later = t.data();
    later.catch(() => {});
    return t;
  });
  await expect(later).rejects.toThrow(/"update".*depends on data/);
  await sound.dispose();
  await expectSoundTracing();
});

test("a mask that picks rows is refused, for its shape depends on data", async () => {
  let picked: Promise<unknown> | undefined;
  const sound = await program((t) => {
    picked = tf.booleanMaskAsync(t, tf.greater(t, 0) as tf.Tensor1D);
    picked.catch(() => {});
    return t;
  });
  await expect(picked).rejects.toThrow(/shape depends on data/);
  await sound.dispose();
});

test("compiling inside a traced function is refused by both names", async () => {
  let inner: Promise<unknown> | undefined;
  const outer = await program((t) => {
    inner = compileAny((_state: object, inputs: { x: Tensor }) => [{}, inputs.x], example, {
      name: "inner",
    });
    inner.catch(() => {});
    return t;
  });
  await expect(inner).rejects.toThrow(/"inner" is compiled while "update" is traced/);
  await outer.dispose();
  await expectSoundTracing();
});

test("what the function throws itself arrives unchanged", async () => {
  const failure = new Error("mine");
  await expect(
    program(() => {
      throw failure;
    }),
  ).rejects.toBe(failure);
  await expectSoundTracing();
});

test("shapes that do not fit are refused", async () => {
  await expect(program((t) => tf.add(t, tf.zeros([3])))).rejects.toThrow(/shapes/i);
  await expect(program((t) => einsum("ij->i", t))).rejects.toThrow(/einsum "ij->i"/);
  await expectSoundTracing();
});

test("tensors made outside become constants", async () => {
  await tf.setBackend(await loadBackend("cpu"));
  const outside = tf.tensor([1, 2, 3, 4]);
  const sound = await program((t) => tf.mul(t, outside));
  expect([...((await sound.run({ x })) as NdArray).data]).toEqual([1, -4, 9, 2]);
  await sound.dispose();
});
