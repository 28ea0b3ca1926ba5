"""PyTorch's side of the benchmark: the same SAC update, act and matrix product, timed on request.

Reads one JSON object a line ({kind, batchSize, numCritics, variant, mode, milliseconds}), answers with
one line: the milliseconds of each repetition. Usage: torch_peer.py THREADS
"""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F

OBSERVATION, ACTION, HIDDEN = 27, 8, 256
DISCOUNT, TAU, LEARNING_RATE = 0.99, 0.005, 3e-4


def linear(inputs, outputs, ensemble=None):
    bound = 1 / math.sqrt(inputs)
    head = (ensemble,) if ensemble else ()
    bias = (1, outputs) if ensemble else (outputs,)
    make = lambda *shape: torch.nn.Parameter(torch.empty(*head, *shape).uniform_(-bound, bound))
    return make(inputs, outputs), make(*bias)


class BatchedCritics(torch.nn.Module):
    """The ensemble as one batched product a layer."""

    def __init__(self, count):
        super().__init__()
        self.count = count
        self.w1, self.b1 = linear(OBSERVATION + ACTION, HIDDEN, count)
        self.w2, self.b2 = linear(HIDDEN, HIDDEN, count)
        self.w3, self.b3 = linear(HIDDEN, 1, count)

    def forward(self, observations, actions):
        x = torch.cat([observations, actions], 1).unsqueeze(0).expand(self.count, -1, -1)
        x = F.relu(torch.baddbmm(self.b1, x, self.w1))
        x = F.relu(torch.baddbmm(self.b2, x, self.w2))
        return torch.baddbmm(self.b3, x, self.w3).squeeze(-1)


class SeparateCritics(torch.nn.Module):
    """The ensemble as separate networks, as most code has it."""

    def __init__(self, count):
        super().__init__()
        self.nets = torch.nn.ModuleList(mlp(OBSERVATION + ACTION, 1) for _ in range(count))

    def forward(self, observations, actions):
        x = torch.cat([observations, actions], 1)
        return torch.stack([net(x).squeeze(-1) for net in self.nets])


def mlp(inputs, outputs):
    return torch.nn.Sequential(
        torch.nn.Linear(inputs, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, outputs),
    )


class Actor(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = mlp(OBSERVATION, 2 * ACTION)

    def forward(self, observations, noise):
        mean, log_std = self.net(observations).chunk(2, 1)
        log_std = -5 + 3.5 * (torch.tanh(log_std) + 1)
        u = mean + log_std.exp() * noise
        correction = 2 * (math.log(2) - u - F.softplus(-2 * u))
        density = -0.5 * noise * noise - log_std - 0.5 * math.log(2 * math.pi) - correction
        return torch.tanh(u), density.sum(1)


class Sac:
    def __init__(self, batch_size, num_critics, variant, mode):
        critics = BatchedCritics if variant == "batched" else SeparateCritics
        self.num_critics = num_critics
        self.critics, self.targets, self.actor = critics(num_critics), critics(num_critics), Actor()
        self.targets.load_state_dict(self.critics.state_dict())
        self.log_alpha = torch.nn.Parameter(torch.zeros(1))
        adam = lambda parameters: torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
        self.critic_optimizer = adam(self.critics.parameters())
        self.actor_optimizer = adam(self.actor.parameters())
        self.alpha_optimizer = adam([self.log_alpha])
        self.critic_parameters = list(self.critics.parameters())
        self.target_parameters = list(self.targets.parameters())
        self.batch_size = batch_size
        rows = lambda *width: torch.randn(batch_size, *width)
        self.batch = (rows(OBSERVATION), torch.tanh(rows(ACTION)), rows(), torch.ones(batch_size), rows(OBSERVATION))
        if mode == "compile":
            self.critic_loss = torch.compile(self.critic_loss)
            self.actor_loss = torch.compile(self.actor_loss)

    def critic_loss(self, observations, actions, rewards, masks, next_observations, noise, pair):
        with torch.no_grad():
            next_actions, log_probs = self.actor(next_observations, noise)
            values = self.targets(next_observations, next_actions)
            if pair is not None:
                values = values[pair]
            value = values.min(0).values - self.log_alpha.exp() * log_probs
            target = rewards + DISCOUNT * masks * value
        return ((self.critics(observations, actions) - target) ** 2).mean(1).sum()

    def actor_loss(self, observations, noise):
        actions, log_probs = self.actor(observations, noise)
        values = self.critics(observations, actions)
        value = values.mean(0) if self.num_critics > 2 else values.min(0).values
        return (self.log_alpha.exp().detach() * log_probs - value).mean(), log_probs

    def update(self):
        noise = lambda: torch.randn(self.batch_size, ACTION)
        pair = torch.randperm(self.num_critics)[:2] if self.num_critics > 2 else None
        loss = self.critic_loss(*self.batch, noise(), pair)
        self.step(self.critic_optimizer, loss)
        for parameter in self.critic_parameters:
            parameter.requires_grad_(False)
        loss, log_probs = self.actor_loss(self.batch[0], noise())
        self.step(self.actor_optimizer, loss)
        for parameter in self.critic_parameters:
            parameter.requires_grad_(True)
        self.step(self.alpha_optimizer, -(self.log_alpha.exp() * (log_probs.detach() - ACTION)).mean())
        with torch.no_grad():
            torch._foreach_lerp_(self.target_parameters, self.critic_parameters, TAU)

    @staticmethod
    def step(optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def make_act(batch_size, mode):
    actor = Actor()
    act = torch.compile(actor) if mode == "compile" else actor
    observations = torch.randn(batch_size, OBSERVATION)

    def call():
        with torch.inference_mode():
            return act(observations, torch.randn(batch_size, ACTION))[0].numpy()

    return call


def make_sgemm(size):
    a, b = torch.randn(size, size), torch.randn(size, size)

    def call():
        with torch.inference_mode():
            for _ in range(20):
                torch.mm(a, b)

    return call


def make(request):
    if request["kind"] == "update":
        keys = ("batchSize", "numCritics", "variant", "mode")
        sac = Sac(*(request[key] for key in keys))
        return sac.update
    if request["kind"] == "act":
        return make_act(request["batchSize"], request["mode"])
    return make_sgemm(request["batchSize"])


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    calls = {}
    for line in sys.stdin:
        request = json.loads(line)
        if request["kind"] == "version":
            print(json.dumps(torch.__version__), flush=True)
            continue
        milliseconds = request.pop("milliseconds")
        key = json.dumps(request, sort_keys=True)
        if key not in calls:
            calls[key] = make(request)
            for _ in range(5):
                calls[key]()
        times, end = [], time.perf_counter() + milliseconds / 1e3
        while len(times) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            calls[key]()
            times.append((time.perf_counter() - start) * 1e3)
        print(json.dumps(times), flush=True)


main()
