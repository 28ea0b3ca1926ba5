// The element types of safetensors files, and how each becomes one that programs know.

import type { DType, TypedArray } from "./tree.ts";

/** The name in files of each type that is written. */
export const fileTypeNames = { float32: "F32", int32: "I32", bool: "BOOL" } as const;

/** A type of elements in files: its width in bytes and how fresh bytes become elements. */
export interface FileType {
  readonly width: number;
  readonly dtype: DType;
  read(bytes: Uint8Array<ArrayBuffer>): TypedArray;
}

/** By name in the file. */
export const fileTypes: ReadonlyMap<unknown, FileType> = new Map<unknown, FileType>([
  ["F32", { width: 4, dtype: "float32", read: ({ buffer }) => new Float32Array(buffer) }],
  ["I32", { width: 4, dtype: "int32", read: ({ buffer }) => new Int32Array(buffer) }],
  ["BOOL", { width: 1, dtype: "bool", read: checkBools }],
  ["F64", { width: 8, dtype: "float32", read: narrowFloat64 }],
  ["F16", { width: 2, dtype: "float32", read: widenFloat16 }],
  ["BF16", { width: 2, dtype: "float32", read: widenBfloat16 }],
  ["I64", { width: 8, dtype: "int32", read: narrowInt64 }],
]);

function narrowFloat64({ buffer }: Uint8Array<ArrayBuffer>): Float32Array {
  return Float32Array.from(new Float64Array(buffer), (x) => {
    if (Number.isFinite(x) && !Number.isFinite(Math.fround(x))) {
      throw new Error(`F64 value ${x} does not fit float32`);
    }
    return x;
  });
}

function widenFloat16({ buffer }: Uint8Array<ArrayBuffer>): Float32Array {
  return Float32Array.from(new Uint16Array(buffer), (bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = (bits & 1023) / 1024;
    if (exponent === 0) return sign * fraction * 2 ** -14;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1 + fraction) * 2 ** (exponent - 15);
  });
}

/** A bfloat16 is the upper half of a float32. */
function widenBfloat16({ buffer }: Uint8Array<ArrayBuffer>): Float32Array {
  return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
}

function narrowInt64({ buffer }: Uint8Array<ArrayBuffer>): Int32Array {
  return Int32Array.from(new BigInt64Array(buffer), (x) => {
    if (x !== BigInt.asIntN(32, x)) throw new Error(`I64 value ${x} does not fit int32`);
    return Number(x);
  });
}

/** The same bytes; throws on one that is neither 0 nor 1. */
export function checkBools<T extends TypedArray>(bytes: T): T {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]! > 1) throw new Error(`a bool is 0 or 1, got ${bytes[i]}`);
  }
  return bytes;
}
