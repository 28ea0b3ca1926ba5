// The door to ONNX Runtime: sessions on the CPU, WebGPU or CUDA, in Node and in the browser.

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
  /** Threads inside one operator; CPU only. */
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
  if (inBrowser) ort.env.wasm.numThreads = threads;
  try {
    return await ort.InferenceSession.create(model, {
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
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`device "${device}" can't run this program: ${reason}`);
  }
}

/** A tensor over an array's own memory, copied only where ONNX Runtime can't read it (shared memory). */
export function hostTensor(dtype: DType, data: TypedArray, shape: readonly number[]): ort.Tensor {
  const owned = data.buffer instanceof ArrayBuffer ? data : data.slice();
  return new ort.Tensor(dtype, owned as Float32Array, shape);
}

/** Engines that the installed ONNX Runtime was built with; whether they work is another question. */
export function builtDevices(): { name: string; bundled: boolean }[] {
  return inBrowser ? [{ name: "wasm", bundled: true }] : ort.listSupportedBackends();
}

export const ortVersion: string = ort.env.versions.node ?? ort.env.versions.common;
