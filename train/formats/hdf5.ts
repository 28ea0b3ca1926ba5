// HDF5 files, by h5wasm: the one door to it. Numbers and attributes go in and out array by array, so what is
// in memory is one array, however large the file; a file larger than memory is read and written all the same.
//
// h5wasm writes no booleans as h5py knows them (an enumeration of FALSE and TRUE): hdf5Flags.ts sees to it.

import { existsSync, rmSync } from "node:fs";
import { type Dataset, File, Group, ready } from "h5wasm/node";
import { createFlags, patchFlags } from "./hdf5Flags.ts";

/** What an attribute may be: a text, a float64 or an int64. */
export type AttributeValue = string | number | bigint;

/** Where a dataset that grows has its rows: the first axis. */
interface Shape {
  readonly rows: number;
  /** Numbers of a row. */
  readonly width: number;
}

/** An HDF5 file to read; every problem is an error that names the file and the key. */
export class Hdf5Reader {
  readonly path: string;
  private readonly file: File;

  private constructor(path: string, file: File) {
    this.path = path;
    this.file = file;
  }

  static async open(path: string): Promise<Hdf5Reader> {
    await prepare();
    if (!existsSync(path)) throw new Error(`there is no ${path}`);
    try {
      return new Hdf5Reader(path, new File(path, "r"));
    } catch (error) {
      throw new Error(`${path} is no HDF5 file that can be read: ${reasonOf(error)}`);
    }
  }

  /** Names in a group. */
  names(group: string): string[] {
    const found = group === "/" ? this.file : this.find(group);
    if (!(found instanceof Group)) throw new Error(`${this.path} wants a group "${group}"`);
    return found.keys();
  }

  has(key: string): boolean {
    return this.find(key) !== null;
  }

  isGroup(key: string): boolean {
    return this.find(key) instanceof Group;
  }

  /** Rows and their numbers; what has more axes counts as flat rows. */
  shape(key: string): Shape {
    const [rows = 1, ...others] = this.dataset(key).shape ?? [];
    return { rows, width: others.reduce((a, b) => a * b, 1) };
  }

  /** How many axes a dataset has. */
  rank(key: string): number {
    return this.dataset(key).shape?.length ?? 0;
  }

  /** Rows [from, to) of numbers or flags, as float32; wants finite ones. */
  floats(key: string, from: number, to: number): Float32Array {
    const values = this.slice(key, from, to);
    if (!ArrayBuffer.isView(values) && !Array.isArray(values))
      throw new Error(`${this.path} wants numbers in "${key}", got ${typeof values}`);
    const floats =
      values instanceof Float32Array
        ? values
        : Float32Array.from(values as ArrayLike<number>, Number);
    const at = notFinite(floats);
    if (at < 0) return floats;
    const row = from + Math.floor((at * (to - from)) / floats.length);
    throw new Error(
      `${this.path} wants finite numbers in "${key}", got ${floats[at]} in row ${row}`,
    );
  }

  /** A dataset of bytes, whole. */
  bytes(key: string): Uint8Array {
    return Uint8Array.from(this.slice(key, 0, this.shape(key).rows) as ArrayLike<number>);
  }

  /** undefined where there is none. */
  attribute(key: string, name: string): unknown {
    const found = key === "/" ? this.file : this.find(key);
    const attribute = found && "attrs" in found ? found.attrs[name] : undefined;
    return attribute?.value ?? undefined;
  }

  close(): void {
    this.file.close();
  }

  private slice(key: string, from: number, to: number): unknown {
    const dataset = this.dataset(key);
    try {
      return dataset.slice([[from, to]]);
    } catch (error) {
      throw new Error(
        `${this.path}: rows ${from} to ${to} of "${key}" can't be read: ${reasonOf(error)}`,
      );
    }
  }

  private dataset(key: string): Dataset {
    const found = this.find(key);
    if (found === null || found instanceof Group || !("slice" in found))
      throw new Error(`${this.path} wants a dataset "${key}", and has ${this.near(key)}`);
    return found;
  }

  private near(key: string): string {
    const group = key.replace(/\/?[^/]*$/, "");
    if (group !== "" && !this.isGroup(group)) return `no "${group}"`;
    return this.names(group || "/").join(", ") || "nothing";
  }

  private find(key: string) {
    try {
      return this.file.get(key);
    } catch {
      return null; // h5wasm throws for a path through what is no group
    }
  }
}

/** A new HDF5 file. */
export class Hdf5Writer {
  private readonly path: string;
  private readonly file: File;
  private hasFlags = false;

  private constructor(path: string, file: File) {
    this.path = path;
    this.file = file;
  }

  static async create(path: string): Promise<Hdf5Writer> {
    await prepare();
    rmSync(path, { force: true });
    // Old headers have no checksums, which flags need, and every reader knows them.
    return new Hdf5Writer(path, new File(path, "w", { libver: ["earliest", "latest"] }));
  }

  group(key: string, attributes: Readonly<Record<string, AttributeValue>> = {}): void {
    const { parent, name } = this.place(key);
    describe(parent.create_group(name), attributes);
  }

  /** Attributes of the file itself. */
  describe(attributes: Readonly<Record<string, AttributeValue>>): void {
    describe(this.file, attributes);
  }

  floats(key: string, data: Float32Array, shape: readonly number[]): void {
    const { parent, name } = this.place(key);
    parent.create_dataset({ name, data, shape: [...shape], dtype: "<f" });
  }

  bytes(key: string, data: Uint8Array): void {
    const { parent, name } = this.place(key);
    parent.create_dataset({ name, data, shape: [data.length], dtype: "<B" });
  }

  integers(key: string, data: Int32Array): void {
    const { parent, name } = this.place(key);
    parent.create_dataset({ name, data, shape: [data.length], dtype: "<i" });
  }

  texts(key: string, data: readonly string[]): void {
    const { parent, name } = this.place(key);
    parent.create_dataset({ name, data: [...data], shape: [data.length] });
  }

  /** Booleans, from bytes 0 and 1. */
  flags(key: string, data: Uint8Array): void {
    createFlags(this.file.file_id, `/${key}`, data);
    this.hasFlags = true;
  }

  /** A dataset of floats without rows yet. */
  growing(key: string, width: number | null): GrowingFloats {
    const { parent, name } = this.place(key);
    const tail = width === null ? [] : [width];
    const dataset = parent.create_dataset({
      name,
      data: new Float32Array(0),
      shape: [0, ...tail],
      maxshape: [null, ...tail],
      chunks: [Math.max(1, Math.floor(bytesOfChunk / (4 * (width ?? 1)))), ...tail],
      dtype: "<f",
    });
    return new GrowingFloats(dataset, width);
  }

  close(): void {
    this.file.close();
    if (this.hasFlags) patchFlags(this.path);
  }

  private place(key: string): { parent: Group; name: string } {
    const at = key.lastIndexOf("/");
    const parent = at < 0 ? this.file : (this.file.get(key.slice(0, at)) as Group);
    return { parent, name: key.slice(at + 1) };
  }
}

function describe(group: Group, attributes: Readonly<Record<string, AttributeValue>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "bigint") group.create_attribute(name, BigInt64Array.of(value), [], "<q");
    else group.create_attribute(name, value, null, typeof value === "number" ? "<d" : null);
  }
}

const bytesOfChunk = 2 ** 18; // some fit HDF5's cache of 1 MiB

/** Where the first number is that is not finite; −1 where all are. */
function notFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/** Appends rows. */
export class GrowingFloats {
  private readonly dataset: Dataset;
  private readonly width: number | null;
  private numRows = 0;

  constructor(dataset: Dataset, width: number | null) {
    this.dataset = dataset;
    this.width = width;
  }

  append(data: Float32Array): void {
    const tail = this.width === null ? [] : [this.width];
    const end = this.numRows + data.length / (this.width ?? 1);
    this.dataset.resize([end, ...tail]);
    this.dataset.write_slice([[this.numRows, end], ...tail.map((): [] => [])], data);
    this.numRows = end;
  }
}

let prepared: Promise<void> | undefined;

/** The library, with its errors thrown rather than printed. */
function prepare(): Promise<void> {
  prepared ??= ready.then((module) => {
    const { activate_throwing_error_handler: activate } = module as unknown as {
      activate_throwing_error_handler(): number;
    };
    activate();
  });
  return prepared;
}

/** What the library found, without its stack: the last cause it names. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const causes = [...text.matchAll(/^ +#\d+: .*?\(\): (.*)$/gm)].map(([, cause]) => cause!);
  return causes.at(-1) ?? text.split("\n")[0]!;
}
