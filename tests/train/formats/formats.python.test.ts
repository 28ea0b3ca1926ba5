// What the tools that own the formats read of our files, and what we read of theirs, to the bit.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describePython, python } from "../../python.ts";
import { workFolder } from "../datasets.ts";
import { bits, exported, imported, threeEpisodes } from "./exported.ts";

const folder = workFolder("formats-python");
const timeLimit = 80; // s: Gymnasium and pandas are slow to load
const hex = (values: Float32Array) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");

const readMinari = `
import json, sys, minari
dataset = minari.MinariDataset(sys.argv[1])
episodes = [{
    "id": int(e.id), "dtypes": [str(x.dtype) for x in (e.observations, e.actions, e.rewards, e.terminations, e.truncations)],
    "observations": e.observations.tobytes().hex(), "actions": e.actions.tobytes().hex(),
    "rewards": e.rewards.tobytes().hex(), "lengths": [len(e.observations), len(e.actions), len(e)],
    "terminations": e.terminations.tolist(), "truncations": e.truncations.tolist(),
    "success": bool(e.infos["success"][-1])} for e in dataset.iterate_episodes()]
about = list(dataset.storage.get_episode_metadata(range(len(episodes))))
print(json.dumps({"steps": int(dataset.total_steps), "id": dataset.id, "episodes": episodes,
    "box": [dataset.action_space.low.tolist(), str(dataset.observation_space.dtype), dataset.observation_space.shape],
    "score": float(minari.get_normalized_score(dataset, __import__("numpy").array([4.0]))[0]),
    "policies": [a["policy"] for a in about], "seeds": [a["seed"] for a in about]}))`;

const writeMinari = `
import os, sys, json
os.environ["MINARI_DATASETS_PATH"] = sys.argv[1]
import numpy as np, gymnasium as gym, minari
from minari.data_collector import EpisodeBuffer
rng = np.random.default_rng(0)
def episode(i, n):
    return EpisodeBuffer(id=None, seed=i, observations=rng.standard_normal((n + 1, 4)).astype(np.float32),
        actions=rng.uniform(-2, 2, (n, 2)).astype(np.float32), rewards=rng.standard_normal(n).tolist(),
        terminations=[False] * (n - 1) + [i == 0], truncations=[False] * (n - 1) + [i == 1], infos={})
buffers = [episode(i, n) for i, n in enumerate((3, 5))]
bound = 2 if sys.argv[2] == "wide" else 1
minari.create_dataset_from_buffers("test/made-v0", buffers, algorithm_name="maker",
    observation_space=gym.spaces.Box(-np.inf, np.inf, (4,), np.float32),
    action_space=gym.spaces.Box(-bound, bound, (2,), np.float32))
print(json.dumps([{"observations": np.asarray(b.observations).tobytes().hex(), "actions": np.asarray(b.actions).tobytes().hex(),
    "rewards": np.asarray(b.rewards, np.float32).tobytes().hex()} for b in buffers]))`;

describePython("Minari", () => {
  test("reads our episodes to the bit, with exact flags, spaces, scores and attributes", async () => {
    const report = JSON.parse(
      python(readMinari, { timeLimit, args: [join(await exported(folder, "minari"), "data")] }),
    );
    expect(report).toMatchObject({ steps: 12, policies: ["p", "q", "p"], seeds: [1, 2, 3] });
    expect(report.id).toMatch(/^salle\/minari-3-\w+-v0$/);
    expect(report.box).toEqual([[-1, -1], "float32", [3]]);
    expect(report.score).toBeCloseTo(0.5, 6); // (4 + 1) / (9 + 1)
    for (const [i, { info, ...rows }] of threeEpisodes.entries()) {
      const length = rows.rewards.length;
      const ends = (flag: boolean) => Array.from({ length }, (_, t) => flag && t === length - 1);
      expect(report.episodes[i]).toEqual({
        id: i,
        dtypes: ["float32", "float32", "float32", "bool", "bool"],
        observations: hex(rows.observations),
        actions: hex(rows.actions),
        rewards: hex(rows.rewards),
        lengths: [length + 1, length, length],
        terminations: ends(info.terminated),
        truncations: ends(info.truncated),
        success: info.success,
      });
    }
  });

  test("is read by us to the bit; wide actions come to [−1, 1]", async () => {
    const made = JSON.parse(
      python(writeMinari, { timeLimit, args: [join(folder, "unit"), "unit"] }),
    );
    const hints = { controlDt: 0.05 };
    const unit = await imported("minari", join(folder, "unit/test/made-v0"), hints);
    expect(unit.info).toMatchObject({ task: "test/made-v0", observationSize: 4, actionSize: 2 });
    for (const [i, { observations, actions, rewards, info }] of unit.episodes.entries()) {
      expect(hex(observations)).toBe(made[i].observations);
      expect(hex(actions)).toBe(made[i].actions);
      expect(hex(rewards)).toBe(made[i].rewards);
      expect(info).toMatchObject({
        terminated: i === 0,
        truncated: i === 1,
        policy: "maker",
        seed: i,
      });
    }
    python(writeMinari, { timeLimit, args: [join(folder, "wide"), "wide"] });
    const wide = await imported("minari", join(folder, "wide/test/made-v0"), hints);
    const halved = unit.episodes.map(({ actions }) => bits(actions.map((action) => action / 2)));
    expect(wide.episodes.map(({ actions }) => bits(actions))).toEqual(halved);
    expect(wide.remarks.join()).toContain("scaled");
  });
});

const readRobomimic = `
import sys, json, h5py, numpy as np
f = h5py.File(sys.argv[1], "r")
demos = sorted(f["data"].keys(), key=lambda name: int(name[5:]))
names = [n.decode("utf-8") for n in np.array(f["mask/train"][:])] + [n.decode("utf-8") for n in np.array(f["mask/valid"][:])]
print(json.dumps({"total": int(f["data"].attrs["total"]), "args": json.loads(f["data"].attrs["env_args"]),
    "samples": [int(f["data"][d].attrs["num_samples"]) for d in demos], "masks": sorted(names),
    "most": max(float(np.abs(f["data"][d]["actions"][()]).max()) for d in demos),
    "next": [f["data"][d]["next_obs/flat"][()].tobytes().hex() for d in demos],
    "dones": [f["data"][d]["dones"][()].tolist() for d in demos]}))`;

const readD4rl = `
import sys, json, h5py
f = h5py.File(sys.argv[1], "r")
print(json.dumps({k: [str(v.dtype), list(v.shape)] for k, v in f.items() if hasattr(v, "dtype")} | {
    "bits": f["next_observations"][()].tobytes().hex(), "timeouts_": f["timeouts"][()].tolist()}))`;

describePython("h5py", () => {
  test("finds what robomimic's own reader looks for", async () => {
    const report = JSON.parse(
      python(readRobomimic, { timeLimit, args: [await exported(folder, "robomimic")] }),
    );
    expect(report.total).toBe(12);
    expect(report.samples).toEqual([3, 4, 5]);
    expect(report.samples.reduce((a: number, b: number) => a + b)).toBe(report.total);
    expect(report.args).toMatchObject({ env_name: "reacher-easy-v0", env_type: 2 });
    expect(report.masks).toEqual(["demo_0", "demo_1", "demo_2"]);
    expect(report.most).toBeLessThanOrEqual(1);
    expect(report.next).toEqual(threeEpisodes.map((e) => hex(e.observations.slice(3))));
    expect(report.dones).toEqual([
      [0, 0, 1],
      [0, 0, 0, 0],
      [0, 0, 0, 0, 1],
    ]);
  });

  test("finds D4RL's table: booleans, float32 and the true next states", async () => {
    const report = JSON.parse(
      python(readD4rl, { timeLimit, args: [await exported(folder, "d4rl")] }),
    );
    expect(report).toMatchObject({
      observations: ["float32", [12, 3]],
      actions: ["float32", [12, 2]],
      rewards: ["float32", [12]],
      terminals: ["bool", [12]],
      timeouts: ["bool", [12]],
    });
    expect(report.bits).toBe(threeEpisodes.map((e) => hex(e.observations.slice(3))).join(""));
    expect(report.timeouts_.indexOf(true)).toBe(6);
  });
});

const readLerobot = `
import sys, json, pathlib
import numpy as np, pandas as pd, pyarrow.parquet as pq
root = pathlib.Path(sys.argv[1])
info = json.loads((root / "meta/info.json").read_text())
episodes = pd.read_parquet(root / "meta/episodes")
frames = pd.concat([pd.read_parquet(p) for p in sorted((root / "data").glob("*/*.parquet"))])
schema = pq.read_schema(root / "data/chunk-000/file-000.parquet")
tasks = pd.read_parquet(root / "meta/tasks.parquet")
paths = [info["data_path"].format(chunk_index=r["data/chunk_index"], file_index=r["data/file_index"]) for _, r in episodes.iterrows()]
state = np.stack(frames["observation.state"].to_numpy()).astype(np.float64)
stats = json.loads((root / "meta/stats.json").read_text())["observation.state"]
print(json.dumps({"tasks": {k: int(v) for k, v in tasks["task_index"].items()}, "exist": all((root / p).exists() for p in paths),
    "types": {n: str(schema.field(n).type) for n in schema.names}, "features": {k: [v["dtype"], v["shape"]] for k, v in info["features"].items()},
    "spans": [[int(r["dataset_from_index"]), int(r["dataset_to_index"]), int(r["length"])] for _, r in episodes.iterrows()],
    "index": frames["index"].tolist(), "off": float(np.abs(frames["timestamp"] - frames["frame_index"] / info["fps"]).max()), "fps": info["fps"],
    "actions": np.concatenate([np.asarray(a, np.float32) for a in frames["action"]]).tobytes().hex(),
    "done": frames["next.done"].tolist(), "truncated": frames["next.truncated"].tolist(),
    "quantiles": bool(np.allclose(np.quantile(state, 0.9, axis=0), stats["q90"])), "means": bool(np.allclose(state.mean(0), stats["mean"]))}))`;

describePython("pyarrow and pandas", () => {
  test("read LeRobot's layout: spans, indices, timestamps, types, statistics", async () => {
    const path = await exported(folder, "lerobot");
    const report = JSON.parse(python(readLerobot, { timeLimit, args: [path] }));
    expect(report.tasks).toEqual({ "reacher-easy-v0": 0 });
    expect(report.exist).toBe(true);
    expect(report.spans).toEqual([
      [0, 3, 3],
      [3, 7, 4],
      [7, 12, 5],
    ]);
    expect(report.index).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(report.fps).toBe(50);
    expect(report.off).toBeLessThan(1e-6);
    expect(report.actions).toBe(threeEpisodes.map(({ actions }) => hex(actions)).join(""));
    expect(report.done.flatMap((done: boolean, i: number) => (done ? [i] : []))).toEqual([
      2, 6, 11,
    ]);
    expect(report.truncated.indexOf(true)).toBe(6);
    expect(report.types).toMatchObject({
      "observation.state": expect.stringContaining("list<element: float"),
      index: "int64",
      timestamp: "float",
    });
    const { features } = JSON.parse(readFileSync(join(path, "meta/info.json"), "utf8"));
    expect(Object.keys(report.types).sort()).toEqual(Object.keys(features).sort());
    expect([report.quantiles, report.means]).toEqual([true, true]);
  });
});
