// The mirror image of a robot's data: more columns of truth for a robot with a left and a right.

import { concat, gather, mul, slice, type Tensor, tensor } from "../nn/ops.ts";
import type { EnvSpec, Mirror } from "./agent.ts";
import type { Batch } from "./rows.ts";

/** Vectors [B, W] as a mirror shows them. */
export function mirrored(x: Tensor, { indices, signs }: Mirror): Tensor {
  const order = tensor(Int32Array.from(indices), [indices.length], "int32");
  return mul(gather(x, order, 1), tensor(Float32Array.from(signs), [signs.length], "float32"));
}

/** The rows and, after them, their mirror images, whose rewards and discounts are the same: [2B]. */
export function withMirrorImages(
  batch: Batch<Tensor>,
  { observations, actions }: NonNullable<EnvSpec["mirror"]>,
): Batch<Tensor> {
  const both = (x: Tensor, mirror: Mirror) => concat([x, mirrored(x, mirror)], 0);
  return {
    observations: both(batch.observations, observations),
    actions: both(batch.actions, actions),
    rewards: concat([batch.rewards, batch.rewards], 0),
    discounts: concat([batch.discounts, batch.discounts], 0),
    nextObservations: both(batch.nextObservations, observations),
  };
}

/** The first half of the rows as they are, the others as a mirror shows them; as many rows as before. */
export function halfMirrored(
  batch: Batch<Tensor>,
  { observations, actions }: NonNullable<EnvSpec["mirror"]>,
): Batch<Tensor> {
  const half = (x: Tensor, mirror: Mirror) => {
    const [numRows = 0, width = 0] = x.shape;
    const numKept = Math.ceil(numRows / 2);
    const kept = slice(x, [0, 0], [numKept, width]);
    return concat([kept, mirrored(slice(x, [numKept, 0], [numRows - numKept, width]), mirror)], 0);
  };
  return {
    ...batch,
    observations: half(batch.observations, observations),
    actions: half(batch.actions, actions),
    nextObservations: half(batch.nextObservations, observations),
  };
}
