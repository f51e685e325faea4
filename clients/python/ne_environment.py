#!/usr/bin/env python3
"""Serves an environment to NE.Actors over standard input and output. Needs Python 3.8 or later and nothing else.

As a program, for an environment with Gymnasium's interface:

    ne train "external:python3 clients/python/ne_environment.py gym:Pendulum-v1"
    ne train "external:python3 clients/python/ne_environment.py my_module.py:MyEnvironment"
    ne train "external:python3 clients/python/ne_environment.py my_package.my_module:make --pickle-state"

As a module, from a program of your own:

    import ne_environment
    ne_environment.serve(MyEnvironment())

The environment needs `reset(seed=...)` that returns (observation, info), `step(action)` that returns (observation, reward, terminated, truncated,
info), and an `action_space` with `low` and `high`. An `observation_space` with bounds, `spec.max_episode_steps`, `spec.id`, `render()` (an RGB array
[height][width][3]), and `close()` are used when they are there. An episode can be continued exactly after a restart when the environment has
`save_state()` that returns bytes and `restore_state(bytes)`, or with `--pickle-state` when all of its state can be pickled.

The protocol is documented in docs/bring-your-own-environment.md. Standard output belongs to it: whatever else is printed goes to standard error.
"""

import argparse
import importlib
import importlib.util
import math
import os
import pickle
import signal
import struct
import sys

# A folder of environments stays as it is.
sys.dont_write_bytecode = True

VERSION = 1
LONGEST_FRAME = 1 << 26

HELLO, RESET, STEP, SAVE, RESTORE, RENDER, CLOSE = range(0x01, 0x08)
SCHEMA, BEGAN, STEPPED, SAVED, RESTORED, FRAME, CLOSED = range(0x81, 0x88)
FAILED = 0xFF


def _numbers(value):
    """The numbers of a scalar, a nested list, an array or a dictionary (in its order), as a flat list of floats."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in _numbers(item)]
    return [float(value)]


def _pack(numbers):
    return struct.pack("<%df" % len(numbers), *numbers)


def _bounds(space, count):
    """Lower and upper bounds of a space; infinite where it states none."""
    low = getattr(space, "low", None)
    high = getattr(space, "high", None)
    if low is None or high is None:
        return [-math.inf] * count, [math.inf] * count
    low, high = _numbers(low), _numbers(high)
    # One bound for all numbers.
    return (low * count if len(low) == 1 else low), (high * count if len(high) == 1 else high)


class _Wrapped:
    """An environment with what the protocol asks of it."""

    def __init__(self, environment, pickle_state=False):
        self.environment = environment
        self.pickle_state = pickle_state
        self.observation = None
        space = getattr(environment, "action_space", None)
        if space is None or not hasattr(space, "low") or not hasattr(space, "high"):
            raise TypeError("expected an action_space with low and high (a Box), found %r" % (space,))
        shape = tuple(getattr(space, "shape", None) or ())
        self.action_size = math.prod(shape) if shape else len(_numbers(space.low))
        self.shape = shape
        self.dtype = getattr(space, "dtype", None)
        self.array = None
        if self.dtype is not None:
            try:
                import numpy

                self.array = numpy.array
            except ImportError:
                pass

    @property
    def saves_state(self):
        return self.pickle_state or (hasattr(self.environment, "save_state") and hasattr(self.environment, "restore_state"))

    @property
    def renders(self):
        # Gymnasium's environments have a render() that draws only when they were made with a render mode.
        if not callable(getattr(self.environment, "render", None)):
            return False
        return getattr(self.environment, "render_mode", "rgb_array") == "rgb_array"

    def schema(self):
        # The length of an observation is known from the space, or from a first episode.
        space = getattr(self.environment, "observation_space", None)
        shape = getattr(space, "shape", None)
        count = math.prod(shape) if shape else len(self.reset(0))
        spec = getattr(self.environment, "spec", None)
        limit = getattr(spec, "max_episode_steps", None) or 0
        name = (getattr(spec, "id", None) or type(self.environment).__name__).encode("utf-8")
        observation_low, observation_high = _bounds(space, count)
        action_low, action_high = _bounds(self.environment.action_space, self.action_size)
        return (
            struct.pack("<IBII", VERSION, (1 if self.saves_state else 0) | (2 if self.renders else 0), limit, len(name))
            + name
            + struct.pack("<II", count, self.action_size)
            + _pack(observation_low)
            + _pack(observation_high)
            + _pack(action_low)
            + _pack(action_high)
        )

    def reset(self, seed):
        result = self.environment.reset(seed=seed)
        observation = result[0] if isinstance(result, tuple) and len(result) == 2 else result
        self.observation = _numbers(observation)
        return self.observation

    def step(self, numbers):
        action = list(numbers)
        if self.array is not None:
            action = self.array(action, dtype=self.dtype).reshape(self.shape or (self.action_size,))
        observation, reward, terminated, truncated, _ = self.environment.step(action)
        self.observation = _numbers(observation)
        return float(reward), bool(terminated), bool(truncated), self.observation

    def save(self):
        state = pickle.dumps(self.environment) if self.pickle_state else bytes(self.environment.save_state())
        return struct.pack("<I", len(self.observation or [])) + _pack(self.observation or []) + state

    def restore(self, data):
        (count,) = struct.unpack_from("<I", data)
        self.observation = list(struct.unpack_from("<%df" % count, data, 4))
        state = data[4 + 4 * count :]
        if self.pickle_state:
            self.environment = pickle.loads(state)
        else:
            self.environment.restore_state(state)
        return self.observation

    def render(self, width, height):
        """The frame in the asked size; nearest neighbour when the environment draws in another one."""
        rows = self.environment.render()
        rows = rows.tolist() if hasattr(rows, "tolist") else rows
        found_height, found_width = len(rows), len(rows[0])
        pixels = bytearray()
        for y in range(height):
            row = rows[y * found_height // height]
            for x in range(width):
                pixels += bytes(row[x * found_width // width][:3])
        return struct.pack("<II", width, height) + bytes(pixels)


def _read(stream, count):
    """Exactly so many bytes; None at the end of the stream."""
    data = b""
    while len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            return None
        data += more
    return data


def _answer(wrapped, kind, payload):
    if kind == HELLO:
        (version,) = struct.unpack("<I", payload)
        if version != VERSION:
            raise ValueError("expected protocol version %d, found %d" % (VERSION, version))
        return SCHEMA, wrapped.schema()
    if kind == RESET:
        return BEGAN, _pack(wrapped.reset(struct.unpack("<Q", payload)[0]))
    if kind == STEP:
        reward, terminated, truncated, observation = wrapped.step(struct.unpack("<%df" % (len(payload) // 4), payload))
        flags = (1 if terminated else 0) | (2 if truncated else 0)
        return STEPPED, struct.pack("<dB", reward, flags) + _pack(observation)
    if kind == SAVE:
        return SAVED, wrapped.save()
    if kind == RESTORE:
        return RESTORED, _pack(wrapped.restore(payload))
    if kind == RENDER:
        return FRAME, wrapped.render(*struct.unpack("<II", payload))
    if kind == CLOSE:
        return CLOSED, b""
    raise ValueError("a message of type 0x%02x is not known" % kind)


def serve(environment, pickle_state=False):
    """Answers messages until the other side closes. `environment` may also be a callable that makes one."""
    # Ctrl-C in a terminal reaches the whole group of processes; who started us decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    # What anybody else prints must not get between the frames, native libraries included.
    os.dup2(2, 1)
    if not hasattr(environment, "step"):
        environment = environment()
    wrapped = _Wrapped(environment, pickle_state)
    kind = None
    while kind != CLOSE:
        header = _read(source, 4)
        frame = None if header is None else _read(source, struct.unpack("<I", header)[0])
        if frame is None:
            break
        kind = frame[0]
        try:
            answer, payload = _answer(wrapped, kind, frame[1:])
            if len(payload) >= LONGEST_FRAME:
                raise ValueError("an answer of %d bytes is too long for a frame" % len(payload))
        except Exception as problem:  # the other side gives the environment up and says why
            import traceback

            traceback.print_exc()
            answer, payload = FAILED, ("%s: %s" % (type(problem).__name__, problem)).encode("utf-8")
        target.write(struct.pack("<IB", len(payload) + 1, answer) + payload)
        target.flush()
    close = getattr(wrapped.environment, "close", None)
    if callable(close):
        close()


def _make(name):
    """An environment by name: gym:ID, FILE.py:CALLABLE or MODULE:CALLABLE."""
    place, separator, what = name.rpartition(":")
    if not separator or not place or not what:
        raise SystemExit("expected gym:ID, FILE.py:CALLABLE or MODULE:CALLABLE, found '%s'" % name)
    if place == "gym":
        try:
            import gymnasium
        except ImportError:
            raise SystemExit("gymnasium is not installed for %s" % sys.executable)
        return gymnasium.make(what)
    if place.endswith(".py"):
        specification = importlib.util.spec_from_file_location("served_environment", place)
        module = importlib.util.module_from_spec(specification)
        # Pickle finds the classes of the module by its name.
        sys.modules["served_environment"] = module
        specification.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    return getattr(module, what)()


def main():
    parser = argparse.ArgumentParser(description="Serves an environment to NE.Actors over standard input and output.")
    parser.add_argument("environment", help="gym:ID, FILE.py:CALLABLE or MODULE:CALLABLE")
    parser.add_argument("--pickle-state", action="store_true", help="store and continue episodes by pickling the whole environment")
    arguments = parser.parse_args()
    serve(lambda: _make(arguments.environment), arguments.pickle_state)


if __name__ == "__main__":
    main()
