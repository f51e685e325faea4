#!/usr/bin/env python3
"""Serves an environment to NE.Actors over standard input and output. Needs Python 3.8 or later and nothing else.

As a program, for an environment with Gymnasium's interface:

    ne train "external:python3 clients/python/ne_environment.py gym:Pendulum-v1"
    ne train "external:python3 clients/python/ne_environment.py gym:my_package:Walk-v0 --kwargs level=3 size=[4,5]"
    ne train "external:python3 clients/python/ne_environment.py gym:Walk-v0 --wrapper gymnasium.wrappers:TimeLimit max_episode_steps=200"
    ne train "external:python3 clients/python/ne_environment.py my_module.py:MyEnvironment"
    ne train "external:python3 clients/python/ne_environment.py my_package.my_module:make --pickle-state"

As a module, from a program of your own:

    import ne_environment
    ne_environment.serve(MyEnvironment())

The environment needs `reset(seed=...)` that returns (observation, info), `step(action)` that returns (observation, reward, terminated, truncated,
info), and an `action_space` with `low` and `high`. An `observation_space` with bounds, `spec.max_episode_steps`, `spec.id`, `render()` (an RGB array
[height][width][3]), and `close()` are used when they are there. An episode can be continued exactly after a restart when the environment, or the one
inside of its wrappers, has `save_state()` that returns bytes and `restore_state(bytes)`, or with `--pickle-state` when all of its state can be pickled.

Gym's older interface works too: `seed(seed)` and `reset()` that returns the observation alone, `step(action)` that returns (observation, reward, done,
info), `render(mode="rgb_array")`. Where a seed of 63 bits is refused, one of 32 or 31 bits is made of it.

The protocol is documented in docs/bring-your-own-environment.md. Standard output belongs to it: whatever else is printed goes to standard error.
"""

import argparse
import ast
import importlib
import importlib.util
import inspect
import io
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
LARGEST_FLOAT = 3.4028234663852886e38

# Of 63 bits, and of 32 and 31 bits when it is folded, whose highest bit is set.
LARGEST_SEED = 0x7FFFFFFF80000000

# Beside the number of observations in a saved state: after them are the steps that time limits have counted.
COUNTED = 1 << 31

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


def _pack_bounds(numbers):
    """Bounds that 32 bits cannot hold, such as the largest number of 64 bits, are none."""
    return _pack([number if abs(number) <= LARGEST_FLOAT else math.copysign(math.inf, number) for number in numbers])


def _bounds(space, count):
    """Lower and upper bounds of a space; infinite where it states none."""
    low = getattr(space, "low", None)
    high = getattr(space, "high", None)
    if low is None or high is None:
        return [-math.inf] * count, [math.inf] * count
    low, high = _numbers(low), _numbers(high)
    # One bound for all numbers.
    return (low * count if len(low) == 1 else low), (high * count if len(high) == 1 else high)


def _accepts(function, name):
    """Whether a function can be called with an argument of this name; true where Python cannot tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(parameter.name == name or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def _seeds(seed):
    """The seed, and what is made of it for generators that take 32 bits, or 31."""
    folded = (seed ^ seed >> 32) & 0xFFFFFFFF
    return seed, folded, folded & 0x7FFFFFFF


def _layers(environment):
    """The wrappers, the outermost first, and the environment inside."""
    layers, inside = [], getattr(environment, "unwrapped", None)
    while environment is not None and all(environment is not layer for layer in layers):
        layers.append(environment)
        # Of the wrapper itself: many answer for what is inside of them.
        members = getattr(environment, "__dict__", {})
        environment = None if environment is inside else members.get("env", members.get("environment"))
    return layers


# Wrappers that remember nothing of an episode but what a time limit counts, which is stored beside the state.
_FORGETFUL = {
    "ClipAction",
    "DtypeObservation",
    "FilterObservation",
    "FlattenObservation",
    "OrderEnforcing",
    "PassiveEnvChecker",
    "RecordEpisodeStatistics",
    "RescaleAction",
    "RescaleObservation",
    "ReshapeObservation",
    "TimeLimit",
    "TransformAction",
    "TransformObservation",
    "TransformReward",
}


def _saves(save, restore):
    """Whether these are the two methods. Those of others may have the same names: save_state() that returns a number, for one."""
    if not callable(save) or not callable(restore):
        return False
    try:
        return inspect.signature(save).return_annotation not in (int, "int")
    except (TypeError, ValueError):
        return True


def _saves_itself(layer):
    """Whether an environment has both methods of its own."""
    members = getattr(layer, "__dict__", {})
    return _saves(*(members.get(name, getattr(type(layer), name, None)) for name in ("save_state", "restore_state")))


def _state_owner(environment):
    """The environment, or the one inside of its wrappers, that saves its state; None where there is none, or where a wrapper around it may remember what
    it does not know. Wrappers of Gymnasium 1.0 and later hand nothing on; one that does answers for what is inside of it."""
    layers = _layers(environment)
    for layer in layers:
        if _saves_itself(layer):
            return layer
        if type(layer).__name__ in _FORGETFUL:
            continue
        if _saves(getattr(layer, "save_state", None), getattr(layer, "restore_state", None)):
            return layer
        if any(map(_saves_itself, layers)):
            print(
                "state is not saved, since %s may remember what the environment inside does not know; give it save_state() and restore_state(bytes)"
                % type(layer).__name__,
                file=sys.stderr,
            )
        return None
    return None


_PLAIN = (str, bytes, int, float, bool, type(None))


def _is_plain(members):
    return all(type(member) in _PLAIN for member in members)


class _Pickler(pickle._Pickler):
    """Pickles equal states to equal bytes. The usual pickler writes an object that it meets twice as a reference to the first time, so its bytes also
    tell which equal texts and types are one object in memory, which is another matter in a process that loaded the state. (This class of the standard
    library is the documented pickler without its C code, which does not let a text be replaced.)"""

    def __init__(self, file):
        super().__init__(file, protocol=4)
        self.equals = {}

    def save(self, obj, save_persistent_id=True):
        kind = type(obj)
        if kind in (str, bytes) or (kind.__module__.split(".")[0] == "numpy" and "dtype" in kind.__name__.lower()):
            obj = self.equals.setdefault((kind, obj), obj)
        elif kind is tuple and _is_plain(obj):
            # 1, 1.0 and True are equal, and so are 0.0 and -0.0; their texts are not.
            obj = self.equals.setdefault((kind, repr(obj)), obj)
        elif kind in (set, frozenset) and id(obj) not in self.memo and _is_plain(obj):
            # The order of a set's members depends on how it came about.
            return self.save_reduce(kind, (sorted(obj, key=lambda member: (type(member).__name__, repr(member))),), obj=obj)
        return super().save(obj, save_persistent_id)


def _dump(obj):
    file = io.BytesIO()
    _Pickler(file).dump(obj)
    return file.getvalue()


def _canonical(obj):
    """An object as bytes that it has again after it was loaded from them."""
    return _dump(pickle.loads(_dump(obj)))


class _Wrapped:
    """An environment with what the protocol asks of it."""

    def __init__(self, environment, pickle_state=False):
        self.environment = environment
        self.pickle_state = pickle_state
        # What saves the state; None where nothing does.
        self.owner = None if pickle_state else _state_owner(environment)
        self.observation = None
        # How seeds are made smaller; None until a reset has decided it.
        self.fold = None
        self.has_reset = False
        self.count = None
        reset = getattr(getattr(environment, "unwrapped", None), "reset", environment.reset)
        self.takes_seed = _accepts(environment.reset, "seed") and _accepts(reset, "seed")
        if not self.takes_seed and not callable(getattr(environment, "seed", None)):
            raise TypeError(
                "reset() of %s takes no seed, and there is no seed(); expected reset(seed=...), without which no episode can be repeated"
                % type(environment).__name__
            )
        if pickle_state and hasattr(getattr(environment, "unwrapped", environment), "_ezpickle_args"):
            raise TypeError(
                "a pickled %s says how it was made, not where its episode is (EzPickle), so --pickle-state cannot continue it; give it save_state() "
                "and restore_state(bytes), or leave --pickle-state out" % type(environment).__name__
            )
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
        return self.pickle_state or self.owner is not None

    @property
    def draw(self):
        """What draws a picture; None when nothing does."""
        render = getattr(self.environment, "render", None)
        if not callable(render):
            return None
        if hasattr(self.environment, "render_mode"):
            # Gymnasium's environments draw only when they were made with a render mode.
            return render if self.environment.render_mode == "rgb_array" else None
        modes = (getattr(self.environment, "metadata", None) or {}).get("render.modes")
        if modes is None:
            return render
        return (lambda: render(mode="rgb_array")) if "rgb_array" in modes else None

    def schema(self):
        # The length of an observation is known from the space, or from a first episode.
        space = getattr(self.environment, "observation_space", None)
        shape = getattr(space, "shape", None)
        count = math.prod(shape) if shape else len(self.reset(LARGEST_SEED))
        self.count = count
        spec = getattr(self.environment, "spec", None)
        limit = getattr(spec, "max_episode_steps", None) or 0
        name = (getattr(spec, "id", None) or type(self.environment).__name__).encode("utf-8")
        observation_low, observation_high = _bounds(space, count)
        action_low, action_high = _bounds(self.environment.action_space, self.action_size)
        return (
            struct.pack("<IBII", VERSION, (1 if self.saves_state else 0) | (2 if self.draw else 0), limit, len(name))
            + name
            + struct.pack("<II", count, self.action_size)
            + _pack_bounds(observation_low)
            + _pack_bounds(observation_high)
            + _pack_bounds(action_low)
            + _pack_bounds(action_high)
        )

    def reset(self, seed):
        result = self._reset(seed)
        # (observation, info), or the observation alone, which may be two numbers itself.
        pair = isinstance(result, tuple) and len(result) == 2 and (result[1] is None or hasattr(result[1], "keys"))
        return self._observe(result[0] if pair else result)

    def _reset(self, seed):
        """Where the environment refuses seeds of 63 bits, they are made smaller. The first reset of a process decides it: so it comes out the same in every
        process, and a later reset that fails for another reason is a failure."""
        if self.fold is None:
            try:
                result = self._seeded_reset(seed)
            except Exception as refusal:
                if seed < 1 << 31:
                    raise
                self.fold = self._smaller(seed, refusal)
            else:
                if seed >= 1 << 32:
                    self.fold = 0
                return result
        return self._seeded_reset(_seeds(seed)[self.fold])

    def _smaller(self, seed, refusal):
        """How a seed that was refused is made smaller. Asks with the largest seeds, so that the answer is that of any other seed."""
        for fold in (1, 2):
            try:
                self._seeded_reset(_seeds(LARGEST_SEED)[fold])
            except Exception:
                continue
            break
        else:
            raise refusal
        try:
            self._seeded_reset(seed)
        except Exception:
            print("a seed of 63 bits was refused (%s); seeds are folded to %d bits" % (_said(refusal), 33 - fold), file=sys.stderr)
            return fold
        # What failed once was not about the seed.
        return 0

    def _seeded_reset(self, seed):
        if self.takes_seed:
            result = self.environment.reset(seed=seed)
        else:
            self.environment.seed(seed)
            result = self.environment.reset()
        self.has_reset = True
        return result

    def step(self, numbers):
        action = list(numbers)
        if self.array is not None:
            action = self.array(action, dtype=self.dtype).reshape(self.shape or (self.action_size,))
        result = self.environment.step(action)
        if not isinstance(result, tuple) or len(result) not in (4, 5):
            raise TypeError(
                "step() of %s returned %s; expected (observation, reward, terminated, truncated, info)"
                % (type(self.environment).__name__, "%d values" % len(result) if isinstance(result, tuple) else type(result).__name__)
            )
        if len(result) == 5:
            observation, reward, terminated, truncated, _ = result
        else:
            observation, reward, done, info = result
            truncated = done and (info or {}).get("TimeLimit.truncated", False)
            terminated = done and not truncated
        reward = float(reward)
        if not abs(reward) <= LARGEST_FLOAT:
            raise ValueError("the reward of %s is %r; expected a finite number that 32 bits can hold" % (type(self.environment).__name__, reward))
        return reward, bool(terminated), bool(truncated), self._observe(observation)

    def _observe(self, observation):
        """The numbers of an observation, as many as the space says and none that the agent could not learn from."""
        numbers = _numbers(observation)
        name = type(self.environment).__name__
        if self.count is not None and len(numbers) != self.count:
            raise ValueError("an observation of %s has %d numbers; its observation_space has %d" % (name, len(numbers), self.count))
        for i, number in enumerate(numbers):
            if not abs(number) <= LARGEST_FLOAT:
                raise ValueError("observation %d of %s is %r; expected a finite number that 32 bits can hold" % (i, name, number))
        self.observation = numbers
        return numbers

    def _counting(self):
        """The wrappers that count the steps of the episode, as Gymnasium's and Gym's TimeLimit do."""
        return [layer for layer in _layers(self.environment) if type(getattr(layer, "__dict__", {}).get("_elapsed_steps")) is int]

    def save(self):
        observation = self.observation or []
        # A pickled environment holds its wrappers.
        steps = [] if self.pickle_state else [layer._elapsed_steps for layer in self._counting()]
        state = _canonical(self.environment) if self.pickle_state else self._owners_state()
        counts = struct.pack("<B%dQ" % len(steps), len(steps), *steps) if steps else b""
        return struct.pack("<I", len(observation) | (COUNTED if steps else 0)) + _pack(observation) + counts + state

    def _owners_state(self):
        state = self.owner.save_state()
        if not isinstance(state, (bytes, bytearray, memoryview)):
            raise TypeError("save_state() of %s returned %s; expected bytes" % (type(self.owner).__name__, type(state).__name__))
        return bytes(state)

    def restore(self, data):
        (head,) = struct.unpack_from("<I", data)
        count, at = head & ~COUNTED, 4
        observation = list(struct.unpack_from("<%df" % count, data, at))
        at += 4 * count
        steps = ()
        if head & COUNTED:
            (length,) = struct.unpack_from("<B", data, at)
            steps = struct.unpack_from("<%dQ" % length, data, at + 1)
            at += 1 + 8 * length
        if self.pickle_state:
            self.environment = pickle.loads(data[at:])
        else:
            if not self.has_reset:
                # Wrappers let nobody step before a reset.
                self._reset(LARGEST_SEED)
            self.owner.restore_state(data[at:])
            counting = self._counting()
            # States of before hold no counts.
            if steps and len(steps) != len(counting):
                raise ValueError("expected a state with the steps of %d time limits, found those of %d" % (len(counting), len(steps)))
            for layer, number in zip(counting, steps):
                layer._elapsed_steps = number
        self.observation = observation
        return self.observation

    def render(self, width, height):
        """The frame in the asked size; nearest neighbour when the environment draws in another one."""
        rows = self.draw()
        if rows is None or len(rows) == 0:
            raise TypeError("render() of %s returned no picture; expected an RGB array" % type(self.environment).__name__)
        rows = rows.tolist() if hasattr(rows, "tolist") else rows
        found_height, found_width = len(rows), len(rows[0])
        pixels = bytearray()
        for y in range(height):
            row = rows[y * found_height // height]
            for x in range(width):
                pixels += bytes(row[x * found_width // width][:3])
        return struct.pack("<II", width, height) + bytes(pixels)


def _said(problem):
    """An exception as the last line of its traceback says it."""
    return ("%s: %s" % (type(problem).__name__, problem)).rstrip(": ")


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
    # What anybody else prints or reads must not get between the frames: native libraries, and programs that the environment starts.
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
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
            answer, payload = FAILED, _said(problem).encode("utf-8")
        target.write(struct.pack("<IB", len(payload) + 1, answer) + payload)
        target.flush()
    close = getattr(wrapped.environment, "close", None)
    if callable(close):
        close()


def _value(text):
    """A Python literal, true, false or null; anything else is a text."""
    words = {"true": True, "false": False, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _keywords(pairs):
    values = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name.isidentifier():
            raise SystemExit("expected NAME=VALUE, found '%s'" % pair)
        values[name] = _value(text)
    return values


def _find_modules_in(folder, first=False):
    """Modules are looked for there too; first, as Python does for a program, or last, so that what is installed stays what it is."""
    if folder not in sys.path:
        sys.path.insert(0 if first else len(sys.path), folder)


def _load(name, module_name):
    """What FILE.py:CALLABLE or MODULE:CALLABLE names. A file finds the modules beside it; a module may be one of the working folder."""
    place, separator, what = name.rpartition(":")
    if not separator or not place or not what:
        raise SystemExit("expected FILE.py:CALLABLE or MODULE:CALLABLE, found '%s'" % name)
    if place.endswith(".py"):
        _find_modules_in(os.path.dirname(os.path.abspath(place)), first=True)
        specification = importlib.util.spec_from_file_location(module_name, place)
        module = importlib.util.module_from_spec(specification)
        # Pickle finds the classes of the module by its name.
        sys.modules[module_name] = module
        specification.loader.exec_module(module)
    else:
        _find_modules_in(os.getcwd())
        module = importlib.import_module(place)
    return getattr(module, what)


def _make_gym(name, keywords):
    """An environment of Gymnasium, or of Gym, that can be drawn if it lets itself be."""
    try:
        import gymnasium as gym
    except ImportError:
        try:
            import gym
        except ImportError:
            raise SystemExit("gymnasium is not installed for %s" % sys.executable)
    if ":" in name:
        # Its package may be one of the working folder.
        _find_modules_in(os.getcwd())
    if "render_mode" not in keywords:
        try:
            return gym.make(name, render_mode="rgb_array", **keywords)
        except Exception as problem:
            # Not every environment knows the mode, or can draw on this machine. A mistake of another kind is made again below.
            drawing = problem
        environment = gym.make(name, **keywords)
        print("%s cannot be drawn: %s" % (name, _said(drawing)), file=sys.stderr)
        return environment
    return gym.make(name, **keywords)


def make(name, keywords=(), wrappers=()):
    """An environment by name: gym:ID, gym:PACKAGE:ID, FILE.py:CALLABLE or MODULE:CALLABLE.

    keywords: NAME=VALUE, arguments of what makes the environment.
    wrappers: lists of a FILE.py:CALLABLE or MODULE:CALLABLE and its NAME=VALUE; the first one is the innermost.
    """
    if name.startswith("gym:") and name != "gym:":
        environment = _make_gym(name[len("gym:") :], _keywords(keywords))
    elif ":" not in name.strip(":"):
        raise SystemExit("expected gym:ID, FILE.py:CALLABLE or MODULE:CALLABLE, found '%s'" % name)
    else:
        environment = _load(name, "served_environment")(**_keywords(keywords))
    for number, (wrapper, *pairs) in enumerate(wrappers):
        environment = _load(wrapper, "served_wrapper_%d" % number)(environment, **_keywords(pairs))
    return environment


def _keep_hash_order():
    """Python orders sets of texts by another secret in every process; what depends on that order could not be repeated."""
    if "PYTHONHASHSEED" not in os.environ and hasattr(os, "execv"):
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, getattr(sys, "orig_argv", [sys.executable] + sys.argv))


def main():
    parser = argparse.ArgumentParser(description="Serves an environment to NE.Actors over standard input and output.")
    parser.add_argument("environment", help="gym:ID, gym:PACKAGE:ID, FILE.py:CALLABLE or MODULE:CALLABLE")
    parser.add_argument("--kwargs", nargs="+", default=[], metavar="NAME=VALUE", help="arguments of what makes the environment; values as in Python")
    parser.add_argument(
        "--wrapper", nargs="+", action="append", default=[], metavar=("CALLABLE", "NAME=VALUE"), help="goes around the environment; may be repeated"
    )
    parser.add_argument("--pickle-state", action="store_true", help="store and continue episodes by pickling the whole environment")
    arguments = parser.parse_args()
    _keep_hash_order()
    serve(lambda: make(arguments.environment, arguments.kwargs, arguments.wrapper), arguments.pickle_state)


if __name__ == "__main__":
    main()
