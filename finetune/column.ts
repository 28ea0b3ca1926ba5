// Column: rows of float32 numbers in a file, in memory where they fit and read from the disk where not.

import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";

/** Datasets up to this size lie in memory: 1 GiB. */
export const memoryLimit = 2 ** 30; // bytes

export class Column {
  readonly path: string;
  /** Numbers of a row. */
  readonly width: number;
  readonly numRows: number;
  private readonly file: number;
  private readonly memory: Float32Array | null = null;

  /** Refuses a file that is too short for its rows; one may be longer, where a crash left a rest. */
  constructor(path: string, width: number, numRows: number, inMemory: boolean) {
    const wanted = 4 * width * numRows;
    const size = existsSync(path) ? statSync(path).size : 0;
    if (size < wanted)
      throw new Error(
        `${path}: ${numRows} rows of ${width} want ${wanted} bytes, it has ${size}; the file was cut or belongs to another dataset`,
      );
    this.path = path;
    this.width = width;
    this.numRows = numRows;
    this.file = openSync(path, "r");
    if (inMemory) this.memory = this.rows(0, numRows);
  }

  /** Rows [from, from + count); fresh. */
  rows(from: number, count: number): Float32Array {
    const target = new Float32Array(count * this.width);
    this.read(from, count, target, 0);
    return target;
  }

  /** Copies rows [from, from + count) to `target`, from number `at` on. */
  read(from: number, count: number, target: Float32Array, at: number): void {
    if (from < 0 || from + count > this.numRows)
      throw new Error(
        `${this.path} has ${this.numRows} rows, asked for ${from} to ${from + count}`,
      );
    const { width, memory } = this;
    const [begin, numbers] = [from * width, count * width];
    if (memory) for (let i = 0; i < numbers; i++) target[at + i] = memory[begin + i]!;
    else {
      const bytes = new Uint8Array(target.buffer, target.byteOffset + 4 * at, 4 * numbers);
      fill(this.path, this.file, bytes, 4 * begin);
    }
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Bytes [at, at + count) of a file; fresh. */
export function readBytes(path: string, at: number, count: number): Uint8Array {
  const target = new Uint8Array(count);
  const file = openSync(path, "r");
  try {
    fill(path, file, target, at);
  } finally {
    closeSync(file);
  }
  return target;
}

function fill(path: string, file: number, target: Uint8Array, position: number): void {
  for (let at = 0; at < target.length; ) {
    const count = readSync(file, target, at, target.length - at, position + at);
    if (count === 0) throw new Error(`${path} ends ${target.length - at} bytes early`);
    at += count;
  }
}
