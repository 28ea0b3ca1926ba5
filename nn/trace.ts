// The TensorFlow.js backend that records: running a function on it writes the function down.
//
// Each kernel of the backend emits graph nodes instead of computing. The gradient functions of
// TensorFlow.js are built from forward kernels, so gradients, and gradients of gradients, record too.

import * as tf from "#tensorflow";
import type { Graph, Value } from "./graph.ts";
import { elementwise } from "./kernels/elementwise.ts";
import type { Kernel, Kernels } from "./kernels/kernel.ts";
import { products } from "./kernels/product.ts";
import { reductions } from "./kernels/reduce.ts";
import { shapeKernels } from "./kernels/shape.ts";
import { allocate, type DType, type TypedArray } from "./tree.ts";

const backendName = "salle-trace";

const kernels: Kernels = { ...elementwise, ...reductions, ...shapeKernels, ...products };

/** Kernels that can't be recorded, and what to write instead. */
const advice: Readonly<Record<string, string>> = {
  Einsum: "use einsum of nn/ops.ts, which also has gradients",
  Unique: "its shape depends on data; work on fixed shapes with masks",
  NonMaxSuppressionV3: "its shape depends on data; work on fixed shapes with masks",
  Multinomial: "declare noise as an input and compare it with cumulative probabilities",
  FusedConv2D: "write conv2d, add and the activation; they are fused later",
  _FusedMatMul: "write matMul, add and the activation; they are fused later",
};

let current: { readonly graph: Graph; readonly name: string } | null = null;
let installed = false;

/** Runs `record` on the recording backend; what it calls becomes nodes of the graph. */
export function trace<T>(graph: Graph, name: string, record: () => T): T {
  if (current !== null) throw new Error(`"${name}" is compiled while "${current.name}" is traced`);
  install();
  const engine = tf.engine();
  const previous = engine.backendName;
  const { random } = Math;
  let result: T | undefined;
  current = { graph, name };
  Math.random = () => {
    throw refusal(
      "Math.random, tf.randomNormal and their kin would freeze one draw into the program; declare noise as an input, such as normal([256, 8])",
    );
  };
  try {
    void engine.setBackend(backendName);
    tf.tidy(() => {
      result = record();
    });
    return result as T;
  } finally {
    Math.random = random;
    current = null;
    if (previous && previous !== backendName) void engine.setBackend(previous);
  }
}

/** A tensor that stands for a graph value while tracing. */
export function tensorOf(value: Value): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo({ ...infoOf(value) });
}

/** The graph value behind a tensor; a tensor made outside the trace becomes a constant. */
export function graphValue(tensor: tf.TensorInfo): Value {
  const value = tensor.dataId as Partial<Value>;
  if (value.shape !== undefined) return value as Value; // other backends' identifiers have none
  const owner = tf.engine().state.tensorInfo.get(tensor.dataId);
  if (owner === undefined) throw refusal("a disposed tensor was used");
  const data = owner.backend.readSync(tensor.dataId) as TypedArray;
  return graph().constant(
    allocate(dtypeOf(tensor.dtype), data),
    tensor.shape,
    dtypeOf(tensor.dtype),
  );
}

function infoOf(value: Value): tf.TensorInfo {
  return { dataId: value, shape: [...value.shape], dtype: value.dtype };
}

function graph(): Graph {
  if (current === null) {
    throw new Error(
      `the backend "${backendName}" only records inside compile(); choose another with tf.setBackend`,
    );
  }
  return current.graph;
}

function dtypeOf(dtype: string): DType {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw refusal(`a ${dtype} tensor; programs know float32, int32 and bool`);
}

function refusal(problem: string): Error {
  return new Error(`can't trace "${current?.name ?? "this program"}": ${problem}`);
}

/** Registers the backend and its kernels, once. */
function install(): void {
  if (installed) return;
  installed = true;
  tf.registerBackend(backendName, () => recordingBackend as unknown as tf.KernelBackend, 0);
  for (const [name, kernel] of Object.entries(kernels)) register(name, recorder(name, kernel));
  const others = Object.entries(tf).filter(
    ([key, value]) => key === value && /^_?[A-Z]/.test(key) && kernels[key] === undefined,
  );
  for (const [name] of others) {
    register(name, () => {
      throw refusal(
        `no kernel for the op ${name}; ${advice[name] ?? "build it from ops of nn/ops.ts"}`,
      );
    });
  }
}

function register(kernelName: string, kernelFunc: tf.KernelFunc): void {
  tf.registerKernel({ kernelName, backendName, kernelFunc });
}

function recorder(name: string, kernel: Kernel): tf.KernelFunc {
  return ({ inputs, attrs }) => {
    const g = graph();
    const values: Record<string, Value> = {};
    for (const [key, tensor] of Object.entries(inputs)) {
      if (tensor !== null && tensor !== undefined)
        values[key] = graphValue(tensor as tf.TensorInfo);
    }
    const result = withContext(name, () => kernel({ g, inputs: values, attributes: attrs ?? {} }));
    return Array.isArray(result) ? result.map(infoOf) : infoOf(result);
  };
}

function withContext<T>(kernelName: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw refusal(`${kernelName}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const reading =
  "read a tensor's data, but while tracing there is none; keep the computation in tensors (where, comparisons and masks instead of if), or return the value as an output and decide between two programs";

const recordingBackend = {
  write(values: TypedArray, shape: number[], dtype: string): Value {
    const known = dtypeOf(dtype);
    return graph().constant(allocate(known, values), shape, known);
  },
  readSync(): never {
    throw refusal(`dataSync, arraySync or print ${reading}`);
  },
  async read(): Promise<never> {
    throw refusal(`data, array or an op whose shape depends on data ${reading}`);
  },
  numDataIds: () => 0,
  incRef: () => {},
  decRef: () => {},
  refCount: () => 1,
  disposeData: () => false,
  memory: () => ({ unreliable: false }),
  floatPrecision: () => 32 as const,
  epsilon: () => 1e-7,
  timerAvailable: () => false,
  dispose: () => {},
};
