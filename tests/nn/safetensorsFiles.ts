// Safetensors files made by hand, most of them wrong in one way.

/** A file with any header at all, right or wrong. */
export function fileOf(header: unknown, data: ArrayLike<number> = []): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const bytes = new TextEncoder().encode(text);
  const file = new Uint8Array(8 + bytes.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(bytes.length), true);
  file.set(bytes, 8);
  file.set(data, 8 + bytes.length);
  return file;
}

/** The header's words for a tensor. */
export function tensor(dtype: unknown, shape: unknown, begin: number, end: number) {
  return { dtype, shape, data_offsets: [begin, end] };
}

const x4 = tensor("F32", [1], 0, 4);
const four = [0, 0, 0, 0];
const eight = [...four, ...four];
/** What no reader may accept, and a part of what it is to say. */
export const badFiles: readonly [what: string, file: Uint8Array, message: string][] = [
  ["an empty file", new Uint8Array(0), "wants at least 8 bytes, got 0"],
  ["half a length", new Uint8Array(7), "wants at least 8 bytes, got 7"],
  ["a header past the end", fileOf({ x: x4 }).subarray(0, 20), "bytes, the file has 12 left"],
  ["a header past 100 MB", Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0), "at most 100000000 bytes"],
  ["a header of 2^64 − 1 bytes", new Uint8Array(16).fill(255), "at most 100000000 bytes"],
  ["a header that is not UTF-8", new Uint8Array(9).fill(255, 8).fill(1, 0, 1), "is not UTF-8"],
  ["a header that is not JSON", fileOf('{"x":'), "is not JSON"],
  ["an empty header", fileOf(""), 'wants to begin with "{", got ""'],
  ["a header that is a list", fileOf([]), 'wants to begin with "{", got "["'],
  ["a header that is null", fileOf(null), 'wants to begin with "{", got "n"'],
  ["a header after a byte order mark", fileOf("\ufeff{}"), 'wants to begin with "{"'],
  ["a header nested without end", fileOf(`{"x":${"[".repeat(1e6)}`), "is not JSON"],
  [
    "a deep value",
    fileOf(`{"x":${"[".repeat(1e5)}${"]".repeat(1e5)}}`),
    "wanted an object with dtype, shape and data_offsets, got a list",
  ],
  ["a tensor that is null", fileOf({ x: null }), 'tensor "x": wanted an object'],
  ["a tensor without fields", fileOf({ x: {} }), 'tensor "x": dtype wants to be one of'],
  [
    "an unknown dtype",
    fileOf({ x: tensor("F8_E4M3", [4], 0, 4) }, four),
    'tensor "x": dtype wants to be one of F32,I32,BOOL,F64,F16,BF16,I64, got "F8_E4M3"',
  ],
  ["a dtype of the prototype", fileOf({ x: tensor("toString", [], 0, 0) }), 'got "toString"'],
  ["a dtype that is a list", fileOf({ x: tensor(["F32"], [1], 0, 4) }, four), "got a list"],
  ["no shape", fileOf({ x: { dtype: "F32" } }), 'tensor "x": shape wants a list, got undefined'],
  ["a shape that is a number", fileOf({ x: tensor("F32", 1, 0, 4) }, four), "a list, got 1"],
  [
    "a negative dimension",
    fileOf({ x: tensor("F32", [-1, -1], 0, 4) }, four),
    'tensor "x": shape wants whole numbers from 0 to 2^53 - 1, got -1',
  ],
  ["a fractional dimension", fileOf({ x: tensor("F32", [0.5, 2], 0, 4) }, four), "got 0.5"],
  ["a dimension of text", fileOf({ x: tensor("F32", ["1"], 0, 4) }, four), 'got "1"'],
  [
    "an infinite dimension",
    fileOf(`{"x":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}}`, four),
    "got Infinity",
  ],
  [
    "a giant shape",
    fileOf({ x: tensor("F32", [2 ** 40], 0, 4) }, four),
    'tensor "x": F32 of shape [1099511627776] wants 4398046511104 bytes, data_offsets span 4',
  ],
  [
    "a shape whose size overflows",
    fileOf({ x: tensor("F32", [2 ** 52, 2 ** 52], 0, 4) }, four),
    "wants too many bytes",
  ],
  [
    "a shape of a thousand giants",
    fileOf({ x: tensor("F32", [...Array(1000).fill(2 ** 52), 0], 0, 4) }, four),
    "wants too many bytes",
  ],
  [
    "a span that is too short",
    fileOf({ x: tensor("F64", [1], 0, 4) }, four),
    'tensor "x": F64 of shape [1] wants 8 bytes, data_offsets span 4',
  ],
  [
    "a span that is too long",
    fileOf({ x: tensor("F32", [1], 0, 8) }, eight),
    "wants 4 bytes, data_offsets span 8",
  ],
  ["no offsets", fileOf({ x: { dtype: "F32", shape: [1] } }, four), "data_offsets wants a list"],
  [
    "one offset",
    fileOf({ x: { dtype: "F32", shape: [1], data_offsets: [4] } }, four),
    "data_offsets want [begin, end] within the 4 bytes of data, got [4]",
  ],
  [
    "three offsets",
    fileOf({ x: { dtype: "F32", shape: [1], data_offsets: [0, 4, 4] } }, four),
    "got [0,4,4]",
  ],
  ["offsets past the end", fileOf({ x: x4 }, [0, 0]), "within the 2 bytes of data, got [0,4]"],
  ["offsets that run back", fileOf({ x: tensor("F32", [1], 4, 0) }, four), "got [4,0]"],
  ["negative offsets", fileOf({ x: tensor("F32", [1], -4, 0) }, four), "data_offsets wants whole"],
  ["fractional offsets", fileOf({ x: tensor("F32", [1], 0.5, 4.5) }, eight), "got 0.5"],
  [
    "overlapping tensors",
    fileOf({ x: x4, y: tensor("F32", [1], 2, 6) }, [...four, 0, 0]),
    'tensor "y" overlaps the one before: begins at 2, wanted 4',
  ],
  ["two tensors in one place", fileOf({ x: x4, y: x4 }, four), 'tensor "y" overlaps'],
  [
    "a gap",
    fileOf({ x: x4, y: tensor("F32", [1], 8, 12) }, [...eight, ...four]),
    'tensor "y" leaves a gap: begins at 8, wanted 4',
  ],
  ["a gap at the start", fileOf({ x: tensor("F32", [1], 4, 8) }, eight), "leaves a gap"],
  [
    "trailing bytes",
    fileOf({ x: x4 }, [...four, 0]),
    "the tensors fill 4 bytes of data, the file has 5",
  ],
  ["data without tensors", fileOf({}, [0]), "the tensors fill 0 bytes of data, the file has 1"],
  [
    "a name twice",
    fileOf(`{"x":${JSON.stringify(x4)},"x":${JSON.stringify(x4)}}`, four),
    'has the key "x" twice',
  ],
  [
    "a name twice, once escaped",
    fileOf(`{"x":${JSON.stringify(x4)}, "\\u0078" : ${JSON.stringify(x4)}}`, four),
    'has the key "x" twice',
  ],
  [
    "a field twice",
    fileOf('{"x":{"dtype":"I32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', four),
    'has the key "dtype" twice',
  ],
  [
    "a tensor __proto__",
    fileOf(`{"__proto__":${JSON.stringify(x4)}}`, four),
    'tensor "__proto__": "__proto__" is a reserved name',
  ],
  ["a tensor below __proto__", fileOf({ "a/__proto__/b": x4 }, four), "is a reserved name"],
  ["metadata that is a text", fileOf({ __metadata__: "salle" }), "an object of strings"],
  ["metadata that is a list", fileOf({ __metadata__: [] }), "an object of strings, got a list"],
  ["metadata with numbers", fileOf({ __metadata__: { step: 1 } }), '"step" wants a string, got 1'],
  ["metadata __proto__", fileOf('{"__metadata__":{"__proto__":"x"}}'), "is a reserved name"],
  ["a bool of 2", fileOf({ x: tensor("BOOL", [1], 0, 1) }, [2]), "a bool is 0 or 1, got 2"],
];
