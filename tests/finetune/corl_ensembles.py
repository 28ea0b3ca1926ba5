# Updates with many critics in PyTorch: SAC-N, EDAC, RO2O and RLPD (corl_peer.py).

import torch

from corl_parts import follow, judged, least, members, mlp, q, regress, sac_policy, step, target


def policy(s, x, eps):
    return sac_policy(s["actor"], x, eps, -5, 2)


def ensemble_actor(s, b, noise, c, extra=None):
    """Temperature, then the actor with the new one."""
    observations = b["observations"]
    with torch.no_grad():
        _, log_pi = policy(s, observations, noise["actions"])
    alpha_loss = -(s["logAlpha"] * (log_pi - b["actions"].shape[1])).mean()
    step(s["logAlpha"], alpha_loss, c["alphaLearningRate"], c)()
    actions, log_pi = policy(s, observations, noise["actions"])
    loss = (s["logAlpha"].exp().detach() * log_pi - least(s["critics"], observations, actions)).mean()
    step(s["actor"], loss if extra is None else loss + extra, c["actorLearningRate"], c)()


def ensemble_critics(s, b, noise, c, extra=None):
    with torch.no_grad():
        next_actions, log_pi = policy(s, b["nextObservations"], noise["nextActions"])
        values = least(s["targetCritics"], b["nextObservations"], next_actions) - s["logAlpha"].exp() * log_pi
    regress(s, b, target(b, values), c, extra)
    follow(s["targetCritics"], s["critics"], c["tau"])


def sac_n(s, b, noise, c, train_actor=True):
    ensemble_actor(s, b, noise, c)
    ensemble_critics(s, b, noise, c)


def edac(s, b, noise, c, train_actor=True):
    def diversity(critics):
        count = s["critics"]["layer0"]["kernel"].shape[0]
        repeated = lambda x: x.expand(count, -1, -1).contiguous()
        actions = repeated(b["actions"]).requires_grad_()
        qs = judged(critics, torch.cat([repeated(b["observations"]), actions], -1))
        slopes = torch.autograd.grad(qs.sum(), actions, retain_graph=True, create_graph=True)[0]
        unit = (slopes / (slopes.norm(dim=-1, keepdim=True) + 1e-10)).transpose(0, 1)
        likeness = unit @ unit.transpose(1, 2) * (1 - torch.eye(count))
        return c["diversity"] * likeness.sum((1, 2)).mean() / (count - 1)

    ensemble_actor(s, b, noise, c)
    ensemble_critics(s, b, noise, c, diversity)


def perturbed(x, directions, reach):
    return (x.unsqueeze(0) + reach * directions.unsqueeze(1)).flatten(0, 1)


def divergence(p, q):
    (mean_p, log_p), (mean_q, log_q) = p, q
    shift = (mean_p - mean_q) ** 2 * torch.exp(-2 * log_q)
    return (log_q - log_p + 0.5 * (torch.exp(2 * (log_p - log_q)) + shift - 1)).sum(-1)


def ro2o(s, b, noise, c, train_actor=True):
    observations, actions = b["observations"], b["actions"]
    n, rows = c["numPerturbations"], observations.shape[0]

    def gaussian(x):
        mean, raw = mlp(s["actor"], x).chunk(2, -1)
        return mean, raw.clamp(-5, 2)

    def acting():
        near = gaussian(perturbed(observations, noise["acting"], c["actingRange"]))
        here = gaussian(observations.repeat(n, 1))
        both = divergence(here, near) + divergence(near, here)
        return c["actingCost"] * both.reshape(n, rows).max(0).values.mean()

    def nearby(critics):
        states = perturbed(observations, noise["judging"], c["judgingRange"])
        change = judged(critics, torch.cat([states, actions.repeat(n, 1)], -1)).reshape(-1, n, rows)
        change = change - q(critics, observations, actions).unsqueeze(1)
        cost = 0.8 * change.clamp(min=0) ** 2 + 0.2 * change.clamp(max=0) ** 2
        judging = cost.mean(0).max(0).values.mean()
        states = perturbed(observations, noise["doubting"], c["doubtRange"])
        with torch.no_grad():
            drawn, _ = policy(s, states, noise["doubted"].flatten(0, 1))
        qs = judged(critics, torch.cat([states, drawn], -1))
        doubting = ((qs - (qs - s["doubt"] * qs.std(0)).detach()) ** 2).mean()
        return c["judgingCost"] * judging + c["doubtCost"] * doubting

    ensemble_actor(s, b, noise, c, acting())
    ensemble_critics(s, b, noise, c, nearby)
    with torch.no_grad():
        s["doubt"].sub_(c["doubtDecay"]).clamp_(min=c["leastDoubt"])


def rlpd(s, b, noise, c, train_actor=True):
    policy = lambda x, eps: sac_policy(s["actor"], x, eps, c["logStdLow"], c["logStdHigh"])
    with torch.no_grad():
        next_actions, log_pi = policy(b["nextObservations"], noise["nextActions"])
        judges = members(s["targetCritics"], noise["members"].long())
        values = least(judges, b["nextObservations"], next_actions) - s["logAlpha"].exp() * log_pi
    regress(s, b, target(b, values), c)
    follow(s["targetCritics"], s["critics"], c["tau"])
    if not train_actor:
        return
    actions, log_pi = policy(b["observations"], noise["actions"])
    value = q(s["critics"], b["observations"], actions).mean(0)
    loss = (s["logAlpha"].exp().detach() * log_pi - value).mean()
    step(s["actor"], loss, c["actorLearningRate"], c)()
    entropy = c["targetEntropyScale"] * b["actions"].shape[1]
    alpha_loss = -(s["logAlpha"].exp() * (log_pi.detach().mean() - entropy))
    step(s["logAlpha"], alpha_loss, c["alphaLearningRate"], c)()
