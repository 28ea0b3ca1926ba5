# What LeRobot's and robomimic's own loaders make of a dataset, and a dataset that LeRobot writes; printed as JSON.

import json
import sys

import numpy as np

features = {
    "observation.state": {"dtype": "float32", "shape": (3,), "names": ["x", "y", "z"]},
    "action": {"dtype": "float32", "shape": (2,), "names": None},
    "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
    "next.done": {"dtype": "bool", "shape": (1,), "names": None},
    "next.success": {"dtype": "bool", "shape": (1,), "names": None},
}


def bits(values):
    return np.ascontiguousarray(values).tobytes().hex()


def columns(dataset):
    """All frames as one batch of a training: float32 by their bits, others as they are."""
    from torch.utils.data import DataLoader

    def plain(values):
        if isinstance(values, list):
            return values
        return bits(values.numpy()) if values.numpy().dtype == np.float32 else values.tolist()

    return {key: plain(values) for key, values in next(iter(DataLoader(dataset, batch_size=len(dataset)))).items()}


def lerobot_reads(path):
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset("local/ours", root=path)
    around = {"action": [0, 1 / dataset.fps, 2 / dataset.fps], "observation.state": [-1 / dataset.fps, 0]}
    windows = LeRobotDataset("local/ours", root=path, delta_timestamps=around)
    second = LeRobotDataset("local/ours", root=path, episodes=[1])
    return {
        "about": [dataset.num_episodes, dataset.num_frames, dataset.fps],
        "shapes": {key: list(value.shape) for key, value in dataset[0].items() if key != "task"},
        "frames": columns(dataset),
        "windows": columns(windows),
        "second": columns(second),
        "means": {key: of["mean"].tolist() for key, of in dataset.meta.stats.items()},
    }


def lerobot_writes(path):
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    rng = np.random.default_rng(0)
    dataset = LeRobotDataset.create("local/theirs", 20, features, root=path, robot_type="an arm", use_videos=False)
    episodes = []
    for length in (3, 5):
        frames = {
            "observation.state": rng.standard_normal((length, 3)).astype(np.float32),
            "action": rng.uniform(-1, 1, (length, 2)).astype(np.float32),
            "next.reward": rng.standard_normal((length, 1)).astype(np.float32),
            "next.done": np.arange(length)[:, None] == length - 1,
            "next.success": np.full((length, 1), length == 5),
        }
        for i in range(length):
            dataset.add_frame({key: rows[i] for key, rows in frames.items()} | {"task": "push"})
        dataset.save_episode()
        episodes.append({key: bits(frames[key]) for key in ("observation.state", "action", "next.reward")})
    dataset.finalize()
    return episodes


def robomimic_reads(path):
    import robomimic.utils.obs_utils as obs_utils
    from robomimic.utils.dataset import SequenceDataset

    obs_utils.initialize_obs_utils_with_obs_specs({"obs": {"low_dim": ["flat"]}})
    keys = ("actions", "rewards", "dones")

    def sequences(cache, part):
        dataset = SequenceDataset(
            path, obs_keys=("flat",), dataset_keys=keys, seq_length=3, hdf5_cache_mode=cache, filter_by_attribute=part
        )
        items = [dataset[i] for i in range(len(dataset))]
        rows = [
            {key: bits(np.asarray(item[key], np.float32)) for key in keys}
            | {key: bits(item[key]["flat"]) for key in ("obs", "next_obs")}
            for item in items
        ]
        return {"demos": dataset.demos, "sequences": rows}

    return {f"{part}, {cache}": sequences(cache, part) for part in ("train", "valid", None) for cache in (None, "low_dim")}


def main(kind, *args):
    kinds = {"lerobot reads": lerobot_reads, "lerobot writes": lerobot_writes, "robomimic reads": robomimic_reads}
    printed, sys.stdout = sys.stdout, sys.stderr  # robomimic tells of its progress
    print(json.dumps(kinds[kind](*args)), file=printed)
