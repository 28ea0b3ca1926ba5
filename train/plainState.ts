// Plain state ↔ JSON and named arrays: objects, lists, texts, numbers and typed arrays, bit for bit.
//
// A typed array becomes {"$array": its path}; numbers that JSON lacks become {"$number": "-0"}. Arrays
// with a shape, {shape, dtype, data}, are one array of that shape.

import { isNdArray, sizeOf } from "../nn/tree.ts";

export type StateArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** An array under its name, with the shape it has for others that read the file. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: StateArray;
}

export interface PackedState {
  readonly json: unknown;
  readonly arrays: readonly NamedArray[];
}

const arrayKey = "$array";
const numberKey = "$number";

/** Takes a state apart; its arrays are not copied. Throws on functions, classes' objects and the like. */
export function packState(state: unknown): PackedState {
  const arrays: NamedArray[] = [];
  const names = new Set<string>();
  const keep = (name: string, shape: readonly number[], data: StateArray) => {
    if (names.has(name)) throw new Error(`two arrays of the state have the path "${name}"`);
    names.add(name);
    arrays.push({ name, shape, data });
    return { [arrayKey]: name };
  };
  const pack = (value: unknown, path: string): unknown => {
    if (typeof value === "number") return packNumber(value);
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (isStateArray(value)) return keep(path, [value.length], value);
    if (isNdArray(value)) {
      const { shape, dtype, data } = value;
      if (sizeOf(shape) !== data.length)
        throw new Error(`"${path}" is [${shape}] with ${data.length} elements`);
      return { shape, dtype, data: keep(path, shape, data) };
    }
    if (Array.isArray(value)) return value.map((item, i) => pack(item, join(path, String(i))));
    if (!isPlainObject(value)) throw new Error(`"${path}" can't be saved: ${describe(value)}`);
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    for (const [key] of entries)
      if (key.startsWith("$")) throw new Error(`"${path}" has the reserved key "${key}"`);
    return Object.fromEntries(entries.map(([key, item]) => [key, pack(item, join(path, key))]));
  };
  return { json: pack(state, ""), arrays };
}

/** The state again, with `read(name)` in the arrays' places. */
export function unpackState(json: unknown, read: (name: string) => StateArray): unknown {
  if (Array.isArray(json)) return json.map((item) => unpackState(item, read));
  if (typeof json !== "object" || json === null) return json;
  if (arrayKey in json) return read(json[arrayKey] as string);
  if (numberKey in json) return Number(json[numberKey]);
  return Object.fromEntries(
    Object.entries(json).map(([key, item]) => [key, unpackState(item, read)]),
  );
}

/** A packed state with nothing in it but what some paths lead to, "loop/agent"; throws where one leads nowhere. */
export function partsOf(json: unknown, paths: readonly string[]): unknown {
  const parts: Record<string, unknown> = {};
  for (const path of paths) {
    const keys = path.split("/");
    let [source, target] = [json as Record<string, unknown>, parts];
    for (const key of keys.slice(0, -1)) {
      source = (source?.[key] ?? {}) as Record<string, unknown>;
      target[key] ??= {};
      target = target[key] as Record<string, unknown>;
    }
    const last = keys.at(-1)!;
    if (!Object.hasOwn(source, last)) throw new Error(`the checkpoint holds no "${path}"`);
    target[last] = source[last];
  }
  return parts;
}

function packNumber(value: number): unknown {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  return { [numberKey]: Object.is(value, -0) ? "-0" : String(value) };
}

function isStateArray(value: unknown): value is StateArray {
  return (
    value instanceof Float32Array ||
    value instanceof Float64Array ||
    value instanceof Int32Array ||
    value instanceof Uint32Array ||
    value instanceof Uint8Array
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}/${key}`;
}

function describe(value: unknown): string {
  if (typeof value === "object" && value !== null) return `a ${value.constructor.name}`;
  return `${typeof value} ${String(value)}`;
}
