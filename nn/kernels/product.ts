// Matrix products and convolutions.

import { backend_util } from "#tensorflow";
import type { Graph, Value } from "../graph.ts";
import { broadcastShape, matMul, transpose } from "../record.ts";
import { allocate, sizeOf } from "../tree.ts";
import type { Kernels } from "./kernel.ts";
import { slice } from "./shape.ts";

export const products: Kernels = {
  BatchMatMul: ({ g, inputs, attributes }) => {
    const a = inputs["a"]!;
    const b = inputs["b"]!;
    const transA = attributes["transposeA"] === true;
    const transB = attributes["transposeB"] === true;
    if (a.shape.at(transA ? -2 : -1) === 0) {
      const rows = a.shape.at(transA ? -1 : -2)!;
      const columns = b.shape.at(transB ? -2 : -1)!;
      const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
      const shape = [...batch, rows, columns];
      return g.constant(allocate(a.dtype, [0]), shape, a.dtype);
    }
    return matMul(g, a, b, transA, transB);
  },
  Conv2D: ({ g, inputs, attributes }) => {
    const x = inputs["x"]!;
    const filter = inputs["filter"]!;
    const conv = convInfo(x.shape, filter.shape, attributes);
    const y = g.emit(
      "Conv",
      [transpose(g, x, toChannelsFirst), transpose(g, filter, toFilterFirst)],
      [conv.batchSize, conv.outChannels, conv.outHeight, conv.outWidth],
      x.dtype,
      {
        strides: [conv.strideHeight, conv.strideWidth],
        dilations: [conv.dilationHeight, conv.dilationWidth],
        pads: padsOf(conv),
      },
    );
    return transpose(g, y, toChannelsLast);
  },
  Conv2DBackpropInput: ({ g, inputs, attributes }) => {
    const filter = inputs["filter"]!;
    const conv = convInfo(attributes["inputShape"] as number[], filter.shape, attributes);
    return convInputGradient(g, inputs["dy"]!, filter, conv);
  },
  Conv2DBackpropFilter: ({ g, inputs, attributes }) => {
    const x = inputs["x"]!;
    const conv = convInfo(x.shape, attributes["filterShape"] as number[], attributes);
    return convFilterGradient(g, x, inputs["dy"]!, conv);
  },
};

const toChannelsFirst = [0, 3, 1, 2]; // NHWC to NCHW
const toChannelsLast = [0, 2, 3, 1];
const toFilterFirst = [3, 2, 0, 1]; // HWIO to OIHW

type ConvInfo = ReturnType<typeof backend_util.computeConv2DInfo>;

function convInfo(
  input: readonly number[],
  filter: readonly number[],
  attributes: Readonly<Record<string, unknown>>,
): ConvInfo {
  if ((attributes["dataFormat"] ?? "NHWC") !== "NHWC") {
    throw new Error(`a convolution in ${attributes["dataFormat"]}; write it in NHWC`);
  }
  const strides = attributes["strides"] as [number, number];
  if (typeof attributes["pad"] === "number" && !(isSquare(filter) && isSquare(strides))) {
    // TensorFlow.js takes the height's filter size and stride for both axes then.
    throw new Error('a number as padding wants a square filter and stride; say "same" or "valid"');
  }
  return backend_util.computeConv2DInfo(
    [...input] as [number, number, number, number],
    [...filter] as [number, number, number, number],
    strides,
    (attributes["dilations"] ?? 1) as [number, number],
    attributes["pad"] as "valid" | "same" | number,
    attributes["dimRoundingMode"] as "floor",
  );
}

function isSquare(sizes: readonly number[]): boolean {
  return sizes[0] === sizes[1];
}

function padsOf({ padInfo }: ConvInfo): number[] {
  return [padInfo.top, padInfo.left, padInfo.bottom, padInfo.right];
}

/** The transposed convolution; rows and columns that no window reached come back as zeros. */
function convInputGradient(g: Graph, dy: Value, filter: Value, conv: ConvInfo): Value {
  const shape = [conv.batchSize, conv.inChannels, conv.inHeight, conv.inWidth];
  if (sizeOf(dy.shape) === 0) {
    return g.constant(allocate("float32", [0]), [...conv.inShape], "float32");
  }
  const reach = (out: number, stride: number, extent: number, pads: number) =>
    (out - 1) * stride + extent - pads;
  const { top, bottom, left, right } = conv.padInfo;
  const height = reach(conv.outHeight, conv.strideHeight, conv.effectiveFilterHeight, top + bottom);
  const width = reach(conv.outWidth, conv.strideWidth, conv.effectiveFilterWidth, left + right);
  const dx = g.emit(
    "ConvTranspose",
    [transpose(g, dy, toChannelsFirst), transpose(g, filter, toFilterFirst)],
    shape,
    dy.dtype,
    {
      strides: [conv.strideHeight, conv.strideWidth],
      dilations: [conv.dilationHeight, conv.dilationWidth],
      pads: padsOf(conv),
      output_padding: [conv.inHeight - height, conv.inWidth - width],
    },
  );
  return transpose(g, dx, toChannelsLast);
}

/** A convolution of the input with the output's gradient; batch and channels change places. */
function convFilterGradient(g: Graph, x: Value, dy: Value, conv: ConvInfo): Value {
  const { top, bottom, left, right } = conv.padInfo;
  const extent = (size: number, pads: number, out: number, stride: number, dilation: number) =>
    Math.floor((size + pads - ((out - 1) * stride + 1)) / dilation) + 1;
  const height = extent(
    conv.inHeight,
    top + bottom,
    conv.outHeight,
    conv.strideHeight,
    conv.dilationHeight,
  );
  const width = extent(
    conv.inWidth,
    left + right,
    conv.outWidth,
    conv.strideWidth,
    conv.dilationWidth,
  );
  const full = g.emit(
    "Conv",
    [transpose(g, x, [3, 0, 1, 2]), transpose(g, dy, [3, 0, 1, 2])],
    [conv.inChannels, conv.outChannels, height, width],
    x.dtype,
    {
      strides: [conv.dilationHeight, conv.dilationWidth],
      dilations: [conv.strideHeight, conv.strideWidth],
      pads: padsOf(conv),
    },
  );
  const end = [conv.inChannels, conv.outChannels, conv.filterHeight, conv.filterWidth];
  return transpose(g, slice(g, full, [0, 0, 0, 0], end), [2, 3, 0, 1]);
}
