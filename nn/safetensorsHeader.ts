// The header of a safetensors file, read from bytes that nobody vouches for.

import { type FileType, fileTypes } from "./fileTypes.ts";
import { sizeOf } from "./tree.ts";

/** Bytes of the number that the file begins with: the header's length. */
export const lengthBytes = 8;
/** The key whose value is no tensor but the file's own notes. */
export const metadataName = "__metadata__";
const maxHeaderBytes = 100_000_000; // as the reference implementation

/** Where a tensor lies in the data and what it is. */
export interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: FileType;
  readonly begin: number;
  readonly end: number;
}

/** A header that holds together: its entries are in the header's order and fill the data. */
export interface Header {
  readonly dataStart: number;
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Throws unless the file's header is what the format allows. */
export function readHeader(bytes: Uint8Array): Header {
  const text = readText(bytes);
  const dataStart = lengthBytes + text.bytes;
  const fields = new Map(Object.entries(parse("JSON", () => JSON.parse(text.json) as object)));
  refuseRepeatedKeys(text.json);
  const metadata = readMetadata(fields.get(metadataName));
  fields.delete(metadataName);
  const dataBytes = bytes.length - dataStart;
  const entries = [...fields].map(([name, info]) => readEntry(name, info, dataBytes));
  checkCoverage(entries, dataBytes);
  return { dataStart, entries, metadata };
}

function readText(bytes: Uint8Array): { json: string; bytes: number } {
  if (bytes.length < lengthBytes) {
    throw new Error(`a safetensors file wants at least ${lengthBytes} bytes, got ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  checkHeaderLength(length);
  const left = bytes.length - lengthBytes;
  if (length > left) {
    throw new Error(`the safetensors header wants ${length} bytes, the file has ${left} left`);
  }
  const header = copyOf(bytes, lengthBytes, lengthBytes + length);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const json = parse("UTF-8", () => decoder.decode(header));
  if (!json.startsWith("{")) {
    throw new Error(`the safetensors header wants to begin with "{", got ${quote(json[0] ?? "")}`);
  }
  return { json, bytes: length };
}

/** Throws on a header longer than any reader takes. */
export function checkHeaderLength(length: number): void {
  if (length > maxHeaderBytes) {
    throw new Error(
      `a safetensors header has at most ${maxHeaderBytes} bytes, this one says ${length}`,
    );
  }
}

function readMetadata(value: unknown = {}): Record<string, string> {
  if (!isRecord(value)) {
    throw new Error(`${quote(metadataName)} wants an object of strings, got ${show(value)}`);
  }
  for (const [key, text] of Object.entries(value)) {
    checkName(key);
    if (typeof text !== "string") {
      throw new Error(`metadata ${quote(key)} wants a string, got ${show(text)}`);
    }
  }
  return value as Record<string, string>;
}

function readEntry(name: string, info: unknown, dataBytes: number): Entry {
  return about(name, () => {
    checkName(name);
    if (!isRecord(info)) {
      throw new Error(`wanted an object with dtype, shape and data_offsets, got ${show(info)}`);
    }
    const { dtype, shape, data_offsets: offsets } = info;
    const type = fileTypes.get(dtype);
    if (type === undefined) {
      throw new Error(
        `dtype wants to be one of ${[...fileTypes.keys()].join()}, got ${show(dtype)}`,
      );
    }
    const dimensions = wholeNumbers("shape", shape);
    const [begin, end] = readRange(offsets, dataBytes);
    const numBytes = sizeOf(dimensions) * type.width;
    if (end - begin !== numBytes) {
      const wanted = Number.isSafeInteger(numBytes) ? numBytes : "too many";
      throw new Error(
        `${dtype} of shape [${cut(String(dimensions))}] wants ${wanted} bytes, data_offsets span ${end - begin}`,
      );
    }
    return { name, shape: dimensions, type, begin, end };
  });
}

function readRange(offsets: unknown, dataBytes: number): [begin: number, end: number] {
  const range = wholeNumbers("data_offsets", offsets);
  const [begin = 0, end = 0] = range;
  if (range.length !== 2 || begin > end || end > dataBytes) {
    const got = `[${cut(String(range))}]`;
    throw new Error(
      `data_offsets want [begin, end] within the ${dataBytes} bytes of data, got ${got}`,
    );
  }
  return [begin, end];
}

function wholeNumbers(field: string, value: unknown): number[] {
  if (!Array.isArray(value)) throw new Error(`${field} wants a list, got ${show(value)}`);
  return value.map((item: unknown) => {
    if (typeof item === "number" && Number.isSafeInteger(item) && item >= 0) return item;
    throw new Error(`${field} wants whole numbers from 0 to 2^53 - 1, got ${show(item)}`);
  });
}

/** Throws unless the entries fill the data, one after the other. */
function checkCoverage(entries: readonly Entry[], dataBytes: number): void {
  let filled = 0;
  const inOrder = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  for (const { name, begin, end } of inOrder) {
    if (begin !== filled) {
      const problem = begin < filled ? "overlaps the one before" : "leaves a gap";
      throw new Error(`tensor ${quote(name)} ${problem}: begins at ${begin}, wanted ${filled}`);
    }
    filled = end;
  }
  if (filled !== dataBytes) {
    throw new Error(`the tensors fill ${filled} bytes of data, the file has ${dataBytes}`);
  }
}

/** Throws where an object of valid JSON names a key twice: JSON.parse keeps the last. */
function refuseRepeatedKeys(text: string): void {
  const open: Set<string>[] = []; // the keys so far of each open object or list
  const colon = /[ \t\n\r]*:/y;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{" || character === "[") open.push(new Set());
    if (character === "}" || character === "]") open.pop();
    if (character !== '"') continue;
    const start = i++;
    while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
    colon.lastIndex = i + 1;
    if (!colon.test(text)) continue;
    const key = JSON.parse(text.slice(start, i + 1)) as string;
    const keys = open.at(-1)!;
    if (keys.has(key)) throw new Error(`the safetensors header has the key ${quote(key)} twice`);
    keys.add(key);
  }
}

/** The same name; throws on one that the format or JavaScript keeps for itself. */
export function checkName(name: string): string {
  if (name === metadataName || name.split("/").includes("__proto__")) {
    throw new Error(`${quote(name)} is a reserved name`);
  }
  return name;
}

/** What `f` returns; what it throws, with the tensor's name before it. */
export function about<T>(name: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    throw new Error(`tensor ${quote(name)}: ${(error as Error).message}`, { cause: error });
  }
}

function parse<T>(format: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    const reason = (error as Error).message;
    throw new Error(`the safetensors header is not ${format}: ${reason}`, { cause: error });
  }
}

/** Fresh, hence aligned, whatever the view's class: a Node Buffer's own slice is a view. */
export function copyOf(bytes: Uint8Array, begin: number, end: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(begin, end));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}

/** A text from outside as it may stand in a message. */
export function quote(text: string): string {
  return JSON.stringify(cut(text));
}

/** The beginning of a text that may be as long as the file. */
export function cut(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
