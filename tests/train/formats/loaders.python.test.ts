// What LeRobot's and robomimic's own loaders read of our files, and what we read of a dataset that LeRobot wrote, to
// the bit (loaders_peer.py). They want PyTorch, so they have an environment of their own.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { WrittenEpisode } from "../../../train/datasetWriter.ts";
import { describePython, environment, python } from "../../python.ts";
import { workFolder } from "../datasets.ts";
import { exported, imported, threeEpisodes } from "./exported.ts";

const folder = workFolder("formats-loaders");
const interpreter = environment(".venv-loaders");
const missing = [".venv", ".venv-torch", ".venv-loaders"].every(environment)
  ? undefined
  : "no .venv-loaders, or none of .venv and .venv-torch beside it: scripts/python-env.sh makes them";
const lengths = threeEpisodes.map(({ rewards }) => rewards.length);
const [observationSize, actionSize] = [3, 2];

type Column = "observations" | "actions" | "rewards";
const widths = { observations: observationSize, actions: actionSize, rewards: 1 };

const hex = (values: Iterable<number>) => {
  const floats = Float32Array.from(values);
  return Buffer.from(floats.buffer).toString("hex");
};

/** Rows of an episode by number, in that order; a number beyond its frames is the nearest one's. */
function rowsOf(episode: WrittenEpisode, key: Column, frames: readonly number[], after = 0) {
  const width = widths[key];
  const within = (t: number) => Math.min(Math.max(t, 0), episode.rewards.length - 1) + after;
  return frames.flatMap((t) => [
    ...episode[key].subarray(within(t) * width, within(t) * width + width),
  ]);
}

/** A window around every frame of episodes, put one after another. */
const windows = (key: Column, around: readonly number[], episodes = threeEpisodes) =>
  hex(
    episodes.flatMap((episode) =>
      [...episode.rewards.keys()].flatMap((t) =>
        rowsOf(
          episode,
          key,
          around.map((d) => t + d),
        ),
      ),
    ),
  );

/** Something of every frame. */
const perFrame = <T>(value: (frame: number, length: number, episode: number) => T): T[] =>
  lengths.flatMap((length, i) => Array.from({ length }, (_, t) => value(t, length, i)));

function peer(kind: string, path: string) {
  const cache = join(folder, "hugging-face");
  mkdirSync(cache, { recursive: true });
  const script = `
import os, sys
os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=sys.argv[1])
sys.path.insert(0, "tests/train/formats")
import loaders_peer
loaders_peer.main(*sys.argv[2:])`;
  const args = [cache, kind, path];
  return JSON.parse(python(script, { args, interpreter: interpreter!, timeLimit: 170 }));
}

describePython(
  "LeRobotDataset",
  () => {
    test("reads our frames, windows and one episode of them to the bit", async () => {
      const path = await exported(folder, "lerobot");
      const { about, shapes, frames, windows: around, second, means } = peer("lerobot reads", path);
      expect(about).toEqual([3, 12, 50]);
      expect(shapes).toMatchObject({ "observation.state": [3], action: [2], "next.reward": [] });
      expect(frames).toEqual({
        "observation.state": windows("observations", [0]),
        action: windows("actions", [0]),
        "next.reward": windows("rewards", [0]),
        "next.done": perFrame((t, length) => t === length - 1),
        "next.truncated": perFrame((t, length, i) => i === 1 && t === length - 1),
        "next.success": perFrame((t, length, i) => i === 2 && t === length - 1),
        timestamp: hex(perFrame((t) => t / 50)),
        frame_index: perFrame((t) => t),
        episode_index: perFrame((_t, _length, i) => i),
        index: Array.from({ length: 12 }, (_, i) => i),
        task_index: new Array(12).fill(0),
        task: new Array(12).fill("reacher-easy-v0"),
      });
      expect(around).toMatchObject({
        "observation.state": windows("observations", [-1, 0]),
        "observation.state_is_pad": perFrame((t) => [t === 0, false]),
        action: windows("actions", [0, 1, 2]),
        action_is_pad: perFrame((t, length) => [0, 1, 2].map((d) => t + d >= length)),
      });
      expect(second).toMatchObject({
        "observation.state": windows("observations", [0], [threeEpisodes[1]!]),
        episode_index: [1, 1, 1, 1],
        index: [3, 4, 5, 6],
      });
      const rewards = threeEpisodes.flatMap((episode) => [...episode.rewards]);
      expect(means["next.reward"][0]).toBeCloseTo(rewards.reduce((a, b) => a + b) / 12, 6);
    });

    test("writes a dataset that we read to the bit", async () => {
      const path = join(folder, "theirs");
      const made = peer("lerobot writes", path);
      const { info, episodes } = await imported("lerobot", path);
      expect(info).toMatchObject({ task: "an arm", controlDt: 0.05, observationSize, actionSize });
      expect(episodes.map(({ rewards }) => rewards.length)).toEqual([3, 5]);
      for (const [i, { observations, actions, rewards, info: about }] of episodes.entries()) {
        const frames = observations.subarray(0, rewards.length * observationSize);
        expect(hex(frames)).toBe(made[i]["observation.state"]);
        expect(hex(actions)).toBe(made[i].action);
        expect(hex(rewards)).toBe(made[i]["next.reward"]);
        expect(about).toMatchObject({ terminated: true, success: i === 1 });
      }
    });
  },
  missing,
);

describePython(
  "robomimic's SequenceDataset",
  () => {
    test("reads our sequences of three, cached or not, of either part, to the bit", async () => {
      const report = peer("robomimic reads", await exported(folder, "robomimic"));
      const demos = (part: string) => report[`${part}, None`].demos as string[];
      expect(demos("None")).toEqual(["demo_0", "demo_1", "demo_2"]);
      expect([...demos("train"), ...demos("valid")].sort()).toEqual(demos("None"));
      for (const part of ["train", "valid", "None"]) {
        const wanted = demos(part).flatMap((demo) => sequencesOf(threeEpisodes[+demo.slice(5)]!));
        expect(report[`${part}, None`].sequences).toEqual(wanted);
        expect(report[`${part}, low_dim`]).toEqual(report[`${part}, None`]);
      }
    });
  },
  missing,
);

/** From every frame on three rows; the last one again beyond the end. */
function sequencesOf(episode: WrittenEpisode) {
  const last = episode.rewards.length - 1;
  return [...episode.rewards.keys()].map((t) => {
    const frames = [t, t + 1, t + 2];
    return {
      obs: hex(rowsOf(episode, "observations", frames)),
      next_obs: hex(rowsOf(episode, "observations", frames, 1)),
      actions: hex(rowsOf(episode, "actions", frames)),
      rewards: hex(rowsOf(episode, "rewards", frames)),
      dones: hex(frames.map((frame) => Number(episode.info.terminated && frame >= last))),
    };
  });
}
