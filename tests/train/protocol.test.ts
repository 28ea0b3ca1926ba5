import { expect, test } from "vitest";
import { batchWidths, NStepReturns, ReplayBuffer } from "../../agents/replay.ts";
import { episodesOfReplay } from "../../train/protocol.ts";

/** Steps of two envs whose episodes end at different times, each observation a number of its own. */
test("a replay buffer's steps are put together to the episodes that they were", () => {
  const replay = new ReplayBuffer(100, batchWidths(1, 1));
  const returns = new NStepReturns(replay, 2, { numStepReturns: 1, discount: 0.99 });
  const lengths = [3, 5]; // of both envs' first episodes; the first env's terminates
  const starts = [10, 20];
  for (let t = 0; t < 6; t++) {
    const observations = Float32Array.from(
      starts,
      (start, env) => start + t + (t >= lengths[env]! ? 50 : 0),
    );
    returns.add({
      observations,
      actions: observations.map((o) => o / 100),
      rewards: observations,
      nextObservations: observations.map((o) => o + 1),
      terminated: Uint8Array.of(t === 2 ? 1 : 0, 0),
      truncated: Uint8Array.of(0, t === 4 ? 1 : 0),
      broken: Uint8Array.of(0, 0),
    });
  }
  const episodes = [...episodesOfReplay(replay.state(), 1, 1)];
  expect(episodes.map(({ observations }) => [...observations])).toEqual([
    [10, 11, 12, 13],
    [20, 21, 22, 23, 24, 25],
    [63, 64, 65, 66],
    [75, 76],
  ]);
  expect(episodes.map(({ info }) => info.terminated)).toEqual([true, false, false, false]);
  expect(episodes.map(({ info }) => info.truncated)).toEqual([false, true, true, true]);
  expect([...episodes[0]!.rewards]).toEqual([10, 11, 12]);
});
