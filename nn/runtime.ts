// The door to ONNX Runtime: sessions on the CPU, WebGPU or CUDA, in Node and in the browser.
//
// A browser's bundle has onnxruntime-web/wasm where this says onnxruntime-node, and ONNX Runtime's
// WebAssembly lies beside the script that it is bundled into (vite.config.ts).

import * as ort from "onnxruntime-node";
import type { DType, TypedArray } from "./tree.ts";

export type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";

/** Engines of ONNX Runtime; in a browser `cpu` means its WebAssembly. */
export const ortDevices = ["cpu", "webgpu", "cuda"] as const;
export type OrtDevice = (typeof ortDevices)[number];

/** Where a program runs: ONNX Runtime, or op by op on a TensorFlow.js backend ("eager:cpu"). */
export type Device = OrtDevice | `eager:${string}`;

export interface SessionOptions {
  readonly device: OrtDevice;
  /**
   * Threads inside one operator; CPU only. A page, or a worker of it, has one pool of threads for all
   * programs, of the size that its first program asks for; and one thread unless it is cross-origin
   * isolated.
   */
  readonly threads: number;
  /** Outputs that stay in the device's memory. */
  readonly resident?: readonly string[];
  /** Where to write a profile (a prefix of a file name); slows every operator. */
  readonly profile?: string;
  /** Entries of ONNX Runtime's session configuration, for experiments. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly optimization?: "disabled" | "basic" | "extended" | "all";
}

const inBrowser = typeof process === "undefined" || process.versions?.node === undefined;

/** A session that runs the model; throws with ONNX Runtime's reason when the device can't. */
export async function createSession(
  model: Uint8Array,
  { device, threads, resident = [], profile, extra, optimization = "all" }: SessionOptions,
): Promise<ort.InferenceSession> {
  try {
    const engine = inBrowser ? await browserEngine(device, threads) : ort;
    const session = await engine.InferenceSession.create(model, {
      executionProviders: [inBrowser && device === "cpu" ? "wasm" : device],
      graphOptimizationLevel: optimization,
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      logSeverityLevel: 3,
      // Denormal moments of Adam would run a hundred times slower than zeros.
      extra: { session: { set_denormal_as_zero: "1" }, ...extra },
      ...(resident.length > 0
        ? { preferredOutputLocation: Object.fromEntries(resident.map((n) => [n, "gpu-buffer"])) }
        : {}),
      ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    });
    return device === "webgpu" && !inBrowser ? session : resultsInPlace(session);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`device "${device}" can't run this program: ${reason}`);
  }
}

/** ONNX Runtime's build for a device; the one with WebGPU is twice as large and loaded only for it. */
async function browserEngine(device: OrtDevice, threads: number) {
  const engine = device === "webgpu" ? await import("onnxruntime-web/webgpu") : ort;
  engine.env.wasm.numThreads = threads;
  return engine;
}

/**
 * Name of an extra first output that models for this door should have, or undefined where it does not
 * help: an empty sequence, which onnxruntime-node can't hand over.
 *
 * Its `run` writes results into the tensors that are passed as fetches, and then copies every one of
 * them into a fresh array all the same: for a state of 3 MB that is a tenth of a SAC update. It stops
 * at the first result that is no tensor, when everything is computed and in place.
 */
export const resultSignal: string | undefined = inBrowser ? undefined : "computed";

const signalError = "Non tensor type is temporarily not supported.";

/** The session, made to leave results in the tensors that are passed as fetches, and nowhere else. */
function resultsInPlace(session: ort.InferenceSession): ort.InferenceSession {
  const run: (feeds: Feeds, fetches: Fetches) => Promise<Results> = session.run.bind(session);
  const hasSignal = resultSignal !== undefined && session.outputNames.includes(resultSignal);
  const signalled = hasSignal ? { [String(resultSignal)]: null } : {};
  const all = Object.fromEntries(session.outputNames.map((name) => [name, null]));
  const fill = async (feeds: Feeds, fetches: Fetches = all): Promise<Results> => {
    try {
      return filled(await run(feeds, { ...signalled, ...preallocated(fetches) }), fetches);
    } catch (error) {
      if (hasSignal && error instanceof Error && error.message === signalError) {
        return fetches as Results;
      }
      throw error;
    }
  };
  session.run = fill as typeof session.run;
  return session;
}

/** onnxruntime-web ignores tensors that are passed as fetches; it is not given any. */
function preallocated(fetches: Fetches): Fetches {
  if (!inBrowser) return fetches;
  return Object.fromEntries(Object.keys(fetches).map((name) => [name, null]));
}

function filled(results: Results, fetches: Fetches): Results {
  const own = { ...results };
  for (const [name, tensor] of Object.entries(fetches)) {
    if (tensor === null) continue;
    const { data } = own[name]!;
    if (data !== tensor.data) (tensor.data as TypedArray).set(data as TypedArray);
    own[name] = tensor;
  }
  return own;
}

type Feeds = ort.InferenceSession.FeedsType;
type Fetches = Readonly<Record<string, ort.Tensor | null>>;
type Results = Record<string, ort.Tensor>;

/** A tensor over an array's own memory, copied only where ONNX Runtime can't read it (shared memory). */
export function hostTensor(dtype: DType, data: TypedArray, shape: readonly number[]): ort.Tensor {
  const owned = data.buffer instanceof ArrayBuffer ? data : data.slice();
  return new ort.Tensor(dtype, owned as Float32Array, shape);
}
