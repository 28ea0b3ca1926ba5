import { expect, test } from "vitest";
import { elementwise } from "../../nn/kernels/elementwise.ts";
import { products } from "../../nn/kernels/product.ts";
import { reductions } from "../../nn/kernels/reduce.ts";
import { shapeKernels } from "../../nn/kernels/shape.ts";
import { type CaseTable, elementwiseCases } from "./elementwiseCases.ts";
import { reduceCases } from "./reduceCases.ts";
import { shapeCases } from "./shapeCases.ts";
import { draws, expectEqualToEager } from "./support.ts";

const cases: CaseTable = { ...elementwiseCases, ...reduceCases, ...shapeCases };
const kernels = { ...elementwise, ...reductions, ...shapeKernels, ...products };
const casesPerKernel = 24;

test("every kernel has a test case", () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(kernels).sort());
});

test.each(Object.entries(cases))("%s computes what TensorFlow.js computes", async (name, build) => {
  await expectEqualToEager(name, draws(build, casesPerKernel));
});
