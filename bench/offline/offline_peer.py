# Updates of an offline algorithm in PyTorch, timed: the job on the first line, then a line of milliseconds a sample.
#
# The updates are those of tests/finetune/corl_peer.py; batches are drawn from a table of rows, noise anew each time.

import json
import sys
import time

import torch

sys.path.insert(0, "tests/finetune")
import corl_peer  # noqa: E402

torch.set_num_threads(1)
job = json.loads(sys.stdin.readline())
config, sizes = job["config"], job["sizes"]
state = corl_peer.tensors(job["state"])
update = corl_peer.ALGORITHMS[job["algorithm"]]
rows = 100_000
observation, action = sizes["observation"], sizes["action"]
table = {
    "observations": torch.randn(rows, observation),
    "actions": torch.rand(rows, action) * 2 - 1,
    "rewards": torch.rand(rows),
    "discounts": torch.full((rows,), 0.99),
    "nextObservations": torch.randn(rows, observation),
}


def once():
    index = torch.randint(rows, (config["batchSize"],))
    batch = {name: column[index] for name, column in table.items()}
    noise = {
        name: torch.rand(*shape) * 2 - 1 if name == "uniform" else torch.randn(*shape)
        for name, shape in job["noise"].items()
    }
    update(state, batch, noise, config)


print("ready", flush=True)
for line in sys.stdin:
    end = time.perf_counter() + float(line) / 1000
    times = []
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        once()
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps(times), flush=True)
