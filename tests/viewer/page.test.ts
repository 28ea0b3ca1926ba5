import { describe, expect, test } from "vitest";
import type { SignalLayout } from "../../sim/signals.ts";
import { readAddress, writeAddress } from "../../viewer/client/page/address.ts";
import { newerEpisode } from "../../viewer/client/page/follow.ts";
import { LiveSignals } from "../../viewer/client/page/liveSignals.ts";
import type { EpisodeFacts } from "../../viewer/client/page/messages.ts";
import { Player } from "../../viewer/client/page/player.ts";
import { policiesFor } from "../../viewer/client/page/policies.ts";
import { bandOf, curveOf, smooth } from "../../viewer/client/page/seeds.ts";

describe("an address", () => {
  test("comes back as it was written, with the token it had", () => {
    const address = {
      run: "ab12",
      episode: "eval 1.rec",
      index: 2,
      task: null,
      seed: 1,
      time: 6.41,
      camera: [1, -2, 0.5],
      view: "curves",
    } as const;
    const query = writeAddress(address, "?token=secret&x=1");
    expect(query).toContain("t=6.41");
    expect(new URLSearchParams(query).get("token")).toBe("secret");
    expect(readAddress(query)).toEqual(address);
  });

  test("of nonsense is the usual start", () => {
    const usual = readAddress("");
    expect(readAddress("?n=-4&t=x&cam=1,2&seed=zzz&view=<b>")).toEqual({ ...usual, time: 0 });
  });
});

describe("the player", () => {
  test("stops at the end, waits where more is to come, and begins again", () => {
    const player = new Player();
    player.speed = 8;
    player.tick(1, 4, true);
    expect([player.time, player.playing]).toEqual([4, true]);
    player.tick(1, 5, false);
    expect([player.time, player.playing]).toEqual([5, false]);
    player.toggle(5);
    expect([player.time, player.playing]).toEqual([0, true]);
  });

  test("steps land on whole steps within the episode", () => {
    const player = new Player();
    player.seek(0.113, 1);
    player.stepBy(1, 0.02, 1);
    expect(player.time).toBeCloseTo(0.14, 9);
    player.stepBy(-100, 0.02, 1);
    expect(player.time).toBe(0);
    player.changeSpeed(-10);
    expect(player.speed).toBe(0.125);
  });
});

test("a newer episode follows only the one that was the newest when it was opened", () => {
  const files = ["eval-1.rec", "eval-2.rec", "eval-3.rec"].map((name) => {
    return { name, bytes: 1, modified: 0 };
  });
  const facts = { task: null, algorithm: null, seed: null, status: null, modified: 0 };
  const run = { id: "a", name: "a", ...facts, metricsBytes: 0, episodes: files, checkpoints: [] };
  const opened = (episode: string) => ({ run: "a", episode });
  expect(newerEpisode([run], opened("eval-2.rec"), 2)?.file.name).toBe("eval-3.rec");
  expect(newerEpisode([run], opened("eval-1.rec"), 2)).toBeNull();
  expect(newerEpisode([run], opened("eval-3.rec"), 3)).toBeNull();
  expect(newerEpisode([run], { run: null, episode: null }, 0)).toBeNull();
});

test("signals of a training go on over episodes, cut between them, for four seconds", () => {
  const layout = { width: 2 } as SignalLayout;
  const signals = new LiveSignals(layout, 7, 0.5);
  const take = (episode: number, step: number, value: number, robot = 7): void =>
    signals.take({ robot, episode, step, row: Float32Array.of(0, value) });
  take(3, 11, 1);
  take(3, 13, 2);
  take(3, 14, 9, 6); // of the robot that was followed before
  take(4, 0, 8);
  take(4, 1, 3);
  expect(signals.lines(1, 1)).toEqual([
    [0, 1, 1, 1.5],
    [1, 2, null, 3],
  ]);
  expect([signals.time, signals.row?.[1]]).toEqual([1.5, 3]);
  take(4, 8, 4);
  expect(signals.lines(1, 1)).toEqual([
    [1, 1, 1.5, 5],
    [2, null, 3, 4],
  ]);
});

describe("policies for a fork", () => {
  const run = (id: string, task: string, seed: number, checkpoints: number[]) => {
    const facts = { name: `run ${id}`, algorithm: "sac", status: null, modified: 0 };
    return { id, task, seed, checkpoints, ...facts, metricsBytes: 0, episodes: [] };
  };
  const open = (task: string, source: string | null) => ({
    episode: { facts: { task, source } as EpisodeFacts },
    address: { run: "c" },
  });

  test("are the open run's, then the same task's, then those of its robot, told apart", () => {
    const runs = [
      run("a", "hopper-hop-v0", 1, [5]),
      run("b", "reacher-hard-v0", 1, [7]),
      run("c", "reacher-easy-v0", 1, [10, 20]),
      run("d", "reacher-easy-v0", 1, [30]),
      run("e", "reacher-easy-v0", 2, [40]),
      run("f", "reacher-easy-v0", 3, []),
    ];
    const found = policiesFor({ runs, ...open("reacher-easy-v0", null) });
    expect(found.map(({ label }) => label)).toEqual([
      "run c, step 20",
      "run c, step 10",
      "run d, step 30",
      "sac seed 2, step 40",
      "run b of reacher-hard-v0, step 7",
    ]);
    expect(found.map(({ run: id, step }) => [id, step])[2]).toEqual(["d", 30]);
  });

  test("of a task from a file are those of runs that name the file", () => {
    const runs = [run("a", "my-walker.json", 1, [5]), run("b", "other.json", 1, [6])];
    const found = policiesFor({ runs, ...open("my-walker-v0", "my-walker.json") });
    expect(found.map(({ run: id }) => id)).toEqual(["a"]);
  });
});

describe("curves of seeds", () => {
  test("have the mean, lowest and highest at every step, each run within its own", () => {
    const band = bandOf([
      { steps: [0, 10, 20], values: [0, 10, 20] },
      { steps: [5, 10], values: [1, 30] },
      { steps: [], values: [] },
    ]);
    expect(band).toEqual({
      steps: [0, 5, 10, 20],
      mean: [0, 3, 20, 20],
      low: [0, 1, 10, 20],
      high: [0, 5, 30, 20],
    });
  });

  test("leave out rows without the metric, and numbers that JSON lacks", () => {
    const rows = [{ step: 1, a: 1 }, { step: 2 }, { step: 3, a: null as unknown as number }];
    expect(curveOf(rows, "a")).toEqual({ steps: [1], values: [1] });
  });

  test("smoothed keep a constant as it is and weight the newest least lagging", () => {
    const steps = [0, 1, 2];
    expect(
      smooth({ steps, values: [4, 4, 4] }, 0.9).values.every((v) => Math.abs(v - 4) < 1e-12),
    ).toBe(true);
    expect(smooth({ steps, values: [0, 0, 6] }, 0.5).values[2]).toBeCloseTo((6 * 4) / 7, 9);
    expect(smooth({ steps, values: [1, 2, 3] }, 0).values).toEqual([1, 2, 3]);
  });
});
