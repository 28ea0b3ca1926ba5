// Files that survive a crash: written under another name, flushed, then renamed into place.

import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

const largestWrite = 2 ** 26; // bytes; one call may write 2 GiB at most

/** Writes all bytes at the file's position. */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; )
    at += writeSync(file, bytes, at, Math.min(largestWrite, bytes.length - at));
}

/** Replaces a file at one instant: a reader, or a crash, meets the old text or the new one. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    const file = openSync(temporary, "w");
    try {
      writeAll(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw explained(error, path);
  }
  flushFolder(dirname(path));
}

/** Makes a folder and those above it; false where it was there already. */
export function makeFolder(path: string): boolean {
  try {
    return mkdirSync(path, { recursive: true }) !== undefined;
  } catch (error) {
    // On a read-only disk Node says that there is no such folder: what is said must be true of all causes.
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(
      `can't make the folder ${path} (${code}): name one that may be written to and whose path holds no file`,
      { cause: error },
    );
  }
}

/** Makes names in a folder durable. */
export function flushFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** A file that only grows; a failed append leaves it as it was. */
export class AppendFile {
  readonly path: string;
  private readonly file: number;

  constructor(path: string) {
    this.path = path;
    this.file = openSync(path, "a");
  }

  /** Bytes so far. */
  get size(): number {
    return fstatSync(this.file).size;
  }

  append(content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const before = this.size;
    try {
      writeAll(this.file, bytes);
    } catch (error) {
      ftruncateSync(this.file, before);
      throw explained(error, this.path);
    }
  }

  flush(): void {
    fsyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** The error of a full disk says what to do; others are as they are. */
export function explained(error: unknown, what: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new Error(`no space left on the disk for ${what}: free some, then resume the run`, {
    cause: error,
  });
}

/** Whether an error, or what caused it, says that a disk is full. */
export function isDiskFull(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT" || (cause !== undefined && isDiskFull(cause));
}
