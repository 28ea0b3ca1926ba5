# The update of ResFiT in PyTorch, by its paper's form of the critics' loss (finetune/residual.ts).

import torch

from corl_parts import least, leaves, members, mlp, q

MOMENTS = {}


def parts(observations, normalizer):
    """The state, and the base's action that follows it, normalised."""
    size = normalizer["centre"].shape[0]
    return observations[:, :-size], normalized(observations[:, -size:], normalizer)


def normalized(actions, normalizer):
    return (actions - normalizer["centre"]) / normalizer["halfRange"]


def executed(base, corrections, normalizer):
    """What the task takes of the sum, normalised again."""
    inside = (base + corrections).clamp(-1, 1) * normalizer["halfRange"] + normalizer["centre"]
    return normalized(inside.clamp(-1, 1), normalizer)


def corrections(actor, states, base, config):
    return config["residualScale"] * torch.tanh(mlp(actor, torch.cat([states, base], -1)))


def critic_loss(s, b, noise, c):
    with torch.no_grad():
        states, base = parts(b["nextObservations"], s["actionNormalizer"])
        shake = (noise["smoothing"] * c["smoothingNoise"]).clamp(-c["smoothingClip"], c["smoothingClip"])
        actions = executed(base, corrections(s["targetActor"], states, base, c) + shake, s["actionNormalizer"])
        judges = members(s["targetCritics"], noise["members"])
        y = b["rewards"] + b["discounts"] * least(judges, states, actions)
    states, _ = parts(b["observations"], s["actionNormalizer"])
    return ((q(s["critics"], states, normalized(b["actions"], s["actionNormalizer"])) - y) ** 2).mean()


def actor_loss(s, b, c):
    states, base = parts(b["observations"], s["actionNormalizer"])
    intended = corrections(s["actor"], states, base, c)
    cost = c["correctionCost"] * (intended**2).sum(-1).mean()
    return cost - q(s["critics"], states, executed(base, intended, s["actionNormalizer"])).mean()


def descend(params, loss, rate, c):
    """A step of AdamW after the gradient's norm was bounded."""
    own = leaves(params)
    key = id(own[0])
    if key not in MOMENTS:
        decay = c["weightDecay"]
        MOMENTS[key] = torch.optim.AdamW(own, lr=rate, eps=c["adamEpsilon"], weight_decay=decay, fused=True)
    for leaf, grad in zip(own, torch.autograd.grad(loss, own)):
        leaf.grad = grad.contiguous()  # the fused step mistakes other layouts
    torch.nn.utils.clip_grad_norm_(own, c["maxGradNorm"])
    MOMENTS[key].step()


def follow(target, source, tau):
    with torch.no_grad():
        torch._foreach_lerp_(leaves(target), leaves(source), tau)


def residual(s, b, noise, c, train_actor=True, loss=critic_loss):
    drawn = {**noise, "members": noise["members"].long()}
    descend(s["critics"], loss(s, b, drawn, c), c["criticLearningRate"], c)
    follow(s["targetCritics"], s["critics"], c["tau"])
    if train_actor:
        descend(s["actor"], actor_loss(s, b, c), c["actorLearningRate"], c)
        follow(s["targetActor"], s["actor"], c["tau"])
