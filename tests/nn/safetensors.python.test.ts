// Salle's safetensors files beside those of the Python package that others use.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../nn/safetensors.ts";
import { array, isNdArray, leaves, type NdArray, zeros } from "../../nn/tree.ts";
import { describePython, python } from "../python.ts";

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "salle-safetensors-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describePython("Python's safetensors", () => {
  test("reads our file bit for bit, with its metadata", () => {
    const tree = {
      actor: { w: array([1.5, -0, nan, -infinity, 1e-45, 3.4e38], [2, 3]) },
      critics: [{ b: array([0.1]) }, { b: zeros([0, 2]) }],
      step: array([-(2 ** 31)], [], "int32"),
      flags: array([1, 0, 1], [3], "bool"),
      "größe 体": array([1], [1, 1, 1]),
    };
    new Uint32Array(tree.actor.w.data.buffer)[2] = 0x7fa5a5a5; // a NaN with a payload
    const metadata = { format: "salle", 'naïve "key"': "line\nbreak" };
    const path = join(folder, "ours.safetensors");
    writeFileSync(path, encodeSafetensors(tree, metadata));
    const script = `
import json, sys
from safetensors import safe_open
from safetensors.numpy import load
with safe_open(sys.argv[1], "numpy") as file:
    arrays = {name: file.get_tensor(name) for name in file.keys()}
    metadata = file.metadata()
copies = load(open(sys.argv[1], "rb").read())
assert arrays.keys() == copies.keys()
print(json.dumps({
    "metadata": metadata,
    "arrays": {name: [str(a.dtype), a.shape, a.tobytes().hex()] for name, a in arrays.items()},
    "copies": {name: [str(a.dtype), a.shape, a.tobytes().hex()] for name, a in copies.items()},
}))`;
    const read = JSON.parse(python(script, { args: [path] }));
    const wanted = Object.fromEntries(
      leaves<NdArray>(tree, isNdArray).map(([name, { dtype, shape, data }]) => {
        const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        return [name, [dtype, shape, bytes.toString("hex")]];
      }),
    );
    expect(read.metadata).toEqual(metadata);
    expect(read.arrays).toEqual(wanted);
    expect(read.copies).toEqual(wanted);
  });

  test("reads a file without tensors and without metadata", () => {
    const path = join(folder, "empty.safetensors");
    writeFileSync(path, encodeSafetensors({}));
    const script = `
import sys
from safetensors import safe_open
with safe_open(sys.argv[1], "numpy") as file: print(file.keys(), file.metadata())`;
    expect(python(script, { args: [path] }).trim()).toBe("[] None");
  });

  test("writes files that we read, in every type that we know", () => {
    const path = join(folder, "theirs.safetensors");
    const script = `
import sys
import numpy as np
import ml_dtypes
from safetensors import TensorSpec, serialize_file
from safetensors.numpy import save_file
values = [1.5, -0.0, 65504.0, 2.0**-24, np.inf, np.nan]
arrays = {
    "F16": np.array(values, np.float16),
    "F32": np.array([values], np.float32),
    "F64": np.array(values, np.float64),
    "I32": np.array([[-2**31], [2**31 - 1]], np.int32),
    "I64": np.array(-2**31, np.int64),
    "BOOL": np.array([True, False]),
    "empty": np.zeros((3, 0), np.float32),
}
save_file(arrays, sys.argv[1], metadata={"format": "np", "größe": "1"})
bfloat16 = np.array(values, ml_dtypes.bfloat16)
expected = bfloat16.astype(np.float32)
def spec(name, a): return TensorSpec(
    dtype=name, shape=list(a.shape), data_ptr=a.ctypes.data, data_len=a.nbytes)
serialize_file({
    "BF16": spec("bfloat16", bfloat16),
    "same": spec("float32", expected),
}, sys.argv[2])`;
    const halves = join(folder, "bfloat16.safetensors");
    python(script, { args: [path, halves] });
    const values = [1.5, -0, 65504, 2 ** -24, infinity, nan];
    const { arrays, metadata } = decodeSafetensors(readFileSync(path));
    expect(metadata).toEqual({ format: "np", größe: "1" });
    expect(Object.fromEntries(arrays)).toEqual({
      F16: array(values),
      F32: array(values, [1, 6]),
      F64: array(values),
      I32: array([-(2 ** 31), 2 ** 31 - 1], [2, 1], "int32"),
      I64: array([-(2 ** 31)], [], "int32"),
      BOOL: array([1, 0], [2], "bool"),
      empty: zeros([3, 0]),
    });
    const { BF16: widened, same } = Object.fromEntries(
      decodeSafetensors(readFileSync(halves)).arrays,
    );
    expect(new Uint32Array(widened!.data.buffer)).toEqual(new Uint32Array(same!.data.buffer));
  });

  test("writes unsigned types, which we refuse by name", () => {
    const path = join(folder, "unsigned.safetensors");
    const script = `
import sys
import numpy as np
from safetensors.numpy import save_file
save_file({"pixels": np.zeros(3, np.uint8)}, sys.argv[1])`;
    python(script, { args: [path] });
    expect(() => decodeSafetensors(readFileSync(path))).toThrow(
      /tensor "pixels": dtype wants .*, got "U8"/,
    );
  });
});
