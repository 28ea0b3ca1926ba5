// The safetensors file format: a tree of arrays ↔ bytes. Pure functions of the bytes, so that a browser
// reads and writes what Node and Python do.
//
// A file is the header's length (8 bytes, little-endian), the header (JSON: name → dtype, shape, byte
// range), then the elements, without holes. Files may come from strangers: whatever a header says is
// checked against the bytes that are really there before anything is allocated.

import { checkBools, fileTypeNames } from "./fileTypes.ts";
import {
  about,
  checkHeaderLength,
  checkName,
  copyOf,
  cut,
  lengthBytes,
  metadataName,
  quote,
  readHeader,
} from "./safetensorsHeader.ts";
import {
  type ArraySpec,
  holds,
  isNdArray,
  isSpec,
  leaves,
  type MapLeaves,
  mapTree,
  type NdArray,
  sizeOf,
  type Tree,
} from "./tree.ts";

/** What a file holds. */
export interface Safetensors {
  /** Fresh arrays by name. */
  readonly arrays: ReadonlyMap<string, NdArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

const alignment = 8; // bytes
const space = 0x20;

/**
 * The file that holds a tree's arrays under their paths ("critics/w1"). Equal trees give equal bytes:
 * wide elements come first, so that all are aligned, then names in order.
 */
export function encodeSafetensors(
  tree: Tree<NdArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const arrays = [...namedLeaves(tree, isNdArray)];
  for (const [name, array] of arrays) checkArray(name, array);
  const width = ({ data }: NdArray) => data.BYTES_PER_ELEMENT;
  arrays.sort(([a, x], [b, y]) => width(y) - width(x) || compare(a, b));
  const header = new TextEncoder().encode(headerOf(arrays, metadata));
  const headerBytes = Math.ceil(header.length / alignment) * alignment;
  checkHeaderLength(headerBytes);

  let position = lengthBytes + headerBytes;
  const numBytes = arrays.reduce((sum, [, { data }]) => sum + data.byteLength, position);
  const file = new Uint8Array(numBytes).fill(space, lengthBytes, position);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(header, lengthBytes);
  for (const [, { data }] of arrays) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return file;
}

function headerOf(
  arrays: readonly (readonly [string, NdArray])[],
  metadata: Readonly<Record<string, string>>,
): string {
  const fields: string[] = [];
  const notes = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  if (notes.length > 0) {
    const texts = notes.map(([key, text]) => `${jsonText(checkName(key))}:${jsonText(text)}`);
    fields.push(`"${metadataName}":{${texts.join()}}`);
  }
  let begin = 0;
  for (const [name, { shape, dtype, data }] of arrays) {
    const end = begin + data.byteLength;
    const type = `"dtype":"${fileTypeNames[dtype]}","shape":[${shape}]`;
    fields.push(`${jsonText(name)}:{${type},"data_offsets":[${begin},${end}]}`);
    begin = end;
  }
  return `{${fields.join()}}`;
}

/**
 * The arrays and metadata of a file; F64, F16 and BF16 become float32, I64 becomes int32. Throws on
 * anything that the format forbids, on other element types, and on numbers that don't fit.
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const { dataStart, entries, metadata } = readHeader(bytes);
  const arrays = new Map<string, NdArray>();
  for (const { name, shape, type, begin, end } of entries) {
    const elements = copyOf(bytes, dataStart + begin, dataStart + end);
    const data = about(name, () => type.read(elements));
    arrays.set(name, { shape, dtype: type.dtype, data });
  }
  return { arrays, metadata };
}

/**
 * The tree of `template`'s structure with the arrays of a file in its leaves' places. Throws unless
 * names, shapes and element types are exactly the template's.
 */
export function restoreTree<T extends Tree<ArraySpec>>(
  template: T,
  arrays: ReadonlyMap<string, NdArray>,
): MapLeaves<T, ArraySpec, NdArray> {
  const specs = namedLeaves<ArraySpec>(template, isSpec);
  const problems: string[] = [];
  for (const [name, spec] of specs) {
    const array = arrays.get(name);
    if (array === undefined) problems.push(`${quote(name)} is missing`);
    else if (array.dtype !== spec.dtype || String(array.shape) !== String(spec.shape)) {
      problems.push(`${quote(name)} is ${describe(array)}, wanted ${describe(spec)}`);
    }
  }
  for (const name of arrays.keys()) {
    if (!specs.has(name)) problems.push(`${quote(name)} is not wanted`);
  }
  if (problems.length > 0) {
    const rest = problems.length > 10 ? `; and ${problems.length - 10} more` : "";
    throw new Error(`the arrays do not fit the tree: ${problems.slice(0, 10).join("; ")}${rest}`);
  }
  return mapTree<ArraySpec, NdArray>(template, isSpec, (_, name) => arrays.get(name)!) as never;
}

/** The leaves by path; throws on paths that a file can't tell apart or name. */
function namedLeaves<T>(tree: Tree<T>, isLeaf: (value: unknown) => value is T): Map<string, T> {
  const named = new Map<string, T>();
  for (const [name, leaf] of leaves(tree, isLeaf)) {
    checkName(name);
    if (named.has(name)) throw new Error(`two arrays of the tree have the path ${quote(name)}`);
    named.set(name, leaf);
  }
  return named;
}

function checkArray(name: string, array: NdArray): void {
  const { shape, dtype, data } = array;
  if (!holds(dtype, data) || data.length !== sizeOf(shape)) {
    const got = `${data.constructor.name} of ${data.length}`;
    throw new Error(
      `tensor ${quote(name)}: ${describe(array)} wants ${sizeOf(shape)} elements, got ${got}`,
    );
  }
  if (dtype === "bool") about(name, () => checkBools(data));
}

/** JSON of a string; throws on half a surrogate pair, which UTF-8 can't hold. */
function jsonText(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new Error(`${quote(text)} is not well-formed text`);
  return JSON.stringify(text);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function describe({ dtype, shape }: ArraySpec): string {
  return `${dtype} [${cut(String(shape))}]`;
}
