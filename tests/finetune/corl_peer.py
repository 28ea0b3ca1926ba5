# One update of each offline algorithm in PyTorch, from the weights, batch and draws on stdin; prints the weights
# after it.
#
# Formulas are those of CORL (algorithms/offline), written anew for plain tensors: kernels are [in, out], ensembles
# of critics [2, in, out]. Only Adam and automatic differentiation are PyTorch's.

import json
import math
import sys

import torch
from torch.distributions import Normal
from torch.nn.functional import softplus


def tensors(node):
    """Trees of {"shape", "data"} as trees of leaf tensors."""
    if isinstance(node, dict) and set(node) == {"shape", "data"}:
        return torch.tensor(node["data"], dtype=torch.float32).reshape(node["shape"]).requires_grad_()
    return {key: tensors(value) for key, value in node.items()}


def leaves(node):
    return [node] if isinstance(node, torch.Tensor) else [x for value in node.values() for x in leaves(value)]


def plain(node):
    if isinstance(node, torch.Tensor):
        return node.detach().flatten().tolist()
    return {key: plain(value) for key, value in node.items()}


def mlp(net, x):
    for i in range(len(net)):
        x = x @ net[f"layer{i}"]["kernel"] + net[f"layer{i}"]["bias"]
        if i < len(net) - 1:
            x = torch.relu(x)
    return x


def q(critics, observations, actions):
    """[2, B] for rows, [2, n, B] for n actions a row."""
    if actions.ndim == 3:
        observations = observations.expand(actions.shape[0], -1, -1)
        flat = torch.cat([observations, actions], -1).flatten(0, 1)
        return mlp(critics, flat).squeeze(-1).reshape(2, *actions.shape[:2])
    return mlp(critics, torch.cat([observations, actions], -1)).squeeze(-1)


OPTIMIZERS = {}


def step(params, loss, rate, config):
    """One step of Adam, in place, when the result is called; its moments go on from call to call."""
    key = id(leaves(params)[0])
    if key not in OPTIMIZERS:
        OPTIMIZERS[key] = torch.optim.Adam(leaves(params), lr=rate, eps=config["adamEpsilon"])
    optimizer = OPTIMIZERS[key]
    grads = torch.autograd.grad(loss, leaves(params), allow_unused=True)
    for leaf, grad in zip(leaves(params), grads):
        leaf.grad = grad
    return optimizer.step


def follow(target, source, tau):
    with torch.no_grad():
        for old, new in zip(leaves(target), leaves(source)):
            old.mul_(1 - tau).add_(tau * new)


def td3bc(s, b, noise, c):
    actor = lambda net, x: torch.tanh(mlp(net, x))
    with torch.no_grad():
        shake = (noise["smoothing"] * c["smoothingNoise"]).clamp(-c["smoothingClip"], c["smoothingClip"])
        next_actions = (actor(s["targetActor"], b["nextObservations"]) + shake).clamp(-1, 1)
        y = b["rewards"] + b["discounts"] * q(s["targetCritics"], b["nextObservations"], next_actions).min(0).values
    q1, q2 = q(s["critics"], b["observations"], b["actions"])
    loss = ((q1 - y) ** 2).mean() + ((q2 - y) ** 2).mean()
    step(s["critics"], loss, c["criticLearningRate"], c)()
    chosen = actor(s["actor"], b["observations"])
    value = q(s["critics"], b["observations"], chosen)[0]
    weight = c["copyingAlpha"] / value.abs().mean().detach()
    loss = -weight * value.mean() + ((chosen - b["actions"]) ** 2).mean()
    step(s["actor"], loss, c["actorLearningRate"], c)()
    follow(s["targetCritics"], s["critics"], c["tau"])
    follow(s["targetActor"], s["actor"], c["tau"])


def iql(s, b, noise, c):
    value = lambda x: mlp(s["value"], x).squeeze(-1)
    with torch.no_grad():
        next_v = value(b["nextObservations"])
        target_q = q(s["targetCritics"], b["observations"], b["actions"]).min(0).values
    advantage = target_q - value(b["observations"])
    value_loss = (torch.abs(c["expectile"] - (advantage < 0).float()) * advantage**2).mean()
    y = b["rewards"] + b["discounts"] * next_v
    q1, q2 = q(s["critics"], b["observations"], b["actions"])
    q_loss = (((q1 - y) ** 2).mean() + ((q2 - y) ** 2).mean()) / 2
    weight = torch.exp(c["inverseTemperature"] * advantage.detach()).clamp(max=c["greatestWeight"])
    policy = Normal(torch.tanh(mlp(s["actor"]["mean"], b["observations"])), s["actor"]["logStd"].clamp(-20, 2).exp())
    policy_loss = (weight * -policy.log_prob(b["actions"]).sum(-1)).mean()
    steps = [
        step(s["value"], value_loss, c["valueLearningRate"], c),
        step(s["critics"], q_loss, c["criticLearningRate"], c),
        step(s["actor"], policy_loss, c["actorLearningRate"], c),
    ]
    for each in steps:
        each()
    follow(s["targetCritics"], s["critics"], c["tau"])


def awac(s, b, noise, c):
    policy = lambda x: Normal(mlp(s["actor"]["mean"], x), s["actor"]["logStd"].clamp(-20, 2).exp())
    drawn = lambda x, eps: (policy(x).mean + policy(x).stddev * eps).clamp(-1, 1)
    with torch.no_grad():
        next_actions = drawn(b["nextObservations"], noise["nextActions"])
        y = b["rewards"] + b["discounts"] * q(s["targetCritics"], b["nextObservations"], next_actions).min(0).values
    q1, q2 = q(s["critics"], b["observations"], b["actions"])
    step(s["critics"], ((q1 - y) ** 2).mean() + ((q2 - y) ** 2).mean(), c["criticLearningRate"], c)()
    with torch.no_grad():
        v = q(s["critics"], b["observations"], drawn(b["observations"], noise["actions"])).min(0).values
        advantage = q(s["critics"], b["observations"], b["actions"]).min(0).values - v
        weight = torch.exp(advantage / c["advantageScale"]).clamp(max=c["greatestWeight"])
    loss = -(policy(b["observations"]).log_prob(b["actions"]).sum(-1) * weight).mean()
    step(s["actor"], loss, c["actorLearningRate"], c)()
    follow(s["targetCritics"], s["critics"], c["tau"])


def cql(s, b, noise, c):
    def sample(x, eps):
        mean, raw = mlp(s["actor"]["net"], x).chunk(2, -1)
        std = (s["actor"]["logStdScale"] * raw + s["actor"]["logStdOffset"]).clamp(-20, 2).exp()
        u = mean + std * eps
        squash = 2 * (math.log(2) - u - softplus(-2 * u))
        return torch.tanh(u), (Normal(mean, std).log_prob(u) - squash).sum(-1)

    observations, actions = b["observations"], b["actions"]
    new_actions, log_pi = sample(observations, noise["actions"])
    alpha = s["logAlpha"].exp().detach()
    alpha_loss = -(s["logAlpha"] * (log_pi - actions.shape[1]).detach()).mean()
    policy_loss = (alpha * log_pi - q(s["critics"], observations, new_actions).min(0).values).mean()
    with torch.no_grad():
        next_actions, _ = sample(b["nextObservations"], noise["nextActions"][0])
        y = b["rewards"] + b["discounts"] * q(s["targetCritics"], b["nextObservations"], next_actions).min(0).values
        current, current_log_pi = sample(observations, noise["proposals"])
        following, following_log_pi = sample(b["nextObservations"], noise["nextProposals"])
    data_q = q(s["critics"], observations, actions)
    everything = torch.cat(
        [
            q(s["critics"], observations, noise["uniform"]) - math.log(0.5 ** actions.shape[1]),
            q(s["critics"], observations, following) - following_log_pi,
            q(s["critics"], observations, current) - current_log_pi,
        ],
        1,
    )
    gap = (torch.logsumexp(everything, 1) - data_q).mean(1)
    td = ((data_q - y) ** 2).mean(1)
    steps = [
        step(s["logAlpha"], alpha_loss, c["alphaLearningRate"], c),
        step(s["actor"], policy_loss, c["actorLearningRate"], c),
        step(s["critics"], (td + c["conservatism"] * gap).sum(), c["criticLearningRate"], c),
    ]
    for each in steps:
        each()
    follow(s["targetCritics"], s["critics"], c["tau"])


ALGORITHMS = {"td3bc": td3bc, "iql": iql, "awac": awac, "cql": cql}

if __name__ == "__main__":
    results = {}
    for name, job in json.load(sys.stdin).items():
        state = tensors(job["state"])
        ALGORITHMS[name](state, tensors(job["batch"]), tensors(job["noise"]), job["config"])
        results[name] = plain(state)
    print(json.dumps(results))
