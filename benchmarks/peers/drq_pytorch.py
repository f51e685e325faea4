#!/usr/bin/env python3
"""An update of DrQ (Kostrikov et al. 2020) or DrQ-v2 (Yarats et al. 2021) in eager PyTorch: the peer of `./ne bench pixels`.

  drq_pytorch.py --learner drq --batch 256 --size 84 --channels 9 --filters 32 --features 50 --hidden 1024,1024 --action 6 --shifts 2 --threads 1

Written as a careful user of PyTorch writes it: frames are stored once, as bytes; shifts are slices of padded bytes, which on a CPU cost a
fraction of a grid_sample; shifted copies go through the networks as one batch; the actor reads the features that the critics' loss had; and
the memory format of pictures is the one in which the encoder is faster here, which is measured at the start. The algorithm, sizes and
constants are those of NE.Actors' drq and drqv2.

Prints one JSON line when it is ready. Then every line of standard input is a number of seconds; it takes updates for about so long, at least
one, and prints one JSON line {"steps": n, "seconds": s}; with one thread, the processor's seconds. In between it waits.
"""

import argparse
import copy
import json
import math
import sys
import time

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F

DISCOUNT, RETURN_STEPS, RATE, POLYAK, PADDING = 0.99, 3, 1e-4, 0.01, 4
NOISE, NOISE_CLIP, TEMPERATURE, LOG_DEVIATION = 0.5, 0.3, 0.1, (-20.0, 2.0)
FRAMES = 1000


class Replay:
    """Frames of one long episode, each stored once."""

    def __init__(self, options, rng):
        self.stack, self.rng, self.shifts = options.channels // 3, rng, options.shifts
        self.frames = rng.integers(0, 256, (FRAMES, 3, options.size, options.size), numpy.uint8)
        self.actions = (2 * rng.random((FRAMES, options.action)) - 1).astype(numpy.float32)
        self.rewards = rng.random((FRAMES, 1)).astype(numpy.float32)
        self.powers = (DISCOUNT ** numpy.arange(RETURN_STEPS)).astype(numpy.float32)

    def pictures(self, rows):
        """Stacks that end with these frames, shifted, in as many copies as are asked for."""
        stacked = self.frames[rows[:, None] + numpy.arange(1 - self.stack, 1)]
        count, _, _, height, width = stacked.shape
        edges = ((0, 0), (0, 0), (PADDING, PADDING), (PADDING, PADDING))
        padded = numpy.pad(stacked.reshape(count, -1, height, width), edges, "edge")
        shifted = numpy.empty((self.shifts * count, padded.shape[1], height, width), numpy.uint8)
        for i, (down, right) in enumerate(self.rng.integers(0, 2 * PADDING + 1, (self.shifts * count, 2))):
            shifted[i] = padded[i % count, :, down : down + height, right : right + width]
        return torch.from_numpy(shifted)

    def sample(self, batch):
        rows = self.rng.integers(self.stack - 1, FRAMES - RETURN_STEPS, batch)
        rewards = self.rewards[rows[:, None] + numpy.arange(RETURN_STEPS), 0] @ self.powers
        columns = (torch.from_numpy(self.actions[rows]), torch.from_numpy(rewards)[:, None])
        repeated = (column.repeat(self.shifts, 1) for column in columns)
        return self.pictures(rows), self.pictures(rows + RETURN_STEPS), *repeated


class Encoder(nn.Module):
    def __init__(self, options):
        super().__init__()
        layers, before = [], options.channels
        for stride in (2, 1, 1, 1):
            layers += [nn.Conv2d(before, options.filters, 3, stride), nn.ReLU()]
            before = options.filters
        self.net, self.format = nn.Sequential(*layers), torch.contiguous_format

    def forward(self, pictures):
        return self.net((pictures / 255.0 - 0.5).contiguous(memory_format=self.format)).flatten(1)

    def choose_format(self, pictures):
        """The format in which it is faster, forward and backward."""
        seconds = {}
        for candidate in (torch.contiguous_format, torch.channels_last):
            self.format = candidate
            self.net.to(memory_format=candidate)
            for _ in range(2):
                began = time.perf_counter()
                self(pictures).sum().backward()
                seconds[candidate] = time.perf_counter() - began
        self.format = min(seconds, key=seconds.get)
        self.net.to(memory_format=self.format)
        self.zero_grad(set_to_none=True)


def trunk(encoded, features):
    return nn.Sequential(nn.Linear(encoded, features), nn.LayerNorm(features), nn.Tanh())


def mlp(widths):
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Critics(nn.Module):
    def __init__(self, encoded, options):
        super().__init__()
        self.trunk = trunk(encoded, options.features)
        self.first, self.second = (mlp([options.features + options.action, *options.hidden, 1]) for _ in range(2))

    def forward(self, encoded, action):
        row = torch.cat([self.trunk(encoded), action], 1)
        return self.first(row), self.second(row)


class Actor(nn.Module):
    def __init__(self, encoded, outputs, options):
        super().__init__()
        self.trunk, self.net = trunk(encoded, options.features), mlp([options.features, *options.hidden, outputs])

    def forward(self, encoded):
        return self.net(self.trunk(encoded))


class Learner:
    """What DrQ and DrQ-v2 share."""

    def __init__(self, options, outputs):
        side = (options.size - 3) // 2 + 1 - 6
        encoded = side * side * options.filters
        self.replay = Replay(options, numpy.random.default_rng(0))
        self.batch = options.batch
        self.encoder, self.critics, self.actor = Encoder(options), Critics(encoded, options), Actor(encoded, outputs, options)
        self.encoder.choose_format(self.replay.sample(options.batch)[0])
        self.critics_target = copy.deepcopy(self.critics).requires_grad_(False)
        self.slow = [(self.critics, self.critics_target)]
        self.critics_adam = torch.optim.Adam([*self.encoder.parameters(), *self.critics.parameters()], lr=RATE)
        self.actor_adam = torch.optim.Adam(self.actor.parameters(), lr=RATE)

    def step(self, adam, loss):
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()

    def update(self):
        pictures, following, action, reward = self.replay.sample(self.batch)
        with torch.no_grad():
            target = reward + DISCOUNT**RETURN_STEPS * self.next_value(following)
            if len(target) > self.batch:
                target = target.view(-1, self.batch, 1).mean(0).repeat(len(target) // self.batch, 1)
        encoded = self.encoder(pictures)
        first, second = self.critics(encoded, action)
        self.step(self.critics_adam, F.mse_loss(first, target) + F.mse_loss(second, target))

        self.critics.requires_grad_(False)  # the critics are constants in the actor's loss
        self.step_actor(encoded.detach())
        self.critics.requires_grad_(True)

        with torch.no_grad():
            for network, slow in self.slow:
                for w, w_slow in zip(network.parameters(), slow.parameters()):
                    w_slow.lerp_(w, POLYAK)


class Drq(Learner):
    def __init__(self, options):
        super().__init__(options, 2 * options.action)
        self.encoder_target = copy.deepcopy(self.encoder).requires_grad_(False)
        self.slow.append((self.encoder, self.encoder_target))
        self.log_alpha = torch.tensor(math.log(TEMPERATURE), requires_grad=True)
        self.alpha_adam = torch.optim.Adam([self.log_alpha], lr=RATE)
        self.target_entropy = -float(options.action)

    def draw(self, encoded):
        """An action drawn from the policy, and its log-probability."""
        mean, log_deviation = self.actor(encoded).chunk(2, 1)
        log_deviation = log_deviation.clamp(*LOG_DEVIATION)
        noise = torch.randn_like(mean)
        u = mean + log_deviation.exp() * noise
        normal = -0.5 * noise * noise - log_deviation - 0.5 * math.log(2 * math.pi)
        correction = 2 * (math.log(2) - u - F.softplus(-2 * u))
        return torch.tanh(u), (normal - correction).sum(1, keepdim=True)

    def next_value(self, following):
        action, log_probability = self.draw(self.encoder(following))
        value = torch.min(*self.critics_target(self.encoder_target(following), action))
        return value - self.log_alpha.exp() * log_probability

    def step_actor(self, encoded):
        action, log_probability = self.draw(encoded)
        alpha = self.log_alpha.detach().exp()
        self.step(self.actor_adam, (alpha * log_probability - torch.min(*self.critics(encoded, action))).mean())
        self.step(self.alpha_adam, -self.log_alpha * (log_probability.detach().mean() + self.target_entropy))


class DrqV2(Learner):
    def __init__(self, options):
        super().__init__(options, options.action)

    def act(self, encoded):
        action = torch.tanh(self.actor(encoded))
        noise = (NOISE * torch.randn_like(action)).clamp(-NOISE_CLIP, NOISE_CLIP)
        # Bounds let the gradient through, as in the authors' code.
        return action + ((action + noise).clamp(-1, 1) - action).detach()

    def next_value(self, following):
        encoded = self.encoder(following)
        return torch.min(*self.critics_target(encoded, self.act(encoded)))

    def step_actor(self, encoded):
        self.step(self.actor_adam, -torch.min(*self.critics(encoded, self.act(encoded))).mean())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--learner", choices=("drq", "drqv2"), required=True)
    for name in ("batch", "size", "channels", "filters", "features", "action", "shifts", "threads"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--hidden", type=lambda text: [int(width) for width in text.split(",")], required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    learner = (Drq if options.learner == "drq" else DrqV2)(options)
    chosen = "channels last" if learner.encoder.format == torch.channels_last else "contiguous"
    print(json.dumps({"torch": torch.__version__, "python": sys.version.split()[0], "threads": torch.get_num_threads(), "format": chosen}), flush=True)

    clock = time.process_time if options.threads == 1 else time.perf_counter

    for line in sys.stdin:
        end, began, count = time.perf_counter() + float(line), clock(), 0
        while count == 0 or time.perf_counter() < end:
            learner.update()
            count += 1
        print(json.dumps({"steps": count, "seconds": clock() - began}), flush=True)


main()
