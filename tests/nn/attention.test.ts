// Attention against a case by hand, and what tokens that are not seen may do.

import { expect, test } from "vitest";
import { attend } from "../../nn/attention.ts";
import type { Tensor } from "../../nn/ops.ts";
import { array, type NdArray } from "../../nn/tree.ts";
import { compileAny } from "../agents/support.ts";

async function attended(projected: number[], shape: number[], numHeads: number, seen?: number[]) {
  const inputs = {
    projected: array(projected, shape),
    ...(seen && { seen: array(seen, shape.slice(0, 2)) }),
  };
  const run = (state: never, { projected, seen }: { projected: Tensor; seen?: Tensor }) =>
    [state, { out: attend(projected, numHeads, seen) }] as const;
  const program = await compileAny(run, { state: {}, inputs });
  const { out } = (await program.run(inputs)) as unknown as { readonly out: NdArray };
  await program.dispose();
  return [...out.data];
}

test("mixes values by the softmax of scaled products, each head its own part", async () => {
  // Two tokens of width 2 and two heads: [q1 q2 k1 k2 v1 v2].
  const tokens = [1, 0, 2, 0, 10, 1, 0, 1, 1, 3, 20, 2];
  const share = (a: number, b: number) => Math.exp(a) / (Math.exp(a) + Math.exp(b));
  const mix = (w: number, a: number, b: number) => w * a + (1 - w) * b;
  const wanted = [
    mix(share(2, 1), 10, 20), // head 1 of token 1: 1·2, 1·1
    mix(share(0, 0), 1, 2), // head 2 of token 1: 0·0, 0·3
    mix(share(0, 0), 10, 20),
    mix(share(0, 3), 1, 2),
  ];
  const out = await attended(tokens, [1, 2, 6], 2);
  for (const [i, x] of out.entries()) expect(x).toBeCloseTo(wanted[i]!, 5);
});

test("nobody looks at a token that is not seen", async () => {
  const tokens = (last: number) => [1, 2, 3, 4, 5, 6, ...new Array(6).fill(last)];
  const [one, other] = await Promise.all(
    [7, -50].map((last) => attended(tokens(last), [1, 2, 6], 1, [1, 0])),
  );
  expect(one!.slice(0, 2)).toEqual(other!.slice(0, 2));
  expect(one!.slice(0, 2)).toEqual([5, 6]);
});
