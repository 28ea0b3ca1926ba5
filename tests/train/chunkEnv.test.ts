import { expect, test } from "vitest";
import { createRng } from "../../sim/rng.ts";
import { createVecEnv, type VecEnvStep } from "../../sim/vecEnv.ts";
import { ChunkEnv } from "../../train/chunkEnv.ts";
import { plainEnv } from "../../train/trainEnv.ts";
import { taskSource } from "./memoryRun.ts";

const numEnvs = 4;
const [chunkLength, executed, rest] = [4, 3, 5]; // `rest` numbers of a decision are none of the env's

const vecEnv = (numWorkers = 0) =>
  createVecEnv(taskSource("hopper-hop-v0"), { numEnvs, seed: 3, numWorkers, robotsPerWorld: 2 });

async function open(numWorkers?: number) {
  const env = plainEnv(await vecEnv(numWorkers));
  const stored = rest + chunkLength * env.actionSize;
  return new ChunkEnv(env, { chunkLength, executed, stored });
}

/** Decisions [N, stored] of wild actions. */
function decisions(seed: number, stored: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: numEnvs * stored }, () => 2 * rng.uniform() - 1);
}

const kept = ["rewards", "terms", "nextObservations", "terminated", "truncated", "broken"] as const;

/** Copies of what a decision gave. */
const copied = (out: VecEnvStep) => ({
  ...Object.fromEntries(kept.map((name) => [name, [...out[name]]])),
  observations: [...out.observations],
  finished: out.finished,
});

test("a decision executes its first actions, sums their rewards and stops at an episode's end", async () => {
  const env = await open();
  const plain = await vecEnv();
  const [A, O, stored] = [env.actionSize, env.observationSize, rest + chunkLength * env.actionSize];
  await env.reset();
  plain.reset();
  let [early, whole] = [0, 0];
  for (let t = 0; t < 60; t++) {
    const given = decisions(t, stored);
    env.send(given);
    const out = await env.receive();
    const wanted = { rewards: new Array(numEnvs).fill(0), ended: new Array(numEnvs).fill(-1) };
    const last: number[][] = new Array(numEnvs).fill([]);
    for (let step = 0; step < executed; step++) {
      const actions = Array.from({ length: numEnvs }, (_, i) => {
        const from = i * stored + rest + step * A;
        return wanted.ended[i] < 0 ? [...given.subarray(from, from + A)] : new Array(A).fill(0);
      });
      const each = plain.step(Float32Array.from(actions.flat()));
      for (let i = 0; i < numEnvs; i++) {
        if (wanted.ended[i] >= 0) continue;
        wanted.rewards[i] += each.rewards[i]!;
        last[i] = [...each.nextObservations.subarray(i * O, (i + 1) * O)];
        if (each.terminated[i] || each.truncated[i]) wanted.ended[i] = step;
      }
    }
    const begun = [...wanted.ended.keys()].filter(
      (i) => wanted.ended[i] >= 0 && wanted.ended[i] < executed - 1,
    );
    plain.begin(begun);
    out.rewards.forEach((reward, i) => {
      expect(reward).toBeCloseTo(wanted.rewards[i], 5);
    });
    expect([...out.nextObservations]).toEqual(last.flat());
    expect([...out.observations]).toEqual([...plain.observations]);
    const ended = [...out.terminated].map((end, i) => end + out.truncated[i]! > 0);
    expect(ended).toEqual(wanted.ended.map((step) => step >= 0));
    expect(out.finished.map((end) => end.env).sort()).toEqual(
      [...ended.keys()].filter((i) => ended[i]),
    );
    early += begun.length;
    whole += ended.filter(Boolean).length - begun.length;
  }
  expect(early).toBeGreaterThan(2); // wild hoppers fall, within a decision and at its end
  expect(whole).toBeGreaterThan(0);
  plain.dispose();
  await env.dispose();
});

test("state and restore continue to the bit, whatever the number of workers", async () => {
  const first = await open();
  const second = await open(2);
  const stored = rest + chunkLength * first.actionSize;
  await first.reset();
  const act = async (env: ChunkEnv, from: number) => {
    const steps = [];
    for (let t = from; t < from + 25; t++) {
      env.send(decisions(t, stored));
      steps.push(copied(await env.receive()));
    }
    return steps;
  };
  await act(first, 0);
  const state = first.state();
  const wanted = await act(first, 25);
  await second.restore(state);
  expect(await act(second, 25)).toEqual(wanted);
  await first.dispose();
  await second.dispose();
});

test("more executed actions than a chunk has are refused, and decisions of another size", async () => {
  const env = plainEnv(await vecEnv());
  expect(() => new ChunkEnv(env, { chunkLength: 2, executed: 3, stored: 6 })).toThrow(
    /executed 3 is more than the 2/,
  );
  const chunks = new ChunkEnv(env, { chunkLength: 2, executed: 2, stored: 2 * env.actionSize });
  expect(() => chunks.send(new Float32Array(3))).toThrow(/decisions want 24 numbers, got 3/);
  await chunks.dispose();
});
