// Reads the ONNX files that policies are exported as: nodes and constants, by the field numbers of
// onnx.proto. Bytes may come from a stranger: every length is checked, and what is unknown is skipped.

export interface GraphNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole numbers by name. */
  readonly attributes: Readonly<Record<string, number>>;
  /** Lists of them. */
  readonly lists: Readonly<Record<string, readonly number[]>>;
}

export interface GraphConstant {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What is computed from `obs` to `action`. */
export interface PolicyFileGraph {
  readonly nodes: readonly GraphNode[];
  readonly constants: ReadonlyMap<string, GraphConstant>;
  readonly metadata: Readonly<Record<string, string>>;
}

const mostBytes = 64_000_000;
const mostNodes = 2000;
const types = { float32: 1, int64: 7 } as const;

/** One field of a message: its number, and a whole number or bytes. */
type Visit = (field: number, number: number, bytes: Uint8Array) => void;

/** The graph of an ONNX file; throws where it is none. */
export function readPolicyFile(file: Uint8Array): PolicyFileGraph {
  if (file.length > mostBytes)
    throw new Error(`a policy of ${file.length} bytes is too large, expected up to ${mostBytes}`);
  const nodes: GraphNode[] = [];
  const constants = new Map<string, GraphConstant>();
  const metadata: Record<string, string> = {};
  visit(file, (field, _, graph) => {
    if (field === 14) addMetadata(graph, metadata);
    if (field !== 7) return;
    visit(graph, (part, _number, bytes) => {
      if (part === 1) nodes.push(readNode(bytes));
      else if (part === 5) addConstant(bytes, constants);
    });
  });
  if (nodes.length === 0 || nodes.length > mostNodes)
    throw new Error(`expected a policy of 1 to ${mostNodes} nodes, got ${nodes.length}`);
  return { nodes, constants, metadata };
}

function readNode(bytes: Uint8Array): GraphNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Record<string, number> = {};
  const lists: Record<string, number[]> = {};
  let op = "";
  visit(bytes, (field, _, value) => {
    if (field === 1) inputs.push(textOf(value));
    else if (field === 2) outputs.push(textOf(value));
    else if (field === 4) op = textOf(value);
    else if (field === 5) {
      let name = "";
      visit(value, (part, number, text) => {
        if (part === 1) name = textOf(text);
        else if (part === 3) attributes[name] = number;
        else if (part === 8) lists[name] = [...(lists[name] ?? []), number];
      });
    }
  });
  return { op, inputs, outputs, attributes, lists };
}

/** A pair of texts. */
function addMetadata(bytes: Uint8Array, metadata: Record<string, string>): void {
  const pair = ["", ""];
  visit(bytes, (field, _, value) => {
    if (field === 1 || field === 2) pair[field - 1] = textOf(value);
  });
  metadata[pair[0]!] = pair[1]!;
}

function addConstant(bytes: Uint8Array, constants: Map<string, GraphConstant>): void {
  const shape: number[] = [];
  let type = 0;
  let name = "";
  let raw: Uint8Array = new Uint8Array();
  visit(bytes, (field, number, value) => {
    if (field === 1) shape.push(number);
    else if (field === 2) type = number;
    else if (field === 8) name = textOf(value);
    else if (field === 9) raw = value;
  });
  const width = type === types.int64 ? 8 : 4;
  const size = shape.reduce((product, length) => product * length, 1);
  if (type !== types.float32 && type !== types.int64) return; // whoever needs it says so
  if (raw.length !== size * width)
    throw new Error(`constant "${name}" of shape [${shape}] has ${raw.length} bytes`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const data = Float32Array.from({ length: size }, (_, i) =>
    type === types.int64 ? Number(view.getBigInt64(8 * i, true)) : view.getFloat32(4 * i, true),
  );
  constants.set(name, { shape, data });
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Calls for every field of a protobuf message that is a varint or has a length. */
function visit(bytes: Uint8Array, take: Visit): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    // Ten bytes are a negative number: none of those that are read here.
    if (bytes[at] === 1) {
      at++;
      return -1;
    }
    throw new Error(`no ONNX file: byte ${at} of a message ends a number`);
  };
  while (at < bytes.length) {
    const head = varint();
    const [field, wire] = [Math.floor(head / 8), head % 8];
    if (wire === 0) take(field, varint(), bytes.subarray(0, 0));
    else if (wire === 2) {
      const length = varint();
      if (length < 0 || at + length > bytes.length)
        throw new Error(`no ONNX file: a field of ${length} bytes at byte ${at} is cut`);
      take(field, 0, bytes.subarray(at, at + length));
      at += length;
    } else if (wire === 5) at += 4;
    else if (wire === 1) at += 8;
    else throw new Error(`no ONNX file: unknown wire type ${wire} at byte ${at}`);
  }
}
