#!/usr/bin/env python3
"""SAC with a learned temperature (Haarnoja et al. 2018, arXiv 1812.05905) in eager PyTorch: the peer that the benchmarks compare with.

Written as a careful user of PyTorch writes it, on the networks, the replay buffer and the protocol of td3_pytorch.py. The algorithm, sizes
and constants are those of NE.Actors' sac; densities are of the action scaled to [-1, 1].

  sac_pytorch.py learner --observation 17 --action 6 --hidden 256,256 --batch 256 --threads 1
      gradient steps on a replay buffer of random rows; with --device cuda on a GPU, its batches copied there
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from td3_pytorch import DISCOUNT, POLYAK, RATE, Critics, main, mlp

LOG_DEVIATION = (-20.0, 2.0)


class Actor(nn.Module):
    def __init__(self, observation, action, hidden, max_action):
        super().__init__()
        self.net, self.max_action = mlp([observation, *hidden, 2 * action]), max_action

    def forward(self, observation):
        """An action drawn from the policy, and its log-probability."""
        mean, log_deviation = self.net(observation).chunk(2, 1)
        log_deviation = log_deviation.clamp(*LOG_DEVIATION)
        noise = torch.randn_like(mean)
        u = mean + log_deviation.exp() * noise
        normal = -0.5 * noise * noise - log_deviation - 0.5 * math.log(2 * math.pi)
        correction = 2 * (math.log(2) - u - F.softplus(-2 * u))
        return self.max_action * torch.tanh(u), (normal - correction).sum(1, keepdim=True)


class Sac:
    def __init__(self, observation, action, hidden, max_action, batch, device="cpu"):
        self.actor = Actor(observation, action, hidden, max_action).to(device)
        self.critics, self.critics_target = (Critics(observation, action, hidden).to(device) for _ in range(2))
        self.critics_target.load_state_dict(self.critics.state_dict())
        self.log_alpha = torch.zeros(1, device=device, requires_grad=True)
        self.actor_adam = torch.optim.Adam(self.actor.parameters(), lr=RATE)
        self.critics_adam = torch.optim.Adam(self.critics.parameters(), lr=RATE)
        self.alpha_adam = torch.optim.Adam([self.log_alpha], lr=RATE)
        self.target_entropy, self.batch, self.device = -float(action), batch, device

    def update(self, replay, rng):
        observation, action, next_observation, reward, not_done = replay.sample(rng, self.batch, self.device)
        alpha = self.log_alpha.detach().exp()
        with torch.no_grad():
            next_action, log_probability = self.actor(next_observation)
            value = torch.min(*self.critics_target(next_observation, next_action)) - alpha * log_probability
            target = reward + not_done * DISCOUNT * value

        first, second = self.critics(observation, action)
        loss = F.mse_loss(first, target) + F.mse_loss(second, target)
        self.critics_adam.zero_grad(set_to_none=True)
        loss.backward()
        self.critics_adam.step()

        for weight in self.critics.parameters():
            weight.requires_grad_(False)  # the critics are constants in the actor's loss
        drawn, log_probability = self.actor(observation)
        actor_loss = (alpha * log_probability - torch.min(*self.critics(observation, drawn))).mean()
        self.actor_adam.zero_grad(set_to_none=True)
        actor_loss.backward()
        self.actor_adam.step()
        for weight in self.critics.parameters():
            weight.requires_grad_(True)

        alpha_loss = -(self.log_alpha * (log_probability.detach().mean() + self.target_entropy)).mean()
        self.alpha_adam.zero_grad(set_to_none=True)
        alpha_loss.backward()
        self.alpha_adam.step()
        with torch.no_grad():
            for w, w_slow in zip(self.critics.parameters(), self.critics_target.parameters()):
                w_slow.mul_(1 - POLYAK).add_(w, alpha=POLYAK)


if __name__ == "__main__":
    main(Sac, __doc__, ["learner"])
