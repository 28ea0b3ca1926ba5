// How Vite bundles and serves what runs in a browser.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

// Threads share memory, which a page may do only when nothing of another origin can reach it.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** ONNX Runtime's WebAssembly, which it looks for beside its script: WebGPU's is the second. */
const engines = ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify"];

/** Copies ONNX Runtime's WebAssembly into a bundle; a server in development finds it in its package. */
function onnxRuntimeFiles(): Plugin {
  return {
    name: "onnxruntime-files",
    apply: "build",
    generateBundle() {
      for (const engine of engines) {
        for (const ending of ["mjs", "wasm"]) {
          const name = `${engine}.${ending}`;
          const source = readFileSync(join(root, "node_modules/onnxruntime-web/dist", name));
          this.emitFile({ type: "asset", fileName: `assets/${name}`, source });
        }
      }
    },
  };
}

export default defineConfig({
  plugins: [onnxRuntimeFiles()],
  resolve: {
    alias: { "onnxruntime-node": "onnxruntime-web/wasm" },
    // ONNX Runtime's threads then start from a file of its own, not from the bundle.
    conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "development|production"],
  },
  optimizeDeps: { exclude: ["onnxruntime-node", "onnxruntime-web/wasm", "onnxruntime-web/webgpu"] },
  worker: { format: "es" },
  build: {
    target: "es2023",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096, // kB
    // A program is called after its function in error messages.
    rolldownOptions: { output: { keepNames: true } },
  },
  server: { headers },
  preview: { headers },
});
