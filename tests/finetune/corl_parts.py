# What updates in PyTorch share (corl_peer.py): networks, critics, policies and Adam on plain trees of tensors.
#
# Kernels are [in, out], those of ensembles [E, in, out]; an ensemble may also be a list of E separate networks,
# as most code has two critics. Only Adam and automatic differentiation are PyTorch's.

import contextlib
import math

import torch
from torch.distributions import Normal
from torch.nn.functional import layer_norm, linear, softplus


# As CORL does, or, where False, leaner: without the gradients that nobody wants, those of critics in an actor's loss
# and of actions that are no more than judged; and an ensemble's bias added within the product.
AS_CORL = True


def tensors(node, grad=True):
    """Trees of {"shape", "data"} as trees of leaf tensors."""
    if isinstance(node, dict) and set(node) == {"shape", "data"}:
        return torch.tensor(node["data"], dtype=torch.float32).reshape(node["shape"]).requires_grad_(grad)
    return {key: tensors(value, grad) for key, value in node.items()}


def leaves(node):
    if isinstance(node, torch.Tensor):
        return [node]
    return [x for value in (node.values() if isinstance(node, dict) else node) for x in leaves(value)]


def mapped(node, f):
    """The tree with f of each leaf."""
    return f(node) if isinstance(node, torch.Tensor) else {key: mapped(value, f) for key, value in node.items()}


def plain(node):
    return mapped(node, lambda x: x.detach().flatten().tolist())


def separate(ensemble):
    """An ensemble as a list of networks of their own."""
    count = ensemble["layer0"]["kernel"].shape[0]

    def member(i):
        row = lambda x: x[i] if x.shape[1] > 1 else x[i][0]  # biases are [E, 1, out]
        own = lambda x: row(x).detach().clone().requires_grad_()
        return mapped(ensemble, own)

    return [member(i) for i in range(count)]


def members(critics, indices):
    """Some members of an ensemble."""
    if isinstance(critics, list):
        return [critics[i] for i in indices]
    return mapped(critics, lambda x: x[indices])


def dense(layer, x):
    kernel, bias = layer["kernel"], layer["bias"]
    if kernel.ndim == 2:
        return linear(x, kernel.t(), bias)
    return x @ kernel + bias if AS_CORL else torch.baddbmm(bias, x.expand(kernel.shape[0], -1, -1), kernel)


def norm(layer, x):
    if "norm" not in layer:
        return x
    scale, shift = layer["norm"]["scale"], layer["norm"]["shift"]
    width = (x.shape[-1],)
    return layer_norm(x, width, scale, shift) if scale.ndim == 1 else layer_norm(x, width) * scale + shift


def mlp(net, x):
    last = len(net) - 1
    for i in range(last):
        x = torch.relu(norm(net[f"layer{i}"], dense(net[f"layer{i}"], x)))
    return dense(net[f"layer{last}"], x)


def judged(critics, rows):
    """[E, B] for rows [B, O + A], or [E, B, O + A]."""
    if isinstance(critics, list):
        return torch.stack([mlp(net, rows).squeeze(-1) for net in critics])
    return mlp(critics, rows).squeeze(-1)


def q(critics, observations, actions):
    """[E, B] for rows, [E, n, B] for n actions a row: observations are repeated for each."""
    if actions.ndim == 2:
        return judged(critics, torch.cat([observations, actions], -1))
    repeated = observations.expand(actions.shape[0], -1, -1) if observations.ndim == 2 else observations
    flat = torch.cat([repeated, actions], -1).flatten(0, 1)
    return judged(critics, flat).unflatten(1, actions.shape[:2])


def least(critics, observations, actions):
    return q(critics, observations, actions).min(0).values


OPTIMIZERS = {}

def step(params, loss, rate, config):
    """One step of Adam, in place, when the result is called; its moments go on from call to call."""
    own = leaves(params)
    if id(own[0]) not in OPTIMIZERS:
        OPTIMIZERS[id(own[0])] = torch.optim.Adam(own, lr=rate, eps=config["adamEpsilon"])
    optimizer = OPTIMIZERS[id(own[0])]
    grads = gradients(loss, own)

    def take():
        for leaf, grad in zip(own, grads):
            leaf.grad = grad
        optimizer.step()

    return take


def gradients(loss, own):
    if not AS_CORL:
        return torch.autograd.grad(loss, own, allow_unused=True)
    for leaf in own:
        leaf.grad = None
    loss.backward()
    grads = [leaf.grad for leaf in own]
    for leaf in own:
        leaf.grad = None  # what further losses add to it is for nobody
    return grads


def judging():
    """Where CORL makes a graph that it then cuts off."""
    return contextlib.nullcontext() if AS_CORL else torch.no_grad()


def follow(target, source, tau):
    with torch.no_grad():
        for old, new in zip(leaves(target), leaves(source)):
            old.mul_(1 - tau).add_(tau * new)


def regress(s, b, y, c, loss_of=None):
    """The critics' step towards y: sum over critics of mean squared errors, and what is added to it."""
    qs = q(s["critics"], b["observations"], b["actions"])
    loss = ((qs - y) ** 2).mean(1).sum()
    extra = 0 if loss_of is None else loss_of(s["critics"])
    step(s["critics"], loss + extra, c["criticLearningRate"], c)()


def target(b, values):
    return b["rewards"] + b["discounts"] * values


def smoothed(actor_output, noise, c):
    shake = (noise["smoothing"] * c["smoothingNoise"]).clamp(-c["smoothingClip"], c["smoothingClip"])
    return (actor_output + shake).clamp(-1, 1)


def squashed(mean, log_std, eps):
    """Actions of a tanh-Gaussian and their log-densities."""
    std = log_std.exp()
    u = mean + std * eps
    squash = 2 * (math.log(2) - u - softplus(-2 * u))
    return torch.tanh(u), (Normal(mean, std).log_prob(u) - squash).sum(-1)


def sac_policy(net, x, eps, low, high):
    mean, raw = mlp(net, x).chunk(2, -1)
    return squashed(mean, raw.clamp(low, high), eps)
