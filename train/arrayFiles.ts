// Arrays ↔ safetensors files, streamed: hundreds of megabytes go to disk and back without a second copy.
//
// nn/safetensors.ts makes a file in memory and knows the types of programs; this writes every type that
// a state may have, straight from where it lies, and hashes what it writes.

import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readSync } from "node:fs";
import { writeAll } from "./files.ts";
import type { NamedArray, StateArray } from "./plainState.ts";

/** What a manifest says of a file. */
export interface FileSeal {
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

const types = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
} as const;
type TypeName = keyof typeof types;

const block = 2 ** 24; // bytes hashed or read at once

/** Groups arrays into files of at most about `most` bytes, in order; one array is never split. */
export function shard(arrays: readonly NamedArray[], most: number): NamedArray[][] {
  const shards: NamedArray[][] = [[]];
  let size = 0;
  for (const array of arrays) {
    const { byteLength } = array.data;
    if (size > 0 && size + byteLength > most) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)!.push(array);
    size += byteLength;
  }
  return shards;
}

/** Writes and flushes one file; wide elements come first, so that all are aligned. */
export function writeArrays(path: string, arrays: readonly NamedArray[]): FileSeal {
  const sorted = arrays.toSorted((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  return writeSealed(path, [headerOf(sorted), ...sorted.map(({ data }) => bytesOf(data))]);
}

/** Writes and flushes parts one after another. */
export function writeSealed(path: string, parts: readonly Uint8Array[]): FileSeal {
  const hash = createHash("sha256");
  let bytes = 0;
  const file = openSync(path, "wx");
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length; at += block) {
        const piece = part.subarray(at, at + block);
        hash.update(piece);
        writeAll(file, piece);
      }
      bytes += part.length;
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Size and hash of a file as it lies there. */
export function sealOf(path: string): FileSeal {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(block);
  let bytes = 0;
  const file = openSync(path, "r");
  try {
    for (;;) {
      const count = readSync(file, buffer, 0, block, null);
      if (count === 0) return { bytes, sha256: hash.digest("hex") };
      hash.update(buffer.subarray(0, count));
      bytes += count;
    }
  } finally {
    closeSync(file);
  }
}

/** The arrays of a file that `writeArrays` wrote and whose seal is unbroken, those that are wanted. */
export function readArrays(
  path: string,
  wanted: (name: string) => boolean,
): Map<string, StateArray> {
  const arrays = new Map<string, StateArray>();
  const file = openSync(path, "r");
  try {
    const length = new BigUint64Array(1);
    readInto(file, length, 0);
    const text = new Uint8Array(Number(length[0]));
    readInto(file, text, 8);
    const header = JSON.parse(new TextDecoder().decode(text)) as Record<string, HeaderEntry>;
    for (const [
      name,
      {
        dtype,
        data_offsets: [begin, end],
      },
    ] of Object.entries(header)) {
      if (!wanted(name)) continue;
      const type = types[dtype];
      const data = new type((end - begin) / type.BYTES_PER_ELEMENT);
      readInto(file, data, 8 + text.length + begin);
      arrays.set(name, data);
    }
  } finally {
    closeSync(file);
  }
  return arrays;
}

interface HeaderEntry {
  readonly dtype: TypeName;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [begin: number, end: number];
}

function headerOf(arrays: readonly NamedArray[]): Uint8Array {
  let begin = 0;
  const entries = arrays.map(({ name, shape, data }): [string, HeaderEntry] => {
    const end = begin + data.byteLength;
    const entry = { dtype: typeNameOf(data), shape, data_offsets: [begin, end] as const };
    begin = end;
    return [name, entry];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const size = Math.ceil(new TextEncoder().encode(json).length / 8) * 8;
  const header = new Uint8Array(8 + size).fill(0x20, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(size), true);
  new TextEncoder().encodeInto(json, header.subarray(8));
  return header;
}

function typeNameOf(data: StateArray): TypeName {
  const names = Object.keys(types) as TypeName[];
  return names.find((name) => data instanceof types[name])!;
}

function readInto(file: number, target: ArrayBufferView, position: number): void {
  const bytes = bytesOf(target);
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(file, bytes, at, Math.min(block, bytes.length - at), position + at);
    if (count === 0) throw new Error(`the file ends ${bytes.length - at} bytes early`);
    at += count;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
