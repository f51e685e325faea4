"""A pendulum to swing up, in plain Python: an example of an environment that NE.Actors can train on.

    ne train "external:python3 clients/python/ne_environment.py clients/python/pendulum_example.py:Pendulum"
"""

import math
import random
import struct


class Box:
    """Bounds of a vector."""

    def __init__(self, low, high):
        self.low, self.high = low, high
        self.shape = (len(low),)


class Pendulum:
    """A point mass of 1 kg on a rod of 1 m, turned by a motor that is too weak to lift it directly.

    Observation: cosine and sine of the angle (0 is upright), angular velocity [rad/s]. Action: torque [Nm], from -2 to 1 (bounds need not be
    symmetric). Reward: minus the squared angle and a little of velocity and torque. An episode is 200 steps of 0.05 s.
    """

    action_space = Box([-2.0], [1.0])
    observation_space = Box([-1.0, -1.0, -8.0], [1.0, 1.0, 8.0])

    class spec:
        id = "Pendulum"
        max_episode_steps = 200

    def reset(self, seed=None):
        generator = random.Random(seed)
        self.angle = generator.uniform(-math.pi, math.pi)
        self.velocity = generator.uniform(-1.0, 1.0)
        return self._observe(), {}

    def step(self, action):
        torque = action[0]
        turned = (self.angle + math.pi) % (2.0 * math.pi) - math.pi
        reward = -(turned**2 + 0.1 * self.velocity**2 + 0.001 * torque**2)
        self.velocity += (9.81 * math.sin(self.angle) + torque) * 0.05
        self.velocity = max(-8.0, min(8.0, self.velocity))
        self.angle += self.velocity * 0.05
        return self._observe(), reward, False, False, {}

    def save_state(self):
        return struct.pack("<dd", self.angle, self.velocity)

    def restore_state(self, state):
        self.angle, self.velocity = struct.unpack("<dd", state)

    def render(self):
        """64 x 64 pixels: a white bob on black."""
        x, y = 32 + 24 * math.sin(self.angle), 32 - 24 * math.cos(self.angle)
        return [[[255, 255, 255] if (i - x) ** 2 + (j - y) ** 2 < 16 else [0, 0, 0] for i in range(64)] for j in range(64)]

    def _observe(self):
        return [math.cos(self.angle), math.sin(self.angle), self.velocity]
