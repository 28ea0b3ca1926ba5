// The door to TensorFlow.js' backends, loaded only when a program is to run eagerly on one.

import * as tf from "#tensorflow";

const loaders: Readonly<Record<string, () => Promise<unknown>>> = {
  cpu: () => import("@tensorflow/tfjs-backend-cpu"),
  wasm: () => import("@tensorflow/tfjs-backend-wasm"),
  tensorflow: loadTensorFlow,
};

/** Packages that provide the backend "tensorflow", the one with a GPU first. */
const tensorFlowPackages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"];

/** Loads and initialises a backend; returns its name. */
export async function loadBackend(name: string): Promise<string> {
  const load = loaders[name];
  if (load === undefined) {
    throw new Error(`unknown backend "eager:${name}"; known: ${backendNames.join(", ")}`);
  }
  const previous = tf.engine().backendName;
  await load();
  if (!(await tf.engine().setBackend(name))) {
    throw new Error(`the TensorFlow.js backend "${name}" did not start`);
  }
  if (previous && previous !== name) void tf.engine().setBackend(previous);
  return name;
}

export const backendNames: readonly string[] = Object.keys(loaders).map((name) => `eager:${name}`);

async function loadTensorFlow(): Promise<unknown> {
  for (const name of tensorFlowPackages) {
    try {
      return await import(name);
    } catch (error) {
      if ((error as { code?: string }).code !== "ERR_MODULE_NOT_FOUND") {
        throw new Error(`${name} is installed but does not load: ${(error as Error).message}`);
      }
    }
  }
  throw new Error(`"eager:tensorflow" wants ${tensorFlowPackages.join(" or ")}; npm install one`);
}
