// Entry of the bundle that Salle imports as "#tensorflow": TensorFlow.js' core with its gradients.
//
// The package's Node build has no gradients, and its gradient modules can't be imported in Node, so
// the build joins them once (see docs/development.md).

import { env } from "@tensorflow/tfjs-core/dist/index.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";

// Silences the notice that a second copy of the core, loaded by an eager backend, sets the platform again.
env().set("PROD", true);
if (env().platform === undefined) {
  const encoder = new TextEncoder();
  env().setPlatform("salle", {
    fetch: (path, init) => fetch(path, init),
    now: () => performance.now(),
    encode: (text) => encoder.encode(text),
    decode: (bytes, encoding) => new TextDecoder(encoding).decode(bytes),
    setTimeoutCustom: (callback, delay) => setTimeout(callback, delay),
    isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
  });
}

export * from "@tensorflow/tfjs-core/dist/index.js";
