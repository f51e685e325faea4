"""An exported policy with NumPy alone: python3 play_safetensors.py POLICY.safetensors EVAL.json"""

import json
import sys

import numpy
from pendulum_episodes import play


def read(path):
    """The tensors by name, and the metadata."""
    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__")
    part = lambda entry: numpy.frombuffer(data[start:][slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
    return {name: part(entry) for name, entry in header.items()}, metadata


def layer(kind, name, x):
    if kind == "Linear":
        return tensors[name + ".weight"] @ x + tensors[name + ".bias"]
    if kind == "LayerNorm":
        scaled = (x - x.mean()) / numpy.sqrt(x.var() + numpy.float32(1e-5))
        return scaled * tensors[name + ".weight"] + tensors[name + ".bias"]
    if kind.startswith("Normalise"):
        clip = numpy.float32(kind.split()[-1])
        return numpy.clip((x - tensors[name + ".mean"]) * tensors[name + ".scale"], -clip, clip)
    return {"ReLU": lambda: numpy.maximum(x, 0), "CReLU": lambda: numpy.maximum(numpy.concatenate([x, -x]), 0)}[kind]()


def body(name, x):
    for number, kind in enumerate(networks[name]):
        x = layer(kind, "%s.%d" % (name, number), x)
    return x


def act(observation):
    x = numpy.array(observation, dtype=numpy.float32)
    x = body("normaliser", x) if "normaliser" in networks else x
    u = body("actor", x) if "kept" not in networks else body("kept", x) + (body("actor", x) - body("subtracted", x))
    return (tensors["action.offset"] + tensors["action.scale"] * numpy.tanh(u)).tolist()


tensors, metadata = read(sys.argv[1])
networks = json.loads(metadata["networks"])
print("the policy of step %s for %s: %s" % (metadata["step"], metadata["task"], metadata["computes"]))
play(act, sys.argv[2])
