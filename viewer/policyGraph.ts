// A policy's exported ONNX file in plain TypeScript: one row of observations to one of actions.
//
// A policy is a few dense layers: a loop does them in less time than a message to another engine takes,
// in 8 kB where ONNX Runtime's WebAssembly has 14 MB, and with equal bits everywhere: sums in float64,
// rounded to float32 at each node, and the functions of sim/math.ts. It differs from ONNX Runtime by
// rounding alone.

import { exp, log, tanh } from "../sim/math.ts";
import { type GraphConstant, type GraphNode, readPolicyFile } from "./onnxReader.ts";

export interface PolicyGraph {
  readonly observationSize: number;
  readonly actionSize: number;
  /** Actions for observations as the task gives them; a view, valid until the next call. */
  act(observations: ArrayLike<number>): Float32Array;
}

type Row = Float32Array;
type Values = Map<string, Row>;
/** Computes a node's outputs into `values`. */
type Step = (values: Values) => void;

const unary: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Erf: erf,
  Exp: exp,
  Log: log,
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(0, x),
  Sigmoid: (x) => 1 / (1 + exp(-x)),
  Sqrt: Math.sqrt,
  Tanh: tanh,
};

const binary: Readonly<Record<string, (x: number, y: number) => number>> = {
  Add: (x, y) => x + y,
  Div: (x, y) => x / y,
  Max: Math.max,
  Min: Math.min,
  Mul: (x, y) => x * y,
  Sub: (x, y) => x - y,
};

/** Makes a policy of an ONNX file with the input `obs` [N, O] and the output `action` [N, A]. */
export function loadPolicyGraph(
  file: Uint8Array,
  observationSize: number,
  actionSize: number,
): PolicyGraph {
  const { nodes, constants } = readPolicyFile(file);
  const values: Values = new Map([...constants].map(([name, { data }]) => [name, data]));
  values.set("obs", new Float32Array(observationSize));
  const steps = nodes.map((node) => stepOf(node, constants));
  const run = (): Row => {
    for (const step of steps) step(values);
    return rowOf(values, "action");
  };
  const { length } = run();
  if (length !== actionSize)
    throw new Error(`the policy gives ${length} numbers, the task takes ${actionSize}`);
  return {
    observationSize,
    actionSize,
    act(observations) {
      rowOf(values, "obs").set(observations);
      return run();
    },
  };
}

function rowOf(values: Values, name: string): Row {
  const row = values.get(name);
  if (!row) throw new Error(`the policy's graph has no value "${name}"`);
  return row;
}

function stepOf(node: GraphNode, constants: ReadonlyMap<string, GraphConstant>): Step {
  const { op, inputs, outputs } = node;
  const [first = "", second = "", third = ""] = inputs;
  const [output = ""] = outputs;
  const one = unary[op];
  if (one) return (values) => put(values, output, mapRow(rowOf(values, first), one));
  const two = binary[op];
  if (two)
    return (values) =>
      put(values, output, mapRows(rowOf(values, first), rowOf(values, second), two));
  if (op === "Clip") {
    return (values) => {
      const [low = Number.NEGATIVE_INFINITY] = values.get(second) ?? [];
      const [high = Number.POSITIVE_INFINITY] = values.get(third) ?? [];
      const clip = (x: number) => Math.min(high, Math.max(low, x));
      put(values, output, mapRow(rowOf(values, first), clip));
    };
  }
  if (op === "ReduceMean") return (values) => put(values, output, meanOf(rowOf(values, first)));
  if (op === "MatMul") return productStep(node, constants.get(second));
  if (op === "Split") return splitStep(node, constants.get(second));
  throw new Error(`a policy with the operator ${op} can't run here`);
}

function put(values: Values, name: string, row: Row): void {
  values.set(name, row);
}

function mapRow(row: Row, of: (x: number) => number): Row {
  return row.map((x) => of(x));
}

/** Of equal lengths, or one of them a single number. */
function mapRows(a: Row, b: Row, of: (x: number, y: number) => number): Row {
  if (a.length !== b.length && a.length !== 1 && b.length !== 1)
    throw new Error(`the policy joins rows of ${a.length} and ${b.length} numbers`);
  const out = new Float32Array(Math.max(a.length, b.length));
  const [stepA, stepB] = [Number(a.length > 1), Number(b.length > 1)];
  for (let i = 0; i < out.length; i++) out[i] = of(a[i * stepA]!, b[i * stepB]!);
  return out;
}

function meanOf(row: Row): Row {
  let sum = 0;
  for (const x of row) sum += x;
  return Float32Array.of(sum / row.length);
}

/** A row times a kernel [in, out]. */
function productStep({ inputs, outputs }: GraphNode, kernel: GraphConstant | undefined): Step {
  if (kernel?.shape.length !== 2)
    throw new Error("a policy whose MatMul has no constant [in, out] can't run here");
  const { data, shape } = kernel;
  const [rows, columns] = shape as [number, number];
  const sums = new Float64Array(columns);
  return (values) => {
    const row = rowOf(values, inputs[0]!);
    if (row.length !== rows)
      throw new Error(`the policy multiplies a row of ${row.length} with [${shape}]`);
    sums.fill(0);
    for (let i = 0; i < rows; i++) {
      const x = row[i]!;
      for (let j = 0, at = i * columns; j < columns; j++, at++) sums[j]! += x * data[at]!;
    }
    put(values, outputs[0]!, Float32Array.from(sums));
  };
}

/** A row in parts of the given lengths, or of equal ones. */
function splitStep({ inputs, outputs }: GraphNode, lengths: GraphConstant | undefined): Step {
  return (values) => {
    const row = rowOf(values, inputs[0]!);
    let at = 0;
    for (const [i, output] of outputs.entries()) {
      const length = lengths?.data[i] ?? row.length / outputs.length;
      put(values, output, row.slice(at, at + length));
      at += length;
    }
  };
}

/** The error function within 1.5e-7; Abramowitz and Stegun 7.1.26. */
function erf(x: number): number {
  const size = Math.abs(x);
  const t = 1 / (1 + 0.3275911 * size);
  const terms = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const sum = terms.reduce((total, term) => (total + term) * t, 0);
  const value = 1 - sum * exp(-size * size);
  return x < 0 ? -value : value;
}
