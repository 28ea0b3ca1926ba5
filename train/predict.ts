// What a policy would do at each state of a recorded episode.

import type { Policy } from "./policy.ts";

/** Rows of observations that a policy is asked with at once. */
export const predictedRows = 64;

/**
 * Actions [T, A] for the first T of observations [T + 1, O], of a policy that acts on `predictedRows` rows. A
 * policy that chooses chunks decides anew at every state: it is the first action of each chunk.
 */
export async function predictActions(
  policy: Pick<Policy, "act" | "task">,
  observations: Float32Array,
): Promise<Float32Array> {
  const [o, a] = [policy.task.observation.size, policy.task.action.size];
  const length = observations.length / o - 1;
  const actions = new Float32Array(length * a);
  const begins = new Uint8Array(predictedRows).fill(1);
  const rows = new Float32Array(predictedRows * o);
  for (let at = 0; at < length; at += predictedRows) {
    const count = Math.min(predictedRows, length - at);
    rows.set(observations.subarray(at * o, (at + count) * o));
    const acted = await policy.act(rows, begins);
    actions.set(acted.subarray(0, count * a), at * a);
  }
  return actions;
}
