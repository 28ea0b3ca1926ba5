// Booleans in HDF5 as h5py and all that stands on it know them: an enumeration, FALSE 0 and TRUE 1, of bytes.
//
// h5wasm reads such enumerations and can't write them. So a dataset of flags is written with a placeholder of
// equal size, a compound of one byte with a name of its own, and once the file is closed each placeholder's
// description (HDF5 File Format Specification 3.0, IV.A.2.d, the datatype message, version 1) is replaced by
// the enumeration's, which is shorter. Headers of the old kind carry no checksum over it.

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { Module } from "h5wasm/node";

const marker = "salle flag placeholder";
const window = 2 ** 22; // bytes that are searched at once

const int8 = [0x10, 8, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]; // version 1, fixed-point, signed; size 1; 8 bits
const head = (kind: number, count: number) => [kind, count, 0, 0, 1, 0, 0, 0]; // class, members; size 1
const padded = (name: string) => {
  const bytes = [...new TextEncoder().encode(`${name}\0`)];
  return [...bytes, ...new Array(-bytes.length & 7).fill(0)];
};
const placeholder = Uint8Array.from([...head(0x16, 1), ...padded(marker)]);
const enumeration = [...head(0x18, 2), ...int8, ...padded("FALSE"), ...padded("TRUE"), 0, 1];
// The placeholder's message goes on with the member's place, axes and type: 44 bytes.
const replacement = Uint8Array.from([
  ...enumeration,
  ...new Array(placeholder.length + 44 - enumeration.length).fill(0),
]);

interface RawModule {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(at: number): void;
  create_dataset(file: bigint, path: string, data: bigint, metadata: object): void;
}

/** Writes bytes 0 and 1 as a dataset that `patchFlags` turns into booleans. */
export function createFlags(file: bigint, path: string, data: Uint8Array): void {
  const raw = Module as unknown as RawModule;
  const member = { name: marker, offset: 0, type: 0, size: 1, signed: true, littleEndian: true };
  const at = raw._malloc(data.length);
  try {
    raw.HEAPU8.set(data, at);
    raw.create_dataset(file, path, BigInt(at), {
      type: 6, // compound
      compound_type: { members: [{ ...member, vlen: false }], nmembers: 1 },
      size: 1,
      signed: false,
      littleEndian: true,
      vlen: false,
      shape: [BigInt(data.length)],
      maxshape: [BigInt(data.length)],
      chunks: null,
      compression: 0,
      compression_opts: [],
      track_order: false,
    });
  } finally {
    raw._free(at);
  }
}

/** Turns every placeholder of a closed file into booleans. */
export function patchFlags(path: string): void {
  const file = openSync(path, "r+");
  const bytes = Buffer.alloc(window + placeholder.length);
  try {
    for (let from = 0; ; from += window) {
      const count = readSync(file, bytes, 0, bytes.length, from);
      for (let at = bytes.indexOf(placeholder); at >= 0 && at + placeholder.length <= count; ) {
        writeSync(file, replacement, 0, replacement.length, from + at);
        at = bytes.indexOf(placeholder, at + 1);
      }
      if (count < bytes.length) return;
    }
  } finally {
    closeSync(file);
  }
}
