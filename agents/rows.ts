// What algorithms are shown: observations to act on, rows of replay, of rollouts and of datasets, and their noise.
//
// Shapes: B batch, N envs, O observation, A action, H actions of a chunk.

import type { Tensor } from "../nn/ops.ts";
import type { Tree } from "../nn/tree.ts";

/** What `act` sees: raw noise is standard normal. */
export interface ActInputs {
  readonly observations: Tensor; // [N, O], normalised
  readonly noise: Tensor; // [N, A], or as the layout says
}

/** Rows of a batch; every leaf has the leading axis B. */
export interface Batch<T> {
  readonly observations: T; // [B, O]
  readonly actions: T; // [B, A]
  /** Σ γᵏ rₖ over the steps that the return spans, [B]. */
  readonly rewards: T;
  /** What the value of the successor counts: γᵐ after m steps, 0 where the episode terminated, [B]. */
  readonly discounts: T;
  /** The true state m steps on, never that of the next episode, [B, O]. */
  readonly nextObservations: T;
  /** The action that the data took there, where an algorithm asks for it; zeros where it is unknown, [B, A]. */
  readonly nextActions?: T;
  /** Discounted rewards to the episode's end, where an algorithm asks for them, [B]. */
  readonly returnsToGo?: T;
}

/** Columns that a batch has for those that ask. */
export type ExtraColumn = "nextActions" | "returnsToGo";

/** How an episode ended. */
export interface EpisodeEnd {
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly success: boolean;
}

/** What an off-policy update sees. */
export interface UpdateInputs<N extends Tree<Tensor> = Tree<Tensor>> {
  readonly batch: Batch<Tensor>;
  /** As `noise` declares it, filled anew for each update. */
  readonly noise: N;
  /** Share of the run, or of its stage, that has passed, in [0, 1], a scalar; learning rates may follow it. */
  readonly progress: Tensor;
}

/** Rows of demonstrations beside a rollout's; chunks are as long as the policy's. */
export interface DemonstrationBatch<T> extends CloneBatch<T> {
  /** Standard normal draws, [B, H · A], and uniform ones in [0, 1), [B]: what a flow or a diffusion is cloned with. */
  readonly normals: T;
  readonly uniforms: T;
}

/** What an on-policy update sees. */
export interface OnPolicyInputs {
  readonly batch: RolloutBatch<Tensor>;
  readonly progress: Tensor;
  /** There where `chordPeak` is above 0. */
  readonly demonstrations?: DemonstrationBatch<Tensor>;
}

/** What a policy did and thought of it, at each of N observations. */
export interface Sample {
  readonly actions: Tensor; // [N, stored], as they were drawn; the env clamps them
  readonly logProbs: Tensor; // [N]
  readonly values: Tensor; // [N]
}

/** Rows of a rollout; every leaf has the leading axis B. */
export interface RolloutBatch<T> {
  readonly observations: T; // [B, O]
  readonly actions: T; // [B, stored]
  readonly logProbs: T; // [B], of the policy that acted
  readonly values: T; // [B], of the critic then
  readonly advantages: T; // [B]
  readonly returns: T; // [B]
}

/** Rows of a dataset to clone; every leaf has the leading axis B. */
export interface CloneBatch<T> {
  readonly observations: T; // [B, O]
  /** The chunk that was taken from there on, its last action repeated past the episode's end, [B, H · A]. */
  readonly actions: T;
  /** 0 past the episode's end, [B, H]. */
  readonly mask: T;
}

/** What a loss of cloning sees. */
export interface CloneInputs<N extends Tree<Tensor> = Tree<Tensor>> {
  readonly batch: CloneBatch<Tensor>;
  /** As `noise` declares it, filled anew each time. */
  readonly noise: N;
}
