// TensorBoard's event file: scalars as records of protocol buffers, each with masked CRC-32C sums.
//
// A record is its length (u64), that number's sum, the data and their sum, little-endian. An event is
// wall_time = 1 (double), step = 2, file_version = 3 or summary = 5, which is a list (1) of values with
// tag = 1 and simple_value = 2 (float).

import { concatBytes } from "../sim/chunks.ts";

/** What an event file begins with. `wallTime` is in seconds. */
export function tensorboardHead(wallTime: number): Uint8Array {
  return record(concatBytes([double(1, wallTime), text(3, "brain.Event:2")]));
}

/** One event with several scalars. */
export function tensorboardScalars(
  wallTime: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const values = Object.entries(scalars).map(([tag, value]) =>
    bytes(1, concatBytes([text(1, tag), float(2, value)])),
  );
  return record(concatBytes([double(1, wallTime), whole(2, step), bytes(5, concatBytes(values))]));
}

function record(data: Uint8Array): Uint8Array {
  const file = new Uint8Array(12 + data.length + 4);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(file.subarray(0, 8)), true);
  file.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return file;
}

function maskedCrc32c(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Castagnoli's polynomial, reflected: 0x82f63b78. */
export function crc32c(data: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < data.length; i++) crc = table[(crc ^ data[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

const [wireVarint, wire64, wireBytes, wire32] = [0, 1, 2, 5];

function field(number: number, wire: number, payload: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of((number << 3) | wire), payload]);
}

function whole(number: number, value: number): Uint8Array {
  return field(number, wireVarint, varint(value));
}

function bytes(number: number, data: Uint8Array): Uint8Array {
  return field(number, wireBytes, concatBytes([varint(data.length), data]));
}

function text(number: number, value: string): Uint8Array {
  return bytes(number, new TextEncoder().encode(value));
}

function double(number: number, value: number): Uint8Array {
  return field(number, wire64, new Uint8Array(Float64Array.of(value).buffer));
}

function float(number: number, value: number): Uint8Array {
  return field(number, wire32, new Uint8Array(Float32Array.of(value).buffer));
}

function varint(value: number): Uint8Array {
  const digits: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) | 128);
  return Uint8Array.from([...digits, rest]);
}
