// Chunks: a file of checked pieces that may be cut anywhere and appended to.
//
// Little-endian. A section is 8 bytes of magic, a u32 version and its chunks; a chunk is a name of four
// letters, a u32 payload length, the payload, and the CRC-32 of all three. Sections follow each other.

export interface Chunk {
  readonly name: string;
  /** Where it begins in the file. */
  readonly offset: number;
  /** A view of the file. */
  readonly payload: Uint8Array;
}

/** The chunks of one section, as far as they are whole, and what stopped the reading. */
export interface Section {
  readonly offset: number;
  readonly chunks: readonly Chunk[];
  readonly problem: string | null;
}

const magic = new TextEncoder().encode("salleREC");
const sectionHeadSize = magic.length + 4; // bytes; magic, version
const chunkHeadSize = 8; // bytes; name, length
const crcSize = 4; // bytes

/** What a section begins with. */
export function sectionHead(version: number): Uint8Array {
  const bytes = new Uint8Array(sectionHeadSize);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint32(magic.length, version, true);
  return bytes;
}

export function encodeChunk(name: string, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(chunkHeadSize + payload.length + crcSize);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(name));
  view.setUint32(4, payload.length, true);
  bytes.set(payload, chunkHeadSize);
  const end = chunkHeadSize + payload.length;
  view.setUint32(end, crc32(bytes.subarray(0, end)), true);
  return bytes;
}

/**
 * Every section of a file. After a damaged or cut chunk reading goes on at the next section, so that one
 * crash costs one section's end, also where later ones were appended.
 */
export function readSections(bytes: Uint8Array, version: number): Section[] {
  const sections: Section[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { section, end } = readSection(bytes, at, version);
    sections.push(section);
    at = section.problem === null ? end : nextMagic(bytes, Math.max(end, at + 1));
  }
  return sections;
}

/** Arrays, one after another. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** CRC-32 as in zip and PNG. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

interface SectionRead {
  readonly section: Section;
  /** Where the first byte is that was not read. */
  readonly end: number;
}

function readSection(bytes: Uint8Array, offset: number, version: number): SectionRead {
  const chunks: Chunk[] = [];
  let at = offset + sectionHeadSize;
  let problem = headProblem(bytes, offset, version);
  if (problem !== null) return { section: { offset, chunks, problem }, end: offset };
  while (at < bytes.length && !isMagic(bytes, at)) {
    problem = chunkProblem(bytes, at);
    if (problem !== null) break;
    const name = nameAt(bytes, at);
    const length = viewOf(bytes).getUint32(at + 4, true);
    const start = at + chunkHeadSize;
    chunks.push({ name, offset: at, payload: bytes.subarray(start, start + length) });
    at = start + length + crcSize;
  }
  return { section: { offset, chunks, problem }, end: at };
}

function headProblem(bytes: Uint8Array, at: number, wanted: number): string | null {
  const left = bytes.length - at;
  const size = Math.min(left, magic.length);
  if (magic.some((byte, i) => i < size && bytes[at + i] !== byte))
    return `byte ${at}: expected a recording's first bytes "salleREC"`;
  if (left < sectionHeadSize)
    return `byte ${at}: cut: a recording begins with ${sectionHeadSize} bytes, ${left} are left`;
  const version = viewOf(bytes).getUint32(at + magic.length, true);
  if (version === wanted) return null;
  return `byte ${at}: unknown version ${version} of recordings; known: ${wanted}`;
}

function chunkProblem(bytes: Uint8Array, at: number): string | null {
  const left = bytes.length - at;
  if (left < chunkHeadSize)
    return `byte ${at}: cut: a chunk begins with ${chunkHeadSize} bytes, ${left} are left`;
  const name = nameAt(bytes, at);
  const end = at + chunkHeadSize + viewOf(bytes).getUint32(at + 4, true);
  if (end + crcSize > bytes.length)
    return `byte ${at}: cut: chunk ${name} takes ${end + crcSize - at} bytes, ${left} are left`;
  const wanted = viewOf(bytes).getUint32(end, true);
  const got = crc32(bytes.subarray(at, end));
  if (got === wanted) return null;
  return `byte ${at}: corrupt: chunk ${name} has CRC-32 ${hex(got)}, expected ${hex(wanted)}`;
}

function nextMagic(bytes: Uint8Array, from: number): number {
  for (let at = from; at + magic.length <= bytes.length; at++) if (isMagic(bytes, at)) return at;
  return bytes.length;
}

function isMagic(bytes: Uint8Array, at: number): boolean {
  return magic.every((byte, i) => bytes[at + i] === byte);
}

function nameAt(bytes: Uint8Array, at: number): string {
  const letters = Array.from(bytes.subarray(at, at + 4), (byte) =>
    byte > 32 && byte < 127 ? String.fromCharCode(byte) : "?",
  );
  return letters.join("");
}

/** A view for little-endian numbers of a payload or file. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
