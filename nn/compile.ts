// compile(): a pure function of trees of tensors becomes a Program that runs at native speed.
//
// The function is called once, on tensors that record (trace.ts); the recorded graph is spelt for the
// engine (lower.ts), written as ONNX (onnx.ts) and handed to ONNX Runtime (runtime.ts, program.ts).

import type { Tensor } from "#tensorflow";
import { backendNames } from "./backends.ts";
import { checkState, type HostLeaf } from "./check.ts";
import { createEagerProgram } from "./eager.ts";
import { lower } from "./lower.ts";
import type { NoiseSpec, RandomSource } from "./noise.ts";
import { encodeOnnx } from "./onnx.ts";
import { packState } from "./pack.ts";
import { SessionProgram } from "./program.ts";
import { exportOnnx, type Recording, record, type StateTree } from "./recording.ts";
import {
  createSession,
  type Device,
  type OrtDevice,
  ortDevices,
  resultSignal,
  type SessionOptions,
} from "./runtime.ts";
import {
  type ArraySpec,
  isNdArray,
  leaves,
  type MapLeaves,
  mapTree,
  type NdArray,
  type Tree,
} from "./tree.ts";

/** The tensors a function sees in place of a tree of arrays or specs. */
export type Traced<T> = MapLeaves<T, ArraySpec, Tensor>;

/** What a call passes for a tree of specs: arrays, or their elements alone; noise may be left out. */
export type Given<T> = T extends ArraySpec
  ? HostLeaf
  : { readonly [K in keyof T as AllNoise<T[K]> extends true ? never : K]: Given<T[K]> } & {
      readonly [K in keyof T as AllNoise<T[K]> extends true ? K : never]?: Given<T[K]> | undefined;
    };

/** Whether a tree of specs is noise alone. */
type AllNoise<T> = T extends NoiseSpec
  ? true
  : T extends ArraySpec
    ? false
    : { [K in keyof T]: AllNoise<T[K]> }[keyof T] extends true
      ? true
      : false;

/** What a call returns for a tree of tensors. */
export type Read<Y> = MapLeaves<Y, Tensor, NdArray>;

/** Every device that compile() knows; whether it works here, `salle doctor` says. */
export const deviceNames: readonly string[] = [...ortDevices, ...backendNames];

export interface CompileOptions {
  /** Where to run; default "cpu". */
  readonly device?: Device;
  /** Threads inside one operator; default 1. */
  readonly threads?: number;
  /** Fills the declared noise before each call. */
  readonly random?: RandomSource;
  /** Name in error messages; default the function's. */
  readonly name?: string;
  /** Engine settings for experiments and profiling. */
  readonly session?: Pick<SessionOptions, "profile" | "extra" | "optimization">;
}

export interface RunOptions {
  /** Paths of the outputs to read back, as in "critic/loss"; default all. */
  readonly outputs?: readonly string[];
}

export interface OnnxOptions {
  /** "inputs" (default): state goes in and out. "constants": the present state is baked in and only outputs come out. */
  readonly state?: "inputs" | "constants";
  /** Names inputs and outputs by their paths alone, "obs" for "inputs/obs"; only with constants. */
  readonly plainNames?: boolean;
  /**
   * Lets the first axis of inputs and outputs have any size, under this name. Only right where the
   * function computes rows alone: its files for two sizes are then equal.
   */
  readonly freeAxis?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A compiled function and its state. */
export interface Program<S, X, Y> {
  readonly name: string;
  readonly device: Device;
  /** One call: the state moves on, the outputs come back as fresh arrays. */
  run(inputs: Given<X>, options?: RunOptions): Promise<Read<Y>>;
  /** Fresh copy of the state. */
  state(): Promise<S>;
  /** Fresh copy of some of the state's entries: less to copy than all of them. */
  read<K extends keyof S & string>(names: readonly K[]): Promise<Pick<S, K>>;
  /** Replaces the state; throws on other names, shapes, types, or values that are not finite. */
  load(state: S): Promise<void>;
  /** The graph as an .onnx file in standard operators. */
  onnx(options?: OnnxOptions): Promise<Uint8Array>;
  dispose(): Promise<void>;
}

/**
 * Compiles `fn` for the shapes of `example`, whose state is the initial state. Throws when `fn` can't
 * be traced, naming the op, or when the device can't run it.
 */
export async function compile<const S, const X, Y>(
  fn: (state: Traced<S>, inputs: Traced<X>) => readonly [Traced<S>, Y],
  example: { readonly state: S; readonly inputs: X },
  options: CompileOptions = {},
): Promise<Program<S, X, Y>> {
  const { device = "cpu", random } = options;
  if (!deviceNames.includes(device)) {
    throw new Error(`unknown device "${device}"; known: ${deviceNames.join(", ")}`);
  }
  const recording = record(fn as never, example as never, options.name ?? (fn.name || "program"));
  const initial = new Map(leaves<NdArray>(example.state as StateTree, isNdArray));
  checkState(recording.name, recording.states, initial);
  const machine = device.startsWith("eager:")
    ? await createEagerProgram(recording, fn as never, initial, {
        backend: device.slice("eager:".length),
        random,
        templates: example as never,
      })
    : await createSessionProgram(recording, initial, device as OrtDevice, options);

  const inputTree = (inputs: unknown) =>
    new Map(leaves<HostLeaf>(withoutMissing(inputs), isHostLeaf));
  const stateTree = (template: unknown, read: (path: string) => NdArray) =>
    mapTree<NdArray, NdArray>(template as StateTree, isNdArray, (_, path) => read(path));

  return {
    name: recording.name,
    device,
    async run(inputs: unknown, { outputs }: RunOptions = {}) {
      const wanted = outputs ?? recording.outputs.map(({ path }) => path);
      checkWanted(recording, wanted);
      const results = await machine.run(inputTree(inputs), wanted);
      return recording.outputTree((path) => results.get(path)) as never;
    },
    async state() {
      const current = await machine.state();
      return stateTree(example.state, (path) => current.get(path)!) as never;
    },
    async read(names) {
      const known = Object.entries(example.state as object);
      const entries = known.filter(([name]) => (names as readonly string[]).includes(name));
      if (entries.length < names.length)
        throw new Error(
          `program "${recording.name}" has no state ${names.filter((name) => !known.some(([key]) => key === name))}; known: ${known.map(([key]) => key)}`,
        );
      const current = await machine.state((path) =>
        entries.some(([name]) => path === name || path.startsWith(`${name}/`)),
      );
      return stateTree(Object.fromEntries(entries), (path) => current.get(path)!) as never;
    },
    load: (state) => machine.load(new Map(leaves<NdArray>(state as StateTree, isNdArray))),
    async onnx({ state = "inputs", ...rest } = {}) {
      const current = state === "constants" ? await machine.state() : undefined;
      return exportOnnx(recording, current, rest);
    },
    dispose: () => machine.dispose(),
  };
}

async function createSessionProgram(
  recording: Recording,
  initial: ReadonlyMap<string, NdArray>,
  device: OrtDevice,
  { threads = 1, random, session = {} }: CompileOptions,
): Promise<SessionProgram> {
  const { graph, name, inputs, outputs } = recording;
  // A WebGPU shader binds few buffers, too few to split a packed state; and there the state stays put.
  const { slots, buffers, results, pieces } = packState(
    graph,
    recording.states,
    outputs.map(({ value }) => value),
    device === "webgpu" ? 0 : undefined,
  );
  const wanted = [
    ...results,
    ...outputs.map(({ path, value }) => ({ name: `outputs/${path}`, value })),
  ];
  const model = lower(name, graph.nodes, wanted, device === "cpu" ? "fused" : "standard", pieces);
  if (model.nodes.length === 0) {
    throw new Error(`"${name}" computes nothing: it returns its state unchanged and no outputs`);
  }
  const used = buffers.map((buffer) => ({
    ...buffer,
    input:
      buffer.input !== undefined && model.usedInputs.has(buffer.input) ? buffer.input : undefined,
  }));
  const resident = device === "webgpu" ? results.map((result) => result.name) : [];
  const signal = device !== "webgpu" && resultSignal !== undefined ? { signal: resultSignal } : {};
  const bytes = encodeOnnx({ ...model, ...signal });
  const onnx = await createSession(bytes, { device, threads, resident, ...session });
  const plan = { name, inputs, usedInputs: model.usedInputs, outputs, slots, buffers: used };
  return new SessionProgram(plan, onnx, initial, { device, random });
}

function checkWanted({ name, outputs }: Recording, wanted: readonly string[]): void {
  const known = outputs.map(({ path }) => path);
  for (const path of wanted) {
    if (!known.includes(path)) {
      throw new Error(`program "${name}" has no output "${path}"; known: ${known.join(", ")}`);
    }
  }
}

function isHostLeaf(value: unknown): value is HostLeaf {
  return isNdArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** The tree without the leaves that were passed as undefined. */
function withoutMissing(tree: unknown): Tree<HostLeaf> {
  if (isHostLeaf(tree) || typeof tree !== "object" || tree === null) return tree as HostLeaf;
  if (Array.isArray(tree)) return tree.map(withoutMissing);
  const present = Object.entries(tree).filter(([, child]) => child !== undefined);
  return Object.fromEntries(present.map(([key, child]) => [key, withoutMissing(child)]));
}
