// Elementwise kernels: arithmetic, comparisons, select and the activations.

import { upcastType } from "#tensorflow";
import { fillOf, type Graph, type Value } from "../graph.ts";
import { binary, broadcastShape, broadcastTo, cast, unary } from "../record.ts";
import type { DType } from "../tree.ts";
import type { Kernel, Kernels } from "./kernel.ts";

/** Functions of any number that keep its type. */
const direct =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    unary(g, op, inputs["x"]!);
/** Functions that ONNX knows for floats alone; of whole numbers they are floats too. */
const float =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    unary(g, op, cast(g, inputs["x"]!, "float32"));
const rounding =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    inputs["x"]!.dtype === "float32" ? unary(g, op, inputs["x"]!) : inputs["x"]!;
const test =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    unary(g, op, cast(g, inputs["x"]!, "float32"), "bool");
const pair =
  (op: string): Kernel =>
  ({ g, inputs }) => {
    const { a, b } = inputs;
    if (a!.dtype === "bool") throw new Error("arithmetic on bool; cast to int32 or float32 first");
    return binary(g, op, a!, b!);
  };
const compare =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    binary(g, op, inputs["a"]!, inputs["b"]!, "bool");
/** Comparisons that ONNX knows for numbers alone; false comes before true. */
const order =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    binary(g, op, ordinal(g, inputs["a"]!), ordinal(g, inputs["b"]!), "bool");

export const elementwise: Kernels = {
  ...table(direct, ["Abs", "Neg", "Relu", "Sign"]),
  ...table(rounding, ["Ceil", "Floor", "Round"]),
  ...table(float, [
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "Cos",
    "Cosh",
    "Sin",
    "Sinh",
  ]),
  ...table(float, ["Tan", "Tanh", "Exp", "Log", "Sqrt", "Reciprocal", "Erf", "Sigmoid"]),
  ...table(float, ["Elu", "Selu"]),
  Identity: ({ inputs }) => inputs["x"]!,
  Add: pair("Add"),
  Sub: pair("Sub"),
  Multiply: pair("Mul"),
  RealDiv: pair("Div"),
  Maximum: pair("Max"),
  Minimum: pair("Min"),
  Pow: ({ g, inputs }) => pow(g, inputs["a"]!, inputs["b"]!),
  SquaredDifference: ({ g, inputs }) => square(g, binary(g, "Sub", inputs["a"]!, inputs["b"]!)),
  FloorDiv: ({ g, inputs }) => floorDiv(g, inputs["a"]!, inputs["b"]!),
  Mod: ({ g, inputs }) => mod(g, inputs["a"]!, inputs["b"]!),
  Atan2: ({ g, inputs }) =>
    atan2(g, cast(g, inputs["a"]!, "float32"), cast(g, inputs["b"]!, "float32")),
  AddN: ({ g, inputs }) => Object.values(inputs).reduce((sum, term) => binary(g, "Add", sum, term)),

  Equal: compare("Equal"),
  Greater: order("Greater"),
  GreaterEqual: order("GreaterOrEqual"),
  Less: order("Less"),
  LessEqual: order("LessOrEqual"),
  LogicalAnd: compare("And"),
  LogicalOr: compare("Or"),
  LogicalXor: compare("Xor"),
  NotEqual: ({ g, inputs }) =>
    unary(g, "Not", binary(g, "Equal", inputs["a"]!, inputs["b"]!, "bool")),
  LogicalNot: ({ g, inputs }) => unary(g, "Not", inputs["x"]!),
  IsNan: test("IsNaN"),
  IsInf: test("IsInf"),
  IsFinite: ({ g, inputs }) => {
    const magnitude = unary(g, "Abs", cast(g, inputs["x"]!, "float32"));
    return binary(g, "Less", magnitude, g.scalar(Number.POSITIVE_INFINITY), "bool");
  },
  Select: ({ g, inputs }) => select(g, inputs["condition"]!, inputs["t"]!, inputs["e"]!),
  Cast: ({ g, inputs, attributes }) => {
    const dtype = attributes["dtype"];
    if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
      throw new Error(`a cast to ${dtype}; known: float32, int32, bool`);
    }
    return cast(g, inputs["x"]!, dtype);
  },

  Square: ({ g, inputs }) => square(g, inputs["x"]!),
  Rsqrt: ({ g, inputs }) => unary(g, "Reciprocal", unary(g, "Sqrt", inputs["x"]!)),
  Expm1: ({ g, inputs }) => expm1(g, inputs["x"]!),
  Log1p: ({ g, inputs }) => log1p(g, inputs["x"]!),
  Softplus: ({ g, inputs }) => softplus(g, inputs["x"]!),
  Step: ({ g, inputs, attributes }) => step(g, inputs["x"]!, Number(attributes["alpha"] ?? 0)),
  Relu6: ({ g, inputs }) => clip(g, inputs["x"]!, 0, 6),
  ClipByValue: ({ g, inputs, attributes }) =>
    clip(g, inputs["x"]!, Number(attributes["clipValueMin"]), Number(attributes["clipValueMax"])),
  LeakyRelu: ({ g, inputs, attributes }) => {
    const { x } = inputs;
    return unary(g, "LeakyRelu", x!, x!.dtype, { alpha: Number(attributes["alpha"]) });
  },
  Prelu: ({ g, inputs }) => {
    const negative = binary(g, "Min", inputs["x"]!, g.scalar(0));
    const positive = unary(g, "Relu", inputs["x"]!);
    return binary(g, "Add", positive, binary(g, "Mul", inputs["alpha"]!, negative));
  },
  EluGrad: ({ g, inputs }) => {
    // y is elu(x): the slope is 1 where y ≥ 0 and y + 1 = exp(x) elsewhere.
    const slope = binary(g, "Add", binary(g, "Min", inputs["y"]!, g.scalar(0)), g.scalar(1));
    return binary(g, "Mul", inputs["dy"]!, slope);
  },
};

function table(kernel: (op: string) => Kernel, ops: readonly string[]): Kernels {
  return Object.fromEntries(ops.map((op) => [op, kernel(op)]));
}

function ordinal(g: Graph, x: Value): Value {
  return x.dtype === "bool" ? cast(g, x, "int32") : x;
}

export function square(g: Graph, x: Value): Value {
  return binary(g, "Mul", x, x);
}

/** log(1 + exp(x)) without overflow: max(x, 0) + log(1 + exp(−|x|)). ONNX Runtime's own is 7 times slower. */
function softplus(g: Graph, x: Value): Value {
  const decay = unary(g, "Exp", unary(g, "Neg", unary(g, "Abs", x)));
  const tail = unary(g, "Log", binary(g, "Add", decay, g.scalar(1)));
  return binary(g, "Add", unary(g, "Relu", x), tail);
}

/** exp(x) − 1 = tanh(x / 2) (exp(x) + 1), exact near zero too. */
function expm1(g: Graph, x: Value): Value {
  const half = unary(g, "Tanh", binary(g, "Mul", x, g.scalar(0.5)));
  return binary(g, "Mul", half, binary(g, "Add", unary(g, "Exp", x), g.scalar(1)));
}

/** log(1 + x): the logarithm of the rounded sum u, and what rounding lost divided by u. */
function log1p(g: Graph, x: Value): Value {
  const u = binary(g, "Add", x, g.scalar(1));
  const lost = binary(g, "Sub", x, binary(g, "Sub", u, g.scalar(1)));
  const any = binary(g, "Greater", unary(g, "Abs", lost), g.scalar(0), "bool"); // not where infinite
  const correction = select(g, any, binary(g, "Div", lost, u), g.scalar(0));
  return binary(g, "Add", unary(g, "Log", u), correction);
}

/** 1 where x > 0, else `alpha`. */
function step(g: Graph, x: Value, alpha: number): Value {
  const positive = unary(g, "Step", x);
  if (alpha === 0) return positive;
  return binary(g, "Add", binary(g, "Mul", positive, g.scalar(1 - alpha)), g.scalar(alpha));
}

function clip(g: Graph, x: Value, low: number, high: number): Value {
  const whole = (bound: number) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, bound));
  const bounds = [low, high].map((bound) =>
    g.scalar(x.dtype === "int32" ? whole(bound) : bound, x.dtype),
  );
  return g.emit("Clip", [x, ...bounds], x.shape, x.dtype);
}

function select(g: Graph, condition: Value, t: Value, e: Value): Value {
  const shape = broadcastShape(condition.shape, broadcastShape(t.shape, e.shape));
  const dtype = upcastType(t.dtype, e.dtype) as DType;
  const inputs = [cast(g, condition, "bool"), cast(g, t, dtype), cast(g, e, dtype)];
  return g.emit("Where", inputs, shape, dtype);
}

function pow(g: Graph, base: Value, exponent: Value): Value {
  const fill = fillOf(exponent);
  const shape = broadcastShape(base.shape, exponent.shape);
  if (base.dtype === "float32" && fill === 1) return broadcastTo(g, base, shape);
  if (base.dtype === "float32" && fill === 2) return broadcastTo(g, square(g, base), shape);
  if (base.dtype === "float32" && fill === -1) {
    return broadcastTo(g, unary(g, "Reciprocal", base), shape);
  }
  return binary(g, "Pow", base, exponent);
}

/** ⌊a / b⌋ as int32, the type that TensorFlow.js gives it; of whole numbers it is exact. */
function floorDiv(g: Graph, a: Value, b: Value): Value {
  if (a.dtype === "float32") {
    return cast(g, unary(g, "Floor", binary(g, "Div", a, b)), "int32");
  }
  const safe = nonZero(g, b);
  return binary(g, "Div", binary(g, "Sub", a, binary(g, "Mod", a, safe)), safe);
}

/** The remainder that has the divisor's sign. */
function mod(g: Graph, a: Value, b: Value): Value {
  if (a.dtype === "int32") return binary(g, "Mod", a, nonZero(g, b));
  const shape = broadcastShape(a.shape, b.shape);
  const rest = g.emit("Mod", [a, b], shape, a.dtype, { fmod: 1 }); // has the dividend's sign
  const opposite = binary(
    g,
    "Less",
    binary(g, "Mul", rest, unary(g, "Sign", b)),
    g.scalar(0),
    "bool",
  );
  return select(g, opposite, binary(g, "Add", rest, b), rest);
}

/** Whole divisors with 1 for 0, by which the processor would refuse to divide. */
function nonZero(g: Graph, x: Value): Value {
  const fill = fillOf(x);
  if (fill !== undefined && fill !== 0) return x;
  const zero = g.scalar(0, "int32");
  return select(g, binary(g, "Equal", x, zero, "bool"), g.scalar(1, "int32"), x);
}

/**
 * The angle of (x, y) in [−π, π], found in the first quadrant and mirrored; 0 at the origin. The sign
 * of a zero plays no part.
 */
function atan2(g: Graph, y: Value, x: Value): Value {
  const zero = g.scalar(0);
  const run = binary(g, "Max", unary(g, "Abs", x), g.scalar(smallestNormal));
  const acute = unary(g, "Atan", binary(g, "Div", unary(g, "Abs", y), run));
  const leftward = binary(g, "Less", x, zero, "bool");
  const upper = select(g, leftward, binary(g, "Sub", g.scalar(Math.PI), acute), acute);
  return select(g, binary(g, "Less", y, zero, "bool"), unary(g, "Neg", upper), upper);
}

const smallestNormal = 2 ** -126; // float32
