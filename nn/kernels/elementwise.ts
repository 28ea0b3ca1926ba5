// Elementwise kernels: arithmetic, comparisons, select and the activations.

import type { Graph, Value } from "../graph.ts";
import { binary, broadcastShape, broadcastTo, cast, unary } from "../record.ts";
import type { Kernel, Kernels } from "./kernel.ts";

const direct =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    unary(g, op, inputs["x"]!);
const test =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    unary(g, op, inputs["x"]!, "bool");
const pair =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    binary(g, op, inputs["a"]!, inputs["b"]!);
const compare =
  (op: string): Kernel =>
  ({ g, inputs }) =>
    binary(g, op, inputs["a"]!, inputs["b"]!, "bool");

export const elementwise: Kernels = {
  ...Object.fromEntries(
    [
      "Abs",
      "Acos",
      "Acosh",
      "Asin",
      "Asinh",
      "Atan",
      "Atanh",
      "Ceil",
      "Cos",
      "Cosh",
      "Elu",
      "Erf",
      "Exp",
      "Floor",
      "Log",
      "Neg",
      "Reciprocal",
      "Relu",
      "Round",
      "Selu",
      "Sigmoid",
      "Sign",
      "Sin",
      "Sinh",
      "Sqrt",
      "Tan",
      "Tanh",
    ].map((op) => [op, direct(op)]),
  ),
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
  Mod: ({ g, inputs }) => {
    const quotient = floorDiv(g, inputs["a"]!, inputs["b"]!);
    return binary(g, "Sub", inputs["a"]!, binary(g, "Mul", quotient, inputs["b"]!));
  },
  Atan2: ({ g, inputs }) => atan2(g, inputs["a"]!, inputs["b"]!),
  AddN: ({ g, inputs }) => Object.values(inputs).reduce((sum, term) => binary(g, "Add", sum, term)),

  Equal: compare("Equal"),
  Greater: compare("Greater"),
  GreaterEqual: compare("GreaterOrEqual"),
  Less: compare("Less"),
  LessEqual: compare("LessOrEqual"),
  LogicalAnd: compare("And"),
  LogicalOr: compare("Or"),
  LogicalXor: compare("Xor"),
  NotEqual: ({ g, inputs }) =>
    unary(g, "Not", binary(g, "Equal", inputs["a"]!, inputs["b"]!, "bool")),
  LogicalNot: test("Not"),
  IsNan: test("IsNaN"),
  IsInf: test("IsInf"),
  IsFinite: ({ g, inputs }) => {
    const magnitude = unary(g, "Abs", inputs["x"]!);
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
  Expm1: ({ g, inputs }) => binary(g, "Sub", unary(g, "Exp", inputs["x"]!), g.scalar(1)),
  Log1p: ({ g, inputs }) => unary(g, "Log", binary(g, "Add", inputs["x"]!, g.scalar(1))),
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

export function square(g: Graph, x: Value): Value {
  return binary(g, "Mul", x, x);
}

/** log(1 + exp(x)) without overflow: max(x, 0) + log(1 + exp(−|x|)). ONNX Runtime's own is 7 times slower. */
function softplus(g: Graph, x: Value): Value {
  const decay = unary(g, "Exp", unary(g, "Neg", unary(g, "Abs", x)));
  const tail = unary(g, "Log", binary(g, "Add", decay, g.scalar(1)));
  return binary(g, "Add", unary(g, "Relu", x), tail);
}

/** 1 where x > 0, else `alpha`. */
function step(g: Graph, x: Value, alpha: number): Value {
  const positive = unary(g, "Step", x);
  if (alpha === 0) return positive;
  return binary(g, "Add", binary(g, "Mul", positive, g.scalar(1 - alpha)), g.scalar(alpha));
}

function clip(g: Graph, x: Value, low: number, high: number): Value {
  const bounds = [g.scalar(low, x.dtype), g.scalar(high, x.dtype)];
  return g.emit("Clip", [x, ...bounds], x.shape, x.dtype);
}

function select(g: Graph, condition: Value, t: Value, e: Value): Value {
  const shape = broadcastShape(condition.shape, broadcastShape(t.shape, e.shape));
  return g.emit("Where", [cast(g, condition, "bool"), t, e], shape, t.dtype);
}

function pow(g: Graph, base: Value, exponent: Value): Value {
  const fill = exponent.data?.length === 1 ? exponent.data[0] : undefined;
  const shape = broadcastShape(base.shape, exponent.shape);
  if (base.dtype === "float32" && fill === 1) return broadcastTo(g, base, shape);
  if (base.dtype === "float32" && fill === 2) return broadcastTo(g, square(g, base), shape);
  if (base.dtype === "float32" && fill === -1) {
    return broadcastTo(g, unary(g, "Reciprocal", base), shape);
  }
  return binary(g, "Pow", base, exponent);
}

function floorDiv(g: Graph, a: Value, b: Value): Value {
  const quotient = binary(g, "Div", cast(g, a, "float32"), cast(g, b, "float32"));
  return cast(g, unary(g, "Floor", quotient), a.dtype);
}

/** The angle of (x, y) in [−π, π]: atan(y / x), turned by half a circle where x < 0. */
function atan2(g: Graph, y: Value, x: Value): Value {
  const ratio = unary(g, "Atan", binary(g, "Div", y, x));
  const shape = broadcastShape(y.shape, x.shape);
  const zero = g.scalar(0);
  const turn = select(
    g,
    binary(g, "Less", y, zero, "bool"),
    g.constant(new Float32Array([-Math.PI]), shape, "float32"),
    g.constant(new Float32Array([Math.PI]), shape, "float32"),
  );
  const turned = binary(g, "Add", ratio, turn);
  const angle = select(g, binary(g, "Less", x, zero, "bool"), turned, ratio);
  const origin = binary(g, "And", isZero(g, x), isZero(g, y), "bool");
  return select(g, origin, g.constant(new Float32Array([0]), shape, "float32"), angle);
}

function isZero(g: Graph, x: Value): Value {
  return binary(g, "Equal", x, g.scalar(0), "bool");
}
