// Protocol: what travels over the viewer's socket, subprotocol salle.v1.
//
// Text frames are JSON, checked both ways. Binary frames are a 32-byte little-endian header and a payload:
// u8 kind, u8 flags, u16 stream, u32 sequence, f64 simTime, f64 wallTime, u32 step, u32 payloadBytes. A
// pose frame's payload: per robot u32 episode, u32 step, then float32 [links, 7]. A signal frame's, whose
// stream is the robot: u32 episode, u32 step, then float32 [row] (sim/signals.ts).

import { z } from "zod";

export const subprotocol = "salle.v1";
export const protocolVersion = 2;
export const headerBytes = 32;
export const mostPayload = 1_000_000; // bytes that a client may send

const count = z.number().int().min(0).max(1_000_000);

/** What a page says. */
export const clientMessage = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("hello"), version: z.number().int() }),
  z.strictObject({ type: z.literal("subscribe"), poses: z.boolean(), numRobots: count.max(1024) }),
  /** Whose signals come, of those whose poses do; null for nobody's. */
  z.strictObject({ type: z.literal("follow"), robot: count.max(1023).nullable() }),
  z.strictObject({ type: z.literal("control"), action: z.enum(["stop"]) }),
]);
export type ClientMessage = z.infer<typeof clientMessage>;

const robotModel = z.custom<import("../sim/model.ts").RobotModel>(
  (value) => typeof value === "object" && value !== null && "links" in value,
);

const signalLayout = z.custom<import("../sim/signals.ts").SignalLayout>(
  (value) => typeof value === "object" && value !== null && "rewardTerms" in value,
);

/** What the server says. */
export const serverMessage = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("hello"),
    version: z.number().int(),
    role: z.enum(["control", "read"]),
    /** null where nothing trains here. */
    live: z
      .strictObject({
        run: z.string(),
        task: z.string(),
        model: robotModel,
        signals: signalLayout,
        numRobots: count,
        controlDt: z.number().positive(),
      })
      .nullable(),
  }),
  z.strictObject({
    type: z.literal("status"),
    sent: count,
    dropped: count,
    numClients: count,
    /** Share of a core that the server spends on viewers. */
    load: z.number(),
    training: z.string(),
  }),
  z.strictObject({ type: z.literal("refused"), reason: z.string() }),
]);
export type ServerMessage = z.infer<typeof serverMessage>;

/** A message of JSON text; null for anything that the schema does not know. */
export function parseMessage<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}

export interface PoseFrame {
  readonly sequence: number;
  readonly simTime: number; // s
  readonly wallTime: number; // s since 1970
  readonly step: number;
  readonly episodes: Uint32Array; // [robots]
  readonly steps: Uint32Array; // [robots]
  readonly poses: Float32Array; // [robots, links, 7]
}

/** Kinds of binary frames. */
export const poseKind = 1;
export const signalKind = 2;

/** Writes the first 32 bytes of a frame that is `bytes` long altogether. */
export function writeHeader(
  bytes: Uint8Array,
  frame: Pick<PoseFrame, "sequence" | "simTime" | "wallTime" | "step">,
  kind: number = poseKind,
  stream = 0,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  view.setUint8(0, kind);
  view.setUint16(2, stream, true);
  view.setUint32(4, frame.sequence, true);
  view.setFloat64(8, frame.simTime, true);
  view.setFloat64(16, frame.wallTime, true);
  view.setUint32(24, frame.step, true);
  view.setUint32(28, bytes.length - headerBytes, true);
}

/** A frame's bytes; fresh. */
export function encodePoses(frame: PoseFrame): Uint8Array<ArrayBuffer> {
  const numRobots = frame.episodes.length;
  const perRobot = numRobots === 0 ? 0 : frame.poses.length / numRobots;
  const bytes = new Uint8Array(headerBytes + numRobots * (8 + 4 * perRobot));
  writeHeader(bytes, frame);
  const view = new DataView(bytes.buffer);
  let at = headerBytes;
  for (let robot = 0; robot < numRobots; robot++) {
    view.setUint32(at, frame.episodes[robot]!, true);
    view.setUint32(at + 4, frame.steps[robot]!, true);
    at += 8;
    for (let i = 0; i < perRobot; i++, at += 4)
      view.setFloat32(at, frame.poses[robot * perRobot + i]!, true);
  }
  return bytes;
}

/** A pose frame of robots with `numLinks` links; null for bytes that are none. */
export function decodePoses(bytes: Uint8Array, numLinks: number): PoseFrame | null {
  if (bytes.length < headerBytes || bytes[0] !== poseKind || bytes[1] !== 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const payload = view.getUint32(28, true);
  const perRobot = 7 * numLinks;
  const numRobots = payload / (8 + 4 * perRobot);
  if (bytes.length !== headerBytes + payload || !Number.isInteger(numRobots)) return null;
  const episodes = new Uint32Array(numRobots);
  const steps = new Uint32Array(numRobots);
  const poses = new Float32Array(numRobots * perRobot);
  let at = headerBytes;
  for (let robot = 0; robot < numRobots; robot++) {
    episodes[robot] = view.getUint32(at, true);
    steps[robot] = view.getUint32(at + 4, true);
    at += 8;
    for (let i = 0; i < perRobot; i++, at += 4) {
      const value = view.getFloat32(at, true);
      if (!Number.isFinite(value)) return null;
      poses[robot * perRobot + i] = value;
    }
  }
  return {
    sequence: view.getUint32(4, true),
    simTime: view.getFloat64(8, true),
    wallTime: view.getFloat64(16, true),
    step: view.getUint32(24, true),
    episodes,
    steps,
    poses,
  };
}

/** A robot's signals after one of its steps. */
export interface SignalFrame {
  readonly robot: number;
  readonly episode: number;
  readonly step: number;
  /** Laid out as the training's `signals` say. */
  readonly row: Float32Array;
}

const signalHead = 8; // bytes of a signal frame's payload before its row

/** A frame with room for a robot's signals, and views of its payload: episode and step, and the row. */
export function signalFrame(width: number) {
  const bytes = new Uint8Array(headerBytes + signalHead + 4 * width);
  const words = new Uint32Array(bytes.buffer, headerBytes, 2);
  return { bytes, words, row: new Float32Array(bytes.buffer, headerBytes + signalHead) };
}

/** A signal frame with `width` numbers; null for bytes that are none. */
export function decodeSignals(bytes: Uint8Array, width: number): SignalFrame | null {
  if (bytes.length !== headerBytes + signalHead + 4 * width) return null;
  if (bytes[0] !== signalKind || bytes[1] !== 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(28, true) !== bytes.length - headerBytes) return null;
  const first = headerBytes + signalHead;
  const row = Float32Array.from({ length: width }, (_, i) => view.getFloat32(first + 4 * i, true));
  if (!row.every(Number.isFinite)) return null;
  return {
    robot: view.getUint16(2, true),
    episode: view.getUint32(headerBytes, true),
    step: view.getUint32(headerBytes + 4, true),
    row,
  };
}
