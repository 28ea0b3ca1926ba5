# ResFiT's critic update in PyTorch, timed: the job on the first line, then a line of milliseconds a sample.
#
# The update is that of tests/finetune/residual_peer.py; the batch stays, noise is drawn anew each time.

import json
import sys
import time

import torch

sys.path.insert(0, "tests/finetune")
import corl_parts  # noqa: E402
import residual_peer  # noqa: E402

torch.set_num_threads(1)
torch.set_flush_denormal(True)
job = json.loads(sys.stdin.readline())
config = job["config"]
corl_parts.AS_CORL = False
state = corl_parts.tensors(job["state"])
batch = {name: torch.rand(*shape) * 2 - 1 for name, shape in job["batch"].items()}
loss = residual_peer.critic_loss
if job["mode"] == "compile":
    loss = torch.compile(loss)


def once():
    noise = {
        "smoothing": torch.randn(config["batchSize"], job["actionSize"]),
        "members": torch.randperm(config["numCritics"])[: config["numTargetCritics"]],
    }
    residual_peer.residual(state, batch, noise, config, train_actor=False, loss=loss)


for _ in range(5):
    once()
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    times, end = [], time.perf_counter() + float(line) / 1000
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        once()
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps(times), flush=True)
