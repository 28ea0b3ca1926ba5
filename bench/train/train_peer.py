"""The peers of the training benchmark: SAC in MuJoCo with Stable-Baselines3, or in a loop like CleanRL's.

Takes one JSON object ({peer, env, numEnvs, utdRatio, hidden, batchSize, learningStarts, threads, processes}) and
trains until it is killed. Once it learns, it prints a line of JSON every twentieth of a second or so:
control steps and updates so far, a clock and the processor time of all its processes, both in seconds.

CleanRL is a file of a repository, not a package, so `cleanrl` below is its loop of
sac_continuous_action.py written anew: the same networks, learning rates, order of updates (two of the
actor every other step, alpha with fresh actions each time, target networks tensor by tensor), the buffer
that Stable-Baselines3 has too, SyncVectorEnv with episode statistics. It leaves out TensorBoard.
"""

import json
import multiprocessing
import os
import sys
import time

import gymnasium as gym
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

TICK = os.sysconf("SC_CLK_TCK")


def children_time():
    """Processor time of the processes that envs run in."""
    total = 0
    for child in multiprocessing.active_children():
        with open(f"/proc/{child.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


class Reporter:
    def __init__(self):
        self.due = 0

    def __call__(self, steps, updates):
        now = time.perf_counter()
        if updates == 0 or now < self.due:
            return
        self.due = now + 0.05
        cpu = time.process_time() + children_time()
        print(json.dumps({"steps": steps, "updates": updates, "time": now, "cpu": cpu}), flush=True)


def make_env(name):
    # Without contact forces the ant's observation has 27 numbers instead of 105, as large as Salle's.
    options = {"include_cfrc_ext_in_observation": False} if name.startswith("Ant") else {}
    return gym.make(name, **options)


def stable_baselines3(job):
    from stable_baselines3 import SAC
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

    report = Reporter()

    class Report(BaseCallback):
        def _on_step(self):
            report(self.num_timesteps, self.model._n_updates)
            return True

    num_envs = job["numEnvs"]
    processes = {"vec_env_cls": SubprocVecEnv, "vec_env_kwargs": {"start_method": "fork"}}
    how = processes if job["processes"] else {"vec_env_cls": DummyVecEnv}
    envs = make_vec_env(lambda: make_env(job["env"]), n_envs=num_envs, seed=1, **how)
    due = num_envs * job["utdRatio"]  # updates a step of all envs
    model = SAC(
        "MlpPolicy",
        envs,
        batch_size=job["batchSize"],
        learning_starts=job["learningStarts"],
        train_freq=max(1, round(1 / due)),
        gradient_steps=max(1, round(due)),
        policy_kwargs={"net_arch": job["hidden"]},
        device="cpu",
        seed=1,
    )
    model.learn(10**9, callback=Report())


class Critic(nn.Module):
    def __init__(self, observation_size, action_size):
        super().__init__()
        self.first = nn.Linear(observation_size + action_size, 256)
        self.second = nn.Linear(256, 256)
        self.head = nn.Linear(256, 1)

    def forward(self, observations, actions):
        x = torch.cat([observations, actions], 1)
        return self.head(F.relu(self.second(F.relu(self.first(x)))))


class Actor(nn.Module):
    def __init__(self, observation_size, space):
        super().__init__()
        self.first = nn.Linear(observation_size, 256)
        self.second = nn.Linear(256, 256)
        self.mean = nn.Linear(256, space.shape[0])
        self.log_std = nn.Linear(256, space.shape[0])
        self.register_buffer("scale", torch.tensor((space.high - space.low) / 2, dtype=torch.float32))
        self.register_buffer("middle", torch.tensor((space.high + space.low) / 2, dtype=torch.float32))

    def sample(self, observations):
        x = F.relu(self.second(F.relu(self.first(observations))))
        log_std = -5 + 3.5 * (torch.tanh(self.log_std(x)) + 1)
        normal = torch.distributions.Normal(self.mean(x), log_std.exp())
        draw = normal.rsample()
        squashed = torch.tanh(draw)
        density = normal.log_prob(draw) - torch.log(self.scale * (1 - squashed.pow(2)) + 1e-6)
        return squashed * self.scale + self.middle, density.sum(1, keepdim=True)


class Cleanrl:
    """CleanRL's networks and update."""

    def __init__(self, observation_size, space):
        critic = lambda: Critic(observation_size, space.shape[0])
        self.critics, self.targets = [critic(), critic()], [critic(), critic()]
        for mine, target in zip(self.critics, self.targets):
            target.load_state_dict(mine.state_dict())
        self.actor = Actor(observation_size, space)
        parameters = [p for each in self.critics for p in each.parameters()]
        self.critic_optimizer = torch.optim.Adam(parameters, lr=1e-3)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=3e-4)
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.alpha_optimizer = torch.optim.Adam([self.log_alpha], lr=1e-3)
        self.alpha = 1.0
        self.target_entropy = -float(space.shape[0])

    def update(self, data, step):
        with torch.no_grad():
            actions, log_probs = self.actor.sample(data.next_observations)
            values = [target(data.next_observations, actions) for target in self.targets]
            value = torch.min(*values) - self.alpha * log_probs
            wanted = data.rewards.flatten() + (1 - data.dones.flatten()) * 0.99 * value.view(-1)
        losses = [F.mse_loss(each(data.observations, data.actions).view(-1), wanted) for each in self.critics]
        self.critic_optimizer.zero_grad()
        sum(losses).backward()
        self.critic_optimizer.step()
        if step % 2 == 0:
            for _ in range(2):
                self.update_actor(data.observations)
        for mine, target in zip(self.critics, self.targets):
            for p, q in zip(mine.parameters(), target.parameters()):
                q.data.copy_(0.005 * p.data + 0.995 * q.data)

    def update_actor(self, observations):
        actions, log_probs = self.actor.sample(observations)
        value = torch.min(*[each(observations, actions) for each in self.critics])
        loss = (self.alpha * log_probs - value).mean()
        self.actor_optimizer.zero_grad()
        loss.backward()
        self.actor_optimizer.step()
        with torch.no_grad():
            _, log_probs = self.actor.sample(observations)
        alpha_loss = (-self.log_alpha.exp() * (log_probs + self.target_entropy)).mean()
        self.alpha_optimizer.zero_grad()
        alpha_loss.backward()
        self.alpha_optimizer.step()
        self.alpha = self.log_alpha.exp().item()


def cleanrl(job):
    from stable_baselines3.common.buffers import ReplayBuffer

    torch.manual_seed(1)
    num_envs = job["numEnvs"]
    make = lambda: gym.wrappers.RecordEpisodeStatistics(make_env(job["env"]))
    same_step = gym.vector.AutoresetMode.SAME_STEP
    envs = gym.vector.SyncVectorEnv([make] * num_envs, autoreset_mode=same_step)
    observation_space, action_space = envs.single_observation_space, envs.single_action_space
    observation_space.dtype = np.float32
    agent = Cleanrl(observation_space.shape[0], action_space)
    buffer = ReplayBuffer(
        10**6, observation_space, action_space, "cpu", n_envs=num_envs, handle_timeout_termination=False
    )
    report = Reporter()
    observations, _ = envs.reset(seed=1)
    step = updates = 0
    while True:
        if step < job["learningStarts"]:
            actions = np.array([action_space.sample() for _ in range(num_envs)])
        else:
            actions = agent.actor.sample(torch.Tensor(observations))[0].detach().numpy()
        next_observations, rewards, terminated, truncated, infos = envs.step(actions)
        successors = next_observations.copy()
        for i, late in enumerate(truncated):
            if late:
                successors[i] = infos["final_obs"][i]
        buffer.add(observations, successors, actions, rewards, terminated, infos)
        observations = next_observations
        if step > job["learningStarts"]:
            agent.update(buffer.sample(job["batchSize"]), step)
            updates += 1
        step += 1
        report(step * num_envs, updates)


def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    {"sb3": stable_baselines3, "cleanrl": cleanrl}[job["peer"]](job)


main()
