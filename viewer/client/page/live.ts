// Live: poses of a training as they come, drawn a little late so that there is always a next one.

import { z } from "zod";
import {
  decodePoses,
  decodeSignals,
  type PoseFrame,
  parseMessage,
  protocolVersion,
  type ServerMessage,
  serverMessage,
  signalKind,
  subprotocol,
} from "../../protocol.ts";
import { host } from "./host.ts";
import { LiveSignals } from "./liveSignals.ts";
import { interpolatePoses } from "./timeline.ts";

z.config({ jitless: true }); // the page's security policy forbids checks that are compiled

type Hello = Extract<ServerMessage, { type: "hello" }>;
type Status = Extract<ServerMessage, { type: "status" }>;
const mostRobots = 64;
const lateness = 1.5; // intervals between frames

export class Live {
  hello: Hello | null = null;
  status: Status | null = null;
  connected = false;
  /** Of the robot that is followed. */
  signals: LiveSignals | null = null;
  /** Frames a second that arrive. */
  rate = 0;
  /** Resolves when it is known whether anything trains here. */
  readonly greeted: Promise<void>;
  private greet: () => void = () => undefined;
  private readonly changed: () => void;
  private socket: WebSocket | null = null;
  private watching = false;
  private followed: number | null = null;
  private frames: { readonly frame: PoseFrame; readonly at: number }[] = [];
  private offset = Number.POSITIVE_INFINITY; // this clock − the server's, the least seen, in s
  private retry = 500; // ms

  constructor(changed: () => void) {
    this.changed = changed;
    this.greeted = new Promise((resolve) => {
      this.greet = resolve;
    });
    const { socketUrl } = host();
    if (socketUrl === null) this.greet();
    else this.connect(socketUrl);
  }

  /** Robots whose poses come. */
  get numRobots(): number {
    return Math.min(mostRobots, this.hello?.live?.numRobots ?? 0);
  }

  watch(on: boolean): void {
    if (this.watching === on) return;
    this.watching = on;
    this.frames = [];
    this.subscribe();
  }

  /** Asks for the signals of one of the robots that are watched, or of none. */
  follow(robot: number | null): void {
    if (this.followed === robot) return;
    this.followed = robot;
    const { signals, controlDt } = this.hello?.live ?? {};
    this.signals = robot === null || !signals ? null : new LiveSignals(signals, robot, controlDt!);
    this.say({ type: "follow", robot });
  }

  stop(): void {
    this.say({ type: "control", action: "stop" });
  }

  /** Poses of now, [robots, links, 7], fresh; null before the first frame. Nothing is ever extrapolated. */
  posesNow(): Float32Array | null {
    const { frames } = this;
    const last = frames.at(-1);
    if (!last || last.frame.episodes.length !== this.numRobots) return null;
    const out = new Float32Array(last.frame.poses.length);
    const interval = frames.length > 1 ? (last.at - frames[0]!.at) / (frames.length - 1) : 0;
    const wanted = performance.now() / 1000 - lateness * interval;
    const next = frames.findIndex(({ at }) => at > wanted);
    const [from, to] = next > 0 ? [frames[next - 1]!, frames[next]!] : [last, last];
    const span = to.at - from.at;
    blend(from.frame, to.frame, span > 0 ? (wanted - from.at) / span : 1, out);
    return out;
  }

  private connect(url: string): void {
    const socket = new WebSocket(url, subprotocol);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.connected = true;
      this.retry = 500;
      this.say({ type: "hello", version: protocolVersion });
      this.subscribe();
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === "string") this.take(parseMessage(serverMessage, data));
      else this.takeFrame(new Uint8Array(data));
    };
    socket.onclose = () => {
      this.connected = false;
      this.greet();
      this.changed();
      setTimeout(() => this.connect(url), this.retry);
      this.retry = Math.min(8000, 2 * this.retry);
    };
  }

  private subscribe(): void {
    this.say({ type: "subscribe", poses: this.watching, numRobots: mostRobots });
    if (this.watching && this.followed !== null) this.say({ type: "follow", robot: this.followed });
  }

  private say(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private take(message: ServerMessage | null): void {
    if (message?.type === "hello") {
      this.hello = message;
      this.greet();
    } else if (message?.type === "status") this.status = message;
    this.changed();
  }

  private takeFrame(bytes: Uint8Array): void {
    if (bytes[0] === signalKind) {
      const signals = decodeSignals(bytes, this.signals?.layout.width ?? 0);
      if (signals) this.signals?.take(signals);
      return;
    }
    const numLinks = this.hello?.live?.model.links.length ?? 0;
    const frame = decodePoses(bytes, numLinks);
    if (!frame) return;
    const now = performance.now() / 1000;
    this.offset = Math.min(this.offset, now - frame.wallTime);
    this.frames.push({ frame, at: frame.wallTime + this.offset });
    this.frames = this.frames.slice(-8);
    const span = now - this.frames[0]!.at;
    this.rate = this.frames.length > 1 ? (this.frames.length - 1) / Math.max(1e-3, span) : 0;
  }
}

/** A robot whose episode began anew meanwhile leaps. */
function blend(from: PoseFrame, to: PoseFrame, share: number, out: Float32Array): void {
  const numRobots = from.episodes.length;
  const width = out.length / numRobots;
  for (let robot = 0; robot < numRobots; robot++) {
    const part = out.subarray(robot * width, (robot + 1) * width);
    if (from.episodes[robot] === to.episodes[robot])
      interpolatePoses(from.poses, to.poses, robot * width, share, part);
    else part.set(from.poses.subarray(robot * width, (robot + 1) * width));
  }
}
