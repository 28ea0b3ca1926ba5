// Ten thousand steps of the wildest actions.
import { describe, expect, test } from "vitest";
import { loadPhysics } from "../../sim/rapier.ts";
import { createTask, tasks } from "../../tasks/index.ts";
import { bangBangPolicy, Rollout, randomPolicy } from "../../tasks/rollout.ts";

/** A dense variant moves as its sparse one does: what is its own are its rewards. */
const numStepsOf = (id: string) => (id.includes("-dense-") ? 1000 : 10_000);
const largestOvershoot = 0.1; // rad or m

describe.each(Object.keys(tasks))("%s", (id) => {
  test.each([
    ["random", randomPolicy],
    ["bang-bang", bangBangPolicy],
  ])("stays finite and near its joints' ranges under %s actions", async (_, policy) => {
    const rollout = new Rollout(await loadPhysics(), await createTask(id), 11);
    let finite = true;
    let overshoot = 0;
    for (let i = 0; i < numStepsOf(id); i++) {
      const { nextObservations, rewards } = rollout.step(policy);
      finite &&= Number.isFinite(rewards[0]) && nextObservations.every(Number.isFinite);
      overshoot = Math.max(overshoot, rollout.overshoot());
    }
    expect(finite).toBe(true);
    expect(rollout.envs.numBroken).toBe(0);
    expect(overshoot).toBeLessThanOrEqual(largestOvershoot);
    rollout.envs.free();
  });
});
