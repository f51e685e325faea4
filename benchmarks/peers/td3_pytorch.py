#!/usr/bin/env python3
"""TD3 (Fujimoto et al. 2018) in eager PyTorch: the peer that the benchmarks compare with.

Written as a careful user of PyTorch writes it: one module per network, torch.optim.Adam, a replay buffer of numpy arrays,
batches copied to tensors. The algorithm, sizes and constants are those of NE.Actors' td3 without weight clipping.

  td3_pytorch.py learner --observation 17 --action 6 --hidden 256,128 --batch 256 --threads 1
      gradient steps on a replay buffer of random rows; with --device cuda on a GPU, its batches copied there
  td3_pytorch.py loop --library libmujoco.so.2.2.2 --model FILE.xml --frame-skip 5 ... (the sizes as above)
      the serial loop: act with noise, step MuJoCo through ctypes, store, one gradient step
  td3_pytorch.py act --observation 17 --action 6 --hidden 256,128 --rows 1
      actions for so many observations at a time; a step is one action

Prints one JSON line with versions when it is ready. Then every line of standard input is a number of seconds; it works so long
and prints one JSON line {"steps": n, "seconds": s}. In between it waits, so that rounds can alternate with another program.
"""

import argparse
import ctypes
import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

DISCOUNT, POLYAK, POLICY_NOISE, NOISE_CLIP, POLICY_DELAY, EXPLORATION, RATE = 0.99, 0.005, 0.2, 0.5, 2, 0.1, 3e-4


def mlp(widths):
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Actor(nn.Module):
    def __init__(self, observation, action, hidden, max_action):
        super().__init__()
        self.net, self.max_action = mlp([observation, *hidden, action]), max_action

    def forward(self, observation):
        return self.max_action * torch.tanh(self.net(observation))


class Critics(nn.Module):
    def __init__(self, observation, action, hidden):
        super().__init__()
        self.first, self.second = (mlp([observation + action, *hidden, 1]) for _ in range(2))

    def forward(self, observation, action):
        both = torch.cat([observation, action], 1)
        return self.first(both), self.second(both)


class Replay:
    def __init__(self, capacity, observation, action):
        self.observation, self.next_observation = (np.zeros((capacity, observation), np.float32) for _ in range(2))
        self.action = np.zeros((capacity, action), np.float32)
        self.reward, self.not_done = (np.zeros((capacity, 1), np.float32) for _ in range(2))
        self.capacity, self.head, self.size = capacity, 0, 0

    def fill(self, rng):
        for column in (self.observation, self.next_observation, self.action, self.reward):
            column[:] = rng.standard_normal(column.shape, np.float32)
        self.not_done[:] = 1
        self.size = self.capacity

    def add(self, observation, action, reward, next_observation, not_done):
        i = self.head
        self.observation[i], self.action[i], self.reward[i] = observation, action, reward
        self.next_observation[i], self.not_done[i] = next_observation, not_done
        self.head, self.size = (i + 1) % self.capacity, min(self.size + 1, self.capacity)

    def sample(self, rng, rows, device):
        chosen = rng.integers(0, self.size, rows)
        columns = (self.observation, self.action, self.next_observation, self.reward, self.not_done)
        return [torch.from_numpy(column[chosen]).to(device) for column in columns]


class Td3:
    def __init__(self, observation, action, hidden, max_action, batch, device="cpu"):
        self.actor, self.actor_target = (Actor(observation, action, hidden, max_action).to(device) for _ in range(2))
        self.critics, self.critics_target = (Critics(observation, action, hidden).to(device) for _ in range(2))
        self.actor_target.load_state_dict(self.actor.state_dict())
        self.critics_target.load_state_dict(self.critics.state_dict())
        self.actor_adam = torch.optim.Adam(self.actor.parameters(), lr=RATE)
        self.critics_adam = torch.optim.Adam(self.critics.parameters(), lr=RATE)
        self.max_action, self.batch, self.device, self.updates = max_action, batch, device, 0

    def act(self, observations):
        with torch.no_grad():
            return self.actor(torch.from_numpy(observations)).numpy()

    def update(self, replay, rng):
        self.updates += 1
        observation, action, next_observation, reward, not_done = replay.sample(rng, self.batch, self.device)
        with torch.no_grad():
            noise = (torch.randn_like(action) * POLICY_NOISE * self.max_action).clamp(-NOISE_CLIP * self.max_action, NOISE_CLIP * self.max_action)
            next_action = (self.actor_target(next_observation) + noise).clamp(-self.max_action, self.max_action)
            first, second = self.critics_target(next_observation, next_action)
            target = reward + not_done * DISCOUNT * torch.min(first, second)

        first, second = self.critics(observation, action)
        loss = F.mse_loss(first, target) + F.mse_loss(second, target)
        self.critics_adam.zero_grad(set_to_none=True)
        loss.backward()
        self.critics_adam.step()

        if self.updates % POLICY_DELAY == 0:
            pi = self.actor(observation)
            actor_loss = -self.critics.first(torch.cat([observation, pi], 1)).mean()
            self.actor_adam.zero_grad(set_to_none=True)
            actor_loss.backward()
            self.actor_adam.step()
            with torch.no_grad():
                for online, slow in ((self.critics, self.critics_target), (self.actor, self.actor_target)):
                    for w, w_slow in zip(online.parameters(), slow.parameters()):
                        w_slow.mul_(1 - POLYAK).add_(w, alpha=POLYAK)


class MuJoCo:
    """The physics of a task: frame_skip steps and an observation of the right size made of qpos[1:] and qvel. Offsets of 2.2.2."""

    NQ, NV, NU, QPOS, QVEL, CTRL = 0, 4, 8, 40376, 40384, 40408

    def __init__(self, library, model, frame_skip, observation):
        self.mj = ctypes.CDLL(library)
        if self.mj.mj_version() != 222:
            sys.exit(f"{library}: expected MuJoCo 2.2.2, found number {self.mj.mj_version()}")
        for name in ("mj_loadXML", "mj_makeData"):
            getattr(self.mj, name).restype = ctypes.c_void_p
        error = ctypes.create_string_buffer(1000)
        self.model = ctypes.c_void_p(self.mj.mj_loadXML(model.encode(), None, error, 1000))
        if not self.model:
            sys.exit(f"{model}: {error.value.decode()}")
        self.data = ctypes.c_void_p(self.mj.mj_makeData(self.model))
        size = lambda offset: ctypes.c_int.from_address(self.model.value + offset).value
        view = lambda offset, count: np.ctypeslib.as_array(
            ctypes.cast(ctypes.c_void_p.from_address(self.data.value + offset).value, ctypes.POINTER(ctypes.c_double)), (count,))
        self.qpos, self.qvel, self.ctrl = view(self.QPOS, size(self.NQ)), view(self.QVEL, size(self.NV)), view(self.CTRL, size(self.NU))
        self.frame_skip, self.size = frame_skip, observation

    def observe(self):
        return np.resize(np.concatenate([self.qpos[1:], self.qvel]), self.size).astype(np.float32)

    def reset(self, rng):
        self.mj.mj_resetData(self.model, self.data)
        self.qpos += rng.uniform(-0.1, 0.1, self.qpos.shape)
        self.qvel += 0.1 * rng.standard_normal(self.qvel.shape)
        self.mj.mj_forward(self.model, self.data)
        return self.observe()

    def step(self, action):
        before = self.qpos[0]
        self.ctrl[:] = action
        for _ in range(self.frame_skip):
            self.mj.mj_step(self.model, self.data)
        self.mj.mj_rnePostConstraint(self.model, self.data)
        return self.observe(), self.qpos[0] - before - 0.1 * float(np.square(action).sum())


def learner(agent, options, rng):
    agent = agent(options.observation, options.action, options.hidden, options.max_action, options.batch, options.device)
    replay = Replay(options.replay, options.observation, options.action)
    replay.fill(rng)
    while True:
        agent.update(replay, rng)
        yield 1


def loop(agent, options, rng):
    agent = agent(options.observation, options.action, options.hidden, options.max_action, options.batch)
    replay = Replay(options.replay, options.observation, options.action)
    world = MuJoCo(options.library, options.model, options.frame_skip, options.observation)
    observation, elapsed = world.reset(rng), 0
    while True:
        if replay.size < 4 * options.batch:
            action = rng.uniform(-options.max_action, options.max_action, options.action).astype(np.float32)
        else:
            noise = EXPLORATION * options.max_action * rng.standard_normal(options.action).astype(np.float32)
            action = np.clip(agent.act(observation[None])[0] + noise, -options.max_action, options.max_action)
        following, reward = world.step(action)
        elapsed += 1
        replay.add(observation, action, reward, following, 1.0)
        observation = following
        if elapsed == options.time_limit:
            observation, elapsed = world.reset(rng), 0
        if replay.size >= 4 * options.batch:
            agent.update(replay, rng)
        yield 1


def act(agent, options, rng):
    agent = agent(options.observation, options.action, options.hidden, options.max_action, options.batch)
    observations = rng.standard_normal((256, options.rows, options.observation), np.float32)
    while True:
        for rows in observations:
            agent.act(rows)
            yield options.rows


def main(agent, description, modes):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=modes)
    parser.add_argument("--observation", type=int, default=17)
    parser.add_argument("--action", type=int, default=6)
    parser.add_argument("--hidden", type=lambda text: [int(width) for width in text.split(",")], default=[256, 128])
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--max-action", type=float, default=1.0)
    parser.add_argument("--replay", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--library")
    parser.add_argument("--model")
    parser.add_argument("--frame-skip", type=int, default=5)
    parser.add_argument("--time-limit", type=int, default=1000)
    options = parser.parse_args()
    if options.mode == "loop" and not (options.library and options.model):
        parser.error("loop needs --library and --model")
    device = torch.device(options.device)
    on_gpu = device.type == "cuda"
    if on_gpu and options.mode != "learner":
        parser.error("only the learner computes on a GPU")
    if on_gpu and (device.index or 0) >= torch.cuda.device_count():
        sys.exit(f"{options.device}: this PyTorch can use {torch.cuda.device_count()} CUDA devices")

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    work = {"learner": learner, "loop": loop, "act": act}[options.mode](agent, options, np.random.default_rng(0))
    next(work)
    print(json.dumps({
        "torch": torch.__version__,
        "python": sys.version.split()[0],
        "blas": torch.cuda.get_device_name(device) if on_gpu else os.path.realpath("/usr/lib/x86_64-linux-gnu/libblas.so.3"),
        "openblasKernel": os.environ.get("OPENBLAS_CORETYPE", "chosen by OpenBLAS"),
        "threads": torch.get_num_threads(),
    }), flush=True)

    for line in sys.stdin:
        seconds, steps, start = float(line), 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            steps += next(work)
        if on_gpu:
            torch.cuda.synchronize(device)  # what was sent counts when it is done
        elapsed = time.perf_counter() - start
        print(json.dumps({"steps": steps, "seconds": elapsed}), flush=True)


if __name__ == "__main__":
    main(Td3, __doc__, ["learner", "loop", "act"])
