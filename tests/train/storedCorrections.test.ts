// What replay holds of corrections of a base policy: the action that was executed, and the base's at both ends.

import { expect, test } from "vitest";
import { batchWidths, NStepReturns, ReplayBuffer } from "../../agents/replay.ts";
import { aroundBase } from "../../finetune/correction.ts";
import { createRng } from "../../sim/rng.ts";
import { createVecEnv } from "../../sim/vecEnv.ts";
import { BaseEnv, type BasePolicy } from "../../train/baseEnv.ts";
import { plainEnv } from "../../train/trainEnv.ts";
import { taskSource } from "./memoryRun.ts";

/** A base of one env whose every action tells how often it was asked in the episode. */
function counting(actionSize: number): BasePolicy {
  let count = 0;
  return {
    async act(_observations, begins, rows) {
      if (begins?.[0]) count = 0;
      const actions = new Float32Array(actionSize).fill(count / 1000);
      if (rows === undefined || rows[0]) count++;
      return actions;
    },
    state: () => count,
    restore: (state) => {
      count = state as number;
    },
    dispose: async () => {},
  };
}

async function open(task: string): Promise<BaseEnv> {
  const env = plainEnv(await createVecEnv(taskSource(task), { numEnvs: 1, seed: 3 }));
  return new BaseEnv(env, counting(env.actionSize));
}

/** Steps with corrections up to 0.9; rows are stored as the loop does, states are those before each step. */
async function corrected(env: BaseEnv, numSteps: number, numStepReturns: number) {
  const { observationSize, actionSize } = env;
  const buffer = new ReplayBuffer(numSteps, batchWidths(observationSize, actionSize));
  const returns = new NStepReturns(buffer, 1, { numStepReturns, discount: 0.9 });
  const rng = createRng(7);
  const states: unknown[] = [];
  await env.reset();
  for (let t = 0; t < numSteps; t++) {
    states.push(structuredClone(env.state()));
    const observations = env.observations.slice();
    const draws = Float32Array.from({ length: actionSize }, () => 2 * rng.uniform() - 1);
    const actions = aroundBase(observations, draws, { ...env, numEnvs: 1 }, 0.9);
    env.send(actions);
    returns.add({ ...(await env.receive()), observations, actions });
  }
  const { columns } = buffer.state();
  const row = (name: "observations" | "nextObservations" | "actions", i: number) => {
    const width = name === "actions" ? actionSize : observationSize;
    return columns[name].slice(i * width, (i + 1) * width);
  };
  return { row, size: buffer.size, states };
}

test("a hundred stored actions, executed again from where they were, lead to the stored next states", async () => {
  const env = await open("lift-cube");
  const { row, states } = await corrected(env, 100, 1);
  for (let k = 0; k < 100; k++) {
    const i = (37 * k) % 100; // in another order
    await env.restore(structuredClone(states[i]));
    env.send(row("actions", i));
    const { nextObservations } = await env.receive();
    expect(nextObservations, `row ${i}`).toEqual(row("nextObservations", i));
  }
  await env.dispose();
});

test.each([1, 3])(
  "the base's next action is that of the row %i later, and at an episode's end its last",
  async (n) => {
    const env = await open("hopper-hop");
    const { row, size } = await corrected(env, 400, n);
    const base = (name: "observations" | "nextObservations", i: number) =>
      row(name, i).slice(-env.actionSize);
    const asked = (name: "observations" | "nextObservations", i: number) =>
      Math.round(1000 * base(name, i)[0]!);
    let [numFull, numCut] = [0, 0];
    for (let i = 0; i + n < size; i++) {
      const left = [...Array(n).keys()].findIndex((k) => asked("observations", i + k + 1) === 0);
      if (left < 0) {
        numFull++;
        expect(base("nextObservations", i), `row ${i}`).toEqual(base("observations", i + n));
      } else {
        numCut++;
        expect(asked("nextObservations", i), `row ${i}`).toBe(asked("observations", i) + left + 1);
      }
    }
    expect(numFull).toBeGreaterThan(100);
    expect(numCut).toBeGreaterThan(2 * n);
    await env.dispose();
  },
);
