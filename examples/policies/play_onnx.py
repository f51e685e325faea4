"""An exported policy in ONNX Runtime: python3 play_onnx.py POLICY.onnx EVAL.json"""

import sys

import numpy
import onnxruntime
from pendulum_episodes import play

session = onnxruntime.InferenceSession(sys.argv[1])
metadata = session.get_modelmeta().custom_metadata_map
print("the policy of step %s for %s: %s" % (metadata["step"], metadata["task"], metadata["computes"]))


def act(observation):
    batch = numpy.array([observation], dtype=numpy.float32)
    return session.run(["action"], {"observation": batch})[0][0].tolist()


play(act, sys.argv[2])
