"""Plays the episodes of `ne eval --json` on the pendulum of clients/python, with any policy that is a function of an observation."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/python"))
from pendulum_example import Pendulum


def play(act, evaluation):
    """Prints the mean return of act(observation) -> action beside that of the evaluation, a file of `ne eval --json`."""
    with open(evaluation) as file:
        expected = json.load(file)
    returns = []
    for seed in expected["seeds"]:
        environment, total = Pendulum(), 0.0
        observation, _ = environment.reset(seed=seed)
        for _ in range(Pendulum.spec.max_episode_steps):
            observation, reward, terminated, truncated, _ = environment.step(act(observation))
            total += reward
            if terminated or truncated:
                break
        returns.append(total)
    print("mean return %.4f here, %.4f of ne eval" % (sum(returns) / len(returns), expected["mean"]))
