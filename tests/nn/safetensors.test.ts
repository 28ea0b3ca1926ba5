import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors, restoreTree } from "../../nn/safetensors.ts";
import {
  array,
  type DType,
  isNdArray,
  leaves,
  type NdArray,
  sizeOf,
  type Tree,
  zeros,
} from "../../nn/tree.ts";
import { badFiles, fileOf, tensor } from "./safetensorsFiles.ts";

const seed = 20_261_123;

function bitsOf({ data }: NdArray): number[] {
  return [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

const shapes = fc.array(fc.nat(4), { maxLength: 4 });
const names = fc
  .string({ unit: "grapheme", maxLength: 12 })
  .filter((name) => !name.includes("/") && !name.startsWith("__"));

function arraysOf(dtype: DType): fc.Arbitrary<NdArray> {
  return shapes.chain((shape) => {
    const size = sizeOf(shape);
    if (dtype === "bool") {
      const bits = fc.array(fc.nat(1), { minLength: size, maxLength: size });
      return bits.map((values) => array(values, shape, "bool"));
    }
    const bytes = fc.uint8Array({ minLength: 4 * size, maxLength: 4 * size });
    return bytes.map(({ buffer }) => ({
      shape,
      dtype,
      data: dtype === "int32" ? new Int32Array(buffer) : new Float32Array(buffer),
    }));
  });
}

const anyArray = fc.oneof(arraysOf("float32"), arraysOf("int32"), arraysOf("bool"));
const trees: fc.Arbitrary<Tree<NdArray>> = fc.oneof(
  anyArray,
  fc.dictionary(names, fc.oneof(anyArray, fc.array(anyArray, { maxLength: 3 })), { maxKeys: 5 }),
);
const notes = fc.dictionary(names, fc.string({ unit: "grapheme" }), { maxKeys: 3 });

describe("a file that was written", () => {
  test("reads back with every bit, name, shape, type and note", () => {
    fc.assert(
      fc.property(trees, notes, (tree, metadata) => {
        const decoded = decodeSafetensors(encodeSafetensors(tree, metadata));
        const wanted = new Map(leaves<NdArray>(tree, isNdArray));
        expect(new Set(decoded.arrays.keys())).toEqual(new Set(wanted.keys()));
        for (const [name, { shape, dtype, data }] of wanted) {
          const got = decoded.arrays.get(name)!;
          expect([got.shape, got.dtype]).toEqual([shape, dtype]);
          expect(bitsOf(got)).toEqual(bitsOf({ shape, dtype, data }));
        }
        expect(decoded.metadata).toEqual({ ...metadata });
      }),
      { seed },
    );
  });

  test("restores as the tree that it was", () => {
    const tree = {
      critics: [{ w: array([1, 2], [1, 2]) }, { w: array([3], [1, 1]) }],
      step: array([7], [], "int32"),
      done: zeros([0, 3], "bool"),
    };
    const { arrays } = decodeSafetensors(encodeSafetensors(tree));
    expect(restoreTree(tree, arrays)).toEqual(tree);
    expect([...arrays.keys()]).toContain("critics/1/w");
  });

  test("keeps the payload of a NaN", () => {
    const x = { shape: [1], dtype: "float32", data: new Float32Array(1) } as const;
    new Uint32Array(x.data.buffer)[0] = 0x7fa5a5a5;
    const { arrays } = decodeSafetensors(encodeSafetensors({ x }));
    expect(new Uint32Array(arrays.get("x")!.data.buffer)[0]).toBe(0x7fa5a5a5);
  });

  test("does not depend on the order of keys", () => {
    const [x, y, flag] = [array([1]), array([2]), array([1], [1], "bool")];
    const bytes = encodeSafetensors({ x, flag, y }, { b: "2", a: "1" });
    expect(bytes).toEqual(encodeSafetensors({ flag, y, x }, { a: "1", b: "2" }));
  });

  test("is the bytes that the format names", () => {
    const header =
      '{"__metadata__":{"by":"salle"},' +
      '"b":{"dtype":"I32","shape":[],"data_offsets":[0,4]},' +
      '"a":{"dtype":"BOOL","shape":[2],"data_offsets":[4,6]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const tree = { a: array([1, 0], [2], "bool"), b: array([-2], [], "int32") };
    const bytes = encodeSafetensors(tree, { by: "salle" });
    expect(bytes).toEqual(fileOf(padded, [254, 255, 255, 255, 1, 0]));
  });

  test("reads from any offset of a buffer into aligned arrays of their own", () => {
    const file = encodeSafetensors({ x: array([1, 2]) });
    const shifted = Buffer.concat([Buffer.of(0), file]).subarray(1);
    const { data } = decodeSafetensors(shifted).arrays.get("x")!;
    shifted.fill(0);
    expect(data).toEqual(Float32Array.of(1, 2));
    expect(data.buffer.byteLength).toBe(8);
  });

  test("may hold nothing", () => {
    const decoded = decodeSafetensors(encodeSafetensors({}));
    expect(decoded.arrays.size).toBe(0);
    expect(decoded.metadata).toEqual({});
  });
});

describe("other element types", () => {
  const read = (dtype: string, { buffer }: { buffer: ArrayBufferLike }) => {
    const data = new Uint8Array(buffer);
    const width = { F64: 8, I64: 8, F16: 2, BF16: 2 }[dtype]!;
    const header = { x: tensor(dtype, [data.length / width], 0, data.length) };
    return decodeSafetensors(fileOf(header, data)).arrays.get("x")!;
  };

  test("F64 is rounded to float32", () => {
    const x = read("F64", Float64Array.of(0.1, -0, Number.NaN, Number.NEGATIVE_INFINITY));
    expect(x).toEqual(array([Math.fround(0.1), -0, Number.NaN, Number.NEGATIVE_INFINITY]));
    expect(() => read("F64", Float64Array.of(1e39))).toThrow(
      'tensor "x": F64 value 1e+39 does not fit float32',
    );
  });

  test("F16 is widened exactly", () => {
    const bits = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x8000, 0x7c00, 0xfc00, 0x7e00];
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    expect(read("F16", Uint16Array.from(bits)).data).toEqual(
      Float32Array.of(1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, -0, infinity, -infinity, nan),
    );
  });

  test("BF16 is widened exactly", () => {
    const { data } = read("BF16", Uint16Array.of(0x3f80, 0xc000, 0x0001, 0xff80));
    expect(data).toEqual(Float32Array.of(1, -2, 2 ** -133, Number.NEGATIVE_INFINITY));
  });

  test("I64 becomes int32 where it fits", () => {
    const fits = BigInt64Array.of(-(2n ** 31n), -1n, 2n ** 31n - 1n);
    expect(read("I64", fits)).toEqual(array([-(2 ** 31), -1, 2 ** 31 - 1], [3], "int32"));
    for (const x of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 63n - 1n]) {
      expect(() => read("I64", BigInt64Array.of(x))).toThrow(
        `tensor "x": I64 value ${x} does not fit int32`,
      );
    }
  });
});

describe("a bad file is refused", () => {
  test.each(badFiles)("%s", (_, file, message) => {
    expect(() => decodeSafetensors(file)).toThrow(message);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test("with a short message however long its names are", () => {
    const file = fileOf({ ["x".repeat(1e6)]: tensor("y".repeat(1e6), [], 0, 0) });
    const message = (() => {
      try {
        return String(decodeSafetensors(file));
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message.length).toBeLessThan(500);
  });

  test("or read, quickly, after any mutation", () => {
    const tree = { w: array([1, 2, 3, 4], [2, 2]), n: array([5], [], "int32") };
    const valid = encodeSafetensors(
      { ...tree, flags: array([1, 0], [2], "bool") },
      { by: "salle" },
    );
    const bytes = fc.tuple(fc.nat(valid.length - 1), fc.oneof(fc.nat(255), fc.integer(asciiRange)));
    const mutations = fc.array(bytes, { maxLength: 4 });
    let numRefused = 0;
    const start = performance.now();
    fc.assert(
      fc.property(mutations, fc.option(fc.nat(valid.length)), (changes, length) => {
        const mutant = valid.slice(0, length ?? valid.length);
        for (const [index, value] of changes) if (index < mutant.length) mutant[index] = value;
        try {
          decodeSafetensors(mutant);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
          expect(error).not.toBeInstanceOf(RangeError);
          numRefused += 1;
        }
      }),
      { seed, numRuns: 5000 },
    );
    expect(numRefused).toBeGreaterThan(2500);
    expect(performance.now() - start).toBeLessThan(20_000); // about 0.3 s
  });
});

const asciiRange = { min: 0x20, max: 0x7e };

describe("a tree that a file can't hold is refused", () => {
  const x = array([1]);
  test.each<[what: string, tree: Tree<NdArray>, message: string]>([
    ["two leaves of one path", { a: { b: x }, "a/b": x }, 'have the path "a/b"'],
    ["the name of the metadata", { __metadata__: x }, '"__metadata__" is a reserved name'],
    ["__proto__", Object.fromEntries([["__proto__", x]]), "is a reserved name"],
    ["half a surrogate pair", { "\ud800": x }, "is not well-formed text"],
    ["too few elements", { x: { ...x, shape: [2] } }, "wants 2 elements, got Float32Array of 1"],
    ["other elements", { x: { ...x, dtype: "int32" } }, "got Float32Array of 1"],
    ["a bool of 2", { x: array([2], [1], "bool") }, 'tensor "x": a bool is 0 or 1, got 2'],
  ])("%s", (_, tree, message) => {
    expect(() => encodeSafetensors(tree)).toThrow(message);
  });
});

describe("a tree is restored only from exactly its arrays", () => {
  const template = { w: zeros([2]), nested: { b: zeros([], "int32") } };
  const full = new Map<string, NdArray>([
    ["w", zeros([2])],
    ["nested/b", zeros([], "int32")],
  ]);
  test.each<[what: string, change: [string, NdArray | undefined], message: string]>([
    ["a missing name", ["nested/b", undefined], '"nested/b" is missing'],
    ["an extra name", ["v", zeros([1])], '"v" is not wanted'],
    ["another shape", ["w", zeros([2, 1])], '"w" is float32 [2,1], wanted float32 [2]'],
    ["another type", ["nested/b", zeros([])], '"nested/b" is float32 [], wanted int32 []'],
  ])("%s", (_, [name, value], message) => {
    const arrays = new Map(full);
    if (value === undefined) arrays.delete(name);
    else arrays.set(name, value);
    expect(() => restoreTree(template, arrays)).toThrow(message);
  });

  test("all problems are named, up to ten", () => {
    const many = new Map(Array.from({ length: 20 }, (_, i) => [`extra${i}`, zeros([1])] as const));
    expect(() => restoreTree(template, many)).toThrow(
      /"w" is missing; "nested\/b" is missing; "extra0" is not wanted;.*; and 12 more$/,
    );
  });
});
