# Updates of an offline algorithm in PyTorch, timed: the job on the first line, then a line of milliseconds a sample.
#
# The updates are those of tests/finetune/corl_peer.py; batches are drawn from a table of rows, noise anew each time.
# A time is that of an update, averaged over a period of the actor's.

import json
import sys
import time

import torch

sys.path.insert(0, "tests/finetune")
import corl_parts  # noqa: E402
import corl_peer  # noqa: E402

torch.set_num_threads(1)
torch.set_flush_denormal(True)
job = json.loads(sys.stdin.readline())
config, rows = job["config"], job["tableSize"]
corl_parts.AS_CORL = job["asCorl"]
state = corl_parts.tensors(job["state"])
for name in ("critics", "targetCritics"):
    if config.get("numCritics") == 2 and name in state:
        state[name] = corl_parts.separate(state[name])
update = corl_peer.ALGORITHMS[job["algorithm"]]
period = config.get("actorPeriod", 1)


def column(name, width):
    if name == "discounts":
        return torch.full((rows,), 0.99)
    return torch.rand(rows, width).squeeze(1) * 2 - 1 if width == 1 else torch.rand(rows, width) * 2 - 1


def drawn(spec):
    if spec["kind"] == "subset":
        return torch.randperm(spec["bound"])[: spec["size"]]
    if spec["kind"] == "uniform":
        return torch.rand(*spec["shape"]) * (spec["high"] - spec["low"]) + spec["low"]
    return torch.randn(*spec["shape"])


table = {name: column(name, width) for name, width in job["widths"].items()}


def once(train_actor):
    index = torch.randint(rows, (config["batchSize"],))
    batch = {name: values[index] for name, values in table.items()}
    noise = {name: drawn(spec) for name, spec in job["noise"].items()}
    update(state, batch, noise, config, train_actor)


def period_of_updates():
    for i in range(period):
        once(i == period - 1)


print("ready", flush=True)
for line in sys.stdin:
    end = time.perf_counter() + float(line) / 1000
    times = []
    while len(times) < 1 or time.perf_counter() < end:
        start = time.perf_counter()
        period_of_updates()
        times.append((time.perf_counter() - start) * 1000 / period)
    print(json.dumps(times), flush=True)
