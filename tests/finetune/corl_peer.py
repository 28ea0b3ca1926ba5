# One update of each offline algorithm in PyTorch, from the weights, batch and draws on stdin; prints the weights
# after it.
#
# Formulas are those of CORL (algorithms/offline and /finetune), written anew for plain tensors; those of FamO2O,
# RO2O, RLPD and ResFiT, which CORL lacks, are their papers'. As in CORL, what is judged or acted for many actions a state is
# done with the state repeated, each kind of actions in a pass of its own.

import json
import math
import sys

import torch
from torch.distributions import Normal

from corl_ensembles import edac, rlpd, ro2o, sac_n
from corl_parts import follow, judging, least, members, mlp, plain, q, regress, smoothed, squashed, step, target, tensors
from residual_peer import residual


def bc(s, b, noise, c, train_actor=True):
    loss = ((mlp(s["network"], b["observations"]) - b["actions"]) ** 2).mean()
    step(s["network"], loss, c["learningRate"], c)()


def acted(net, x):
    return torch.tanh(mlp(net, x))


def td3_critics(s, b, noise, c, penalty=None):
    with torch.no_grad():
        next_actions = smoothed(acted(s["targetActor"], b["nextObservations"]), noise, c)
        values = least(s["targetCritics"], b["nextObservations"], next_actions)
        y = target(b, values if penalty is None else values - penalty(next_actions))
    regress(s, b, y, c)


def follow_both(s, c):
    follow(s["targetCritics"], s["critics"], c["tau"])
    follow(s["targetActor"], s["actor"], c["tau"])


def td3bc(s, b, noise, c, train_actor=True):
    td3_critics(s, b, noise, c)
    if not train_actor:
        return
    chosen = acted(s["actor"], b["observations"])
    value = q(members(s["critics"], [0]), b["observations"], chosen)
    weight = c["copyingAlpha"] / value.abs().mean().detach()
    loss = -weight * value.mean() + ((chosen - b["actions"]) ** 2).mean()
    step(s["actor"], loss, c["actorLearningRate"], c)()
    follow_both(s, c)


def rebrac(s, b, noise, c, train_actor=True):
    off = lambda actions, data: ((actions - data) ** 2).sum(-1)
    td3_critics(s, b, noise, c, lambda actions: c["criticPenalty"] * off(actions, b["nextActions"]))
    if not train_actor:
        return
    chosen = acted(s["actor"], b["observations"])
    value = least(s["critics"], b["observations"], chosen)
    weight = 1 / value.abs().mean().detach()
    loss = (c["actorPenalty"] * off(chosen, b["actions"]) - weight * value).mean()
    step(s["actor"], loss, c["actorLearningRate"], c)()
    follow_both(s, c)


def unlikeliness(vae, observations, actions, eps, latent_cost):
    centre, raw = mlp(vae["encoder"], torch.cat([observations, actions], -1)).chunk(2, -1)
    std = raw.clamp(-4, 15).exp()
    again = acted(vae["decoder"], torch.cat([observations, centre + std * eps], -1))
    divergence = -0.5 * (1 + torch.log(std**2) - centre**2 - std**2).mean(-1)
    return ((again - actions) ** 2).mean(-1) + latent_cost * divergence


def spot(s, b, noise, c, train_actor=True):
    td3_critics(s, b, noise, c)
    if not train_actor:
        return
    chosen = acted(s["actor"], b["observations"])
    value = q(members(s["critics"], [0]), b["observations"], chosen)
    unlike = unlikeliness(s["vae"], b["observations"], chosen, noise["latents"], c["latentCost"])
    loss = -value.mean() / value.abs().mean().detach() + c["supportCost"] * unlike.mean()
    step(s["actor"], loss, c["actorLearningRate"], c)()
    follow_both(s, c)


def iql_judges(s, b, c):
    """The losses' steps, not yet taken, and the advantages."""
    value = lambda x: mlp(s["value"], x).squeeze(-1)
    with torch.no_grad():
        next_v = value(b["nextObservations"])
        target_q = least(s["targetCritics"], b["observations"], b["actions"])
    advantage = target_q - value(b["observations"])
    value_loss = (torch.abs(c["expectile"] - (advantage < 0).float()) * advantage**2).mean()
    qs = q(s["critics"], b["observations"], b["actions"])
    q_loss = ((qs - target(b, next_v)) ** 2).mean()
    steps = [
        step(s["value"], value_loss, c["valueLearningRate"], c),
        step(s["critics"], q_loss, c["criticLearningRate"], c),
    ]
    return steps, advantage.detach()


def clipped_policy(actor, x, squash=torch.tanh):
    return Normal(squash(mlp(actor["mean"], x)), actor["logStd"].clamp(-20, 2).exp())


def copying_loss(policy, actions, exponents, c):
    weight = torch.exp(exponents).clamp(max=c["greatestWeight"])
    return (weight * -policy.log_prob(actions).sum(-1)).mean()


def iql(s, b, noise, c, train_actor=True):
    steps, advantage = iql_judges(s, b, c)
    policy = clipped_policy(s["actor"], b["observations"])
    loss = copying_loss(policy, b["actions"], c["inverseTemperature"] * advantage, c)
    for each in [*steps, step(s["actor"], loss, c["actorLearningRate"], c)]:
        each()
    follow(s["targetCritics"], s["critics"], c["tau"])


def awac(s, b, noise, c, train_actor=True):
    policy = lambda x: clipped_policy(s["actor"], x, lambda mean: mean)
    drawn = lambda x, eps: (policy(x).mean + policy(x).stddev * eps).clamp(-1, 1)
    with torch.no_grad():
        next_actions = drawn(b["nextObservations"], noise["nextActions"])
        y = target(b, least(s["targetCritics"], b["nextObservations"], next_actions))
    regress(s, b, y, c)
    with torch.no_grad():
        v = least(s["critics"], b["observations"], drawn(b["observations"], noise["actions"]))
        advantage = least(s["critics"], b["observations"], b["actions"]) - v
    loss = copying_loss(policy(b["observations"]), b["actions"], advantage / c["advantageScale"], c)
    step(s["actor"], loss, c["actorLearningRate"], c)()
    follow(s["targetCritics"], s["critics"], c["tau"])


def cql_sample(actor, x, eps):
    """Draws [n, B, A] want the states repeated."""
    repeated = x.expand(eps.shape[0], -1, -1) if eps.ndim == 3 else x
    mean, raw = mlp(actor["net"], repeated).chunk(2, -1)
    log_std = (actor["logStdScale"] * raw + actor["logStdOffset"]).clamp(-20, 2)
    return squashed(mean, log_std, eps)


def cql_critic_loss(s, b, noise, c, y, at, following, floor=None):
    """`at` and `following` see this state and the next: what the policy's two kinds of proposals are drawn by."""
    observations, actions = b["observations"], b["actions"]
    with judging():
        here = cql_sample(s["actor"], at, noise["proposals"])
        there = cql_sample(s["actor"], following, noise["nextProposals"])
    current, current_log_pi, upcoming, upcoming_log_pi = (x.detach() for x in (*here, *there))
    lifted = lambda x: x if floor is None else torch.maximum(x, floor)
    data_q = q(s["critics"], observations, actions)
    everything = torch.cat(
        [
            q(s["critics"], observations, noise["uniform"]) - math.log(0.5 ** actions.shape[1]),
            lifted(q(s["critics"], observations, upcoming)) - upcoming_log_pi,
            lifted(q(s["critics"], observations, current)) - current_log_pi,
        ],
        1,
    )
    gap = (torch.logsumexp(everything, 1) - data_q).mean(1)
    td = ((data_q - y) ** 2).mean(1)
    return (td + c["conservatism"] * gap).sum()


def cql(s, b, noise, c, train_actor=True, floor=None):
    observations, next_observations = b["observations"], b["nextObservations"]
    new_actions, log_pi = cql_sample(s["actor"], observations, noise["actions"])
    alpha = s["logAlpha"].exp().detach()
    alpha_loss = -(s["logAlpha"] * (log_pi - new_actions.shape[1]).detach()).mean()
    policy_loss = (alpha * log_pi - least(s["critics"], observations, new_actions)).mean()
    with judging():
        next_actions, _ = cql_sample(s["actor"], next_observations, noise["nextActions"][0])
        y = target(b, least(s["targetCritics"], next_observations, next_actions)).detach()
    critic_loss = cql_critic_loss(s, b, noise, c, y, observations, next_observations, floor)
    steps = [
        step(s["logAlpha"], alpha_loss, c["alphaLearningRate"], c),
        step(s["actor"], policy_loss, c["actorLearningRate"], c),
        step(s["critics"], critic_loss, c["criticLearningRate"], c),
    ]
    for each in steps:
        each()
    follow(s["targetCritics"], s["critics"], c["tau"])


def calql(s, b, noise, c, train_actor=True):
    cql(s, b, noise, c, train_actor, floor=b["returnsToGo"])


def with_balance(x, beta):
    angles = [beta * 10_000 ** (-2 * i / 6) for i in range(3)]
    return torch.cat([x, *(f(angle) for angle in angles for f in (torch.sin, torch.cos))], -1)


def beta_of(x, c):
    low, high = c["leastBalance"], c["greatestBalance"]
    return low + (x + 1) * (high - low) / 2


def famo2o(s, b, noise, c, train_actor=True):
    observations = b["observations"]
    steps, advantage = iql_judges(s, b, c)
    universal = lambda beta: clipped_policy(s["actor"], with_balance(observations, beta))
    beta = beta_of(noise["balances"], c)
    loss = copying_loss(universal(beta), b["actions"], beta.squeeze(-1) * advantage, c)
    log_std = s["balance"]["logStd"].clamp(-10, 2)
    x, log_pi = squashed(mlp(s["balance"]["mean"], observations), log_std, noise["judgedBalances"])
    policy = universal(beta_of(x, c))
    value = least(s["targetCritics"], observations, (policy.mean + policy.stddev * noise["actions"]).clamp(-1, 1))
    temperature = s["logTemperature"].exp()
    balance_loss = (temperature.detach() * log_pi - value).mean()
    temperature_loss = temperature * (-log_pi.mean().detach() - c["balanceEntropy"])
    steps += [
        step(s["actor"], loss, c["actorLearningRate"], c),
        step(s["balance"], balance_loss, c["balanceLearningRate"], c),
        step(s["logTemperature"], temperature_loss, c["balanceLearningRate"], c),
    ]
    for each in steps:
        each()
    follow(s["targetCritics"], s["critics"], c["tau"])


def famo2o_cql(s, b, noise, c, train_actor=True):
    observations, next_observations = b["observations"], b["nextObservations"]
    beta = beta_of(noise["balances"], c)
    here, there = with_balance(observations, beta), with_balance(next_observations, beta)
    new_actions, log_pi = cql_sample(s["actor"], here, noise["actions"])
    alpha = s["logAlpha"].exp().detach()
    alpha_loss = -(s["logAlpha"] * (log_pi - new_actions.shape[1]).detach()).mean()
    value = least(s["critics"], observations, new_actions)
    policy_loss = (alpha * log_pi - beta.squeeze(-1) * value).mean()
    x, _ = cql_sample(s["balance"], observations, noise["judgedBalances"])
    balanced, _ = cql_sample(s["actor"], with_balance(observations, beta_of(x, c)), noise["judgedActions"])
    balance_loss = -least(s["critics"], observations, balanced).mean()
    with torch.no_grad():
        next_actions, _ = cql_sample(s["actor"], there, noise["nextActions"])
        y = target(b, least(s["targetCritics"], next_observations, next_actions))
    steps = [
        step(s["logAlpha"], alpha_loss, c["alphaLearningRate"], c),
        step(s["actor"], policy_loss, c["actorLearningRate"], c),
        step(s["balance"], balance_loss, c["balanceLearningRate"], c),
        step(s["critics"], cql_critic_loss(s, b, noise, c, y, here, there), c["criticLearningRate"], c),
    ]
    for each in steps:
        each()
    follow(s["targetCritics"], s["critics"], c["tau"])


ALGORITHMS = {
    "bc": bc,
    "td3bc": td3bc,
    "iql": iql,
    "awac": awac,
    "cql": cql,
    "calql": calql,
    "rebrac": rebrac,
    "sacN": sac_n,
    "edac": edac,
    "spot": spot,
    "famo2o": famo2o,
    "famo2oCql": famo2o_cql,
    "ro2o": ro2o,
    "rlpd": rlpd,
    "residual": residual,
}


def main():
    results = {}
    for name, job in json.load(sys.stdin).items():
        state = tensors(job["state"])
        ALGORITHMS[name](state, tensors(job["batch"], False), tensors(job["noise"], False), job["config"])
        results[name] = plain(state)
    print(json.dumps(results))
