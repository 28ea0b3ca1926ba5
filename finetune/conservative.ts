// What conservative critics push down and up: CQL's term, and Cal-QL's floor under it.
//
// Kumar et al. 2020, arXiv:2006.04779, eq. 4 with importance weights (its appendix F); Nakamoto et al. 2023,
// arXiv:2303.05479. Actions are n uniform ones, n of the policy at the next state and n at this one, all judged
// at this state; shapes: n actions, E critics.

import { qValues } from "../agents/networks.ts";
import type { Batch } from "../agents/rows.ts";
import { type Gaussian, sampleTanhGaussian } from "../nn/distributions.ts";
import type { Activation, MlpParams } from "../nn/layers.ts";
import {
  concat,
  expandDims,
  logSumExp,
  maximum,
  mul,
  reshape,
  slice,
  squeeze,
  sub,
  type Tensor,
  tile,
} from "../nn/ops.ts";

/** Draws of a gap's proposals, [n, B, A] each. */
export interface ProposalNoise {
  readonly uniform: Tensor; // in [−1, 1]
  readonly proposals: Tensor;
  readonly nextProposals: Tensor;
}

/**
 * Critics → how far their soft maximum over the proposals is above the data's actions, and Q of these,
 * [E, B] each. `policyAt` gives the policy's distribution before the tanh; nothing of it is trained.
 */
export function gapJudge(
  policyAt: (observations: Tensor) => Gaussian,
  { batch, noise }: { readonly batch: Batch<Tensor>; readonly noise: ProposalNoise },
  config: { readonly softness: number; readonly activation: Activation },
  floor?: Tensor,
) {
  const { observations, actions, nextObservations } = batch;
  const [n, numRows, actionSize] = noise.uniform.shape as [number, number, number];
  const next = sampleTanhGaussian(policyAt(nextObservations), noise.nextProposals);
  const now = sampleTanhGaussian(policyAt(observations), noise.proposals);
  const rows = concat([actions, ...[noise.uniform, next[0], now[0]].map(asRows)], 0);
  const states = repeatedRows(observations, 1 + 3 * n);
  const logDensities = concat([next[1], now[1]], 0); // [2n, B]
  return (critics: MlpParams<Tensor>) => {
    const all = byProposal(judgedInBlocks(critics, states, rows, config), numRows); // [E, 1 + 3n, B]
    const part = (from: number, count: number) =>
      slice(all, [0, from, 0], [all.shape[0]!, count, numRows]);
    const qs = squeeze(part(0, 1), [1]);
    const uniform = { qs: part(1, n), logDensity: -Math.LN2 * actionSize };
    const policy = { qs: part(1 + n, 2 * n), logDensities };
    const soft = softMaximum(uniform, policy, { temperature: config.softness, floor });
    return { gaps: sub(soft, qs), qs };
  };
}

/** Rows that critics judge at once: what they make of more leaves the cache before it is read again. */
const blockRows = 1024;

/** Q_e(s, a) of many rows, [E, N]. */
function judgedInBlocks(
  critics: MlpParams<Tensor>,
  observations: Tensor,
  actions: Tensor,
  config: { readonly activation: Activation },
): Tensor {
  const [numRows] = observations.shape as [number, number];
  const blocks = Array.from({ length: Math.ceil(numRows / blockRows) }, (_, i) => {
    const from = i * blockRows;
    const part = (x: Tensor) =>
      slice(x, [from, 0], [Math.min(blockRows, numRows - from), x.shape[1]!]);
    return qValues(critics, part(observations), part(actions), config);
  });
  return concat(blocks, 1);
}

/**
 * Log of the sum of exp(Q − log density) over all proposals, by temperature, [E, B]. `floor` [B] lifts what
 * the policy's actions are thought worth to at least that: Cal-QL's calibration; uniform ones stay.
 */
export function softMaximum(
  uniform: { readonly qs: Tensor; readonly logDensity: number }, // qs [E, n, B]
  policy: { readonly qs: Tensor; readonly logDensities: Tensor }, // [E, m, B], [m, B]
  { temperature, floor }: { readonly temperature: number; readonly floor?: Tensor | undefined },
): Tensor {
  const lifted = floor === undefined ? policy.qs : maximum(policy.qs, floor);
  const all = concat(
    [sub(uniform.qs, uniform.logDensity), sub(lifted, expandDims(policy.logDensities, 0))],
    1,
  );
  return mul(logSumExp(mul(all, 1 / temperature), 1), temperature);
}

/** Rows [B, W] n times over, [n · B, W], to go with actions [n, B, A] as rows. */
export function repeatedRows(x: Tensor, times: number): Tensor {
  return times === 1 ? x : tile(x, [times, 1]);
}

/** Critics' outputs for k · B rows as [E, k, B]. */
export function byProposal(qs: Tensor, batchSize: number): Tensor {
  return reshape(qs, [qs.shape[0]!, -1, batchSize]);
}

/** Actions [n, B, A] as rows. */
export function asRows(actions: Tensor): Tensor {
  return reshape(actions, [-1, actions.shape.at(-1)!]);
}
