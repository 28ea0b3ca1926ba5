// The ONNX file format: a lowered graph ↔ bytes. Field numbers are those of onnx.proto (IR version 9).

import protobuf from "protobufjs/minimal.js";
import type { Attribute } from "./graph.ts";
import { sizeOf } from "./tree.ts";

/** ONNX element types, by their number in onnx.proto. */
export const onnxTypes = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type OnnxType = keyof typeof onnxTypes;

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
}

export interface OnnxConstant extends OnnxValue {
  /** Raw little-endian elements. */
  readonly bytes: Uint8Array;
}

export interface OnnxNode {
  readonly op: string;
  /** Operator set; "" is ONNX's own. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: { readonly [name: string]: Attribute };
  /** Attributes that ONNX declares as floats even when the number is whole. */
  readonly floats?: readonly string[];
}

export interface OnnxModel {
  readonly name: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly constants: readonly OnnxConstant[];
  readonly nodes: readonly OnnxNode[];
  readonly metadata?: { readonly [key: string]: string };
  /** Name of the first axis of inputs and outputs where it may have any size. */
  readonly freeAxis?: string | undefined;
  /** Name of an empty sequence that becomes the first output; see `resultsInPlace` in runtime.ts. */
  readonly signal?: string;
}

const irVersion = 9;
const opsetVersion = 18;
const contribVersion = 1;

type Writer = protobuf.Writer;

/** The model as an .onnx file. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, 0)).int64(irVersion);
  writer.uint32(tag(2, 2)).string("salle");
  message(writer, 7, () => encodeGraph(writer, model));
  const domains = new Set(["", ...model.nodes.map((node) => node.domain)]);
  for (const domain of domains) {
    message(writer, 8, () => {
      writer.uint32(tag(1, 2)).string(domain);
      writer.uint32(tag(2, 0)).int64(domain === "" ? opsetVersion : contribVersion);
    });
  }
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    message(writer, 14, () => {
      writer.uint32(tag(1, 2)).string(key);
      writer.uint32(tag(2, 2)).string(value);
    });
  }
  return writer.finish();
}

function encodeGraph(writer: Writer, model: OnnxModel): void {
  const signal = model.signal === undefined ? [] : [signalNode(model.signal)];
  for (const node of [...model.nodes, ...signal]) {
    message(writer, 1, () => encodeNode(writer, node));
  }
  writer.uint32(tag(2, 2)).string(model.name);
  for (const constant of model.constants) message(writer, 5, () => encodeTensor(writer, constant));
  const encode = (value: OnnxValue) => encodeValueInfo(writer, value, model.freeAxis);
  for (const input of model.inputs) message(writer, 11, () => encode(input));
  if (model.signal !== undefined) encodeSequenceInfo(writer, model.signal);
  for (const output of model.outputs) message(writer, 12, () => encode(output));
}

function encodeNode(writer: Writer, node: OnnxNode): void {
  for (const input of node.inputs) writer.uint32(tag(1, 2)).string(input);
  for (const output of node.outputs) writer.uint32(tag(2, 2)).string(output);
  writer.uint32(tag(4, 2)).string(node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    message(writer, 5, () => encodeAttribute(writer, name, value, node.floats?.includes(name)));
  }
  if (node.domain !== "") writer.uint32(tag(7, 2)).string(node.domain);
}

const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

function encodeAttribute(writer: Writer, name: string, value: Attribute, asFloat = false): void {
  writer.uint32(tag(1, 2)).string(name);
  if (typeof value === "string") {
    writer.uint32(tag(4, 2)).string(value);
    writer.uint32(tag(20, 0)).int32(attributeTypes.string);
  } else if (typeof value === "object") {
    for (const item of value) writer.uint32(tag(8, 0)).int64(item);
    writer.uint32(tag(20, 0)).int32(attributeTypes.ints);
  } else if (asFloat) {
    writer.uint32(tag(2, 5)).float(value);
    writer.uint32(tag(20, 0)).int32(attributeTypes.float);
  } else {
    writer.uint32(tag(3, 0)).int64(value);
    writer.uint32(tag(20, 0)).int32(attributeTypes.int);
  }
}

function encodeTensor(writer: Writer, { name, type, shape, bytes }: OnnxConstant): void {
  for (const size of shape) writer.uint32(tag(1, 0)).int64(size);
  writer.uint32(tag(2, 0)).int32(onnxTypes[type]);
  writer.uint32(tag(8, 2)).string(name);
  writer.uint32(tag(9, 2)).bytes(bytes);
  const width = type === "int64" ? 8 : type === "bool" ? 1 : 4;
  if (bytes.length !== sizeOf(shape) * width) {
    throw new Error(`constant "${name}" of shape [${shape}] wants ${sizeOf(shape)} elements`);
  }
}

function signalNode(name: string): OnnxNode {
  return { op: "SequenceEmpty", domain: "", inputs: [], outputs: [name], attributes: {} };
}

/** An output that is a sequence of float tensors. */
function encodeSequenceInfo(writer: Writer, name: string): void {
  const within = (field: number, encode: () => void) => message(writer, field, encode);
  within(12, () => {
    writer.uint32(tag(1, 2)).string(name);
    within(2, () =>
      within(4, () =>
        within(1, () => within(1, () => writer.uint32(tag(1, 0)).int32(onnxTypes.float32))),
      ),
    );
  });
}

function encodeValueInfo(
  writer: Writer,
  { name, type, shape }: OnnxValue,
  freeAxis: string | undefined,
): void {
  writer.uint32(tag(1, 2)).string(name);
  message(writer, 2, () =>
    message(writer, 1, () => {
      writer.uint32(tag(1, 0)).int32(onnxTypes[type]);
      message(writer, 2, () => {
        for (const [axis, size] of shape.entries()) {
          message(writer, 1, () => {
            if (axis === 0 && freeAxis !== undefined) writer.uint32(tag(2, 2)).string(freeAxis);
            else writer.uint32(tag(1, 0)).int64(size);
          });
        }
      });
    }),
  );
}

function message(writer: Writer, field: number, encode: () => void): void {
  writer.uint32(tag(field, 2)).fork();
  encode();
  writer.ldelim();
}

/** A protobuf field header: number and wire type (0 varint, 2 bytes, 5 fixed 32 bits). */
function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}
